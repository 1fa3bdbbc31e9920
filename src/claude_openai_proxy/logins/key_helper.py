"""`apiKeyHelper`: a command of the user's that prints a key.

As Claude Code does it (https://code.claude.com/docs/en/settings): run through the shell, asked again when its time is
over or when a key was refused. Nothing that it prints is logged or shown.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from claude_openai_proxy.errors import NoLoginError
from claude_openai_proxy.trust import header_text

DEFAULT_TTL_SECONDS = 300.0
TIMEOUT_SECONDS = 10.0
_MAX_OUTPUT = 65_536


@dataclass(frozen=True, slots=True)
class HelperCommand:
    """What to run and how. `source` is the file that names it; `ttl` in seconds."""

    command: str = field(repr=False)
    source: str
    environment: Mapping[str, str] = field(repr=False)
    directory: Path | None
    ttl: float = DEFAULT_TTL_SECONDS


class KeyHelper:
    """The key of one helper command; however many ask at a time, it runs once."""

    def __init__(self, command: HelperCommand, *, clock: Callable[[], float], timeout: float = TIMEOUT_SECONDS) -> None:
        self.command = command
        self._clock = clock
        self._timeout = timeout
        self._one_at_a_time = asyncio.Lock()
        self._key = ""
        self._good_until = float("-inf")
        self._failed_at = float("-inf")
        self._failure = ""

    async def key(self) -> str:
        """The key to use now. Raises `NoLoginError` when the helper fails."""
        asked = self._clock()
        if asked < self._good_until:
            return self._key
        async with self._one_at_a_time:
            if self._failed_at >= asked:
                raise NoLoginError(self._failure)
            if self._clock() >= self._good_until:
                await self._renew()
            return self._key

    @property
    def known(self) -> str:
        """The last key that it printed, "" before the first."""
        return self._key

    def forget(self, key: str) -> None:
        """Upstream refused `key`: the next one who asks gets a new one."""
        if key == self._key:
            self._good_until = float("-inf")

    async def _renew(self) -> None:
        try:
            self._key = await self._run()
        except NoLoginError as error:
            self._failed_at, self._failure = self._clock(), error.message
            raise
        self._good_until = self._clock() + self.command.ttl

    async def _run(self) -> str:
        try:
            async with asyncio.timeout(self._timeout), _shell(self.command) as process:
                output = await _output(process)
                code = await process.wait()
        except TimeoutError:
            raise self._failed(f"did not answer within {self._timeout:g} seconds") from None
        except OSError as error:
            raise self._failed(f"could not be started: {error.strerror}") from None
        if code:
            raise self._failed(f"failed with exit code {code}")
        return self._key_in(output)

    def _key_in(self, output: bytes) -> str:
        try:
            return header_text(output.decode("ascii").strip())
        except ValueError:
            raise self._failed("printed something that is no key" if output.strip() else "printed nothing") from None

    def _failed(self, what: str) -> NoLoginError:
        return NoLoginError(
            f"The apiKeyHelper command of {self.command.source} {what}. Run it in a terminal to see why."
        )


async def _output(process: Process) -> bytes:
    assert process.stdout is not None, "it was asked for"
    output = bytearray()
    while chunk := await process.stdout.read(_MAX_OUTPUT):
        output += chunk[: _MAX_OUTPUT - len(output)]
    return bytes(output)


@contextlib.asynccontextmanager
async def _shell(command: HelperCommand) -> AsyncIterator[Process]:
    """The running command; leaving ends it and whatever it started."""
    process = await asyncio.create_subprocess_shell(
        command.command,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=DEVNULL,
        env=dict(command.environment),
        cwd=command.directory,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            _kill(process)
            await process.wait()


def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
