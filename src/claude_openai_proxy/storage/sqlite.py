"""One SQLite file in WAL mode: one writer thread that commits in batches, and readers beside it.

States of the file, as the writer sees it:

| state    | connection | what is written                              | leaves it                     |
|----------|------------|----------------------------------------------|-------------------------------|
| unopened | none       | nothing yet                                  | the first work opens it       |
| well     | open       | committed, a batch at a time                 | a disk's error: troubled      |
| troubled | none       | awaited works fail, posted ones stay in line | a batch that commits: well    |
| closed   | none       | nothing, ever again                          |                               |

Invariants: only the writer thread has the writing connection; at most one run of `_write` is under way; a result is
handed out after its commit, never before; a work that fails by itself is rolled back alone and takes no other with it;
at most `MOST_JOBS` works wait. The thread that uses a connection opens it, so a process may be forked before the first.
What the system has not yet put on the disk can be lost with the power, never with the process (`synchronous=NORMAL`,
https://www.sqlite.org/pragma.html#pragma_synchronous); the file stays whole either way.
"""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.storage.interface import (
    WRITE_SECONDS,
    StorageRefusedError,
    StorageState,
    StorageUnavailableError,
    Transaction,
    Work,
)
from claude_openai_proxy.storage.sqlite_connection import Cursor, Readers, compact, connect

T = TypeVar("T")

MOST_JOBS: Final = 10_000
"""Works that may wait for the writer; what is posted beyond is dropped and counted."""
BATCH: Final = 512
"""Works in one commit at most."""
RETRY_SECONDS: Final = 1.0
"""Between two tries while posted works wait for a troubled file."""

_Told = Callable[[str], None]


class _Job:
    """One work in line; `posted` ones have nobody who waits for them."""

    __slots__ = ("posted", "result", "work")

    def __init__(self, work: Work[Any], *, posted: bool) -> None:
        self.work = work
        self.posted = posted
        self.result: Future[Any] = Future()

    def starts(self) -> bool:
        """Whether it is to be run; false where its caller has abandoned it."""
        return self.result.running() or self.result.set_running_or_notify_cancel()


class SQLiteDatabase:
    """`told` hears each change between well and trouble once, as a sentence ("" for well again), on any thread."""

    def __init__(self, path: Path, *, told: _Told) -> None:
        self._path = path
        self._told = told
        self._lock = threading.Lock()
        self._jobs: deque[_Job] = deque()
        self._batch: list[_Job] = []
        self._writing = False
        self._closed = False
        self._trouble = ""
        self._dropped = 0
        self._late = 0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="storage-write")
        self._connection: sqlite3.Connection | None = None
        self._retry: threading.Timer | None = None
        self._readers = Readers(path)

    def open(self) -> None:
        """Make file and tables where they lack. Raises `StorageRefusedError`; a disk in trouble is only noted."""
        try:
            connect(self._path).close()
        except (sqlite3.Error, OSError) as error:
            self._note(self._sentence(error))

    # ---- on the event loop ------------------------------------------------------------------------------------------

    async def read(self, work: Work[T], /) -> T:
        """See `Database.read`."""
        try:
            return await self._readers.run(work)
        except (sqlite3.Error, OSError, StorageRefusedError) as error:
            self._note(sentence := self._sentence(error))
            raise StorageUnavailableError(sentence) from error

    async def write(self, work: Work[T], /, *, wait: float = WRITE_SECONDS, abandon: bool = False) -> T:
        """See `Database.write`."""
        job = _Job(work, posted=False)
        if not self._enqueue(job):
            raise StorageUnavailableError(self._trouble or f"{self._path}: too many writes are waiting.")
        result: asyncio.Future[T] = asyncio.wrap_future(job.result)
        try:
            done, _ = await asyncio.wait((result,), timeout=wait)
        finally:
            result.add_done_callback(_look)
        if done:
            return result.result()
        with self._lock:
            self._late += 1
        if abandon:
            result.cancel()
        raise StorageUnavailableError(self._trouble or f"{self._path}: not written within {wait:g} s.")

    def post(self, work: Work[object], /) -> None:
        """See `Database.post`."""
        if not self._enqueue(_Job(work, posted=True)):
            with self._lock:
                self._dropped += 1

    @property
    def state(self) -> StorageState:
        """How it is now."""
        with self._lock:
            return StorageState("sqlite", str(self._path), self._trouble, self._dropped, self._late)

    async def check(self) -> tuple[list[str], dict[str, int]]:
        """What is wrong with the file, and the rows of each table. Raises `StorageUnavailableError`."""

        def work(transaction: Transaction) -> tuple[list[str], dict[str, int]]:
            told = [row[0] for row in transaction.execute("PRAGMA integrity_check")]
            told += [
                f"{row[0]}: a row points to none of {row[2]}" for row in transaction.execute("PRAGMA foreign_key_check")
            ]
            names = [
                row[0]
                for row in transaction.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            ]
            rows = {name: transaction.execute(f'SELECT count(*) FROM "{name}"')[0][0] for name in names}  # noqa: S608
            return [line for line in told if line != "ok"], rows

        return await self.read(work)

    async def compact(self) -> tuple[int, int]:
        """Give free space back; bytes before and after. Raises `StorageUnavailableError`."""
        try:
            return await asyncio.to_thread(compact, self._path)
        except (sqlite3.Error, OSError, StorageRefusedError) as error:
            raise StorageUnavailableError(self._sentence(error)) from error

    async def settle(self) -> None:
        """See `Database.settle`."""
        job = _Job(_nothing, posted=False)
        if self._enqueue(job, however_many=True):
            result: asyncio.Future[None] = asyncio.wrap_future(job.result)
            result.add_done_callback(_look)
            await asyncio.wait((result,))

    async def aclose(self) -> None:
        """Commit what is left, in one try, and close."""
        await self.settle()
        with self._lock:
            if self._closed:
                return
            self._closed = True
            retry, self._retry = self._retry, None
        if retry is not None:
            retry.cancel()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writer, self._disconnect)
        self._writer.shutdown()
        await self._readers.aclose()

    # ---- in line ----------------------------------------------------------------------------------------------------

    def _enqueue(self, job: _Job, *, however_many: bool = False) -> bool:
        with self._lock:
            if self._closed or (len(self._jobs) >= MOST_JOBS and not however_many):
                return False
            self._jobs.append(job)
        self._wake()
        return True

    def _wake(self) -> None:
        with self._lock:
            if self._writing or self._closed or not self._jobs:
                return
            self._writing = True
        self._writer.submit(self._write).add_done_callback(self._written)

    def _written(self, run: "Future[None]") -> None:
        """A run has ended; with an error only where a work has a bug, which everyone in its batch is told."""
        error = run.exception()
        batch, self._batch = self._batch, []
        if error is not None:
            self._disconnect()
            self._fail(batch, error)
        with self._lock:
            self._writing = False
            self._dropped += sum(job.posted for job in batch)
            # Who came while a failed run was ending has had no try yet, and nothing else would wake the writer.
            wanted = not self._trouble or not all(job.posted for job in self._jobs)
        if wanted:
            self._wake()

    # ---- on the writer's thread -------------------------------------------------------------------------------------

    def _write(self) -> None:
        """Batch after batch until nothing waits or the disk fails."""
        while True:
            with self._lock:
                self._batch = [self._jobs.popleft() for _ in range(min(BATCH, len(self._jobs)))]
            if not self._batch:
                return
            try:
                results = self._commit(self._batch)
            except (sqlite3.Error, OSError, StorageRefusedError) as error:
                self._put_back(self._sentence(error))
                return
            self._note("")
            self._batch = []
            for job, value, failure in results:
                if failure is None:
                    job.result.set_result(value)
                else:
                    job.result.set_exception(failure)

    def _commit(self, batch: Sequence[_Job]) -> list[tuple[_Job, Any, Exception | None]]:
        if self._connection is None:
            self._connection = connect(self._path)
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = [(job, *_one(connection, job.work)) for job in batch if job.starts()]
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        with self._lock:
            self._dropped += sum(job.posted and error is not None for job, _, error in results)
        return results

    def _put_back(self, sentence: str) -> None:
        """The disk failed: who waits is told so, what was posted stays in line for the next try."""
        self._disconnect()
        self._note(sentence)
        with self._lock:
            jobs = [*self._batch, *self._jobs]
            self._batch = []
            self._jobs = deque(job for job in jobs if job.posted)
            if self._jobs and not self._closed:
                self._retry = threading.Timer(RETRY_SECONDS, self._wake)
                self._retry.daemon = True
                self._retry.start()
        self._fail([job for job in jobs if not job.posted], StorageUnavailableError(sentence))

    def _fail(self, jobs: Iterable[_Job], error: BaseException) -> None:
        for job in jobs:
            if job.starts():
                job.result.set_exception(error)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # ---- trouble ----------------------------------------------------------------------------------------------------

    def _note(self, trouble: str) -> None:
        with self._lock:
            changed = bool(trouble) != bool(self._trouble)
            self._trouble = trouble
        if changed:
            self._told(trouble)

    def _sentence(self, error: Exception) -> str:
        if isinstance(error, StorageRefusedError):
            return error.message
        told = (error.strerror if isinstance(error, OSError) else None) or error
        return f"{self._path}: {told}."


def _one(connection: sqlite3.Connection, work: Work[Any]) -> tuple[Any, Exception | None]:
    """A work's result, or the error that it alone is to blame for; a disk's error and a bug are raised."""
    connection.execute("SAVEPOINT work")
    try:
        value = work(Cursor(connection))
    except (sqlite3.IntegrityError, ProxyError) as error:
        connection.execute("ROLLBACK TO work")
        connection.execute("RELEASE work")
        return None, error
    connection.execute("RELEASE work")
    return value, None


def _nothing(_: Transaction) -> None:
    """Only to be waited for."""


def _look(result: "asyncio.Future[Any]") -> None:
    """A result that nobody waits for any more has been looked at, so that its error is not reported as lost."""
    if not result.cancelled():
        result.exception()
