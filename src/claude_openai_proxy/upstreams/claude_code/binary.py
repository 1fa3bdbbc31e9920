"""Finding the Claude Code CLI, and asking it short questions (`--version`, `auth status`)."""

import asyncio
import contextlib
import importlib.util
import os
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from claude_openai_proxy.errors import NoLoginError, UpstreamConnectionError, UpstreamProtocolError
from claude_openai_proxy.upstreams.claude_code.environment import process_environment
from claude_openai_proxy.upstreams.claude_code.pipes import Pipes

MINIMUM_VERSION: Final = (2, 1, 0)
"""Older ones lack the control requests altogether; the contract check judges everything newer."""
QUESTION_SECONDS: Final = 20.0
KILLED_SECONDS: Final = 1.0
"""How long the system may take to end a program that was killed."""
LARGEST_ANSWER: Final = 1024 * 1024
"""Bytes."""
NEWEST_TESTED: Final = (2, 1, 332)
"""The newest that this version of the proxy was tested with."""
INSTALL: Final = (
    "Install it (https://code.claude.com/docs/en/setup), or install this proxy with the extra [cli], "
    "or name the program in CLAUDE_CLI_PATH."
)
_USUAL_PLACES: Final = (
    "~/.local/bin/claude",
    "~/.claude/local/claude",
    "/opt/homebrew/bin/claude",
    "/usr/local/bin/claude",
    "~/.npm-global/bin/claude",
    "~/.bun/bin/claude",
)
_BUNDLED: Final = "_bundled"
"""The folder of the package claude-agent-sdk in which the program lies."""
_VERSION: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Binary:
    """A program that says it is the Claude Code CLI. A change of `size` or `modified` means another program."""

    path: Path
    version: str
    size: int
    modified: int

    def unchanged(self) -> bool:
        """Whether the file is still the one that was asked; updates replace it while the proxy runs."""
        stat = _stat(self.path)
        return stat is not None and (stat.st_size, stat.st_mtime_ns) == (self.size, self.modified)


def find_cli(configured: str, environment: Mapping[str, str]) -> Path | None:
    """The CLI: as configured, from PATH, from the usual places, or from the claude-agent-sdk package."""
    if configured:
        return Path(configured).expanduser()
    if on_path := shutil.which("claude", path=environment.get("PATH", "")):
        return Path(on_path)
    return next((place for place in _places(environment) if place.is_file()), None)


def shown_command(cli: Path, *words: str) -> str:
    """As it can be typed; the program need not be on PATH."""
    return shlex.join([str(cli), *words])


def update_command(cli: Path) -> str:
    """What brings a newer program: for one that a Python package brought, that package."""
    if cli.parent.name != _BUNDLED:
        return shown_command(cli, "update")
    pip = [sys.executable, "-m", "pip", "install"]
    install = pip if importlib.util.find_spec("pip") else ["uv", "pip", "install", "--python", sys.executable]
    return shlex.join([*install, "--upgrade", "claude-agent-sdk"])


async def inspect(cli: Path | None, environment: Mapping[str, str]) -> Binary:
    """The program at `cli`, with its version.

    Raises `NoLoginError` where there is none, `UpstreamProtocolError` where it is too old or something else.
    """
    if cli is None:
        raise NoLoginError(f"The Claude Code CLI was not found. {INSTALL}")
    stat = _stat(cli)
    if stat is None:
        raise NoLoginError(f"There is no Claude Code CLI at {cli}. {INSTALL}")
    said = await ask(cli, environment, "--version")
    found = _VERSION.search(said)
    if found is None:
        raise UpstreamProtocolError(f"{cli} is not the Claude Code CLI: it does not tell its version. {INSTALL}")
    if tuple(map(int, found.groups())) < MINIMUM_VERSION:
        wanted = ".".join(map(str, MINIMUM_VERSION))
        raise UpstreamProtocolError(
            f"The Claude Code CLI at {cli} is version {found[0]}; {wanted} is needed. Run: {update_command(cli)}"
        )
    return Binary(cli, found[0], stat.st_size, stat.st_mtime_ns)


async def ask(cli: Path, environment: Mapping[str, str], *arguments: str) -> str:
    """What the CLI prints on stdout for a short question. Raises `UpstreamConnectionError`."""
    try:
        transport, pipes = await asyncio.get_running_loop().subprocess_exec(
            Pipes,
            *(str(cli), *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=process_environment(environment),
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        message = f"The Claude Code CLI at {cli} could not be started: {error.strerror or error}"
        raise UpstreamConnectionError(message, reached=False) from error
    try:
        async with asyncio.timeout(QUESTION_SECONDS):
            said = await _all_lines(pipes)
    except TimeoutError as error:
        message = f"The Claude Code CLI did not answer `{' '.join(arguments)}` within {QUESTION_SECONDS:g} s."
        raise UpstreamConnectionError(message, reached=False) from error
    finally:
        await _end(transport, pipes)
    return said.decode(errors="replace")


async def _all_lines(pipes: Pipes) -> bytes:
    said: list[bytes] = []
    while lines := await pipes.lines(within=None):
        said += lines
        if sum(map(len, said)) > LARGEST_ANSWER:
            raise UpstreamProtocolError("The Claude Code CLI answers a short question without an end.")
    return b"\n".join(said)


async def _end(transport: asyncio.SubprocessTransport, pipes: Pipes) -> None:
    """Kill the program with all that it started. The pipe is not waited for: a grandchild may keep it open."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(transport.get_pid(), signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(pipes.exited.wait(), KILLED_SECONDS)
    transport.close()


def _stat(path: Path) -> os.stat_result | None:
    with contextlib.suppress(OSError):
        return path.stat()
    return None


def _places(environment: Mapping[str, str]) -> Iterator[Path]:
    home = environment.get("HOME", "")
    for place in _USUAL_PLACES:
        if not place.startswith("~"):
            yield Path(place)
        elif home:
            yield Path(home + place[1:])
    package = importlib.util.find_spec("claude_agent_sdk")
    for directory in (package and package.submodule_search_locations) or ():
        yield Path(directory) / _BUNDLED / "claude"
