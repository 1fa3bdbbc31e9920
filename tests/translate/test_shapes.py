"""Each request shape on each model: translated, taken by the simulated API's own rules, and with its meaning kept."""

import pytest

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.translate.models.facts import facts_for
from translate.sent import Sent
from translate.shapes import ACCEPTED, REFUSED, SHAPES, Shape
from translate.translated import EVERY_MODEL, goes_out, refusal, sent, translate


def name_of(shape: Shape) -> str:
    return shape.name


def test_there_are_shapes_enough_and_no_name_twice() -> None:
    names = [shape.name for shape in SHAPES]
    assert len(names) == len(set(names)) >= 150


@pytest.mark.parametrize("shape", ACCEPTED, ids=name_of)
def test_the_meaning_is_kept_on_every_model(shape: Shape) -> None:
    for model in EVERY_MODEL:
        translation = translate(shape.body, model)
        request = sent(translation)
        assert shape.meaning is not None
        assert shape.meaning(Sent(request), facts_for(model, None)), (model, request)
        assert shape.ignored is None or translation.ignored == tuple(shape.ignored), model


@pytest.mark.parametrize("shape", ACCEPTED, ids=name_of)
def test_the_simulated_api_takes_it_on_every_model(shape: Shape) -> None:
    for model in EVERY_MODEL:
        translation = translate(shape.body, model)
        assert refusal(goes_out(translation)) is None, model
        assert translation.retry is None or refusal(translation.retry) is None, model


@pytest.mark.parametrize("shape", REFUSED, ids=name_of)
def test_what_cannot_be_is_refused_with_its_place_on_every_model(shape: Shape) -> None:
    for model in EVERY_MODEL:
        with pytest.raises(InvalidRequestError) as refused:
            translate(shape.body, model)
        assert refused.value.param == shape.refused
