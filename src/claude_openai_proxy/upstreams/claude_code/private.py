"""Private directories of processes, each with a note of whose it is, so that a later start removes what was left."""

import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

PREFIX: Final = "claude-proxy-"
NOTE: Final = "owner.json"
_START_TIME: Final = 19
"""Of the fields of /proc/<pid>/stat behind the program's name."""


class Running(Struct, frozen=True):
    """A process for certain: its number may be given to another one, but not with the same `started`."""

    pid: int
    started: str
    """"" where the system does not tell."""


class Owner(Struct, frozen=True):
    """Who uses a private directory. `space`: where process numbers mean the same."""

    space: str
    proxy: Running
    cli: Running | None = None


class PrivateDirectory:
    """Working directory `work` and TMPDIR `scratch` of one process."""

    def __init__(self) -> None:
        self._path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.work = self._path / "w"
        self.scratch = self._path / "t"
        self.work.mkdir()
        self.scratch.mkdir()
        self._note(None)

    def note(self, pid: int) -> None:
        """Say which process lives here."""
        self._note(running(pid))

    def remove(self) -> None:
        """Delete it with all that is in it."""
        shutil.rmtree(self._path, ignore_errors=True)

    def _note(self, cli: Running | None) -> None:
        owner = Owner(number_space(), running(os.getpid()), cli)
        (self._path / NOTE).write_bytes(msgspec.json.encode(owner))


def remove_session(config: Path | None, pid: int) -> None:
    """Delete what a killed process leaves among the CLI's sessions."""
    if config is not None:
        for left in config.glob(f"sessions/{pid}.*"):
            left.unlink(missing_ok=True)


def remove_leftovers(config: Path | None) -> int:
    """End the processes of proxies that are gone and remove their files; returns how many directories there were."""
    found = 0
    for note in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{NOTE}"):
        with contextlib.suppress(OSError, msgspec.DecodeError):
            found += _remove_if_left(note, config)
    return found


def running(pid: int) -> Running:
    """The process that has this number now."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return Running(pid, "")
    return Running(pid, stat.rpartition(")")[2].split()[_START_TIME])


def number_space() -> str:
    """Two containers that share a directory for temporary files count their processes separately."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def resident_bytes(pid: int) -> int:
    """Memory of a process; 0 where the system does not tell."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _remove_if_left(note: Path, config: Path | None) -> bool:
    owner = msgspec.json.decode(note.read_bytes(), type=Owner)
    if note.stat().st_uid != os.getuid() or owner.space != number_space() or _runs(owner.proxy):
        return False
    if owner.cli is not None:
        if _runs(owner.cli):
            if not owner.cli.started:
                return False  # Perhaps another program by now: only what is known for certain is ended.
            os.killpg(owner.cli.pid, signal.SIGKILL)
        remove_session(config, owner.cli.pid)
    shutil.rmtree(note.parent, ignore_errors=True)
    return True


def _runs(noted: Running) -> bool:
    try:
        os.kill(noted.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return running(noted.pid).started == noted.started
