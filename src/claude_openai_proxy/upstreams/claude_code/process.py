"""One Claude Code process: spawned in private directories, set up, asked, ended, and cleaned up after.

| state   | it has                                 | it leaves for                                                 |
|---------|----------------------------------------|---------------------------------------------------------------|
| spawned | private directories, pipes, a note     | ready (it answered `initialize` in time); ended               |
| ready   | no conversation; it says nothing       | asked (`Turn.begin`); ended                                   |
| asked   | one turn under way, one reader         | ready (`clear` made it forget); ended (whatever else happens) |
| ended   | nothing: killed with its process group | never                                                         |

Invariants: whoever was handed it ends it (`spawn` itself undoes a start that fails); one reader at a time; what it says
while it is ready makes it unfit (`quiet`); its directories go after it, never before.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from claude_openai_proxy.errors import UpstreamConnectionError, UpstreamProtocolError, UpstreamTimeoutError
from claude_openai_proxy.protocols import claude_code
from claude_openai_proxy.translate.claude_code.answer import decode_initialized
from claude_openai_proxy.translate.claude_code.frames import decode_frame
from claude_openai_proxy.translate.claude_code.request import initialize_frame, interrupt_frame
from claude_openai_proxy.upstreams.claude_code.environment import ARGUMENTS, config_directory, process_environment
from claude_openai_proxy.upstreams.claude_code.pipes import Pipes
from claude_openai_proxy.upstreams.claude_code.private import PrivateDirectory, remove_session, resident_bytes

INTERRUPT_SECONDS: Final = 0.15
"""How long an interrupted process may take to drop its request before it is killed."""
EXIT_SECONDS: Final = 5.0
COMPLAINT_SECONDS: Final = 1.0
"""What a process has to say may stay open longer: something that it started holds the pipe."""
START_SECONDS: Final = 30.0
"""Until a process must be ready; on an idle machine it takes a third of a second."""


@dataclass(frozen=True, slots=True, eq=False)
class Launch:
    """How to start a process: the binary, what its environment is chosen from, seconds until it must be ready.

    Processes of one launch may take each other's place; a new launch means that something has changed.
    """

    cli: Path
    environment: Mapping[str, str]
    patience: float = START_SECONDS


class CliProcess:
    """A running process. Whoever has it ends it with `end`; it may be read by one reader at a time."""

    def __init__(
        self, transport: asyncio.SubprocessTransport, pipes: Pipes, private: PrivateDirectory, launch: Launch
    ) -> None:
        self._transport = transport
        self._pipes = pipes
        self._private = private
        self.launch = launch
        self._stdin = cast(asyncio.WriteTransport, transport.get_pipe_transport(0))
        self.initialized = claude_code.Initialized()
        """What the process said about itself."""
        self.uses = 0
        self.prompted = False
        """It has been given a system prompt: another one can take its place, but never none."""
        self.idle_since = 0.0
        self._read = False
        self._garbage: UpstreamProtocolError | None = None
        """Read behind frames that are handed over first."""

    @property
    def pid(self) -> int:
        """Its number."""
        return self._transport.get_pid()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return not self._pipes.exited.is_set()

    @property
    def quiet(self) -> bool:
        """Whether it runs and has printed nothing since it was last read."""
        return self.alive and self._pipes.empty

    def note(self) -> None:
        """Write down that it lives in its directories. Raises `OSError`."""
        self._private.note(self.pid)

    def memory(self) -> int:
        """Resident bytes; 0 where the system does not tell."""
        return resident_bytes(self.pid)

    def write(self, lines: bytes) -> None:
        """Hand lines to its stdin. A process that is gone shows on the reading side."""
        if not self._stdin.is_closing():
            self._stdin.write(lines)

    async def frames(self, *, within: float | None) -> list[claude_code.Frame]:
        """The frames that have come since the last call, at least one; [] once stdout has ended.

        Raises `TimeoutError` after `within` seconds of silence, `UpstreamProtocolError` for garbage; what came before
        the garbage is handed over first, whether or not it was read together with it.
        """
        if self._garbage is not None:
            raise self._garbage
        frames: list[claude_code.Frame] = []
        assert not self._read, "one reader at a time"
        self._read = True
        try:
            lines = await self._pipes.lines(within=within)
        finally:
            self._read = False
        for line in lines:
            try:
                frames.append(decode_frame(line))
            except UpstreamProtocolError as error:
                self._garbage = error
                break
        if self._garbage is not None and not frames:
            raise self._garbage
        return frames

    async def complaint(self) -> str:
        """The first line that it wrote to stderr, for the message about its end: its pipes end in any order."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._pipes.complained.wait(), COMPLAINT_SECONDS)
        first = self._pipes.stderr.decode(errors="replace").strip().partition("\n")[0]
        return first[:200]

    async def end(self, *, interrupt: bool) -> None:
        """Stop it, with all that it started, and remove its private files. Takes at most seconds."""
        try:
            if interrupt and self.alive:
                self.write(interrupt_frame())
                await self._ends_within(INTERRUPT_SECONDS)
        finally:
            self.kill()
        try:
            await self._ends_within(EXIT_SECONDS)
        finally:
            self._transport.close()
        await asyncio.to_thread(self._remove_files)

    def kill(self) -> None:
        """Kill its process group at once."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    async def _ends_within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._pipes.exited.wait(), seconds)

    def _remove_files(self) -> None:
        self._private.remove()
        remove_session(config_directory(self.launch.environment), self.pid)


async def spawn(launch: Launch) -> CliProcess:
    """Start a process and ready it. Raises `UpstreamConnectionError` and its kin where it does not come up."""
    async with AsyncExitStack() as undo:
        try:
            process = await _start(launch)
            undo.push_async_callback(process.end, interrupt=False)
            process.note()
        except OSError as error:
            message = f"The Claude Code CLI at {launch.cli} could not be started: {error.strerror or error}"
            raise UpstreamConnectionError(message, reached=False) from error
        process.initialized = await _initialize(process, within=launch.patience)
        undo.pop_all()
    return process


async def _start(launch: Launch) -> CliProcess:
    private = PrivateDirectory()
    with ExitStack() as undo:
        undo.callback(private.remove)
        places = {"TMPDIR": str(private.scratch), "PWD": str(private.work)}
        transport, pipes = await asyncio.get_running_loop().subprocess_exec(
            Pipes,
            *(str(launch.cli), *ARGUMENTS),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=process_environment(launch.environment) | places,
            cwd=private.work,
            start_new_session=True,
        )
        undo.pop_all()
    return CliProcess(transport, pipes, private, launch)


async def _initialize(process: CliProcess, *, within: float) -> claude_code.Initialized:
    process.write(initialize_frame("initialize"))
    try:
        async with asyncio.timeout(within):
            return await _answer_to_initialize(process)
    except TimeoutError as error:
        message = f"The Claude Code process did not get ready within {within:g} s."
        raise UpstreamTimeoutError(message, phase="connect") from error


async def _answer_to_initialize(process: CliProcess) -> claude_code.Initialized:
    while frames := await process.frames(within=None):
        for frame in frames:
            if isinstance(frame, claude_code.ControlResponseFrame):
                if frame.response.subtype == "error":
                    raise UpstreamProtocolError(f"The Claude Code CLI refused to start up: {frame.response.error}")
                return decode_initialized(frame.response.response)
    complaint = await process.complaint()
    message = f"The Claude Code process ended while it started: {complaint or 'it said nothing'}"
    raise UpstreamConnectionError(message, reached=False)
