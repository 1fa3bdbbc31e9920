"""Events that are handed on as they come, without a turn of the task that waits for them."""

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from claude_openai_proxy.errors import UpstreamProtocolError, UpstreamStatusError
from claude_openai_proxy.protocols.anthropic import (
    ContentBlockDelta,
    MessageParam,
    MessagesRequest,
    MessageStop,
    StreamEvent,
    TextBlockParam,
    TextDelta,
)
from claude_openai_proxy.upstreams.api.upstream import MessagesAPI
from claude_openai_proxy.upstreams.http import HTTPClient
from claude_openai_proxy.upstreams.interface import AnswerFacts, MessageStream, PassingStream
from upstreams.fixed_credentials import FixedCredentials

HELLO = MessagesRequest(
    model="claude-sonnet-5-5", max_tokens=64, messages=[MessageParam(role="user", content=[TextBlockParam(text="Hi")])]
)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_1\r\ntransfer-encoding: chunked\r\n"


def event(kind: str, **members: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


def text(said: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": said})


STOP = event("message_stop")
OVERLOADED = event("error", error={"type": "overloaded_error", "message": "Overloaded"})


class Line(asyncio.Transport):
    """The other side of the client's connection: takes requests, and says what the test says."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._protocol = protocol
        self._closed = False
        protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Whatever is asked is answered as the test likes."""

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closed

    def abort(self) -> None:
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    close = abort

    def say(self, data: bytes) -> None:
        self._protocol.data_received(data)

    def send(self, data: bytes) -> None:
        """A piece of the body."""
        self.say(b"%x\r\n%b\r\n" % (len(data), data))


@dataclass
class Taker:
    """Takes what it gets, as often as it wants."""

    most: int = 1_000
    taken: list[str] = field(default_factory=list)

    def __call__(self, events: Sequence[StreamEvent]) -> bool:
        if len(self.taken) == self.most:
            return False
        self.taken += texts(events)
        return True


def texts(events: Sequence[StreamEvent]) -> list[str]:
    deltas = [event.delta for event in events if isinstance(event, ContentBlockDelta)]
    return [delta.text for delta in deltas if isinstance(delta, TextDelta)]


@asynccontextmanager
async def answering(head: bytes = HEAD) -> AsyncIterator[tuple[Line, MessageStream]]:
    lines: list[Line] = []

    async def dial(
        factory: Callable[[], asyncio.Protocol], _host: str, _port: int, _tls: ssl.SSLContext | None
    ) -> tuple[Line, asyncio.Protocol]:
        protocol = factory()
        lines.append(Line(protocol))
        return lines[-1], protocol

    upstream = MessagesAPI(client=HTTPClient(dial=dial), credentials=FixedCredentials("http://127.0.0.1:9"), pause=0)
    entered = upstream.stream(HELLO, AnswerFacts())
    opening = asyncio.ensure_future(entered.__aenter__())
    await turns()
    lines[0].say(head + b"\r\n")
    stream = await opening
    try:
        yield lines[0], stream
    finally:
        await entered.__aexit__(None, None, None)
        await upstream.aclose()


async def turns() -> None:
    """Let every task go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def waiting(stream: MessageStream) -> asyncio.Task[Sequence[StreamEvent]]:
    """Somebody waits for the next events."""

    def following() -> Coroutine[Any, Any, Sequence[StreamEvent]]:
        return aiter(stream).__anext__()  # type: ignore[return-value]

    task = asyncio.create_task(following())
    await turns()
    return task


def pass_on(stream: MessageStream, taker: Taker) -> None:
    assert isinstance(stream, PassingStream)
    stream.pass_on(taker)


async def test_what_comes_while_somebody_waits_is_taken_on_the_spot() -> None:
    taker = Taker()
    async with answering() as (line, stream):
        task = await waiting(stream)
        pass_on(stream, taker)
        for said in ("one", "two"):
            line.send(text(said))
            assert taker.taken[-1] == said
        assert not task.done()
        line.send(STOP)
        assert [type(event) for event in await task] == [MessageStop]
    assert taker.taken == ["one", "two"]


async def test_what_is_not_taken_is_the_next_that_is_iterated_and_nothing_comes_before_it() -> None:
    taker = Taker(most=1)
    async with answering() as (line, stream):
        task = await waiting(stream)
        pass_on(stream, taker)
        for said in ("taken", "left", "behind"):
            line.send(text(said))
        assert texts(await task) == ["left"]
        assert texts(await (await waiting(stream))) == ["behind"]
    assert taker.taken == ["taken"]


async def test_where_nobody_waits_nothing_is_taken() -> None:
    taker = Taker()
    async with answering() as (line, stream):
        pass_on(stream, taker)
        line.send(text("early"))
        assert taker.taken == []
        assert texts(await (await waiting(stream))) == ["early"]


async def test_half_an_event_wakes_nobody() -> None:
    taker = Taker()
    async with answering() as (line, stream):
        task = await waiting(stream)
        pass_on(stream, taker)
        line.send(text("whole")[:20])
        await turns()
        assert (taker.taken, task.done()) == ([], False)
        line.send(text("whole")[20:])
        assert taker.taken == ["whole"]
        task.cancel()


async def test_an_error_behind_events_comes_after_them() -> None:
    taker = Taker()
    async with answering() as (line, stream):
        task = await waiting(stream)
        pass_on(stream, taker)
        line.send(text("said") + OVERLOADED)
        assert texts(await task) == ["said"]
        with pytest.raises(UpstreamStatusError, match="Overloaded"):
            await (await waiting(stream))
    assert taker.taken == []


@pytest.mark.parametrize(
    ("sent", "error"), [(OVERLOADED, UpstreamStatusError), (b"event: x\ndata: {\n\n", UpstreamProtocolError)]
)
async def test_an_error_alone_is_raised_where_somebody_waits(sent: bytes, error: type[UpstreamProtocolError]) -> None:
    async with answering() as (line, stream):
        task = await waiting(stream)
        pass_on(stream, Taker())
        line.send(sent)
        with pytest.raises(error) as raised:
            await task
    assert raised.value.request_id == "req_1"


async def test_an_end_that_is_none_is_told() -> None:
    async with answering() as (line, stream):
        task = await waiting(stream)
        pass_on(stream, Taker())
        line.send(text("said"))
        line.say(b"0\r\n\r\n")
        with pytest.raises(UpstreamProtocolError, match="ended in the middle"):
            await task


async def test_a_compressed_body_is_left_to_whoever_iterates() -> None:
    taker = Taker()
    async with answering(HEAD + b"content-encoding: gzip\r\n") as (line, stream):
        task = await waiting(stream)
        pass_on(stream, taker)
        line.send(gzip.compress(text("said") + STOP))
        assert texts(await task) == ["said"]
    assert taker.taken == []


async def test_a_taker_with_a_bug_leaves_nobody_waiting() -> None:
    def broken(_: Sequence[StreamEvent]) -> bool:
        raise RuntimeError("a bug")

    async with answering() as (line, stream):
        task = await waiting(stream)
        assert isinstance(stream, PassingStream)
        stream.pass_on(broken)
        with pytest.raises(RuntimeError):
            line.send(text("lost"))
        line.abort()  # as the loop does then
        with pytest.raises(Exception, match="closed the connection"):
            await task
