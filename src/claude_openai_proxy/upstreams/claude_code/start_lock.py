"""One process of this machine at a time starts a Claude Code process that may renew the login.

A refresh token is good for one use: where two processes renew at once, the loser's login is gone. The CLI's own lock is
not known to cover every road there, so that all proxies of one STATE_DIR, and all workers of one proxy, take this one:
alone where nobody has proven the login a short while ago, together where they have. The system lets go of it when its
holder ends, however that ends.
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from claude_openai_proxy.errors import UpstreamConnectionError

FILE: Final = "claude-code-start.lock"
FREE_SECONDS: Final = 0.05
"""The system tells nobody that a lock is free."""
MOST_SECONDS: Final = 60.0
"""Twice what a start may take: whoever holds it longer hangs."""

log: Final = logging.getLogger(__name__)


class StartLock:
    """In `directory`; where there can be no such file, that is told once and everybody may start."""

    def __init__(self, directory: Path, *, most_seconds: float = MOST_SECONDS) -> None:
        self._path = directory / FILE
        self._most_seconds = most_seconds
        self._told = False

    @asynccontextmanager
    async def held(self, *, alone: bool) -> AsyncIterator[None]:
        """Waits for it. Raises `UpstreamConnectionError` where somebody keeps it."""
        descriptor = self._open()
        if descriptor is None:
            yield
            return
        try:
            await self._take(descriptor, alone=alone)
            yield
        finally:
            os.close(descriptor)

    def _open(self) -> int | None:
        if sys.platform == "win32":
            return None
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            if not self._told:
                log.warning("%s: %s. Other proxies of this login are not waited for.", self._path, error.strerror)
                self._told = True
            return None

    async def _take(self, descriptor: int, *, alone: bool) -> None:
        try:
            async with asyncio.timeout(self._most_seconds):
                while not _taken(descriptor, alone=alone):  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(FREE_SECONDS)
        except TimeoutError as error:
            raise UpstreamConnectionError(
                f"Another proxy has been starting Claude Code for {self._most_seconds:g} s ({self._path}). "
                "Stop it if it hangs.",
                reached=False,
            ) from error


def _taken(descriptor: int, *, alone: bool) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl  # noqa: PLC0415 - there is none on Windows

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
