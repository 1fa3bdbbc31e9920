"""Reading a request's body: never more than the limit, never for ever, nor more bodies at once than there is room for.

| a body | takes of the room | until |
|---|---|---|
| up to `SMALL` | nothing | |
| larger, of known length | its length | it was released (translated), or its request has ended |
| compressed | its length and what it may become | the same |
| of unknown length, once it is larger than `SMALL` | the limit | the same |
| the uploaded files that it names | their length in base64, with it | the same |

Invariants: whoever waits for room holds none; first come, first served. So who holds some and needs more, for files, is
told to come again where that is not there at once.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Final, TypeVar

from claude_openai_proxy.errors import ClientRefusedError, QueueFullError
from claude_openai_proxy.web.client_watch import ClientLeftError, ClientWatch
from claude_openai_proxy.web.decompression import HIGHEST_RATIO, decompressed
from claude_openai_proxy.web.exchange import Exchange

T = TypeVar("T")

SMALL = 1_048_576
LARGE_BODY = 131_072
"""Bytes from which on reading and translating a request takes so long that other answers would be held up by it."""
BODY_IDLE_SECONDS = 30.0
TOTAL_SECONDS = 300.0
SLOWEST = 65_536
"""Bytes in a second: for each so many that came a body may take a second more."""
BODIES_TOGETHER = 4
"""Room, in bodies of the largest size."""
RETRY_AFTER = 5.0

_CLOSE: Final = (("connection", "close"),)
_COMPRESSED: Final = ("gzip", "x-gzip", "deflate")


class Body:
    """A body that was read, and the room that it takes."""

    def __init__(self, room: "Room") -> None:
        self._room = room
        self.held = 0
        self._data = b""

    async def hold(self, size: int) -> None:
        """Take room for it, waiting for it if need be."""
        assert not self.held, "whoever waits for room holds none"
        await self._room.take(size)
        self.held = size

    def hold_more(self, size: int) -> bool:
        """Take more room without waiting; false where there is none."""
        taken = self._room.take_now(size)
        self.held += size if taken else 0
        return taken

    def put(self, data: bytes) -> None:
        """It is here."""
        self._data = data

    def take(self) -> bytes:
        """The body itself, which is not kept here any longer."""
        data, self._data = self._data, b""
        return data

    def release(self) -> None:
        """Nothing that was made of it is kept any longer."""
        if self.held:
            size, self.held = self.held, 0
            self._room.give(size)


class Room:
    """For so many bytes of bodies."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> None:
        """Wait in line for it. What is larger than the whole room takes all of it."""
        place = asyncio.get_running_loop().create_future()
        self._waiting.append((min(size, self._size), place))
        self._admit()
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._admit()
            else:
                self.give(size)
            raise

    def take_now(self, size: int) -> bool:
        """Take it if it is free and nobody waits."""
        free = not self._waiting and size <= self._free
        self._free -= size if free else 0
        return free

    def give(self, size: int) -> None:
        """It is free again."""
        self._free += min(size, self._size)
        assert self._free <= self._size, "no more is given back than was taken"
        self._admit()

    def _admit(self) -> None:
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= self._free):
            size, place = self._waiting.popleft()
            if not place.done():
                self._free -= size
                place.set_result(None)


async def decode_body(decode: Callable[[bytes], T], data: bytes) -> T:
    """What `decode` makes of it: of a large one on a thread, so that it holds no other answer up."""
    return await asyncio.to_thread(decode, data) if len(data) >= LARGE_BODY else decode(data)


class _Reading:
    """Inside it there is a body, outside it takes no room, whether its reading succeeded or not."""

    __slots__ = ("_body", "_read")

    def __init__(self, body: Body, read: Callable[[Body], Awaitable[None]]) -> None:
        self._body = body
        self._read = read

    async def __aenter__(self) -> Body:
        whole = False
        try:
            await self._read(self._body)
            whole = True
        finally:
            if not whole:
                self._body.release()
        return self._body

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._body.release()


class Bodies:
    """Reads bodies of at most `limit` bytes; `idle_seconds` between two pieces, `total_seconds` for one of some MiB."""

    def __init__(
        self, *, limit: int, idle_seconds: float = BODY_IDLE_SECONDS, total_seconds: float = TOTAL_SECONDS
    ) -> None:
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._total_seconds = total_seconds
        self._room = Room(BODIES_TOGETHER * limit)

    def read(self, exchange: Exchange) -> AbstractAsyncContextManager[Body]:
        """The body, decompressed; leaving gives back its room. Raises `ProxyError`, `ClientLeftError`."""
        return _Reading(Body(self._room), lambda body: self._read(exchange, body))

    async def pieces(self, exchange: Exchange, most: int) -> AsyncGenerator[bytes]:
        """A body of `most` bytes, as it comes, at the pace that every body must keep; nothing of it is held here.

        Raises `ClientRefusedError`, `ClientLeftError`.
        """
        size, more, clock = 0, True, asyncio.get_running_loop().time
        started = clock()
        while more:
            latest = started + self._total_seconds + size / SLOWEST
            try:
                async with asyncio.timeout_at(min(clock() + self._idle_seconds, latest)):
                    piece, more = await _next_piece(exchange)
            except TimeoutError:
                raise self._too_slow() from None
            size += len(piece)
            if size > most:
                raise ClientRefusedError(
                    f"The request's body is larger than {most / 1_048_576:g} MiB.",
                    status=413,
                    code="request_too_large",
                    headers=_CLOSE if more else (),
                )
            yield piece

    async def hold_more(self, body: Body, size: int) -> None:
        """Room for `size` bytes that come to this body from elsewhere. Raises `QueueFullError`."""
        if not body.held:
            if size > SMALL:
                await self._hold(body, size)
        elif not body.hold_more(size):
            raise _no_room()

    async def _read(self, exchange: Exchange, body: Body) -> None:
        encoding = _encoding(exchange)
        length = self._declared_length(exchange)
        if length is not None and (size := self._size(length, encoding)) > SMALL:
            await self._hold(body, size)
        data = await self._collect(exchange, body)
        if encoding != "identity":
            if not body.held and (size := self._size(len(data), encoding)) > SMALL:
                await self._hold(body, size)
            async with ClientWatch(exchange):
                data = await decompressed(data, encoding, limit=self._limit, too_large=self._too_large(unread=False))
        body.put(data)

    def _size(self, length: int, encoding: str) -> int:
        return length if encoding == "identity" else length + min(self._limit, HIGHEST_RATIO * length)

    def _declared_length(self, exchange: Exchange) -> int | None:
        text = exchange.header(b"content-length")
        if not text.isdigit():
            return None
        if len(text) > 15 or int(text) > self._limit:
            raise self._too_large(unread=True)
        return int(text)

    async def _hold(self, body: Body, size: int) -> None:
        try:
            async with asyncio.timeout(self._idle_seconds):
                await body.hold(size)
        except TimeoutError:
            raise _no_room() from None

    async def _collect(self, exchange: Exchange, body: Body) -> bytes:
        """One piece is the rule, and is not copied; mostly it is there already."""
        if exchange.server.body_ended:
            piece, _ = await _next_piece(exchange)
            if len(piece) > self._limit:
                raise self._too_large(unread=False)
            return piece
        pieces: list[bytes] = []
        size = 0
        clock = asyncio.get_running_loop().time
        started = clock()
        try:
            async with asyncio.timeout(self._idle_seconds) as timeout:
                while True:
                    piece, more = await _next_piece(exchange)
                    pieces.append(piece)
                    size += len(piece)
                    if size > self._limit:
                        raise self._too_large(unread=more)
                    if not more:
                        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
                    if size > SMALL and not body.held:
                        timeout.reschedule(None)
                        await self._hold(body, self._limit)
                    latest = started + self._total_seconds + size / SLOWEST
                    timeout.reschedule(min(clock() + self._idle_seconds, latest))
        except TimeoutError:
            raise self._too_slow() from None

    def _too_slow(self) -> ClientRefusedError:
        return ClientRefusedError(
            f"The request's body did not come in time: nothing for {self._idle_seconds:g} seconds, or less than "
            f"all of it in {self._total_seconds:g}.",
            status=408,
            headers=_CLOSE,
        )

    def _too_large(self, *, unread: bool) -> ClientRefusedError:
        return ClientRefusedError(
            f"The request's body is larger than {self._limit / 1_048_576:g} MiB. Send less, or raise MAX_BODY_MB.",
            status=413,
            code="request_too_large",
            headers=_CLOSE if unread else (),
        )


def _no_room() -> QueueFullError:
    return QueueFullError(
        "Too many large requests are being read at the moment. Send it again in a moment.", retry_after=RETRY_AFTER
    )


async def _next_piece(exchange: Exchange) -> tuple[bytes, bool]:
    """And whether more is to come."""
    event = await exchange.receive()
    if event["type"] != "http.request":
        raise ClientLeftError
    return event.get("body", b""), event.get("more_body", False)


def _encoding(exchange: Exchange) -> str:
    encoding = exchange.header(b"content-encoding").strip().lower() or "identity"
    if encoding not in ("identity", *_COMPRESSED):
        raise ClientRefusedError(
            "The request's content encoding is not one of those read here: send gzip, deflate, or no encoding.",
            status=415,
            code="unsupported_content_encoding",
            headers=(("accept-encoding", "gzip, deflate"), *_CLOSE),
        )
    return encoding
