"""An answer that nobody looks at before its end may come in one piece: the same events, the same failures."""

import json
from collections.abc import AsyncIterator

import pytest

from claude_openai_proxy.errors import (
    UpstreamConnectionError,
    UpstreamProtocolError,
    UpstreamStatusError,
    UpstreamTimeoutError,
)
from claude_openai_proxy.protocols.anthropic import (
    ContentBlockStart,
    ContentBlockStop,
    MessageDelta,
    MessageParam,
    MessagesRequest,
    MessageStart,
    MessageStop,
    StreamEvent,
    TextBlock,
    TextBlockParam,
    UnknownBlock,
)
from claude_openai_proxy.simulator import Script, Simulator
from claude_openai_proxy.simulator.steps import Hang
from claude_openai_proxy.upstreams.api.upstream import MessagesAPI
from claude_openai_proxy.upstreams.http import HTTPClient
from claude_openai_proxy.upstreams.interface import AnswerFacts
from upstreams.fixed_credentials import FixedCredentials
from upstreams.wild_server import STREAM_HEAD, always, chunk, ok, once, wild_server

REQUEST = MessagesRequest(
    model="claude-opus-5-5", max_tokens=1000, messages=[MessageParam("user", [TextBlockParam("Hello")])]
)
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": "Hi"}, {"type": "mood", "mood": "good"}],
    "stop_reason": "refusal",
    "stop_details": {"category": "cyber", "explanation": "No."},
    "usage": {"input_tokens": 3, "output_tokens": 5},
}
AS_JSON = b"content-type: application/json"


async def events(url: str, *, seconds: float = 10, facts: AnswerFacts | None = None) -> list[StreamEvent]:
    api = MessagesAPI(
        client=HTTPClient(), credentials=FixedCredentials(url, "sk-ant-made-up"), timeout=seconds, retries=0
    )
    try:
        async with api.stream(REQUEST, facts or AnswerFacts(), whole=True) as answer:
            return [event async for batch in answer for event in batch]
    finally:
        await api.aclose()


@pytest.fixture
async def told() -> AsyncIterator[list[StreamEvent]]:
    async with wild_server(always(ok(json.dumps(MESSAGE).encode(), AS_JSON))) as server:
        yield await events(server.url)


async def test_a_message_becomes_its_events(told: list[StreamEvent]) -> None:
    start, text, stop, mood, *_, ending, end = told
    assert isinstance(start, MessageStart)
    assert (start.message.id, start.message.model) == ("msg_1", "claude-opus-5-5")
    assert isinstance(text, ContentBlockStart)
    assert (text.content_block, stop) == (TextBlock("Hi"), ContentBlockStop(0))
    assert isinstance(mood, ContentBlockStart)
    assert (mood.index, mood.content_block) == (1, UnknownBlock("mood"))
    assert isinstance(ending, MessageDelta)
    assert ending.delta.stop_reason == "refusal"
    assert ending.delta.stop_details is not None
    assert (ending.delta.stop_details.explanation, ending.usage.output_tokens) == ("No.", 5)
    assert end == MessageStop()


async def test_no_stream_is_asked_for(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.text("Hello"))
    facts = AnswerFacts()
    assert (await events(simulator_url, facts=facts))[-1] == MessageStop()
    (request,) = simulator.requests
    assert not request.json.get("stream")
    assert facts.request_id == request.id


async def test_a_gateway_that_streams_all_the_same_is_read() -> None:
    stop = chunk(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
    async with wild_server(always(STREAM_HEAD + stop + b"0\r\n\r\n")) as server:
        assert await events(server.url) == [MessageStop()]


async def test_nulls_are_absence() -> None:
    body = json.dumps(MESSAGE | {"stop_details": None, "usage": None}).encode()
    async with wild_server(always(ok(body, AS_JSON))) as server:
        assert (await events(server.url))[-1] == MessageStop()


async def test_an_error_with_status_200_is_an_error() -> None:
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"busy"},"request_id":"req_2"}'
    async with wild_server(always(ok(body, AS_JSON))) as server:
        with pytest.raises(UpstreamStatusError, match="busy") as caught:
            await events(server.url)
        assert (caught.value.status, caught.value.request_id) == (529, "req_2")


@pytest.mark.parametrize("body", [b"<title>Sign in</title>", b"[]", b"{}", b'{"id":"msg_1"', b'"\xff"', b"[" * 100_000])
async def test_what_is_no_message_is_told(body: bytes) -> None:
    async with wild_server(always(ok(body, b"content-type: text/html"))) as server:
        with pytest.raises(UpstreamProtocolError, match="text/html instead of a message"):
            await events(server.url)


async def test_a_message_that_breaks_off_is_a_lost_connection() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\nrequest-id: req_7\r\n\r\n"
    async with wild_server(once(head + b'{"id":"msg_1"')) as server:
        with pytest.raises(UpstreamConnectionError) as caught:
            await events(server.url)
        assert caught.value.request_id == "req_7"


async def test_silence_has_an_end_here_too(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script(steps=(Hang(),)))
    with pytest.raises(UpstreamTimeoutError) as caught:
        await events(simulator_url, seconds=0.02)
    assert caught.value.phase == "first byte"
