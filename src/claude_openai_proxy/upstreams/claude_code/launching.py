"""Starting processes: the first one alone, so that only one of them renews a login that has expired."""

import asyncio
from typing import Final

from claude_openai_proxy.upstreams.claude_code.process import CliProcess, Launch, spawn
from claude_openai_proxy.upstreams.claude_code.start_lock import StartLock

GOOD_SECONDS: Final = 300.0
"""After a start so long ago the next one is alone again."""


class Launching:
    """Starts processes, several at once where one of the same kind has come up a short while ago.

    `lock` keeps the other proxies of this machine from a start that may renew the login; None: there are none.
    """

    def __init__(self, lock: StartLock | None = None) -> None:
        self._lock = lock
        self._alone = asyncio.Lock()
        self._good: tuple[Launch, float] | None = None

    async def start(self, launch: Launch) -> CliProcess:
        """A process that is ready. Raises as `spawn`."""
        return await (self._spawn(launch, alone=False) if self._proven(launch) else self._first(launch))

    async def _first(self, launch: Launch) -> CliProcess:
        async with self._alone:
            if not self._proven(launch):
                process = await self._spawn(launch, alone=True)
                self._good = launch, asyncio.get_running_loop().time()
                return process
        return await self._spawn(launch, alone=False)

    async def _spawn(self, launch: Launch, *, alone: bool) -> CliProcess:
        if self._lock is None:
            return await spawn(launch)
        async with self._lock.held(alone=alone):
            return await spawn(launch)

    def _proven(self, launch: Launch) -> bool:
        if self._good is None or self._good[0] is not launch:
            return False
        return asyncio.get_running_loop().time() - self._good[1] < GOOD_SECONDS
