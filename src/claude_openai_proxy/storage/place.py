"""The directory of what is kept: private, one's own, on a local disk."""

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from claude_openai_proxy.storage.interface import StorageRefusedError

NETWORK_FILE_SYSTEMS: Final = frozenset(
    {"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3"}
)
"""Where SQLite's WAL does not work: its index is memory shared by processes of one machine."""

_MOUNTS: Final = Path("/proc/self/mountinfo")


def prepare_file(path: Path) -> None:
    """Make the directory (0700) and an empty file (0600) where they lack.

    Raises `StorageRefusedError` where either belongs to somebody else or lies across a network, OSError as the system
    does.
    """
    directory = path.parent
    if not directory.is_dir():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_owner(directory)
    if os.name == "posix" and stat.S_IMODE(directory.stat().st_mode) & 0o077:
        directory.chmod(0o700)
    if kind := network_file_system(directory):
        raise StorageRefusedError(f"{directory} is on a network file system ({kind}). Set STATE_DIR to a local disk.")
    make_private(path)
    if not stat.S_ISREG(path.lstat().st_mode):
        raise StorageRefusedError(f"{path} is not a plain file. Move it away, or set STATE_DIR to another directory.")
    _check_owner(path)
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)


def make_private(path: Path) -> None:
    """An empty file (0600) where there is none.

    One that is there is not opened: closing it again would take from this process the locks that SQLite's connections
    have on it, and another process would believe it is alone (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    """
    try:
        path.lstat()
    except FileNotFoundError:
        with suppress(FileExistsError):  # another process was quicker
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def network_file_system(directory: Path, mounts: Path = _MOUNTS) -> str:
    """The kind of network file system that `directory` lies on, "" for none or where the system does not say."""
    if not sys.platform.startswith("linux"):
        return ""
    resolved = directory.resolve()
    best, kind = -1, ""
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        # https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html: mount point fifth, type after the lone dash
        before, _, after = line.partition(" - ")
        point = Path(before.split(" ")[4].encode().decode("unicode_escape"))
        if resolved.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split(" ")[0]
    return kind if kind in NETWORK_FILE_SYSTEMS else ""


def _check_owner(path: Path) -> None:
    if os.name == "posix" and path.stat().st_uid != os.geteuid():
        raise StorageRefusedError(f"{path} belongs to another user. Set STATE_DIR to a directory of your own.")
