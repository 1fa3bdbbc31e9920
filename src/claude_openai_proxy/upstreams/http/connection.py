"""One connection: one request and its response at a time."""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from claude_openai_proxy.errors import (
    TimeoutPhase,
    UpstreamConnectionError,
    UpstreamError,
    UpstreamTimeoutError,
)
from claude_openai_proxy.upstreams.http.address import Origin
from claude_openai_proxy.upstreams.http.parser import ResponseParser
from claude_openai_proxy.upstreams.http.request import Patience

READ_AHEAD_BYTES: Final = 256 * 1024
"""Reading stops while this much of a body waits for a slow reader."""
WRITE_SLICE_BYTES: Final = 256 * 1024
"""A larger body goes out in slices, so that it is never in memory twice."""
_TIMER_STEP: Final = 0.001


class Connection(asyncio.Protocol):
    """Carries one exchange at a time.

    Everything that may end a wait (bytes, room to write, the end, a time-out) wakes one future, and whoever waits
    looks again: there is no task and no queue per connection.

    Bytes of a body need wake nobody: where somebody waits and there is a `passing`, that is given the chance to take
    them on the spot. What it leaves wakes whoever waits.
    """

    def __init__(self, origin: Origin, connections: "set[Connection]") -> None:
        """`connections` holds it from its first to its last moment."""
        self.origin = origin
        self.peer = origin.authority
        self.lost = False
        """It is gone."""
        self.idle_since = 0.0
        self.response: ResponseParser | None = None
        self.passing: Callable[[bytes], bool] | None = None
        """Takes what has come of the body; false halts it, and whoever waits must have a look. Of one exchange."""
        self.halted = False
        self._connections = connections
        self._on_finished: Callable[[Connection], None] | None = None
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._patience = Patience(silence=0)
        self._heard = 0.0
        self._unsent = 0
        self._writing_paused = False
        self._reading_paused = False
        self._all_sent = True

    @property
    def transport(self) -> asyncio.Transport:
        """The transport. Raises `UpstreamConnectionError` once the connection is gone."""
        if self._transport is None or self.lost:
            raise UpstreamConnectionError(f"{self.peer} closed the connection", reached=False)
        return self._transport

    @property
    def unfinished(self) -> bool:
        """Whether a response is still coming in over it."""
        return not self.lost and self.response is not None and not self.response.complete

    @property
    def reusable(self) -> bool:
        """Whether another request may follow the one that is complete."""
        response, transport = self.response, self._transport
        finished = response is None or (response.complete and response.keep_alive)
        stands = transport is not None and not self.lost and not transport.is_closing()
        return finished and self._all_sent and stands

    # ---- an exchange -----------------------------------------------------------------------------------------------

    async def exchange(self, head: bytes, body: bytes, patience: Patience) -> ResponseParser:
        """Send a request; return when the head of its response is there. Raises `UpstreamError` and its kinds."""
        transport = self.transport
        response = self.response = ResponseParser(peer=self.peer)
        self._all_sent = False
        self._patience = patience
        self._heard = self._loop.time()
        self._arm()
        if len(body) <= WRITE_SLICE_BYTES:
            self._begin_writing(transport, head + body)
            self._all_sent = True
        else:
            self._begin_writing(transport, head)
            await self._write_slices(transport, memoryview(body))
        while not response.head_complete and response.failure is None:
            await self.wait()
        if response.failure is not None:
            raise response.failure
        return response

    def _begin_writing(self, transport: asyncio.Transport, data: bytes) -> None:
        transport.write(data)
        if transport.is_closing():
            # The very first write failed: no byte of the request has left.
            raise UpstreamConnectionError(f"{self.peer} closed the connection before the request", reached=False)

    async def _write_slices(self, transport: asyncio.Transport, body: memoryview) -> None:
        for start in range(0, len(body), WRITE_SLICE_BYTES):
            while self._writing_paused and not self._answered():
                await self.wait()
            if self._answered():
                # It has made up its mind (too large, no key): the rest is not wanted.
                return
            transport.write(body[start : start + WRITE_SLICE_BYTES])
        self._all_sent = True

    def _answered(self) -> bool:
        response = self.response
        return response is not None and (response.head_complete or response.failure is not None)

    async def wait(self) -> None:
        """Until something has happened."""
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def resume_body(self) -> None:
        """The reader has taken what was there: let more come in."""
        if self._reading_paused:
            self._reading_paused = False
            self._heard = self._loop.time()
            if not self.lost and not self.transport.is_closing():
                self.transport.resume_reading()

    def rest(self) -> None:
        """The exchange is over and the connection goes back to wait for another."""
        self.resume_body()
        if self.response is not None:
            self.response.close()
        self.response = self.passing = None
        self.halted = False
        self.idle_since = self._loop.time()

    def finish_alone(self, within: float, then: "Callable[[Connection], None]") -> None:
        """Read the little that is left of a response which nobody reads any more; then hand the connection over."""
        self._on_finished = then
        self.resume_body()
        now = self._loop.time()
        self._heard = now
        self._patience = Patience(silence=within, deadline=now + within)
        self._arm()

    def abort(self) -> None:
        """Close at once; the other side sees that its caller has left."""
        self._disarm()
        if self._transport is not None:
            self._transport.abort()

    # ---- time ------------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """One timer looks after one exchange after the other: it stays where it looks early enough."""
        at = self._heard + self._patience.silence
        if self._patience.deadline is not None:
            at = min(at, self._patience.deadline)
        if self._timer is None or self._timer.when() > at:
            self._disarm()
            self._timer = self._loop.call_at(max(at, self._loop.time() + _TIMER_STEP), self._check_time)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_time(self) -> None:
        """Bytes only note when they came; between two exchanges there is nothing to look after."""
        self._timer = None
        if self.response is None or self.response.complete:
            return
        now = self._loop.time()
        deadline = self._patience.deadline
        if deadline is not None and now >= deadline:
            self._fail(timeout_error(self.peer, "total"))
        elif now >= self._heard + self._patience.silence and not self._has_moved(now):
            self._fail(timeout_error(self.peer, self._phase(), self._patience.silence))
        else:
            self._arm()

    def _has_moved(self, now: float) -> bool:
        """Whether the silence is our own doing: a slow reader, or a long request still on its way out."""
        unsent, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        moved = self._reading_paused or (unsent != self._unsent and self._unsent > 0)
        if moved:
            self._heard = now
        return moved

    def _phase(self) -> TimeoutPhase:
        return "between events" if self.response is not None and self.response.head_complete else "first byte"

    def _fail(self, error: UpstreamError) -> None:
        if self.response is not None and not self.response.complete and self.response.failure is None:
            self.response.failure = error
        self.abort()
        self._wake()

    # ---- called by the event loop ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        response = self.response
        if response is None:
            # Nothing was asked: whatever this is, the next response must not begin with it.
            self.abort()
            return
        self._heard = self._loop.time()
        response.feed(data)
        if response.failure is not None:
            self.abort()
        elif response.complete:
            self._complete()
        elif self.passing and response.parts and self._waiter and not self._waiter.done():
            if self.passing(response.take()):
                return
            self.halted = True
        elif response.buffered > READ_AHEAD_BYTES and not self._reading_paused:
            self._hold_back()
        self._wake()

    def _complete(self) -> None:
        if self._on_finished is not None:
            then = self._on_finished
            self._on_finished = None
            then(self)

    def _hold_back(self) -> None:
        if self._on_finished is not None:
            # It was said to be over; so much more means that it is not.
            self.abort()
            return
        self._reading_paused = True
        self.transport.pause_reading()

    def eof_received(self) -> bool:
        """The other side has finished; so have we."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self.lost = True
        self.ended.set_result(None)
        self._connections.discard(self)
        self._disarm()
        self.passing = None
        if self.response is not None:
            self.response.feed_eof("" if exc is None else _cause(exc))
            self.response.close()
        self._wake()

    def pause_writing(self) -> None:
        """The request comes out faster than it goes away."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """There is room again."""
        self._writing_paused = False
        self._heard = self._loop.time()
        self._wake()


def timeout_error(peer: str, phase: TimeoutPhase, seconds: float = 0) -> UpstreamTimeoutError:
    """The error for a silence of so many seconds in `phase`."""
    sentence = {
        "connect": f"No connection to {peer} within {seconds:g} s",
        "first byte": f"{peer} was silent for {seconds:g} s: its answer did not begin",
        "between events": f"{peer} was silent for {seconds:g} s in the middle of its answer",
        "total": f"{peer} had not finished its answer when the time for the whole request was over",
    }
    return UpstreamTimeoutError(sentence[phase], phase=phase)


def _cause(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
