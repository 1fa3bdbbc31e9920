"""The pipes of a child process on asyncio: lines of its stdout in batches, its stderr drained."""

import asyncio
import math
from collections import deque
from typing import Final, cast

from claude_openai_proxy.errors import UpstreamProtocolError

HIGH_WATER: Final = 4 * 1024 * 1024
"""Bytes of unread lines above which stdout is no longer read; a single line may be larger."""
LARGEST_LINE: Final = 64 * 1024 * 1024
"""Bytes; twice the largest request. Of a line that goes on, nothing more is read."""
STDERR_KEPT: Final = 4096

_STDOUT: Final = 1
_STDERR: Final = 2


class Pipes(asyncio.SubprocessProtocol):
    """Collects whole lines. One reader at a time; every read hands over all lines that have come."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines: deque[bytes] = deque()
        self._waiting = 0
        """Bytes in `_lines`."""
        self._unfinished = bytearray()
        self._stdout: asyncio.ReadTransport | None = None
        self._paused = False
        self._too_long = False
        """A line was longer than any frame: stdout is not read any more."""
        self._ended = False
        self._wake: asyncio.Future[None] | None = None
        self._silent_until = 0.0
        """When a wait is given up; the timer looks at it, so that not every wait needs one of its own."""
        self._timer: asyncio.TimerHandle | None = None
        self.stderr = b""
        """The last of it."""
        self.complained = asyncio.Event()
        """All of stderr has been read."""
        self.exited = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop once the process runs."""
        process = cast(asyncio.SubprocessTransport, transport)
        self._stdout = cast(asyncio.ReadTransport, process.get_pipe_transport(_STDOUT))

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Called by the loop with whatever was read."""
        if fd == _STDERR:
            self.stderr = (self.stderr + data)[-STDERR_KEPT:]
            return
        cut = data.rfind(b"\n") + 1
        if len(self._unfinished) + (cut or len(data)) > LARGEST_LINE:
            self._give_up()
            return
        if not cut:
            self._unfinished += data
            return
        whole = bytes(self._unfinished) + data[:cut] if self._unfinished else data[:cut]
        self._unfinished = bytearray(data[cut:])
        lines = [line for line in whole.split(b"\n") if line and not line.isspace()]
        if lines:  # no lines mean the end to who waits
            self._lines.extend(lines)
            self._waiting += len(whole)
            self._regulate()
            self._notify()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002
        """Called by the loop at the end of a pipe."""
        if fd == _STDOUT:
            self._ended = True
            self._notify()
        elif fd == _STDERR:
            self.complained.set()

    def process_exited(self) -> None:
        """Called by the loop once the process is gone."""
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Called by the loop when the process and all pipes are gone."""
        self._stop_watching()
        self._ended = True
        self.complained.set()
        self.exited.set()
        self._notify()

    @property
    def empty(self) -> bool:
        """Whether all that came has been read."""
        return not self._lines and not self._unfinished and not self._too_long

    async def lines(self, *, within: float | None) -> list[bytes]:
        """All lines read so far, at least one; [] at the end.

        Raises `TimeoutError` after `within` seconds, `UpstreamProtocolError` for a line without an end.
        """
        if not self._lines and not self._ended:
            await self._arrival(within)
        if not self._lines and self._too_long:
            raise UpstreamProtocolError("The Claude Code CLI printed a line that is longer than any frame.")
        lines = list(self._lines)
        self._lines.clear()
        self._waiting = 0
        self._regulate()
        return lines

    async def _arrival(self, within: float | None) -> None:
        self._wake = self._loop.create_future()
        if within is None:
            self._silent_until = math.inf
        else:
            self._silent_until = self._loop.time() + within
            self._watch()
        try:
            await self._wake
        finally:
            self._wake = None

    def _watch(self) -> None:
        """One timer for many waits: it is set again only where it would come too late, or came too early."""
        if self._timer is not None and self._timer.when() <= self._silent_until:
            return
        self._stop_watching()
        self._timer = self._loop.call_at(self._silent_until, self._time_out)

    def _time_out(self) -> None:
        self._timer = None
        if self._wake is None or self._wake.done() or self._silent_until == math.inf:
            return
        if self._loop.time() < self._silent_until:
            self._watch()
        else:
            self._wake.set_exception(TimeoutError())

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._too_long = self._ended = True
        self._unfinished.clear()
        if self._stdout is not None:
            self._stdout.close()
        self._notify()

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _regulate(self) -> None:
        """Stop reading while too much is unread, go on when it was taken."""
        if self._stdout is None or self._paused == (self._waiting > HIGH_WATER) or self._stdout.is_closing():
            return
        self._paused = not self._paused
        if self._paused:
            self._stdout.pause_reading()
        else:
            self._stdout.resume_reading()
