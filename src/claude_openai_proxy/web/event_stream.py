"""A streamed answer: when its status goes out, its signs of life, its end."""

import asyncio
from collections.abc import AsyncIterable, Callable
from typing import Final, TypeVar

from claude_openai_proxy.web.asgi import Header
from claude_openai_proxy.web.exchange import Exchange

KEEP_ALIVE_SECONDS = 15.0

_CONTENT_TYPE: Final = b"text/event-stream; charset=utf-8"
_HEADERS: Final[tuple[Header, ...]] = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))
COMMENT: Final = b": keep-alive\n\n"

Batch = TypeVar("Batch")
"""Pieces of an answer that came together."""


def comment() -> bytes:
    """The usual sign of life."""
    return COMMENT


class EventStream:
    """The commit point: the 200 goes out with the first chunk, or with the first keep-alive, whichever is first.

    Who waits in line is not kept alive: whether there will be a place is told with its own status.

    The pump and the pulse both write. The pulse does not while the pump does, and the pump waits for the lock that the
    pulse takes.
    """

    __slots__ = ("_clock", "_exchange", "_keep_alive", "_lock", "_pumping", "_silence", "_written")

    def __init__(
        self,
        exchange: Exchange,
        *,
        keep_alive: Callable[[], bytes] = comment,
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
        clock: Callable[[], float],
    ) -> None:
        self._exchange = exchange
        self._keep_alive = keep_alive
        self._silence = keep_alive_seconds
        self._clock = clock
        self._written = clock()
        self._lock = asyncio.Lock()
        self._pumping = False
        exchange.streams = True

    async def send(
        self,
        answer: AsyncIterable[Batch],
        encode: Callable[[Batch], bytes],
        end: Callable[[], bytes],
        *,
        pass_on: Callable[[Callable[[Batch], bool]], None] | None = None,
    ) -> None:
        """Every batch of `answer` in one write, then `end`, which is asked for once the last batch is out.

        `pass_on` is the answer's, where batches that come while the next one is waited for may go out on the spot.
        """
        write = self._pump
        first = True
        async for batch in answer:
            if first:
                first = False
                self._exchange.first_token()
                if pass_on is not None:
                    pass_on(self._taker(encode))
            await write(encode(batch))
        await write(end(), more=False)

    def _taker(self, encode: Callable[[Batch], bytes]) -> Callable[[Batch], bool]:
        """Writes a batch, where it can be written without waiting."""
        write_now, clock, pulse_writes = self._exchange.server.write_now, self._clock, self._lock.locked

        def take(batch: Batch) -> bool:
            if pulse_writes() or not write_now(encode(batch)):
                return False
            self._written = clock()
            return True

        return take

    def silence_left(self) -> float:
        """Seconds until a sign of life is due."""
        return self._written + self._silence - self._clock()

    async def keep_alive(self) -> None:
        """The sign, after so much silence. A client that does not read needs none, nor does one that has all."""
        if self._pumping or self._exchange.complete or self._exchange.record.admitted is None:
            self._written = self._clock()
        elif self.silence_left() <= 0:
            async with self._lock:
                await self._write(self._keep_alive())

    async def _pump(self, data: bytes, *, more: bool = True) -> None:
        self._pumping = True
        if self._lock.locked():
            async with self._lock:
                pass  # What the pulse has begun to say comes first.
        await self._write(data, more=more)
        self._pumping = False

    async def _write(self, data: bytes, *, more: bool = True) -> None:
        if not self._exchange.started:
            await self._exchange.start(200, _CONTENT_TYPE, _HEADERS)
        if self._exchange.record.settled:
            self._exchange.ends()
        await self._exchange.write(data, more=more)
        self._written = self._clock()
