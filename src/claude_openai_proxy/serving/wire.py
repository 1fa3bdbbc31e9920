"""The transport of one connection: a client that is slow, takes nothing, or may have gone; the end.

| the client | known by | then |
|---|---|---|
| takes what is written | the transport's buffer is small | writes go on |
| is slow | the transport says pause | writers wait in `writable` |
| takes nothing for `stall_seconds` | the buffer has not shrunk between two looks | it is cut off |
| has closed its side | `eof_received` | it may still read, or have gone, which look alike: see `feel` |
| has gone | the transport is lost | writers go on; their request knows |

Invariant: while something waits that the client must take, to go on or to let the connection end, it is being watched.
"""

import asyncio
import math
import socket
from collections.abc import Callable
from typing import cast

NEVER = math.inf
FIRST_FEEL_SECONDS = 0.05
LONGEST_FEEL_SECONDS = 1.0


class Wire:
    """`clock` counts seconds; `paused`: a writer has to wait."""

    __slots__ = (
        "_clock",
        "_reading_paused",
        "_seconds",
        "_since",
        "_transport",
        "_waiting",
        "_writable",
        "paused",
        "write",
    )

    def __init__(self, transport: asyncio.Transport, *, stall_seconds: float, clock: Callable[[], float]) -> None:
        self.paused = self._reading_paused = False
        self._transport = transport
        self.write = transport.write
        """Send bytes."""
        self._seconds = stall_seconds
        self._clock = clock
        self._writable = asyncio.Event()
        self._since, self._waiting = NEVER, 0

    @property
    def closing(self) -> bool:
        """Whether nothing more can be written."""
        return self._transport.is_closing()

    async def writable(self) -> None:
        """Return once the client takes more, or has gone."""
        await self._writable.wait()

    def pause(self) -> None:
        """The transport has enough."""
        self.paused = True
        self._writable.clear()
        self._watch()

    def resume(self) -> None:
        """The client has caught up, or has gone."""
        self.paused, self._since = False, NEVER
        self._writable.set()

    def check(self, now: float) -> None:
        """Cut off a client that stalls. Slow is not stalled: something must have been taken since the last look."""
        if now - self._since > self._seconds:
            waiting = self._transport.get_write_buffer_size()
            if waiting and waiting >= self._waiting:
                self.abort()
            else:
                self._watch()

    def _watch(self) -> None:
        self._since, self._waiting = self._clock(), self._transport.get_write_buffer_size()

    def feel(self, nudge: Callable[[], bool], pause: float = FIRST_FEEL_SECONDS) -> None:
        """Find out whether a client that has closed its side (`shutdown`) has gone (`close`).

        `nudge` sends a byte, which is answered with a reset where nobody is; False says that there is no more to do.
        """
        if self.closing:
            return
        peer = cast("socket.socket", self._transport.get_extra_info("socket"))
        if peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.abort()
        elif nudge():
            later = min(2 * pause, LONGEST_FEEL_SECONDS)
            asyncio.get_running_loop().call_later(pause, self.feel, nudge, later)

    def pause_reading(self) -> None:
        """Let the client wait with more."""
        if not self._reading_paused and not self.closing:
            self._reading_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """More may come."""
        if self._reading_paused and not self.closing:
            self._reading_paused = False
            self._transport.resume_reading()

    def end(self) -> None:
        """Nothing more will be written; reading goes on."""
        self._transport.write_eof()

    def close(self) -> None:
        """End it, once what was written is out."""
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._watch()

    def abort(self) -> None:
        """End it at once."""
        self._transport.abort()
