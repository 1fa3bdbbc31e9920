"""What every upstream promises, whichever way it goes to Claude: one suite for all of them."""

import asyncio
import json
from functools import partial

import msgspec
import pytest
from msgspec.structs import replace

from claude_openai_proxy.errors import (
    UpstreamConnectionError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamStatusError,
    UpstreamTimeoutError,
)
from claude_openai_proxy.protocols.anthropic import (
    ContentBlockDelta,
    ContentBlockStart,
    MessageParam,
    MessagesRequest,
    MessageStart,
    MessageStop,
    Ping,
    StreamEvent,
    TextBlockParam,
    TextDelta,
    UnknownEvent,
)
from claude_openai_proxy.simulator import Close, Cut, Gate, Hang, ReceivedRequest, Script, Simulator, Step, error_event
from claude_openai_proxy.translate.messages_api.events import decode_event
from claude_openai_proxy.upstreams.interface import AnswerFacts, MessageStream, Upstream
from upstreams.factories import UpstreamFactory

REQUEST = MessagesRequest(
    model="claude-opus-5-5", max_tokens=1000, messages=[MessageParam("user", [TextBlockParam("Hello")])]
)
WORDS_LOST = {("claude-code", 404), ("claude-code", 413)}
"""The CLI says these two in its own words; the proxy then says them in words of its own."""
UNICODE = 'Zeile\u2028eins\u2029zwei\u0085drei \u4f60\u597d \U0001f680 \r\n\n "quoted" \\ end'


async def collect_into(events: list[StreamEvent], answer: MessageStream) -> None:
    """All events, without the signs of life that may come at any time."""
    async for batch in answer:
        events += [event for event in batch if not isinstance(event, Ping)]


async def collect(
    upstream: Upstream, request: MessagesRequest = REQUEST, facts: AnswerFacts | None = None
) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    async with upstream.stream(request, facts or AnswerFacts()) as answer:
        await collect_into(events, answer)
    return events


async def first_text(answer: MessageStream) -> str:
    async for batch in answer:
        for event in batch:
            if isinstance(event, ContentBlockDelta) and isinstance(event.delta, TextDelta):
                return event.delta.text
    raise AssertionError("the answer has no text")


def written(script: Script) -> list[StreamEvent]:
    """The events of a script, but for the first, whose id and model are filled in as it is played."""
    events = [decode_event(json.dumps(step).encode()) for step in script.steps if isinstance(step, dict)]
    return plain([event for event in events if not isinstance(event, MessageStart | Ping)])


def plain(events: list[StreamEvent]) -> list[StreamEvent]:
    """Without the bytes that a block was decoded from: they may be spaced in another way."""
    return [
        replace(event, sent_block=msgspec.Raw()) if isinstance(event, ContentBlockStart) else event for event in events
    ]


def text_of(events: list[StreamEvent]) -> str:
    deltas = [event.delta for event in events if isinstance(event, ContentBlockDelta)]
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


# ---- the events ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        Script.text("Hello, world", pieces=7),
        Script.text(UNICODE, pieces=9),
        Script.text(""),
        Script.text("cut", stop_reason="max_tokens"),
        Script.tool_calls([("get_weather", {"city": "\u6771\u4eac"}), ("get_time", {})], text="I look."),
        Script.thinking("Let me see", "So it is."),
        Script.thinking("", "Silently."),
        Script.refusal("No"),
    ],
    ids=["text", "unicode", "empty text", "max tokens", "two tools", "thinking", "hidden thinking", "refusal"],
)
async def test_the_events_are_those_of_the_script_in_order(
    upstream: Upstream, simulator: Simulator, script: Script
) -> None:
    simulator.play(script)
    events = await collect(upstream)
    assert isinstance(events[0], MessageStart)
    assert plain(events[1:]) == written(script)
    assert isinstance(events[-1], MessageStop)


@pytest.mark.parametrize(
    "delivery",
    [
        {"split": 1},
        {"split": 7},
        {"wire_split": 1},
        {"together": True},
        {"padding": 40},
        {"pings": True},
        {"line_end": "\r\n"},
        {"line_end": "\r\n", "split": 1},
        {"chunked": False},
        {"keep_alive": False},
    ],
    ids=str,
)
async def test_the_way_in_which_bytes_arrive_changes_nothing(
    upstream: Upstream, simulator: Simulator, delivery: dict[str, object]
) -> None:
    script = Script.text(UNICODE, pieces=3, **delivery)  # type: ignore[arg-type]
    simulator.play(script)
    assert plain((await collect(upstream))[1:]) == written(script)


async def test_every_event_keeps_its_bytes(upstream: Upstream, simulator: Simulator) -> None:
    simulator.play(Script.tool_calls([("look_up", {"word": "天"})], text="Let me look."))
    events = await collect(upstream)
    assert len(events) > 5
    assert [decode_event(event.sent) for event in events] == events


async def test_no_batch_is_empty(upstream: Upstream, simulator: Simulator) -> None:
    simulator.play(Script.text("Hello", pieces=5, split=3, pings=True))
    async with upstream.stream(REQUEST, AnswerFacts()) as answer:
        assert all([len(batch) > 0 async for batch in answer])


async def test_a_large_answer_comes_through_whole(upstream: Upstream, simulator: Simulator) -> None:
    text = "Lorem ipsum \u4f60\u597d " * 40_000
    simulator.play(Script.text(text, pieces=2000, together=True))
    assert text_of(await collect(upstream)) == text


async def test_one_huge_event_comes_through_whole(upstream: Upstream, simulator: Simulator) -> None:
    text = "0123456789" * 200_000
    simulator.play(Script.text(text, pieces=1))
    assert text_of(await collect(upstream)) == text


async def test_an_event_is_handed_over_before_the_next_one_exists(upstream: Upstream, simulator: Simulator) -> None:
    gate = asyncio.Event()
    start, *rest = Script.text("first second", pieces=["first", " second"]).steps
    simulator.play(Script.events([start, rest[0], rest[1], Gate(gate), *rest[2:]]))
    async with upstream.stream(REQUEST, AnswerFacts()) as answer:
        assert await first_text(answer) == "first"
        gate.set()
        assert await first_text(answer) == " second"


async def test_unknown_events_are_named_and_nothing_else_is_lost(upstream: Upstream, simulator: Simulator) -> None:
    start, *rest = Script.text("Hello").steps
    novelty: Step = {"type": "message_mood", "mood": "good"}
    simulator.play(Script.events([start, novelty, *rest]))
    events = await collect(upstream)
    assert [event for event in events if isinstance(event, UnknownEvent)] in ([], [UnknownEvent("message_mood")])
    assert text_of(events) == "Hello"


async def test_the_answer_has_upstreams_request_id(upstream: Upstream, simulator: Simulator) -> None:
    simulator.play(Script.text("Hello"))
    facts = AnswerFacts()
    await collect(upstream, facts=facts)
    assert facts.request_id == simulator.requests[-1].id
    assert facts.repairs == []


async def test_what_was_asked_arrives(upstream: Upstream, simulator: Simulator) -> None:
    await collect(upstream)
    asked = simulator.requests[-1].json
    assert (asked["model"], asked["max_tokens"], asked["stream"]) == ("claude-opus-5-5", 1000, True)


# ---- failures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        (400, "invalid_request_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
    ],
)
async def test_an_http_error_keeps_status_type_and_words(
    upstream: Upstream, simulator: Simulator, status: int, error_type: str
) -> None:
    simulator.play(*[Script.error(status, "the very words")] * 3)
    with pytest.raises(UpstreamStatusError) as caught:
        await collect(upstream)
    error = caught.value
    assert (error.status, error.error_type) == (status, error_type)
    assert error.message.startswith("the very words") or (upstream.identity.kind, status) in WORDS_LOST
    assert error.request_id == simulator.requests[-1].id


async def test_an_overloaded_upstream_stays_recognisable(upstream: Upstream, simulator: Simulator) -> None:
    simulator.play_when(lambda request: request.is_message, Script.error(529, "Overloaded"))
    facts = AnswerFacts()
    with pytest.raises(UpstreamStatusError) as caught:
        await collect(upstream, facts=facts)
    assert (caught.value.status, caught.value.error_type) == (529, "overloaded_error")
    assert facts.repairs == ["retried_5xx"]


async def test_a_refused_login_says_which_command_logs_in(upstream: Upstream, simulator: Simulator) -> None:
    simulator.play_when(lambda request: request.is_message, Script.error(401, "invalid x-api-key"))
    with pytest.raises(UpstreamStatusError, match="claude-openai-proxy login") as caught:
        await collect(upstream)
    assert caught.value.status == 401


@pytest.mark.parametrize(
    ("error_type", "status"),
    [("overloaded_error", 529), ("api_error", 500), ("rate_limit_error", 429), ("some_new_error", 500)],
)
async def test_an_error_event_ends_the_stream_after_what_came_before(
    upstream: Upstream, simulator: Simulator, error_type: str, status: int
) -> None:
    start, opened, delta, *_ = Script.text("so far", pieces=1).steps
    simulator.play(Script.events([start, opened, delta, error_event(error_type, "broke")], together=True))
    seen: list[StreamEvent] = []
    async with upstream.stream(REQUEST, AnswerFacts()) as answer:
        with pytest.raises(UpstreamStatusError) as caught:
            await collect_into(seen, answer)
    assert text_of(seen) == "so far"
    assert (caught.value.status, caught.value.error_type, caught.value.message) == (status, error_type, "broke")


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (Script.html(), UpstreamProtocolError),
        (Script.empty(), UpstreamProtocolError),
        (Script(body=b"data: nonsense\n\n", content_type="text/event-stream"), UpstreamProtocolError),
        (Script(body=b'{"type":"message"}', content_type="application/json"), UpstreamProtocolError),
        (Script.events([b"garbage without end"]), UpstreamProtocolError),
        (Script.events(Script.text("Hello").steps[:3]), UpstreamProtocolError),
        (Script.events([*Script.text("Hello").steps[:3], Close()]), UpstreamProtocolError),
        (Script.events([*Script.text("Hello").steps[:3], Cut()]), UpstreamConnectionError),
        (Script(before=(Cut(),)), UpstreamConnectionError),
    ],
    ids=["html", "empty", "nonsense", "json", "garbage", "no end", "closed", "cut", "cut at once"],
)
async def test_half_an_answer_is_never_taken_for_a_whole_one(
    upstream: Upstream, simulator: Simulator, script: Script, error: type[UpstreamError]
) -> None:
    simulator.play_when(lambda request: request.is_message, script)
    with pytest.raises(error):
        await collect(upstream)


@pytest.mark.parametrize(
    ("script", "phase"),
    [(Script.hang(), "first byte"), (Script.events([*Script.text("Hello").steps[:3], Hang()]), "between events")],
    ids=["before", "amid"],
)
async def test_silence_is_told_with_its_phase(
    make_upstream: UpstreamFactory, simulator: Simulator, simulator_url: str, script: Script, phase: str
) -> None:
    simulator.play_when(lambda request: request.is_message, script)
    async with make_upstream(simulator_url, 0.3) as upstream:
        with pytest.raises(UpstreamTimeoutError) as caught:
            await collect(upstream)
    assert caught.value.phase == phase


async def test_an_upstream_works_on_after_a_failure(upstream: Upstream, simulator: Simulator) -> None:
    simulator.play(Script.events([*Script.text("Hello").steps[:3], Cut()]), Script.text("Again"))
    with pytest.raises(UpstreamConnectionError):
        await collect(upstream)
    assert text_of(await collect(upstream)) == "Again"


# ---- leaving -------------------------------------------------------------------------------------------------------


async def test_leaving_in_the_middle_cancels_within_a_second(upstream: Upstream, simulator: Simulator) -> None:
    simulator.play(Script.events([*Script.text("Hello").steps[:3], Hang()]))
    async with upstream.stream(REQUEST, AnswerFacts()) as answer:
        assert await first_text(answer)
    async with asyncio.timeout(1):
        await simulator.requests[-1].gone.wait()


async def test_cancelling_in_the_middle_cancels_within_a_second(upstream: Upstream, simulator: Simulator) -> None:
    simulator.play(Script.events([*Script.text("Hello").steps[:3], Hang()]))
    collecting = asyncio.create_task(collect(upstream))
    (request,) = await simulator.received(1)
    collecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await collecting
    async with asyncio.timeout(1):
        await request.gone.wait()


async def test_cancelling_before_the_answer_cancels_within_a_second(upstream: Upstream, simulator: Simulator) -> None:
    simulator.play(Script.hang())
    collecting = asyncio.create_task(collect(upstream))
    (request,) = await simulator.received(1)
    collecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await collecting
    async with asyncio.timeout(1):
        await request.gone.wait()


async def over(request: ReceivedRequest) -> None:
    """Return once all of the answer has gone out, or nobody takes it any more."""
    ends = {asyncio.create_task(event.wait()) for event in (request.answered, request.gone)}
    _, waiting = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
        await asyncio.wait([task])


async def test_a_complete_answer_is_not_cancelled_by_leaving(upstream: Upstream, simulator: Simulator) -> None:
    simulator.play(Script.text("Hello"))
    await collect(upstream)
    await over(simulator.requests[-1])
    # A process that has printed the last event may be ended before it has read the end of the body.
    assert simulator.requests[-1].answered.is_set() or upstream.identity.kind == "claude-code"


# ---- many ----------------------------------------------------------------------------------------------------------


def asks(text: str, request: ReceivedRequest) -> bool:
    return f'"{text}"' in request.body.decode()


async def test_answers_at_the_same_time_do_not_mix(upstream: Upstream, simulator: Simulator) -> None:
    names = [f"number {number}" for number in range(12)]
    for name in names:
        simulator.play_when(partial(asks, name), Script.text(name, pieces=4))
    requests = [
        msgspec.structs.replace(REQUEST, messages=[MessageParam("user", [TextBlockParam(name)])]) for name in names
    ]
    answers = await asyncio.gather(*(collect(upstream, request) for request in requests))
    assert [text_of(answer) for answer in answers] == names


async def test_no_task_outlives_its_answer(upstream: Upstream, simulator: Simulator) -> None:
    simulator.play(Script.text("Hello"), Script.text("Hello"))
    await collect(upstream)
    before = len(asyncio.all_tasks())
    await collect(upstream)
    await over(simulator.requests[-1])
    async with asyncio.timeout(60):
        while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - nothing tells when the last one has ended
            await asyncio.sleep(0.001)


# ---- beside the answers --------------------------------------------------------------------------------------------


async def test_the_status_costs_nothing(upstream: Upstream, simulator: Simulator) -> None:
    status = await upstream.status()
    assert (status.logged_in, bool(status.login)) == (True, True)
    assert [request for request in simulator.requests if request.is_message] == []


async def test_identity_names_the_kind_and_no_secret(upstream: Upstream) -> None:
    await collect(upstream)
    identity = upstream.identity
    assert identity.kind
    assert identity.version
    assert "sk-test" not in repr(identity)
