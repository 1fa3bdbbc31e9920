"""However an answer ends, what its client sees does not depend on how upstream's bytes were cut into reads."""

import asyncio
from typing import Any

import pytest

from claude_openai_proxy.errors import ProxyError, UpstreamConnectionError, UpstreamProtocolError, UpstreamStatusError
from claude_openai_proxy.upstreams.api.upstream import MessagesAPI
from claude_openai_proxy.upstreams.http import HTTPClient
from service.fake_upstream import FakeUpstream, message, text
from service.test_chat import Conversation
from upstreams.fixed_credentials import FixedCredentials

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
START = b'data: {"type":"message_start","message":{"id":"m1","model":"claude-x","usage":{"input_tokens":1}}}\n\n'
BLOCK = b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
TEXT = b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n'
SAID = START + BLOCK + TEXT
END = b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}\n\n'
STOP = b'data: {"type":"message_stop"}\n\n'
OTHER = START.replace(b"m1", b"m2")
STRAY = b'data: {"type":"content_block_delta","index":7,"delta":{"type":"text_delta","text":"?"}}\n\n'
ERROR = b'data: {"type":"error","error":{"type":"api_error","message":"broke"}}\n\n'

ENDINGS: dict[str, tuple[bytes, str, type[ProxyError] | None]] = {
    "whole": (SAID + END + STOP, "Hi", None),
    "no message_stop": (SAID + END, "Hi", UpstreamProtocolError),
    "no stop reason": (SAID + STOP, "Hi", UpstreamProtocolError),
    "neither": (SAID, "Hi", UpstreamProtocolError),
    "in the middle of an event": (SAID + END[:-20], "Hi", UpstreamProtocolError),
    "an error": (SAID + ERROR, "Hi", UpstreamStatusError),
    "garbage": (SAID + b"data: garbage\n\n", "Hi", UpstreamProtocolError),
    "another message": (SAID + OTHER, "Hi", UpstreamProtocolError),
    "a delta of no block": (SAID + STRAY, "Hi", UpstreamProtocolError),
    "before a word": (START + BLOCK, "", UpstreamProtocolError),
    "a stop before a word": (START + STOP, "", UpstreamProtocolError),
    "an error before a word": (START + ERROR, "", UpstreamStatusError),
    "nothing": (b"", "", UpstreamProtocolError),
}


class Played(asyncio.Transport):
    """Answers whatever is written with these reads and the end."""

    def __init__(self, protocol: asyncio.Protocol, reads: list[bytes]) -> None:
        super().__init__()
        self._protocol = protocol
        self._reads = reads
        self._gone = False

    def write(self, data: object) -> None:  # noqa: ARG002 - the transport's signature
        asyncio.get_running_loop().call_soon(self._next)

    def is_closing(self) -> bool:
        return self._gone

    def abort(self) -> None:
        if not self._gone:
            self._gone = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def _next(self) -> None:
        if self._gone:
            return
        if not self._reads:
            self.abort()
            return
        self._protocol.data_received(self._reads.pop(0))
        # Whoever waits reads what has come before more does.
        asyncio.get_running_loop().call_later(0, self._next)


async def seen(reads: list[bytes], **fields: Any) -> tuple[str, type[ProxyError] | None]:
    """What was said before the end, and how it failed."""

    async def dial(factory: Any, *_: object) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        protocol = factory()
        transport = Played(protocol, list(reads))
        protocol.connection_made(transport)
        return transport, protocol

    api = MessagesAPI(client=HTTPClient(dial=dial), credentials=FixedCredentials("http://api.test"), retries=0)
    conversation = Conversation(FakeUpstream())
    conversation.choice.upstream = _WithoutList(api)  # type: ignore[assignment]
    said = ""
    try:
        async with conversation.ask(**fields) as answer:
            async for batch in answer:
                said += "".join(choice.delta.content or "" for choice in batch)
    except ProxyError as error:
        return said, type(error)
    finally:
        await api.aclose()
    return said, None


class _WithoutList:
    """The upstream, whose models nobody asks for."""

    def __init__(self, api: MessagesAPI) -> None:
        self.identity = api.identity
        self.capabilities = api.capabilities
        self.stream = api.stream

    async def models(self) -> list[object]:
        raise UpstreamProtocolError("no list")


@pytest.mark.parametrize(("body", "said", "failure"), list(ENDINGS.values()), ids=list(ENDINGS))
async def test_every_split_of_the_bytes_is_the_same_answer(
    body: bytes, said: str, failure: type[ProxyError] | None
) -> None:
    whole = HEAD + body
    assert await seen([whole]) == (said, failure)
    for at in range(1, len(whole)):
        assert (at, await seen([whole[:at], whole[at:]])) == (at, (said, failure))


@pytest.mark.parametrize(("body", "said", "failure"), list(ENDINGS.values()), ids=list(ENDINGS))
async def test_byte_by_byte_is_the_same_answer(body: bytes, said: str, failure: type[ProxyError] | None) -> None:
    assert await seen([bytes([byte]) for byte in HEAD + body]) == (said, failure)


async def test_an_answer_cut_at_a_stop_text_is_whole_whatever_follows() -> None:
    events = message(text("one  two"))
    conversation = Conversation(FakeUpstream([events[:4], UpstreamConnectionError("cut")]))
    async with conversation.ask(stop="  ") as answer:
        said = [choice.delta.content async for batch in answer for choice in batch]
    assert "".join(word or "" for word in said) == "one"
    assert "usage_of_cut_answer_is_partial" in conversation.record.repairs
