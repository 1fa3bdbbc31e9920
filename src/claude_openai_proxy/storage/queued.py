"""A database behind one writer thread that commits in batches, and readers beside it, whichever the engine.

States of the database, as the writer sees it:

| state    | connection | what is written                              | leaves it                     |
|----------|------------|----------------------------------------------|-------------------------------|
| unopened | none       | nothing yet                                  | the first work opens it       |
| well     | open       | committed, a batch at a time                 | an error of trouble: troubled |
| troubled | none       | awaited works fail, posted ones stay in line | a batch that commits: well    |
| closed   | none       | nothing, ever again                          |                               |

Invariants: only the writer thread has the writing connection; at most one run of `_write` is under way; a result is
handed out after its commit, never before; a work that fails by itself is rolled back alone and takes no other with it;
at most `MOST_JOBS` works wait, and none that was refused leaves another to be done; while troubled, something is tried
every `RETRY_SECONDS`, so that it heals though nobody comes; while well, a run of `_write` takes what waits, though a
reader met trouble meanwhile and a batch under way ended it. The thread that uses a connection opens it, so a process
may be forked before the first.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

from claude_openai_proxy.storage.committing import Job, WritingConnection
from claude_openai_proxy.storage.engine import Engine
from claude_openai_proxy.storage.interface import (
    WRITE_SECONDS,
    StorageRefusedError,
    StorageState,
    StorageUnavailableError,
    Transaction,
    Work,
)
from claude_openai_proxy.storage.line import Line
from claude_openai_proxy.storage.readers import Readers

T = TypeVar("T")

BATCH: Final = 512
"""Works in one commit at most."""
RETRY_SECONDS: Final = 1.0
"""Between two tries while the database is in trouble."""

_PROBE: Final = "storage_probe"

_Told = Callable[[str], None]


class QueuedDatabase:
    """`told` hears each change between well and trouble once, as a sentence ("" for well again), on any thread."""

    def __init__(self, engine: Engine, *, told: _Told) -> None:
        self.engine = engine
        self._told = told
        self._trouble_errors: tuple[type[Exception], ...] = (*engine.errors.trouble, OSError, StorageRefusedError)
        self._lock = threading.Lock()
        self._jobs = Line()
        self._batch: list[Job] = []
        self._writing = False
        self._closed = False
        self._trouble = ""
        self._dropped = 0
        self._late = 0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="storage-write")
        self._connection = WritingConnection(engine)
        self._retry: threading.Timer | None = None
        self._paused_until = 0.0
        """Of time.monotonic(): before that all are told the trouble at once."""
        self._readers = Readers(engine, trouble=self._trouble_errors, failed=self._trouble_met)
        self._well_since = float("-inf")
        """Of time.monotonic(): when trouble last ended."""

    def open(self) -> None:
        """Make file and tables where they lack. Raises `StorageRefusedError`; trouble is only noted."""
        try:
            self.engine.connect().close()
        except StorageRefusedError:
            raise
        except self._trouble_errors as error:
            self._trouble_met(error)

    # ---- on the event loop ------------------------------------------------------------------------------------------

    async def read(self, work: Work[T], /) -> T:
        """See `Database.read`."""
        self._check_trouble()
        try:
            return await self._readers.run(work)
        except TimeoutError as error:
            sentence = f"{self.engine.where}: not read within {self.engine.patience.read} s."
            raise StorageUnavailableError(sentence) from error
        except self._trouble_errors as error:
            raise StorageUnavailableError(self._sentence(error)) from error

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
        """See `Database.write`."""
        self._check_trouble()
        job = Job(work, posted=False, apart=apart)
        if not self._enqueue(job):
            raise StorageUnavailableError(self._trouble or f"{self.engine.where}: too many writes are waiting.")
        await job.ends(wait)
        if job.result.done():
            try:
                value: T = job.result.result()
            except StorageUnavailableError:
                self._take_back(job, undo)
                raise
            return value
        with self._lock:
            self._late += 1
        if abandon:
            job.result.cancel()
        self._take_back(job, undo)
        raise StorageUnavailableError(self._trouble or f"{self.engine.where}: not written within {wait:g} s.")

    def _take_back(self, job: Job, undo: Work[object] | None) -> None:
        """Once it is known what became of it: what was not begun, or was rolled back, leaves nothing to be undone."""
        if undo is None:
            return

        def known(result: "Future[Any]") -> None:
            error = None if result.cancelled() else result.exception()
            if not result.cancelled() and (not error or (isinstance(error, StorageUnavailableError) and job.doubt)):
                self.post(undo)

        job.result.add_done_callback(known)

    def post(self, work: Work[object], /, *, name: str = "") -> None:
        """See `Database.post`."""
        with self._lock:
            if name and self._jobs.replace(name, work):
                return
        if not self._enqueue(Job(work, posted=True, name=name)):
            with self._lock:
                self._dropped += 1

    @property
    def state(self) -> StorageState:
        """How it is now."""
        with self._lock:
            return StorageState(self.engine.kind, self.engine.where, self._trouble, self._dropped, self._late)

    @property
    def well_for(self) -> float:
        """See `Database.well_for`."""
        with self._lock:
            return 0.0 if self._trouble else time.monotonic() - self._well_since

    async def check(self) -> tuple[list[str], dict[str, int]]:
        """What is wrong with it, and the rows of each table. Raises `StorageUnavailableError`."""

        def work(transaction: Transaction) -> tuple[list[str], dict[str, int]]:
            wrong, names = self.engine.check(transaction)
            rows = {name: transaction.execute(f'SELECT count(*) FROM "{name}"')[0][0] for name in names}  # noqa: S608
            return wrong, rows

        return await self.read(work)

    async def compact(self) -> tuple[int, int]:
        """Give free space back; bytes before and after. Raises `StorageUnavailableError`."""
        try:
            return await asyncio.to_thread(self.engine.compact)
        except self._trouble_errors as error:
            raise StorageUnavailableError(self._sentence(error)) from error

    async def settle(self) -> None:
        """See `Database.settle`."""
        job = Job(_nothing, posted=False)
        if self._enqueue(job, however_many=True):
            await job.ends()

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
        await loop.run_in_executor(self._writer, self._connection.close)
        self._writer.shutdown()
        await self._readers.aclose()

    # ---- in line ----------------------------------------------------------------------------------------------------

    def _enqueue(self, job: Job, *, however_many: bool = False) -> bool:
        with self._lock:
            if self._closed or not self._jobs.add(job, however_many=however_many):
                return False
        self._wake()
        return True

    def _wake(self) -> None:
        with self._lock:
            paused = time.monotonic() < self._paused_until
            if self._writing or self._closed or paused or not self._jobs:
                return
            self._writing = True
        self._writer.submit(self._write).add_done_callback(self._written)

    def _written(self, run: "Future[None]") -> None:
        """A run has ended; with an error only where a work has a bug, which everyone in its batch is told."""
        error = run.exception()
        batch, self._batch = self._batch, []
        if error is not None:
            self._connection.close()
            self._fail(batch, error)
        with self._lock:
            self._writing = False
            self._dropped += sum(job.posted for job in batch)
            # Who came while a failed run was ending has had no try yet, and nothing else would wake the writer.
            wanted = not self._trouble or not all(job.posted for job in self._jobs)
        if wanted:
            self._wake()
        else:
            self._try_later()

    # ---- on the writer's thread -------------------------------------------------------------------------------------

    def _write(self) -> None:
        """Batch after batch until nothing waits or the disk fails."""
        while True:
            with self._lock:
                self._batch = self._jobs.take(BATCH)
            if not self._batch:
                return
            try:
                results, left = self._connection.commit(self._batch)
            except self._trouble_errors as error:
                self._put_back(self._sentence(error))
                return
            with self._lock:
                self._dropped += sum(job.posted and error is not None for job, _, error in results)
                if left:
                    self._jobs.put_back(left)
                worked_off = not self._trouble or len(self._jobs) <= BATCH
                self._batch = []
            if worked_off:
                self._note("")
            for job, value, failure in results:
                if failure is None:
                    job.result.set_result(value)
                else:
                    job.result.set_exception(failure)

    def _put_back(self, sentence: str) -> None:
        """The disk failed: who waits is told so, what was posted stays in line for the next try."""
        self._connection.close()
        self._note(sentence)
        with self._lock:
            batch, self._batch = self._batch, []
            self._jobs.put_back(batch)
            awaited = self._jobs.take_awaited()
        self._try_later()
        self._fail(awaited, StorageUnavailableError(sentence))

    def _fail(self, jobs: Iterable[Job], error: BaseException) -> None:
        for job in jobs:
            if job.starts():
                job.result.set_exception(error)

    # ---- trouble ----------------------------------------------------------------------------------------------------

    def _trouble_met(self, error: Exception) -> None:
        """Where nothing was to be written."""
        self._note(self._sentence(error))
        self._try_later()

    def _note(self, trouble: str) -> None:
        with self._lock:
            changed = bool(trouble) != bool(self._trouble)
            self._trouble = trouble
            if changed and not trouble:
                self._well_since = time.monotonic()
                self._paused_until = 0.0
        if changed:
            if trouble:
                self._readers.renew()
            self._told(trouble)

    def _try_later(self) -> None:
        with self._lock:
            if self._trouble:  # else a batch has been committed meanwhile, and nobody would wake who waits
                self._paused_until = time.monotonic() + self.engine.patience.pause
            if self._closed or self._retry is not None:
                return
            self._retry = threading.Timer(RETRY_SECONDS, self._try_again)
            self._retry.daemon = True
            self._retry.start()

    def _try_again(self) -> None:
        """What waits, or else a write of its own: nobody need come for it to be found well again."""
        with self._lock:
            self._retry, self._paused_until = None, 0.0
            if not self._trouble:
                return
            if not self._jobs and not self._closed:
                self._jobs.add(Job(_probe, posted=True))
        self._wake()

    def _check_trouble(self) -> None:
        """One that may be silent costs nobody a wait while it is known to be away: `_try_again` finds it well."""
        if self._trouble and self.engine.patience.pause:
            raise StorageUnavailableError(self._trouble)

    def _sentence(self, error: Exception) -> str:
        return error.message if isinstance(error, StorageRefusedError) else self.engine.sentence(error)


def _nothing(_: Transaction) -> None:
    """Only to be waited for."""


def _probe(transaction: Transaction) -> None:
    """A write that leaves nothing behind: a full disk is found by it, too."""
    transaction.execute("INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (_PROBE, ""))
    transaction.execute("DELETE FROM facts WHERE name = ?", (_PROBE,))
