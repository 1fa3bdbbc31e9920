"""Threads that read, each with a connection of its own."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from claude_openai_proxy.storage.engine import Connection, Engine
from claude_openai_proxy.storage.interface import Work

T = TypeVar("T")

READERS: Final = 2


class Readers:
    """`run` raises the engine's errors, and TimeoutError after its patience.

    `failed` hears of trouble on the thread that met it, whether its caller still waits or not; not of that of a
    connection older than the last `renew`.
    """

    def __init__(
        self, engine: Engine, *, trouble: tuple[type[Exception], ...], failed: Callable[[Exception], None]
    ) -> None:
        self._engine = engine
        self._trouble = trouble
        self._failed = failed
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="storage-read")
        self._own = threading.local()
        self._all: list[Connection] = []
        self._age = 0

    async def run(self, work: Work[T]) -> T:
        """The result of `work`; what has not begun when the patience ends never begins."""
        async with asyncio.timeout(self._engine.patience.read):
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, work)

    def renew(self) -> None:
        """The database was away: no connection that was made before this is used again."""
        self._age += 1

    async def aclose(self) -> None:
        """Wait for those that read, and close."""
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)
        for connection in self._all:
            connection.close()

    def _run(self, work: Work[T]) -> T:
        age = self._age
        try:
            return self._read_again(work, age)
        except self._trouble as error:
            if age == self._age:
                self._failed(error)
            raise

    def _read_again(self, work: Work[T], age: int) -> T:
        """A connection that was used before may have died since: then once more on a new one."""
        connection, its_age = getattr(self._own, "connection", (None, 0))
        if connection is not None and its_age != age:
            self._let_go(connection)
        elif connection is not None:
            try:
                return self._read(connection, work)
            except self._engine.errors.trouble as error:
                if not self._engine.patience.pause or isinstance(error, self._engine.errors.silent):
                    raise
        return self._read(self._connect(age), work)

    def _connect(self, age: int) -> Connection:
        connection = self._engine.connect(reading=True)
        self._own.connection = connection, age
        self._all.append(connection)
        return connection

    def _read(self, connection: Connection, work: Work[T]) -> T:
        try:
            connection.begin()
            try:
                return work(connection.transaction)
            finally:
                connection.roll_back()
        except self._engine.errors.trouble:
            self._let_go(connection)
            raise

    def _let_go(self, connection: Connection) -> None:
        self._own.connection = None, 0
        self._all.remove(connection)
        connection.close()
