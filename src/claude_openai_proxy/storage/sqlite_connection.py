"""Connections to the SQLite file: how one is opened, and the threads that read beside the writer."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from claude_openai_proxy.storage.interface import Row, StorageRefusedError, Value, Work
from claude_openai_proxy.storage.migration import migrate
from claude_openai_proxy.storage.place import prepare_file

T = TypeVar("T")

BUSY_SECONDS: Final = 2.0
"""How long another process may hold the file before that counts as trouble."""
READERS: Final = 2


class Cursor:
    """A transaction on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._cursor = connection.cursor()

    def execute(self, sql: str, parameters: Sequence[Value] = (), /) -> list[Row]:
        """See `Transaction.execute`."""
        return self._cursor.execute(sql, parameters).fetchall()

    def execute_many(self, sql: str, rows: Iterable[Sequence[Value]], /) -> None:
        """See `Transaction.execute_many`."""
        self._cursor.executemany(sql, rows)

    @property
    def changed(self) -> int:
        """See `Transaction.changed`."""
        return self._cursor.rowcount


def connect(path: Path) -> sqlite3.Connection:
    """A connection to a file of the right owner, mode and version.

    Raises `StorageRefusedError`, and sqlite3.Error and OSError as SQLite and the system do.
    """
    prepare_file(path)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _set_up(connection, path)
    except (sqlite3.Error, StorageRefusedError):
        connection.close()
        raise
    return connection


class Readers:
    """Threads that read, each with a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="storage-read")
        self._own = threading.local()
        self._all: list[sqlite3.Connection] = []

    async def run(self, work: Work[T]) -> T:
        """The result of `work`. Raises what SQLite raises."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, work)

    async def aclose(self) -> None:
        """Wait for those that read, and close."""
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)
        for connection in self._all:
            connection.close()

    def _run(self, work: Work[T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = connect(self._path)
            connection.execute("PRAGMA query_only=ON")
            self._own.connection = connection
            self._all.append(connection)
        try:
            connection.execute("BEGIN")
            try:
                return work(Cursor(connection))
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._own.connection = None
            self._all.remove(connection)
            connection.close()
            raise


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
        raise StorageRefusedError(f"{path}: this file system has no WAL. Set STATE_DIR to a local disk.")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    migrate(connection, path)


def compact(path: Path) -> tuple[int, int]:
    """Write the file anew without its free pages; bytes before and after, with its log. Raises as `connect` does."""
    before = _size(path)
    connection = connect(path)
    try:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    return before, _size(path)


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
