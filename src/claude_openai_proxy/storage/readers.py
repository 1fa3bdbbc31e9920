"""Threads that read, each with a connection of its own."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from claude_openai_proxy.storage.engine import Connection, Engine
from claude_openai_proxy.storage.interface import Work

T = TypeVar("T")

READERS: Final = 2


class Readers:
    """`run` raises the engine's errors, and TimeoutError after its patience."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="storage-read")
        self._own = threading.local()
        self._all: list[Connection] = []

    async def run(self, work: Work[T]) -> T:
        """The result of `work`; what has not begun when the patience ends never begins."""
        async with asyncio.timeout(self._engine.patience.read):
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, work)

    async def aclose(self) -> None:
        """Wait for those that read, and close."""
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)
        for connection in self._all:
            connection.close()

    def _run(self, work: Work[T]) -> T:
        """A connection that was used before may have died since: then once more on a new one."""
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is not None:
            try:
                return self._read(connection, work)
            except self._engine.errors.trouble:
                if not self._engine.patience.pause:
                    raise
        return self._read(self._connect(), work)

    def _connect(self) -> Connection:
        connection = self._engine.connect(reading=True)
        self._own.connection = connection
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
            self._own.connection = None
            self._all.remove(connection)
            connection.close()
            raise
