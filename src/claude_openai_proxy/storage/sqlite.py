"""One SQLite file in WAL mode.

What the system has not yet put on the disk can be lost with the power, never with the process (`synchronous=NORMAL`,
https://www.sqlite.org/pragma.html#pragma_synchronous); the file stays whole either way.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from claude_openai_proxy.storage.engine import Errors, Patience
from claude_openai_proxy.storage.interface import Row, StorageRefusedError, Transaction, Value
from claude_openai_proxy.storage.migration import migrate
from claude_openai_proxy.storage.place import make_private, prepare_file
from claude_openai_proxy.storage.queued import QueuedDatabase

BUSY_SECONDS: Final = 2.0
"""How long another process may hold the file before that counts as trouble."""

_WORDS: Final = (
    *("/v1/chat/completions", "/v1/responses", "/v1/messages", "chat", "responses", "messages"),
    *("api", "claude-code", "plan", "gateway", "local", "stop", "completed", "end_turn"),
)
"""Of the proxy's own: many rows of the ledger have them, and none needs to be quoted."""
_USUAL: Final[Mapping[Value, str]] = MappingProxyType(
    {None: "NULL", "": "''", 0: "0", 1: "1", 200: "200", **{word: f"'{word}'" for word in _WORDS}}
)
"""Values that a column often has in all rows, in SQL. Only columns of fractions have 0.0, and there 0 is that."""


class SQLiteDatabase(QueuedDatabase):
    """Kept in the file at `path`; `told` as for `QueuedDatabase`."""

    def __init__(self, path: Path, *, told: Callable[[str], None]) -> None:
        super().__init__(SQLiteEngine(path), told=told)


class SQLiteEngine:
    """See `Engine`."""

    kind = "sqlite"
    errors = Errors(trouble=(sqlite3.Error,), work=(sqlite3.IntegrityError,))
    patience = Patience()
    key_changes = None

    def __init__(self, path: Path, *, own: bool = True) -> None:
        """`own`: the directory is the installation's, and made private; else only the file is."""
        self.where = str(path)
        self._path = path
        self._own = own

    def connect(self, *, reading: bool = False) -> "SQLiteConnection":
        """See `Engine.connect`."""
        return SQLiteConnection(connect(self._path, own=self._own), reading=reading)

    def sentence(self, error: Exception) -> str:
        """See `Engine.sentence`."""
        told = (error.strerror if isinstance(error, OSError) else None) or error
        return f"{self._path}: {told}."

    def check(self, transaction: Transaction) -> tuple[list[str], Sequence[str]]:
        """See `Engine.check`."""
        told = [row[0] for row in transaction.execute("PRAGMA integrity_check")]
        told += [
            f"{row[0]}: a row points to none of {row[2]}" for row in transaction.execute("PRAGMA foreign_key_check")
        ]
        tables = transaction.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        return [line for line in told if line != "ok"], [name for (name,) in tables]

    def compact(self) -> tuple[int, int]:
        """See `Engine.compact`: the file written anew without its free pages, with its log."""
        before = self._size()
        connection = connect(self._path)
        try:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
        return before, self._size()

    def _size(self) -> int:
        return sum(file.stat().st_size for file in self._path.parent.glob(f"{self._path.name}*"))


class SQLiteConnection:
    """See `Connection`."""

    def __init__(self, connection: sqlite3.Connection, *, reading: bool) -> None:
        self._connection = connection
        self._begin = "BEGIN" if reading else "BEGIN IMMEDIATE"
        if reading:
            connection.execute("PRAGMA query_only=ON")

    @property
    def transaction(self) -> Transaction:
        """See `Connection.transaction`."""
        return _Cursor(self._connection)

    def begin(self) -> str:
        """See `Connection.begin`. The writer's takes the file's lock at once."""
        self._connection.execute(self._begin)
        return ""

    def was_committed(self, transaction: str) -> bool:  # noqa: ARG002 - never in doubt here
        """See `Connection.was_committed`."""
        return False

    def savepoint(self) -> None:
        """See `Connection.savepoint`."""
        self._connection.execute("SAVEPOINT work")

    def release(self) -> None:
        """See `Connection.release`."""
        self._connection.execute("RELEASE work")

    def roll_back_one(self) -> None:
        """See `Connection.roll_back_one`."""
        self._connection.execute("ROLLBACK TO work")
        self._connection.execute("RELEASE work")

    def commit(self) -> None:
        """See `Connection.commit`."""
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")

    def roll_back(self) -> None:
        """See `Connection.roll_back`."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """See `Connection.close`."""
        self._connection.close()


class _Cursor:
    """A transaction on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._cursor = connection.cursor()

    def execute(self, sql: str, parameters: Sequence[Value] = (), /) -> list[Row]:
        """See `Transaction.execute`."""
        return self._cursor.execute(sql, parameters).fetchall()

    def execute_many(self, sql: str, rows: Iterable[Sequence[Value]], /) -> None:
        """See `Transaction.execute_many`."""
        self._cursor.executemany(sql, rows)

    def insert_new(self, table: str, columns: Mapping[str, Sequence[Value]], /) -> None:
        """See `Transaction.insert_new`.

        What is empty or otherwise usual in all rows stands in the statement: to hand a value over costs as much as to
        keep it. The first column is always handed over, as there are as many rows as it has values.
        """
        first, *others = columns.values()
        said = [_usual(values) for values in others]
        given = [values for values, usual in zip(others, said, strict=True) if not usual]
        words = ", ".join(["?", *(usual or "?" for usual in said)])
        self._cursor.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({words}) ON CONFLICT DO NOTHING",  # noqa: S608
            zip(first, *given, strict=True),
        )

    def drop_before(self, table: str, oldest: float, /) -> None:
        """See `Transaction.drop_before`: a file has no parts."""

    def alone(self, *names: str) -> None:
        """See `Transaction.alone`: who writes is alone on the file."""

    @property
    def changed(self) -> int:
        """See `Transaction.changed`."""
        return self._cursor.rowcount


def _usual(values: Sequence[Value]) -> str:
    """In SQL what all of them are, where that is usual; else ""."""
    word = _USUAL.get(values[0], "") if values else ""
    return word if word and values.count(values[0]) == len(values) else ""


def connect(path: Path, *, own: bool = True) -> sqlite3.Connection:
    """A connection to a file of the right owner, mode and version; without `own`, of whatever directory.

    Raises `StorageRefusedError`, and sqlite3.Error and OSError as SQLite and the system do.
    """
    if own:
        prepare_file(path)
    else:
        make_private(path)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _set_up(connection, path)
    except (sqlite3.Error, StorageRefusedError):
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
        raise StorageRefusedError(f"{path}: this file system has no WAL. Set STATE_DIR to a local disk.")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    migrate(connection, path)
