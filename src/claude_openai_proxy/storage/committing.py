"""The one connection that writes: a batch of works in one transaction, each handed what became of it.

What was posted and whose commit was never answered is asked for by the number of its transaction before it is done
again; what somebody awaited has failed for them by then, and is not done again.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeAlias

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.storage.engine import Connection, Engine
from claude_openai_proxy.storage.interface import Work

ATTEMPTS: Final = 5
"""Of one batch that is in another's way."""


class Job:
    """One work in line; `posted` ones have nobody who waits for them."""

    __slots__ = ("doubt", "posted", "result", "work")

    def __init__(self, work: Work[Any], *, posted: bool) -> None:
        self.work = work
        self.posted = posted
        self.doubt = ""
        """The transaction that may have been committed with it, for all that is known."""
        self.result: Future[Any] = Future()

    def starts(self) -> bool:
        """Whether it is to be run; false where its caller has abandoned it."""
        if self.result.running():
            return True
        # A future that was told of its end once must not be asked again.
        return not self.result.done() and self.result.set_running_or_notify_cancel()


Result: TypeAlias = tuple[Job, Any, Exception | None]
"""A work, and its value or the error that it alone is to blame for."""


class WritingConnection:
    """Made by the thread that uses it, at its first use."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._blamed: tuple[type[Exception], ...] = (*engine.errors.work, ProxyError)
        self._connection: Connection | None = None
        self._token = ""

    def close(self) -> None:
        """The next use makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def commit(self, batch: Sequence[Job]) -> list[Result]:
        """What became of each work; tried again where another transaction was in the way."""
        connection = self._begun()
        jobs = [job for job in batch if job.starts()]
        done = {token for token in {job.doubt for job in jobs} if token and connection.was_committed(token)}
        left = [job for job in jobs if job.doubt not in done]
        results = self._attempt_again(connection, left)
        return results + [(job, None, None) for job in jobs if job.doubt in done]

    def _attempt_again(self, connection: Connection, jobs: Sequence[Job]) -> list[Result]:
        """Up to `ATTEMPTS` times."""
        for _ in range(ATTEMPTS - 1):
            try:
                return self._attempt(connection, jobs)
            except self._engine.errors.again:
                self._token = connection.begin()
        return self._attempt(connection, jobs)

    def _begun(self) -> Connection:
        """The connection in a transaction. A remote one may have died since it was last used: then a new one."""
        if self._connection is not None:
            try:
                self._token = self._connection.begin()
            except self._engine.errors.trouble:
                if not self._engine.patience.pause:
                    raise
                self.close()
            else:
                return self._connection
        self._connection = self._engine.connect()
        self._token = self._connection.begin()
        return self._connection

    def _attempt(self, connection: Connection, jobs: Sequence[Job]) -> list[Result]:
        """What was awaited and is in doubt has failed; what was posted and is in doubt must not be done twice."""
        try:
            results = [(job, *self._one(connection, job.work, alone=len(jobs) == 1)) for job in jobs]
            for job in jobs:
                job.doubt = self._token
            connection.commit()
        except self._engine.errors.again:
            for job in jobs:
                job.doubt = ""
            raise
        finally:
            connection.roll_back()
        return results

    def _one(self, connection: Connection, work: Work[Any], *, alone: bool) -> tuple[Any, Exception | None]:
        """A work's result, or the error that it alone is to blame for; trouble and a bug are raised."""
        if not alone:
            connection.savepoint()
        try:
            value = work(connection.transaction)
        except self._blamed as error:
            if alone:
                connection.roll_back()
            else:
                connection.roll_back_one()
            return None, error
        if not alone:
            connection.release()
        return value, None
