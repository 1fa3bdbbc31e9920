"""A streamed answer: when its status goes out, its signs of life, its end."""

import asyncio
from collections.abc import Callable
from typing import Final

from claude_openai_proxy.service.chat import ChatAnswer
from claude_openai_proxy.web.asgi import Header
from claude_openai_proxy.web.chat.chunk_encoder import ChunkEncoder
from claude_openai_proxy.web.exchange import Exchange

KEEP_ALIVE_SECONDS = 15.0

_CONTENT_TYPE: Final = b"text/event-stream; charset=utf-8"
_HEADERS: Final[tuple[Header, ...]] = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))
_KEEP_ALIVE: Final = b": keep-alive\n\n"


class EventStream:
    """The commit point: the 200 goes out with the first chunk, or with the first keep-alive, whichever is first.

    Who waits in line is not kept alive: whether there will be a place is told with its own status.

    The pump and the watcher of the client both write, so a lock keeps their messages in order.
    """

    __slots__ = ("_clock", "_exchange", "_lock", "_silence", "_written")

    def __init__(
        self, exchange: Exchange, *, keep_alive_seconds: float = KEEP_ALIVE_SECONDS, clock: Callable[[], float]
    ) -> None:
        self._exchange = exchange
        self._silence = keep_alive_seconds
        self._clock = clock
        self._written = clock()
        self._lock = asyncio.Lock()
        exchange.streams = True

    async def send_answer(self, answer: ChatAnswer) -> None:
        """Every batch of `answer` in one write, then the end."""
        encoder = ChunkEncoder(
            id_=answer.id, created=answer.created, model=answer.model, include_usage=answer.include_usage
        )
        encode, write = encoder.encode, self._write
        first = True
        async for batch in answer:
            if first:
                first = False
                self._exchange.first_token()
            await write(encode(batch))
        await write(encoder.end(answer.usage, answer.service_tier), more=False)

    def silence_left(self) -> float:
        """Seconds until a sign of life is due."""
        return self._written + self._silence - self._clock()

    async def keep_alive(self) -> None:
        """A comment, after so much silence. A client that does not read needs none, nor does one that has all."""
        if self._lock.locked() or self._exchange.complete or self._exchange.record.admitted is None:
            self._written = self._clock()
        elif self.silence_left() <= 0:
            await self._write(_KEEP_ALIVE)

    async def _write(self, data: bytes, *, more: bool = True) -> None:
        async with self._lock:
            if not self._exchange.started:
                await self._exchange.start(200, _CONTENT_TYPE, _HEADERS)
            await self._exchange.write(data, more=more)
        self._written = self._clock()
