"""Processes that are ready before a request comes, and serve one conversation after another."""

import asyncio
import contextlib
import os
import time
from collections import Counter, deque
from collections.abc import Coroutine
from typing import Final

from claude_openai_proxy.errors import ProxyError, UpstreamConnectionError
from claude_openai_proxy.upstreams.claude_code.clearing import clear
from claude_openai_proxy.upstreams.claude_code.launching import Launching
from claude_openai_proxy.upstreams.claude_code.process import CliProcess, Launch
from claude_openai_proxy.upstreams.claude_code.start_lock import StartLock
from claude_openai_proxy.upstreams.interface import PoolStatus

USES: Final = 50
"""A process serves so many requests at most."""
MEMORY_BYTES: Final = 512 * 1024 * 1024
"""A process that has grown larger is replaced; a fresh one has some 180 MB."""
STARTS: Final = max(2, (os.cpu_count() or 2) // 2)
"""So many start at the same time: it takes a processor a third of a second each."""
ANY_MODEL: Final = "sonnet"
"""For a process that has not been asked anything."""
FAILURES: Final = 3
"""After so many failed starts in a row no request pays for another one, for a while."""
FAILING_SECONDS: Final = 5.0
"""That while."""
IDLE_SECONDS: Final = 60.0
"""What was started for a peak is ended after so much idleness."""


class Pool:
    """Keeps `size` processes ready, and more for a while after they were in use; there are never more than `largest`.

    A process is in one state at a time, and counts in each but the last:

    | state    | where              | it leaves for                                             |
    |----------|--------------------|-----------------------------------------------------------|
    | starting | `_starting`        | idle; ended (it did not come up, or the launch changed)   |
    | idle     | `_idle`            | busy; ended (died, spoke, old launch, room, idle too long)|
    | busy     | `_busy`            | clearing; idle (nothing was asked); ended                 |
    | clearing | `_clearing`        | idle; ended (did not forget, unfit)                       |
    | ended    | a task of `_tasks` |                                                           |

    With a `size` of 0 nothing is kept: each request has a process of its own.

    Invariants, asserted wherever a process changes its state: it is in one list alone, and there are no more than
    `largest` in all. Whoever waits has a start, a busy or a clearing process to wait for, or is told why not.
    """

    def __init__(
        self, *, size: int, largest: int, idle_seconds: float = IDLE_SECONDS, uses: int = USES,
        lock: StartLock | None = None,
    ) -> None:  # fmt: skip
        self._size = min(size, largest)
        self._largest = largest
        self._idle_seconds = idle_seconds
        self._uses = uses
        self._launch: Launch | None = None
        self._launching = Launching(lock)
        self._idle: list[CliProcess] = []
        """The one that was used last comes last."""
        self._busy: set[CliProcess] = set()
        self._clearing: set[CliProcess] = set()
        self._starting = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._shrinking: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._served = 0
        self._failures = 0
        """Starts in a row that came to nothing."""
        self._failure: tuple[ProxyError, float] | None = None
        """The last of them, and when."""
        self._ended: Counter[str] = Counter()

    def use(self, launch: Launch) -> None:
        """From now on start processes like this; those of another kind are ended."""
        self._launch = launch
        self._failures = 0
        self.discard_idle("login")

    @property
    def trouble(self) -> ProxyError | None:
        """Why nothing is started now; None where a start may be tried."""
        if self._failure is None or self._failures < FAILURES:
            return None
        error, at = self._failure
        return error if time.monotonic() - at < FAILING_SECONDS else None

    @property
    def status(self) -> PoolStatus:
        """What it is doing now, and what it has done."""
        return PoolStatus(
            size=self._size,
            largest=self._largest,
            idle=len(self._idle),
            busy=len(self._busy),
            starting=self._starting + len(self._clearing),
            served=self._served,
            recycled=dict(self._ended),
        )

    # ---- one request ---------------------------------------------------------------------------------------------

    async def take(self, *, prompted: bool = True) -> CliProcess:
        """A process that knows of no conversation; `recycle`, `retire` or `give_back` ends its use.

        `prompted`: the request has a system prompt; one without needs a process that never had any.
        """
        while (process := self._pick(prompted=prompted)) is None:
            if self.trouble is not None and not self._coming:
                raise self.trouble.with_traceback(None)
            self._grow(self._current(), prompted=prompted)
            await self._next_news()
        self._busy.add(process)
        self._check(process)
        return process

    def recycle(self, process: CliProcess, *, model: str, settled: bool) -> None:
        """Its answer for `model` is complete: make it forget that, in the background, and keep it for another."""
        self._served += 1
        if why := self._unfit(process):
            self._retire(process, why, interrupt=False)
        else:
            self._busy.discard(process)
            self._clearing.add(process)
            self._check(process)
            self._run(self._clear(process, model, settled=settled))

    def retire(self, process: CliProcess, why: str, *, interrupt: bool) -> None:
        """End a process that was taken, in the background: `interrupt` when its answer is not complete."""
        self._served += 1
        self._retire(process, why, interrupt=interrupt)

    def give_back(self, process: CliProcess) -> None:
        """Return a process that was taken and not asked anything."""
        self._busy.discard(process)
        self._keep(process)

    # ---- ahead of requests ---------------------------------------------------------------------------------------

    def refill(self) -> None:
        """Start processes until there are `size`, and one more than are in use."""
        launch = self._launch
        wanted = min(self._largest, max(self._size, len(self._busy) + 1)) if self._size else 0
        for _ in range(wanted - self._count()):
            if launch is not None and not self._closed and self.trouble is None:
                self._start(launch)

    def discard_idle(self, why: str) -> None:
        """End the idle processes."""
        while self._idle:
            self._end(self._idle.pop(), why)

    async def aclose(self) -> None:
        """End the idle processes and wait for all that is under way."""
        self._closed = True
        if self._shrinking is not None:
            self._shrinking.cancel()
        self.discard_idle("closed")
        self._tell()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- steps ---------------------------------------------------------------------------------------------------

    def _current(self) -> Launch:
        if self._launch is None or self._closed:
            raise UpstreamConnectionError("The Claude Code upstream is closed.", reached=False)
        return self._launch

    def _count(self) -> int:
        return len(self._idle) + len(self._busy) + len(self._clearing) + self._starting

    @property
    def _coming(self) -> bool:
        """Whether any process may be free soon without a start."""
        return bool(self._busy or self._clearing or self._starting)

    def _pick(self, *, prompted: bool) -> CliProcess | None:
        """The idle process that was used last and suits; one that did anything while idle is ended."""
        for process in [process for process in self._idle if not process.quiet]:
            self._idle.remove(process)
            self._end(process, "surprise" if process.alive else "died")
        suited = [process for process in self._idle if prompted or not process.prompted]
        if not suited:
            return None
        best = next((process for process in reversed(suited) if process.prompted is prompted), suited[-1])
        self._idle.remove(best)
        return best

    def _grow(self, launch: Launch, *, prompted: bool) -> None:
        """Start a process for the request that comes to wait now, unless one is about to be ready for it.

        Where no more may run it waits for one to be free.
        """
        coming = self._starting + sum(prompted or not process.prompted for process in self._clearing)
        full = self._count() >= self._largest
        busy_enough = coming > len(self._waiting) or self._starting >= STARTS
        if busy_enough or (full and not self._idle) or self.trouble is not None:
            return
        if full:
            self._end(self._idle.pop(0), "room")  # It does not suit, and gives way to one that will.
        self._start(launch)

    def _start(self, launch: Launch) -> None:
        self._starting += 1
        assert self._count() <= self._largest, "CLAUDE_POOL_MAX is a maximum"
        self._run(self._add(launch))

    async def _started(self, launch: Launch) -> CliProcess:
        """A fresh process, made to forget like those that have been used.

        What the CLI says of itself before the system prompt depends on the first message that it heard; whatever
        differs there is read from no cache, and thinking is bound to it.
        """
        process = await self._launching.start(launch)
        try:
            await clear(process, model=ANY_MODEL, settled=True)
        except (ProxyError, TimeoutError) as error:
            self._end(process, "not cleared")
            raise UpstreamConnectionError("A Claude Code process did not get ready.", reached=False) from error
        return process

    async def _add(self, launch: Launch) -> None:
        process: CliProcess | None = None
        failure: ProxyError = UpstreamConnectionError("A Claude Code process could not be started.", reached=False)
        try:
            process = await self._started(launch)
        except ProxyError as error:
            failure = error
        finally:  # Also where the start failed as nobody foresaw: the loop tells that, and the place is free again.
            self._starting -= 1
            self._failures = 0 if process else self._failures + 1
            if process is None:
                self._failure = failure, time.monotonic()
                self._tell_first(failure)
        if process is None:
            return
        if self._closed or launch is not self._launch:
            self._end(process, "closed" if self._closed else "login")
        else:
            self._make_idle(process)

    def _retire(self, process: CliProcess, why: str, *, interrupt: bool) -> None:
        self._busy.discard(process)
        if not interrupt:
            process.kill()
        self._end(process, why, interrupt=interrupt)
        self.refill()

    def _unfit(self, process: CliProcess) -> str:
        """Why a process must not be used again; "" where it may."""
        if self._closed or process.launch is not self._launch:
            return "closed" if self._closed else "login"
        if not self._size or self._count() - (process in self._busy) >= self._largest:
            return "not kept"
        if process.uses >= self._uses:
            return "uses"
        return "memory" if process.memory() > MEMORY_BYTES else ""

    async def _clear(self, process: CliProcess, model: str, *, settled: bool) -> None:
        why = "not cleared"
        try:
            with contextlib.suppress(ProxyError, TimeoutError):
                await clear(process, model=model, settled=settled)
                why = ""
        finally:
            self._clearing.discard(process)
            if why:
                self._retire(process, why, interrupt=False)
            else:
                self._keep(process)

    def _keep(self, process: CliProcess) -> None:
        if why := self._unfit(process):
            self._retire(process, why, interrupt=False)
            return
        self._make_idle(process)

    def _check(self, process: CliProcess) -> None:
        states = (process in self._idle) + (process in self._busy) + (process in self._clearing)
        assert states == 1, "a process is in one state"
        assert self._count() <= self._largest, "CLAUDE_POOL_MAX is a maximum"

    def _make_idle(self, process: CliProcess) -> None:
        process.idle_since = asyncio.get_running_loop().time()
        self._idle.append(process)
        self._check(process)
        self._tell()
        self._plan_to_shrink()

    def _plan_to_shrink(self) -> None:
        if self._shrinking is None and self._idle and self._count() > self._size:
            at = self._idle[0].idle_since + self._idle_seconds
            self._shrinking = asyncio.get_running_loop().call_at(at, self._shrink)

    def _shrink(self) -> None:
        self._shrinking = None
        old = asyncio.get_running_loop().time() - self._idle_seconds
        while self._idle and self._count() > self._size and self._idle[0].idle_since <= old:
            self._end(self._idle.pop(0), "idle")
        self._plan_to_shrink()

    async def _next_news(self) -> None:
        news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(news)
        try:
            await news
        finally:
            if news in self._waiting:
                self._waiting.remove(news)

    def _tell(self) -> None:
        """Whoever waits for a process looks again."""
        while self._waiting:
            _wake(self._waiting.popleft())

    def _tell_first(self, error: ProxyError) -> None:
        """A process that did not come up is the failure of the request that waits longest, if one does.

        The others look again, and are told the same once that has happened `FAILURES` times in a row.
        """
        while self._waiting and not _wake(self._waiting.popleft(), error):
            pass
        self._tell()

    def _end(self, process: CliProcess, why: str, *, interrupt: bool = False) -> None:
        self._ended[why] += 1
        self._run(process.end(interrupt=interrupt))
        self._tell()

    def _run(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _wake(news: asyncio.Future[None], error: ProxyError | None = None) -> bool:
    if news.done():
        return False
    if error is None:
        news.set_result(None)
    else:
        news.set_exception(error)
    return True
