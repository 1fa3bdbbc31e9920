"""Private directories of processes, each with a note of whose it is, so that a later start removes what was left.

All lie in one parent of mode 0700. The folder for temporary files is everybody's: what another user may have put there
is neither opened nor believed.
"""

import contextlib
import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

PREFIX: Final = "claude-proxy-"
NOTE: Final = "owner.json"
UNNOTED_SECONDS: Final = 3600.0
"""A directory that has had no note for so long was left by a start that failed: a note is written at once."""
_NOTE_BYTES: Final = 4096
_START_TIME: Final = 19
"""Of the fields of /proc/<pid>/stat behind the program's name."""


class Running(Struct, frozen=True):
    """A process for certain: its number may be given to another one, but not with the same `started`."""

    pid: Annotated[int, Meta(ge=1)]
    started: str
    """"" where the system does not tell."""


class Owner(Struct, frozen=True):
    """Who uses a private directory. `space`: where process numbers mean the same."""

    space: str
    proxy: Running
    cli: Running | None = None


class PrivateDirectory:
    """Working directory `work` and TMPDIR `scratch` of one process. Raises `OSError` where there is no room for it."""

    def __init__(self) -> None:
        self._path = Path(tempfile.mkdtemp(dir=_parent()))
        self.work = self._path / "w"
        self.scratch = self._path / "t"
        with contextlib.ExitStack() as undo:
            undo.callback(self.remove)
            self.work.mkdir()
            self.scratch.mkdir()
            self._note(None)
            undo.pop_all()

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
    for parent in _parents():
        for directory in filter(_mine, parent.iterdir()):
            with contextlib.suppress(OSError):
                found += _remove_if_left(directory, config)
    return found


def running(pid: int) -> Running:
    """The process that has this number now."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return Running(pid, "")
    return Running(pid, fields.rpartition(")")[2].split()[_START_TIME])


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


def _parent() -> Path:
    """The parent of all private directories; one of another name, made once, where somebody else has taken the name."""
    parent = Path(tempfile.gettempdir(), f"{PREFIX}{os.getuid()}")
    with contextlib.suppress(FileExistsError):
        parent.mkdir(mode=0o700)
    return next(_parents(), None) or Path(tempfile.mkdtemp(prefix=f"{parent.name}."))


def _parents() -> Iterator[Path]:
    name = f"{PREFIX}{os.getuid()}"
    temporary = Path(tempfile.gettempdir())
    return filter(_mine, (temporary / name, *sorted(temporary.glob(f"{name}.*"))))


def _mine(path: Path) -> bool:
    """Whether it is a directory, no link to one, that no other user can write to."""
    try:
        told = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(told.st_mode) and told.st_uid == os.getuid() and not told.st_mode & 0o022


def _remove_if_left(directory: Path, config: Path | None) -> bool:
    owner = _owner(directory)
    if owner is None:
        if time.time() - directory.lstat().st_mtime < UNNOTED_SECONDS:
            return False
    elif owner.space != number_space() or _runs(owner.proxy):
        return False
    elif owner.cli is not None:
        if _runs(owner.cli):
            if not owner.cli.started:
                return False  # Perhaps another program by now: only what is known for certain is ended.
            os.killpg(owner.cli.pid, signal.SIGKILL)
        remove_session(config, owner.cli.pid)
    shutil.rmtree(directory, ignore_errors=True)
    return True


def _owner(directory: Path) -> Owner | None:
    """What the note says; None without one that is a regular file of this user's. Never waits for a pipe."""
    try:
        note = os.open(directory / NOTE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        told = os.fstat(note)
        if not stat.S_ISREG(told.st_mode) or told.st_uid != os.getuid() or told.st_nlink != 1:
            return None
        return msgspec.json.decode(os.read(note, _NOTE_BYTES), type=Owner)
    except msgspec.DecodeError:
        return None
    finally:
        os.close(note)


def _runs(noted: Running) -> bool:
    try:
        os.kill(noted.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return running(noted.pid).started == noted.started
