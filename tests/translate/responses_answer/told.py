"""Events of an answer as the client is told them, in plain JSON."""

import itertools
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Raw

from claude_openai_proxy.protocols.openai_responses import Response, ResponseEvent
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.responses_answer.manner import PLAIN, Manner
from claude_openai_proxy.translate.responses_answer.stream import ResponseStream
from translate.message_events import Events

JSONObject = dict[str, object]
DRAFT = Response(id="resp_1", created_at=1, status="in_progress", model="m")


def counted_ids() -> Callable[[str], str]:
    count = itertools.count(1)
    return lambda prefix: f"{prefix}{next(count)}"


def stream(plan: AnswerPlan | None = None, manner: Manner = PLAIN, draft: Response = DRAFT) -> ResponseStream:
    return ResponseStream(plan or AnswerPlan(), draft, new_id=counted_ids(), now=lambda: 2.5, manner=manner)


def sealed(kind: str, blocks: Sequence[Raw]) -> str:
    """What is sealed, for all to see."""
    return f"{kind}:" + ",".join(bytes(block).decode() for block in blocks)


SEALING = Manner(seal=sealed)


def plain(events: Sequence[ResponseEvent]) -> list[JSONObject]:
    return [msgspec.json.decode(msgspec.json.encode(event), type=dict[str, object]) for event in events]


def told(events: Events, plan: AnswerPlan | None = None, manner: Manner = PLAIN) -> list[JSONObject]:
    """All of them."""
    answer = stream(plan, manner)
    return plain([said for event in events for said in answer.feed(event)] + answer.finish())


def final(events: Events, plan: AnswerPlan | None = None, manner: Manner = PLAIN) -> JSONObject:
    """The response of the terminal event."""
    response = told(events, plan, manner)[-1]["response"]
    assert isinstance(response, dict)
    return response


def output(events: Events, plan: AnswerPlan | None = None, manner: Manner = PLAIN) -> list[JSONObject]:
    """Its items."""
    items = final(events, plan, manner)["output"]
    assert isinstance(items, list)
    return items
