"""Other processes on the same database: one that writes and leaves, one that dies at a chosen statement."""

import asyncio
import os
import signal
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from claude_openai_proxy.storage.client_keys import StoredClientKeys, StoredKey
from claude_openai_proxy.storage.interface import WRITE_SECONDS, Row, Transaction, Value, Work
from claude_openai_proxy.storage.sqlite import SQLiteDatabase
from storage.databases import sqlite_in

T = TypeVar("T")


def put(name: str, value: str = "1") -> "Put":
    return Put(name, value)


class Put:
    """Writes one fact."""

    def __init__(self, name: str, value: str) -> None:
        self.row = (name, value)

    def __call__(self, transaction: Transaction) -> int:
        transaction.execute("INSERT INTO facts (name, value) VALUES (?, ?)", self.row)
        return transaction.changed


def write_and_leave(directory: Path) -> None:
    """Puts one fact, as another server would."""

    async def write() -> None:
        database = sqlite_in(directory)
        database.open()
        await database.read(lambda transaction: transaction.execute("SELECT name FROM facts"))
        await database.write(put("of another process"))
        await database.aclose()

    asyncio.run(write())


class _Dying:
    """A transaction that kills its process instead of its statement number `at`."""

    def __init__(self, transaction: Transaction, at: int) -> None:
        self._transaction = transaction
        self._left = at

    def execute(self, sql: str, parameters: Sequence[Value] = (), /) -> list[Row]:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1
        return self._transaction.execute(sql, parameters)

    def execute_many(self, sql: str, rows: Iterable[Sequence[Value]], /) -> None:
        for row in rows:
            self.execute(sql, row)

    def insert_new(self, table: str, columns: Mapping[str, Sequence[Value]], /) -> None:
        for row in zip(*columns.values(), strict=True):
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            self._left -= 1
            self._transaction.insert_new(table, dict(zip(columns, ([value] for value in row), strict=True)))

    def drop_before(self, table: str, oldest: float, /) -> None:
        self._transaction.drop_before(table, oldest)

    def alone(self, *names: str) -> None:
        self._transaction.alone(*names)

    @property
    def changed(self) -> int:
        return self._transaction.changed

    def end(self) -> None:
        """Dies before the commit where no statement was left to die at."""
        os.kill(os.getpid(), signal.SIGKILL)


class _DyingDatabase(SQLiteDatabase):
    """Its writes die at that statement, or after the last one and before the commit."""

    at = 0

    async def write(
        self,
        work: Work[T],
        /,
        *,
        wait: float = WRITE_SECONDS,
        abandon: bool = False,
        undo: Work[object] | None = None,
        apart: bool = False,
    ) -> T:
        def dies(transaction: Transaction) -> T:
            dying = _Dying(transaction, self.at)
            result = work(dying)
            dying.end()
            return result

        return await super().write(dies, wait=wait, abandon=abandon, undo=undo, apart=apart)


def add_and_die(directory: Path, key: StoredKey, secret: str, at: int) -> None:
    """Begins to add a key and is killed at statement `at` of the write."""

    async def add() -> None:
        database = _DyingDatabase(directory / "state" / "state.db", told=lambda _: None)
        database.at = at
        await StoredClientKeys(database).add(key, secret)

    asyncio.run(add())


def add_and_be_killed(directory: Path, key: StoredKey, secret: str, acknowledged: Path) -> None:
    """Adds a key, says so, and is killed before it can close anything."""

    def say_so(_: object) -> None:
        acknowledged.touch()
        os.kill(os.getpid(), signal.SIGKILL)

    async def add() -> None:
        adding = asyncio.ensure_future(StoredClientKeys(sqlite_in(directory)).add(key, secret))
        adding.add_done_callback(say_so)
        await adding

    asyncio.run(add())
