"""One request on a connection and its answer: ASGI on one side, HTTP/1.x framing on the other.

| the request's body | `receive()` gives |
|---|---|
| coming | what has come, or waits for more (a client that waits for a go-ahead gets it) |
| all there | the rest with `more_body` false, once |
| handed over | waits until the answer is complete or the client has gone |

| the answer | on the wire | what may follow |
|---|---|---|
| not started | nothing | `http.response.start` |
| started | nothing: the head goes out together with the first piece of the body | `http.response.body` |
| under way | head and pieces, by `Framing` | `http.response.body` |
| complete | all of it | nothing |

Invariants: a piece of the answer is one write; nothing is written once the client has gone; a body with a length has
exactly that length. `nudge` writes only what changes nothing of what is to come.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from enum import Enum, auto
from typing import Final, Protocol

from claude_openai_proxy.serving.request_head import RequestHead
from claude_openai_proxy.serving.response_head import FIRST_BYTES, STATUS_LINES, header_lines
from claude_openai_proxy.serving.wire import Wire
from claude_openai_proxy.web.asgi import (
    DisconnectEvent,
    Header,
    Receive,
    ReceiveEvent,
    ResponseStart,
    Scope,
    Send,
    SendEvent,
)

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
Application = Callable[[Scope, Receive, Send], Coroutine[None, None, None]]

log: Final = logging.getLogger(__name__)

_DISCONNECT: Final[DisconnectEvent] = {"type": "http.disconnect"}
_ZEROS: Final = 4
_BODILESS: Final = (204, 304)


class Framing(Enum):
    """How the end of the answer's body is told."""

    NONE = auto()
    SIZED = auto()
    CHUNKED = auto()
    UNTIL_CLOSE = auto()


class Owner(Protocol):
    """The connection, as far as one request asks it."""

    def vouch(self) -> None:
        """It has passed the doors."""
        ...

    def standing_headers(self) -> bytes:
        """Lines of every answer."""
        ...

    def answered(self, request: "ServedRequest") -> None:
        """The answer is complete."""
        ...


class ServedRequest:
    """`gone`: the client has left; `keep_alive`: the connection serves another request after this one."""

    __slots__ = (
        "_ahead", "_between_chunks",
        "_continue_due",
        "_framing",
        "_handed_over",
        "_head",
        "_left",
        "_left_calls",
        "_modern",
        "_owner",
        "_pieces",
        "_request_head",
        "_stop_calls",
        "_task",
        "_tasks",
        "_waiter",
        "_wants_body",
        "_wire",
        "body_ended",
        "complete",
        "gone",
        "keep_alive",
        "started",
        "unread",
    )  # fmt: skip

    def __init__(self, owner: Owner, wire: Wire, head: RequestHead) -> None:
        self._request_head = head
        self._modern = head.http_version == "1.1"
        self.keep_alive = head.keep_alive and self._modern
        self.gone = self.body_ended = self.started = self.complete = False
        self.unread = 0
        self._owner = owner
        self._wire = wire
        self._wants_body = head.method != b"HEAD"
        self._continue_due = self._modern and head.expects_continue
        self._pieces: list[bytes] = []
        self._handed_over = self._between_chunks = False
        self._waiter: asyncio.Future[None] | None = None
        self._left_calls: Callable[[], None] | None = None
        self._stop_calls: Callable[[], None] | None = None
        self._head = b""
        self._framing = Framing.NONE
        self._left = 0
        self._ahead = 0

    # ---- from the connection ------------------------------------------------------------------------------------

    def run(
        self,
        application: Application,
        client: tuple[str, int] | None,
        server: tuple[str, int] | None,
        tasks: set[asyncio.Task[None]],
    ) -> None:
        """Let the application answer, among the server's `tasks`."""
        scope = self._request_head.scope(client, server, {"claude_openai_proxy": self})
        self._tasks = tasks
        self._task = asyncio.get_running_loop().create_task(self._answer(application, scope))
        tasks.add(self._task)

    async def _answer(self, application: Application, scope: Scope) -> None:
        """Most requests end well and need no callback, which would be one more turn of the loop."""
        well = False
        try:
            await application(scope, self.receive, self.send)
            well = self.complete or self.gone
        finally:
            self._tasks.discard(self._task)
            if not well:
                self._task.add_done_callback(self._failed)

    def _failed(self, task: asyncio.Task[None]) -> None:
        """An application that ends without an answer has a bug: all that is left is to say so."""
        if not task.cancelled() and (error := task.exception()):
            log.error("the application failed", exc_info=error)
        if not (self.complete or self.gone):
            self._wire.abort()

    def stop(self) -> None:
        """The server is told to: this answer is the last one on its connection."""
        self.keep_alive = False
        if self._stop_calls:
            self._stop_calls()

    def cancel(self) -> None:
        """Wait for its answer no longer."""
        self._task.cancel()

    def feed(self, piece: bytes) -> None:
        """A piece of the body has come."""
        if self._left_calls:
            return
        self._pieces.append(piece)
        self.unread += len(piece)
        self._wake()

    def end_body(self) -> None:
        """All of the body is there."""
        self.body_ended = True
        self._wake()

    def leave(self) -> None:
        """The client has gone."""
        self.gone = True
        self._wake()
        self._tell_that_it_left()

    def nudge(self) -> None:
        """A byte that a client which has gone answers with a reset, and one that reads will find in its place."""
        if self._wire.paused:
            return
        if not self.started and self._ahead < len(FIRST_BYTES):
            self._wire.write(FIRST_BYTES[self._ahead : self._ahead + 1])
            self._ahead += 1
        elif self._between_chunks and self._ahead < _ZEROS:
            self._wire.write(b"0")  # of the next chunk's length
            self._ahead += 1

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    # ---- OwnServer ----------------------------------------------------------------------------------------------

    def vouch(self) -> None:
        """See `asgi.OwnServer`."""
        self._owner.vouch()

    def write_now(self, data: bytes) -> bool:
        """See `asgi.OwnServer`."""
        if not self._between_chunks or not data or self._wire.paused or self.gone:
            return False
        self._ahead = 0
        self._wire.write(b"%x\r\n%b\r\n" % (len(data), data))
        return True

    def when_client_leaves(self, call: Callable[[], None] | None) -> None:
        """See `asgi.OwnServer`."""
        self._left_calls = call
        if call:
            self._pieces.clear()
            self.unread = 0
            self._wire.resume_reading()
            if self.gone:
                asyncio.get_running_loop().call_soon(self._tell_that_it_left)

    def when_server_stops(self, call: Callable[[], None]) -> None:
        """See `asgi.OwnServer`."""
        self._stop_calls = call

    def _tell_that_it_left(self) -> None:
        if self._left_calls:
            self._left_calls()

    # ---- ASGI ---------------------------------------------------------------------------------------------------

    async def receive(self) -> ReceiveEvent:
        """The body's next piece, or that nobody waits for the answer any more."""
        if self._continue_due:
            self._continue_due = False
            if not (self._pieces or self.body_ended or self.gone or self.started):
                self._wire.write(CONTINUE)
        while not self._something_to_tell():
            self._wire.resume_reading()
            assert self._waiter is None, "one at a time waits for a request"
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self.gone or self.complete:
            return _DISCONNECT
        piece = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self.unread = 0
        self._handed_over = self.body_ended
        return {"type": "http.request", "body": piece, "more_body": not self.body_ended}

    def _something_to_tell(self) -> bool:
        return self.gone or self.complete or bool(self._pieces) or (self.body_ended and not self._handed_over)

    async def send(self, event: SendEvent) -> None:
        """The answer's head, or a piece of its body; waits for a client that is slow to read."""
        if self._wire.paused:
            await self._wire.writable()
        if self.gone:
            return
        if event["type"] == "http.response.body":
            if event["more_body"] and self.write_now(event["body"]):  # most of all events
                return
            assert self.started, "an answer begins with its head"
            assert not self.complete, "nothing follows a complete answer"
            self._write_body(event["body"], more=event["more_body"])
        elif event["type"] == "http.response.start":
            assert not self.started, "an answer has one head"
            self._start(event)

    def _start(self, event: ResponseStart) -> None:
        status, headers = event["status"], event["headers"]
        head = b"%b%b%b%b\r\n" % (
            STATUS_LINES[status],
            self._owner.standing_headers(),
            header_lines(headers),
            self._frame(status, headers),
        )
        self.started, self._head = True, head[self._ahead :]
        self._ahead = 0

    def _frame(self, status: int, headers: list[Header]) -> bytes:
        """Choose the framing; the header lines that tell it, besides a length that the application has told."""
        told = dict(headers)
        length, closing = told.get(b"content-length"), told.get(b"connection")
        if closing == b"close":
            self.keep_alive = False
        lines = b""
        if not self._wants_body or status in _BODILESS:
            self._framing = Framing.NONE
        elif length is not None:
            self._framing, self._left = Framing.SIZED, int(length)
        elif self._modern:
            self._framing, lines = Framing.CHUNKED, b"transfer-encoding: chunked\r\n"
        else:  # RFC 9112 6.1: HTTP/1.0 knows no chunks
            self._framing, self.keep_alive = Framing.UNTIL_CLOSE, False
        if not self.keep_alive and closing is None:
            lines += b"connection: close\r\n"
        return lines

    def _write_body(self, data: bytes, *, more: bool) -> None:
        out = self._framed(data, more=more)
        if self._head:
            out, self._head = self._head + out, b""
        if out:
            self._wire.write(out)
        self._between_chunks = more and self._framing is Framing.CHUNKED
        if not more:
            self.complete = True
            self._wake()
            self._owner.answered(self)

    def _framed(self, data: bytes, *, more: bool) -> bytes:
        if self._framing is Framing.CHUNKED:
            if data:
                data = b"%x\r\n%b\r\n" % (len(data), data)
            return data if more else data + b"0\r\n\r\n"
        if self._framing is Framing.SIZED:
            self._left -= len(data)
            assert self._left >= 0 and (more or not self._left), "a body has the length that was told"  # noqa: PT018
        return data if self._framing is not Framing.NONE else b""
