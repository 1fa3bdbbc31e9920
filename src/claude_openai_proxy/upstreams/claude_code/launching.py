"""Starting processes: the first one alone, so that only one of them renews a login that has expired."""

import asyncio
from typing import Final

from claude_openai_proxy.upstreams.claude_code.process import CliProcess, Launch, spawn

GOOD_SECONDS: Final = 300.0
"""After a start so long ago the next one is alone again."""


class Launching:
    """Starts processes, several at once where one of the same kind has come up a short while ago."""

    def __init__(self) -> None:
        self._alone = asyncio.Lock()
        self._good: tuple[Launch, float] | None = None

    async def start(self, launch: Launch) -> CliProcess:
        """A process that is ready. Raises as `spawn`."""
        return await spawn(launch) if self._proven(launch) else await self._first(launch)

    async def _first(self, launch: Launch) -> CliProcess:
        async with self._alone:
            if not self._proven(launch):
                process = await spawn(launch)
                self._good = launch, asyncio.get_running_loop().time()
                return process
        return await spawn(launch)

    def _proven(self, launch: Launch) -> bool:
        if self._good is None or self._good[0] is not launch:
            return False
        return asyncio.get_running_loop().time() - self._good[1] < GOOD_SECONDS
