"""One client's connection: an HTTP/1.x server protocol on httptools, run by uvicorn.

What the client sends (`_reading`):

| state | what comes is | leads to |
|---|---|---|
| IDLE | the first byte of a request; nothing for `keep_alive_seconds` (`head_seconds` at first) ends it | HEAD |
| HEAD | a request's head, within `head_seconds` | BODY, or DEAF where it is refused |
| BODY | a request's body; let go where its answer is out already | IDLE, or DEAF after the last request |
| DEAF | let go: nothing more is answered here | the end |

What it gets: `_line` holds the requests whose answers are not complete, in their order; the application runs for the
first alone. `_refusal`, where there is one, is written after the last.

Invariants:
1. Only the first of `_line` writes; a refusal is written when the line is empty.
2. Where the line is empty and the connection open there is a deadline; where an answer is made there is none (but when
   the server stops): how long an answer takes is its own affair.
3. Reading pauses only while the body of the first waits for the application, or when more than `linger_bytes` were let
   go: that a client leaves is noticed while its answer is made.
4. What is under way is told when its client goes, and nothing is written after that.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from enum import Enum, auto
from typing import Any, cast

import uvicorn
from uvicorn.server import ServerState

from claude_openai_proxy.serving.connections import Connections, address, address_group
from claude_openai_proxy.serving.limits import Limits
from claude_openai_proxy.serving.request_head import HEAD_TOO_SLOW, RefusedRequestError, RequestHead, asks_for_websocket
from claude_openai_proxy.serving.request_reader import OfferTakenError, RequestReader
from claude_openai_proxy.serving.response_head import StandingHeaders, whole_answer
from claude_openai_proxy.serving.served_request import Application, ServedRequest
from claude_openai_proxy.serving.wire import NEVER, Wire
from claude_openai_proxy.web.asgi import Header
from claude_openai_proxy.web.errors import Failure


class Reading(Enum):
    """What the next bytes of the client are."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    DEAF = auto()


class Connection(asyncio.Protocol):
    """`connections`, `limits` and `standing` are the server's; the rest is what uvicorn gives to each protocol."""

    def __init__(
        self,
        *,
        connections: Connections,
        limits: Limits,
        standing: StandingHeaders,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._connections, self._limits, self._standing = connections, limits, standing
        self._config, self._server_state, self._app_state = config, server_state, app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._reader = RequestReader(self, limits)
        self._reading, self._let_go = Reading.IDLE, 0
        self._line: deque[ServedRequest] = deque()
        self._incoming: ServedRequest | None = None
        self._refusal: Failure | None = None
        self._stopping = self._eof = False
        self.since = self._loop.time()
        self._deadline = self.since + limits.head_seconds

    # ---- the transport ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Someone has connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._wire = Wire(self._transport, stall_seconds=self._limits.client_stall_seconds, clock=self._loop.time)
        self._client = address(transport.get_extra_info("peername"))
        self._server = address(transport.get_extra_info("sockname"))
        self.address = address_group(self._client[0]) if self._client else ""
        if self._connections.admit(self):
            self._server_state.connections.add(cast("Any", self))
        else:
            self._wire.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Every request on it learns that its client is gone."""
        self._forget()
        for request in self._line:
            request.leave()
        self._line.clear()
        self._incoming = None
        self._wire.resume()

    def _forget(self) -> None:
        self._connections.leave(self)
        self._server_state.connections.discard(cast("Any", self))
        self._reading, self._deadline = Reading.DEAF, NEVER
        self._reader.forget()

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, a body, several requests, or of what is let go."""
        if self._reading is Reading.DEAF:
            self._drop(len(data))
            return
        try:
            self._reader.feed(data)
        except RefusedRequestError as refused:
            self._refuse(refused.failure)
        except OfferTakenError as offer:
            self._hand_over(offer.data)

    def eof_received(self) -> bool:
        """Whether the connection stays open: for a client that half-closed, or has gone, after all of its request."""
        if not self._line or not self._line[-1].body_ended:
            return False
        self._eof, self._reading = True, Reading.DEAF
        self._line[-1].keep_alive = False
        self._wire.feel(self._nudge)
        return True

    def _nudge(self) -> bool:
        if self._line:
            self._line[0].nudge()
        return bool(self._line)

    def pause_writing(self) -> None:
        """The client is slower than its answer."""
        self._wire.pause()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._wire.resume()

    # ---- what came ----------------------------------------------------------------------------------------------

    def begun(self) -> None:
        """The first byte of a request."""
        if self._reading is Reading.IDLE:
            self._reading, self._incoming = Reading.HEAD, None
            if not self._line:
                self._deadline = self._loop.time() + self._limits.head_seconds

    def head_came(self, head: RequestHead) -> None:
        """Let the application run, if nobody is before it."""
        if self._reading is not Reading.HEAD:
            return
        request = self._incoming = ServedRequest(self, self._wire, head)
        request.keep_alive &= not self._stopping
        self._reading, self._deadline = Reading.BODY, NEVER
        self._line.append(request)
        if len(self._line) == 1:
            self._run(request)

    def piece_came(self, piece: bytes) -> None:
        """Kept until it is taken, or let go where nobody will."""
        request = self._incoming
        if request is None or self._reading is not Reading.BODY:
            return
        if request.complete:
            self._drop(len(piece))
            return
        request.feed(piece)
        if request.unread > self._limits.unread_bytes:
            if request is self._line[0]:
                self._wire.pause_reading()
            else:
                self._end_line_before(request)

    def all_came(self) -> None:
        """All of a request is there."""
        request = self._incoming
        if request is None or self._reading is not Reading.BODY:
            return
        self._reading = Reading.IDLE if request.keep_alive else Reading.DEAF
        request.end_body()
        if self._line:
            self._deadline = NEVER
        if len(self._line) > self._limits.pipelined:
            self._end_line_before(request)
        elif not self._line:
            self._wait_for_next()

    def takes_offer(self, headers: Sequence[Header]) -> bool:
        """WebSockets, where uvicorn has a protocol for them and no answer is in their way."""
        return self._config.ws_protocol_class is not None and not self._line and asks_for_websocket(headers)

    def _hand_over(self, data: bytes) -> None:
        """From here on the connection is uvicorn's own WebSocket protocol."""
        self._forget()
        protocol = cast("Any", self._config.ws_protocol_class)(
            config=self._config, server_state=self._server_state, app_state=self._app_state
        )
        protocol.connection_made(self._transport)
        protocol.data_received(data)
        self._transport.set_protocol(protocol)

    # ---- requests in their line ---------------------------------------------------------------------------------

    def _run(self, request: ServedRequest) -> None:
        request.run(cast("Application", self._config.loaded_app), self._client, self._server, self._server_state.tasks)

    def answered(self, request: ServedRequest) -> None:
        """What comes after an answer: the next one, the end, or nothing yet."""
        assert self._line[0] is request, "answers go out in the order of their requests"
        self._line.popleft()
        self._server_state.total_requests += 1
        if self._wire.closing:
            return
        if not request.keep_alive:
            self._line.clear()
            self._end(clean=request.body_ended and not self._let_go)
        elif self._line:
            self._wire.resume_reading()
            self._run(self._line[0])
        elif self._refusal:
            self._write_refusal(self._refusal)
        elif request.body_ended:
            self._wait_for_next()
        else:
            self._linger()

    def _wait_for_next(self) -> None:
        """Nothing is under way: the next request may come, or its head go on."""
        if self._stopping:
            self.close()
            return
        started = self._reading is Reading.HEAD
        seconds = self._limits.head_seconds if started else self._limits.keep_alive_seconds
        self._deadline = self._loop.time() + seconds
        self._wire.resume_reading()

    def _end_line_before(self, request: ServedRequest) -> None:
        """More than is kept behind a running answer: it is not answered, as after any close of a server's."""
        last = self._line.pop()
        assert last is request, "what is just coming is the last in line"
        self._line[-1].keep_alive = False
        self._reading = Reading.DEAF

    def _refuse(self, failure: Failure) -> None:
        """After the answers that are due; nothing more is read as a request."""
        if self._reading is Reading.DEAF:
            return
        self._reading = Reading.DEAF
        broken = self._incoming
        if broken and not broken.body_ended:
            broken.leave()
            if broken.started or broken not in self._line:
                self.abort()
                return
            self._line.remove(broken)
        self._refusal = failure
        if not self._line:
            self._write_refusal(failure)

    def _write_refusal(self, failure: Failure) -> None:
        self._wire.write(whole_answer(failure, self.standing_headers()))
        self._end(clean=False)

    # ---- the end ------------------------------------------------------------------------------------------------

    def shutdown(self) -> None:
        """The server stops (uvicorn's name): the running answer is the last one here."""
        self._stopping = True
        soon = self._loop.time() + self._limits.half_sent_seconds
        if self._line:
            first = self._line[0]
            first.stop()
            while len(self._line) > 1:
                self._line.pop()
            if first.body_ended:
                self._reading = Reading.DEAF
            else:
                self._deadline = soon
        elif self._reading in (Reading.IDLE, Reading.HEAD):
            self.close()
        else:
            self._deadline = min(self._deadline, soon)

    def check(self, now: float) -> None:
        """Whether a deadline has passed (the sweep of `Connections`)."""
        self._wire.check(now)
        if now >= self._deadline:
            self._deadline = NEVER
            self._expire()

    def _expire(self) -> None:
        if self._line:
            assert self._stopping, "an answer has a deadline only when the server stops"
            self._line[0].cancel()
        elif self._reading is Reading.HEAD:
            self._refuse(HEAD_TOO_SLOW)
        elif self._reading is Reading.IDLE:
            self.close()
        else:
            self.abort()

    def _end(self, *, clean: bool) -> None:
        """No more answers. A client that may still be sending must not lose the last one by a reset."""
        self._reading = Reading.DEAF
        if clean or self._eof:
            self.close()
        else:
            self._wire.end()
            self._linger()

    def _linger(self) -> None:
        """Let go what still comes of a request that has its answer, for so long and so many bytes."""
        self._let_go = 0
        self._deadline = self._loop.time() + self._limits.linger_seconds
        self._wire.resume_reading()

    def _drop(self, size: int) -> None:
        self._let_go += size
        if self._let_go > self._limits.linger_bytes:
            if self._line:
                self._wire.pause_reading()
            else:
                self.abort()

    def close(self) -> None:
        """Once what was written is out."""
        self._reading, self._deadline = Reading.DEAF, NEVER
        self._wire.close()

    def abort(self) -> None:
        """At once."""
        self._wire.abort()

    @property
    def idle(self) -> bool:
        """Whether no answer is made here."""
        return not self._line

    # ---- for the request ----------------------------------------------------------------------------------------

    def vouch(self) -> None:
        """A request has passed the doors."""
        self._connections.vouch(self)

    def standing_headers(self) -> bytes:
        """Lines of every answer."""
        return self._standing.lines(self._server_state.default_headers)
