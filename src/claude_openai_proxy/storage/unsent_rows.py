"""Rows of the ledger on the way to a database elsewhere: a file of this process has them until they are kept there.

| a file | until |
|---|---|
| has what its process, which holds its lock, has not sent | all is kept: emptied; the process ends so: gone |
| is left behind by a process that was killed | another, or the same started again, has sent it: gone |

Invariants: a row is in the file before anybody tries to send it; a file is emptied or removed only when each of its
rows is kept or was kept before; what is sent twice is kept once, by its id. A row that was cut in the middle by a kill
or a full disk is the last of its file, and is left out. The system has what was written, so a process may be killed at
any moment; the power may not fail.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from claude_openai_proxy.records import LedgerRow

FOLDER: Final = "ledger-unsent"
MOST_BYTES: Final = 256 * 1024 * 1024
"""Of one file: some 400,000 rows. What comes beyond waits in memory alone."""

log: Final = logging.getLogger(__name__)

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(LedgerRow).decode


class Abandoned:
    """The file of a process that is no more; held, so that nobody else sends it at the same time."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def rows(self) -> list[LedgerRow]:
        """All that are whole."""
        return _rows(self._path)

    def forget(self) -> None:
        """They are kept."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of it, forgotten or not."""
        os.close(self._descriptor)


class UnsentRows:
    """In a folder of `directory`, under `name`, which no other process has; made when the first row comes."""

    def __init__(self, directory: Path, name: str) -> None:
        self._folder = directory / FOLDER
        self._path = self._folder / f"{name}.rows"
        self._descriptor: int | None = None
        self._bytes = 0
        self._told = False

    def append(self, row: LedgerRow) -> None:
        """A disk that cannot take it is told once; the row then waits in memory alone."""
        line = _encode(row) + b"\n"
        try:
            if self._descriptor is None:
                self._descriptor = self._new()
            if self._bytes + len(line) <= MOST_BYTES:
                self._bytes += os.write(self._descriptor, line)
        except OSError as error:
            if not self._told:
                log.warning("%s: %s. Rows of the ledger wait in memory alone.", self._path, error.strerror)
                self._told = True

    def rows(self) -> list[LedgerRow]:
        """All that are in it."""
        return _rows(self._path)

    def clear(self) -> None:
        """They are kept."""
        if self._descriptor is not None and self._bytes:
            os.ftruncate(self._descriptor, 0)
            self._bytes, self._told = 0, False

    def close(self) -> None:
        """The file stays where something is in it."""
        if self._descriptor is not None:
            if not self._bytes:
                self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def abandoned(self) -> Iterator[Abandoned]:
        """Files of processes that have ended, one after the other."""
        for path in sorted(self._folder.glob("*.rows")):
            if path != self._path:
                with suppress(FileNotFoundError):
                    descriptor = os.open(path, os.O_RDWR)
                    if _locked(descriptor) and path.exists():
                        yield Abandoned(path, descriptor)
                    else:
                        os.close(descriptor)

    def _new(self) -> int:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        _locked(descriptor)
        return descriptor


def _rows(path: Path) -> list[LedgerRow]:
    rows = []
    for line in path.read_bytes().split(b"\n") if path.exists() else ():
        if line:
            with suppress(msgspec.DecodeError):
                rows.append(_decode(line))
    return rows


def _locked(descriptor: int) -> bool:
    """Whether the lock of this file is had: the system lets go of it when its holder ends."""
    if sys.platform == "win32":
        return False
    import fcntl  # noqa: PLC0415 - there is none on Windows

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
