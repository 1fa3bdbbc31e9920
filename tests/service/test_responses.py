"""A response under way: signs of life while nothing comes, and one stream whatever way answers in the end."""

import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from openai import omit
from openai._models import construct_type_unchecked
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent

from claude_openai_proxy.errors import UpstreamStatusError
from claude_openai_proxy.protocols.anthropic import MessagesRequest
from claude_openai_proxy.protocols.openai_responses import ResponseEvent
from claude_openai_proxy.protocols.openai_responses_request import ResponsesRequest
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.envelopes import Envelopes
from claude_openai_proxy.service.files import Files
from claude_openai_proxy.service.response_state import ResponseState
from claude_openai_proxy.service.response_work import Work
from claude_openai_proxy.service.responses import ResponsesService
from claude_openai_proxy.storage.files_memory import MemoryFiles
from claude_openai_proxy.storage.interface import StorageRefusedError
from claude_openai_proxy.storage.sealing import Seal
from claude_openai_proxy.upstreams.interface import AnswerFacts
from claude_openai_proxy.web.event_stream import COMMENT
from claude_openai_proxy.web.responses.responses import COMMENTS_FOR_EACH_EVENT, SignsOfLife
from service.fake_upstream import FakeStream, FakeUpstream, message, text
from service.test_ways import Two, a_record

JSONObject = dict[str, object]


def no_seal() -> Seal:
    raise StorageRefusedError("There is no key.")


def service(admissions: Admissions) -> ResponsesService:
    """One that keeps nothing."""
    numbers = itertools.count(1)

    def new_id(prefix: str) -> str:
        return f"{prefix}{next(numbers)}"

    return ResponsesService(
        admissions=admissions,
        files=Files(store=MemoryFiles(), room=0, new_id=lambda: "file-1", wall_clock=lambda: 1.0),
        envelopes=Envelopes(no_seal),
        state=ResponseState(None, new_id, "runner", lambda: 1.0),
        reject_unsupported=False,
        new_id=new_id,
        wall_clock=lambda: 1.0,
    )


async def held(_size: int) -> None:
    pass


class Silent(FakeUpstream):
    """While nothing comes of it, `meanwhile` is done."""

    meanwhile: Callable[[], object] = object

    @asynccontextmanager
    async def stream(
        self, request: MessagesRequest, facts: AnswerFacts, *, whole: bool = False
    ) -> AsyncIterator[FakeStream]:
        self.meanwhile()
        async with super().stream(request, facts, whole=whole) as answer:
            yield answer


def plain(events: list[ResponseEvent]) -> list[JSONObject]:
    return [json.loads(msgspec.json.encode(event)) for event in events]


async def told(responses: ResponsesService, work: Work, told: list[ResponseEvent]) -> list[JSONObject]:
    """All events of it; those that came before the answer stand in `told` by then."""
    async with responses.respond(work, unknown=(), record=a_record(), hold=held) as answer:
        async for batch in answer:
            told += batch
    return plain(told)


async def test_a_stream_that_has_begun_goes_on_where_another_way_answers() -> None:
    two, events = Two(), list[ResponseEvent]()
    two.first = two.choice.upstream = Silent([UpstreamStatusError("Overloaded", status=529)])
    two.first.kind, two.first.payer = "claude-code", "plan"
    two.second.scripts = [[message(text("Hi"))]]
    responses = service(two.admissions)
    work = responses.begin(ResponsesRequest(model="big", input="Hello", stream=True))
    two.first.meanwhile = lambda: events.extend([*work.keep_alive(), *work.keep_alive()])

    said = await told(responses, work, events)

    assert two.asked == (1, 1)
    assert [event["sequence_number"] for event in said] == list(range(len(said)))
    kinds = [str(event["type"]).removeprefix("response.") for event in said]
    assert kinds[:4] == ["created", "in_progress", "keepalive", "output_item.added"]
    assert kinds.count("created") == 1
    assert kinds[-1] == "completed"


async def test_the_sdk_reads_over_signs_of_life() -> None:
    upstream, events = Silent([message(text("Hi", " there"))]), list[ResponseEvent]()
    two = Two()
    two.first = two.choice.upstream = upstream
    responses = service(two.admissions)
    work = responses.begin(ResponsesRequest(model="big", input="Hello", stream=True))
    upstream.meanwhile = lambda: events.extend([*work.keep_alive(), *work.keep_alive(), *work.keep_alive()])

    state: ResponseStreamState[None] = ResponseStreamState(input_tools=omit, text_format=omit)
    fired = [made for event in await told(responses, work, events) for made in state.handle_event(_read(event))]

    assert [event.type for event in fired[:4]] == [
        "response.created",
        "response.in_progress",
        "keepalive",
        "keepalive",
    ]
    assert fired[-1].type == "response.completed"
    assert fired[-1].response.output_text == "Hi there"


def _read(event: JSONObject) -> Any:
    """As the SDK's client does: without judging."""
    type_: Any = ResponseStreamEvent
    return construct_type_unchecked(type_=type_, value=event)


async def test_no_sign_of_life_comes_after_the_end() -> None:
    upstream = FakeUpstream([message(text("Hi"))])
    two = Two()
    two.first = two.choice.upstream = upstream
    responses = service(two.admissions)
    work = responses.begin(ResponsesRequest(model="big", input="Hello", stream=True))

    said = await told(responses, work, [])

    assert said[-1]["type"] == "response.completed"
    assert work.keep_alive() == []


async def test_a_silent_stream_says_comments_and_now_and_then_an_event_but_first_that_there_is_a_response() -> None:
    upstream, two = Silent([message(text("Hi"))]), Two()
    two.first = two.choice.upstream = upstream
    responses = service(two.admissions)
    work = responses.begin(ResponsesRequest(model="big", input="Hello", stream=True))
    signs = SignsOfLife(work)
    written = [signs.next() for _ in range(COMMENTS_FOR_EACH_EVENT)]
    upstream.meanwhile = lambda: written.extend(signs.next() for _ in range(2 * COMMENTS_FOR_EACH_EVENT))

    await told(responses, work, [])

    # Before anybody was asked there is nothing to tell of.
    assert written[:COMMENTS_FOR_EACH_EVENT] == [COMMENT] * COMMENTS_FOR_EACH_EVENT
    events = [one.split(b"\n")[0] for one in written[COMMENTS_FOR_EACH_EVENT:] if one != COMMENT]
    assert events == [b"event: response.created", b"event: keepalive"]


async def test_what_is_said_is_a_sign_of_life_too() -> None:
    upstream, two = Silent([message(text("Hi"))]), Two()
    two.first = two.choice.upstream = upstream
    responses = service(two.admissions)
    work = responses.begin(ResponsesRequest(model="big", input="Hello", stream=True))
    signs = SignsOfLife(work)
    written: list[bytes] = []

    def silence() -> None:
        for _ in range(3):
            written.extend(signs.next() for _ in range(COMMENTS_FOR_EACH_EVENT - 1))
            signs.encode([])

    upstream.meanwhile = silence
    await told(responses, work, [])

    assert set(written) == {COMMENT}


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "completed"),
        ("max_tokens", "max_output_tokens"),
        ("model_context_window_exceeded", "max_output_tokens"),
        ("refusal", "refusal"),
    ],
)
async def test_the_record_says_how_a_response_ended(stop_reason: str, finish_reason: str) -> None:
    two, record = Two(), a_record()
    two.first.scripts = [[message(text("Hi"), stop_reason=stop_reason)]]
    responses = service(two.admissions)
    work = responses.begin(ResponsesRequest(model="big", input="Hello"))

    async with responses.respond(work, unknown=(), record=record, hold=held) as answer:
        await answer.response()

    assert record.finish_reason == finish_reason
