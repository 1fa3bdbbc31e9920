"""Processes started ahead of the requests: each serves one request and is then ended."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Coroutine

from claude_openai_proxy.errors import ProxyError, QueueFullError, UpstreamConnectionError
from claude_openai_proxy.upstreams.claude_code.process import CliProcess, Launch, spawn


class Pool:
    """Keeps `size` idle processes ready and lets `largest` work at the same time."""

    def __init__(self, *, size: int, largest: int) -> None:
        self._launch: Launch | None = None
        self._size = size
        self._places = asyncio.Semaphore(largest)
        self._spares: deque[CliProcess] = deque()
        self._starting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def use(self, launch: Launch) -> None:
        """From now on start processes like this; those of another kind are ended."""
        self._launch = launch
        self.discard_spares()

    async def take(self) -> CliProcess:
        """An initialised process; `retire` ends it. Raises `QueueFullError` when none gets free in time."""
        launch = self._launch
        if launch is None or self._closed:
            raise UpstreamConnectionError("The Claude Code upstream is closed.", reached=False)
        try:
            await asyncio.wait_for(self._places.acquire(), launch.patience)
        except TimeoutError as error:
            raise QueueFullError("All Claude Code processes are busy.", retry_after=launch.patience) from error
        try:
            return self._spare() or await spawn(launch)
        except BaseException:
            self._places.release()
            raise

    def retire(self, process: CliProcess, *, interrupt: bool) -> None:
        """End a process that was taken, in the background: `interrupt` when its answer is not complete."""
        self._places.release()
        if not interrupt:
            process.kill()
        self._run(process.end(interrupt=interrupt))
        self.refill()

    def give_back(self, process: CliProcess) -> None:
        """Return a process that was taken and not asked anything."""
        self._places.release()
        self._spares.append(process)
        if self._closed:
            self.discard_spares()

    def refill(self) -> None:
        """Start processes until enough are idle or starting."""
        launch = self._launch
        while launch is not None and not self._closed and len(self._spares) + self._starting < self._size:
            self._starting += 1
            self._run(self._add_spare(launch))

    def discard_spares(self) -> None:
        """End the idle processes: they may hold a login that is no longer good."""
        while self._spares:
            self._run(self._spares.popleft().end(interrupt=False))

    async def aclose(self) -> None:
        """End the idle processes and wait for all that is under way."""
        self._closed = True
        self.discard_spares()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spare(self) -> CliProcess | None:
        while self._spares:
            process = self._spares.popleft()
            if process.alive:
                return process
            self._run(process.end(interrupt=False))
        return None

    async def _add_spare(self, launch: Launch) -> None:
        # A process that does not come up is reported to the request that then has to start one itself.
        try:
            with contextlib.suppress(ProxyError):
                self._spares.append(await spawn(launch))
        finally:
            self._starting -= 1
        if self._closed or launch is not self._launch:
            self.discard_spares()

    def _run(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
