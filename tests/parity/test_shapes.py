"""Every request shape through the whole proxy, both ways: the same arrives at Claude, the same comes back."""

import pytest

from claude_openai_proxy.simulator import Script
from claude_openai_proxy.translate.models.facts import facts_for
from models_of_the_day import OFFERED
from parity.same import assert_same_answer, assert_same_requests, assert_same_when_put_together
from parity.sides import JSONObject, Pair
from translate.sent import Sent
from translate.shapes import ACCEPTED, REFUSED, Shape

USAGE: JSONObject = {
    "input_tokens": 11,
    "output_tokens": 5,
    "cache_read_input_tokens": 3,
    "cache_creation_input_tokens": 2,
}
ANSWERS = [Script.text("Hi there", usage=USAGE)] * 3


def body_of(number: int, shape: Shape) -> JSONObject:
    """The models take turns, and of each one's shapes every other is streamed."""
    turn, model = divmod(number, len(OFFERED))
    return {"model": OFFERED[model].id, "stream": turn % 2 == 0, **shape.body}


BODIES = {shape.name: body_of(number, shape) for number, shape in enumerate(ACCEPTED)}
"""By the shape's name."""


def requests_for(body: JSONObject) -> set[object]:
    """One for each choice; a call that this model cannot be forced to make is asked for once more."""
    return {1, 2} if body.keys() & {"tool_choice", "function_call"} else {body.get("n", 1)}


def test_every_model_has_its_share_of_the_shapes() -> None:
    models = [body["model"] for body in BODIES.values()]
    assert min(models.count(model.id) for model in OFFERED) >= 10


@pytest.mark.parametrize("shape", ACCEPTED, ids=lambda shape: shape.name)
async def test_the_same_arrives_and_the_same_comes_back(pair: Pair, shape: Shape) -> None:
    body = BODIES[shape.name]

    api, claude_code = await pair.ask(body, *ANSWERS)

    assert_same_requests(api, claude_code)
    assert len(api.sent) in requests_for(body)
    assert shape.meaning is not None
    assert shape.meaning(Sent(api.sent[0]), facts_for(str(api.sent[0]["model"]), None))
    (assert_same_answer if len(api.sent) == 1 else assert_same_when_put_together)(api, claude_code)


@pytest.mark.parametrize("shape", REFUSED, ids=lambda shape: shape.name)
async def test_the_same_is_refused_before_anything_is_sent(pair: Pair, shape: Shape) -> None:
    api, claude_code = await pair.ask({"model": "claude-opus-5-5", **shape.body})

    assert_same_answer(api, claude_code)
    assert (claude_code.status, claude_code.sent) == (400, [])
