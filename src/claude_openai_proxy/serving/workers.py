"""Several processes that serve one port: a supervisor that forks them, and starts anew what ends.

| the supervisor is | workers | leaves it |
|---|---|---|
| starting | the first one alone: it looks at login and database before others do | it serves: serving; it ends: over |
| serving | all; one that has ended is started anew | SIGINT, SIGTERM, SIGHUP or a cut lifeline: stopping |
| stopping | those that are left; each is handed every signal, none is started | the last one ends: over |

Invariants: the supervisor has one thread and no part of a server, so that it may fork at any time, and a worker wires
its own; a worker leads its own session, so that a terminal's Ctrl-C reaches it once, through the supervisor; a worker
ends with the supervisor, however that ends; a number belongs to one worker at a time.
"""

import os
import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from claude_openai_proxy.serving.reload import end_with

RESTART_SECONDS: Final = 1.0
"""A worker that ended sooner after its start is started anew after so long: what cannot run is not tried at once."""
OK: Final = 0

_STOPS: Final = tuple(
    number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)


@dataclass(frozen=True, slots=True)
class Worker:
    """Who has returned from `Workers.run` in a process of its own. `number` from 1; `first` to have it."""

    number: int
    first: bool
    _ready: int

    def serves(self) -> None:
        """Tell the supervisor that requests are answered."""
        with suppress(OSError):
            os.write(self._ready, b"1")


@dataclass(frozen=True, slots=True)
class _Running:
    number: int
    since: float


class Workers:
    """`count` of them; `say` tells a person; closing the other end of the pipe `lifeline` stops them, too."""

    def __init__(self, count: int, *, say: Callable[[str], None], lifeline: int | None = None) -> None:
        self._count = count
        self._say = say
        self._lifeline = lifeline
        self._running: dict[int, _Running] = {}
        """By process id."""
        self._due = {1: 0.0}
        """When each number that has no process is to be started, by the monotonic clock."""
        self._started = 0
        self._serving = False
        self._stopping = False
        self._signals: list[int] = []
        self._ready, self._ready_end = os.pipe()
        self._alive, self._alive_end = os.pipe()
        self._woken, self._waker = socket.socketpair()
        self._before: dict[int, Any] = {}

    def run(self) -> Worker | int:
        """Returns in each worker as that worker, at once; in the supervisor with the exit code, once all have ended."""
        self._listen_to_signals()
        try:
            while self._due or self._running:
                if worker := self._start_who_is_due():
                    return worker
                self._wait()
                self._pass_signals_on()
                for pid, code in self._ended():
                    if not self._went(self._running.pop(pid), code):
                        return code
            return OK
        finally:
            self._let_signals_be()

    # ---- starting ---------------------------------------------------------------------------------------------------

    def _start_who_is_due(self) -> Worker | None:
        """The worker that this process has become; None in the supervisor."""
        now = time.monotonic()
        for number in [number for number, due in self._due.items() if due <= now]:
            if worker := self._fork(number):
                return worker
        return None

    def _fork(self, number: int) -> Worker | None:
        del self._due[number]
        self._started += 1
        # A signal that came between the fork and the change of handlers would be told to the supervisor as its own.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        pid = os.fork()
        if pid:
            self._running[pid] = _Running(number, time.monotonic())
            assert len({one.number for one in self._running.values()}) == len(self._running), "one worker a number"
        else:
            self._let_signals_be()
            os.setsid()
            os.close(self._alive_end)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        if pid:
            return None
        end_with(self._alive)
        return Worker(number, first=self._started == 1, _ready=self._ready_end)

    # ---- news -------------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        """For a signal, an end of a worker, the word of the first one, a cut lifeline, or whoever is due next."""
        watched = [self._woken.fileno(), *([] if self._serving else [self._ready])]
        if self._lifeline is not None and not self._stopping:
            watched.append(self._lifeline)
        next_due = min(self._due.values(), default=None)
        seconds = None if next_due is None else max(0.0, next_due - time.monotonic())
        readable, _, _ = select.select(watched, [], [], seconds)
        if self._woken.fileno() in readable:
            self._woken.recv(4096)
        if self._lifeline in readable:
            self._signals.append(signal.SIGTERM)
        if self._ready in readable:
            self._serving = True
            self._due |= dict.fromkeys(range(2, self._count + 1), 0.0)

    def _pass_signals_on(self) -> None:
        signals, self._signals = self._signals, []
        for number in signals:
            self._stopping = True
            self._due.clear()
            for pid in self._running:
                os.kill(pid, number)

    def _ended(self) -> list[tuple[int, int]]:
        """Process id and exit code, as `waitstatus_to_exitcode` gives it, of each that has ended."""
        looked = [(pid, *os.waitpid(pid, os.WNOHANG)) for pid in self._running]
        return [(pid, os.waitstatus_to_exitcode(status)) for pid, gone, status in looked if gone]

    def _went(self, worker: _Running, code: int) -> bool:
        """Whether that is no reason to end; the worker is started anew where it was not told to stop."""
        if self._stopping:
            return True
        if not self._serving:
            return False
        why = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._say(f"Worker {worker.number} has ended ({why}): starting it again.")
        now = time.monotonic()
        self._due[worker.number] = now if now - worker.since >= RESTART_SECONDS else now + RESTART_SECONDS
        return True

    # ---- signals ----------------------------------------------------------------------------------------------------

    def _listen_to_signals(self) -> None:
        self._woken.settimeout(0)
        self._waker.settimeout(0)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        heard = [number for number in _STOPS if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._note) for number in (*heard, signal.SIGCHLD)}

    def _let_signals_be(self) -> None:
        """As they were before; also where that was done already."""
        if self._before:
            signal.set_wakeup_fd(-1)
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before = {}

    def _note(self, number: int, _: FrameType | None) -> None:
        if number in _STOPS:
            self._signals.append(number)
