"""The one connection that writes: a batch of works in one transaction, each handed what became of it.

What was posted and whose commit was never answered is asked for by the number of its transaction before it is done
again; what somebody awaited has failed for them by then, and is not done again.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from math import inf
from time import monotonic
from typing import Any, Final, TypeAlias

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.storage.engine import Connection, Engine
from claude_openai_proxy.storage.interface import Work

ATTEMPTS: Final = 5
"""Of one batch that is in another's way."""
BATCH_SECONDS: Final = 0.2
"""Nothing more is begun in a transaction that has lasted so long: its first work waits for its commit."""


class Job:
    """One work in line; `posted` ones have nobody who waits for them, and may have a `name`.

    One that is `apart` shares its transaction with no other.
    """

    __slots__ = ("apart", "doubt", "name", "posted", "result", "work")

    def __init__(self, work: Work[Any], *, posted: bool, name: str = "", apart: bool = False) -> None:
        self.apart = apart
        self.work = work
        self.posted = posted
        self.name = name
        self.doubt = ""
        """The transaction that may have been committed with it, for all that is known."""
        self.result: Future[Any] = Future()

    def starts(self) -> bool:
        """Whether it is to be run; false where its caller has abandoned it."""
        if self.result.running():
            return True
        # A future that was told of its end once must not be asked again.
        return not self.result.done() and self.result.set_running_or_notify_cancel()

    async def ends(self, wait: float = inf) -> None:
        """Return when there is a result, of whatever kind, or when `wait` seconds are over."""
        loop = asyncio.get_running_loop()
        over = loop.create_future()

        def end() -> None:
            if not over.done():
                over.set_result(None)

        def tell(_: "Future[Any]") -> None:
            with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
                loop.call_soon_threadsafe(end)

        timer = loop.call_later(wait, end)
        self.result.add_done_callback(tell)
        try:
            await over
        finally:
            timer.cancel()


Result: TypeAlias = tuple[Job, Any, Exception | None]
"""A work, and its value or the error that it alone is to blame for."""


class _OneFailedError(Exception):
    """One of several works is to blame for an error, and has spoiled the transaction of all."""


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

    def commit(self, batch: Sequence[Job]) -> tuple[list[Result], Sequence[Job]]:
        """What became of each work, and those that were not begun; again where another transaction was in the way."""
        connection = self._begun()
        done = {token for token in {job.doubt for job in batch} if token and connection.was_committed(token)}
        results, left = self._attempt_again(connection, [job for job in batch if job.doubt not in done])
        return results + [(job, None, None) for job in batch if job.doubt in done], left

    def _attempt_again(self, connection: Connection, jobs: Sequence[Job]) -> tuple[list[Result], Sequence[Job]]:
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
            except self._engine.errors.trouble as error:
                if not self._engine.patience.pause or isinstance(error, self._engine.errors.silent):
                    raise
                self.close()
            else:
                return self._connection
        self._connection = self._engine.connect()
        self._token = self._connection.begin()
        return self._connection

    def _attempt(self, connection: Connection, jobs: Sequence[Job]) -> tuple[list[Result], Sequence[Job]]:
        """All together; only where one of them fails by itself, each is given a savepoint, which costs time."""
        try:
            return self._commit(connection, jobs, each_alone=False)
        except _OneFailedError:
            connection.roll_back()
            self._token = connection.begin()
            return self._commit(connection, jobs, each_alone=True)

    def _commit(
        self, connection: Connection, jobs: Sequence[Job], *, each_alone: bool
    ) -> tuple[list[Result], Sequence[Job]]:
        """What was awaited and is in doubt has failed; what was posted and is in doubt must not be done twice."""
        results: list[Result] = []
        until, left = monotonic() + BATCH_SECONDS, len(jobs)
        try:
            for place, job in enumerate(jobs):
                if place and monotonic() > until:
                    left = place
                    break
                if job.starts():
                    results.append((job, *self._one(connection, job.work, only=len(jobs) == 1, alone=each_alone)))
            for job, _, _ in results:
                job.doubt = self._token
            connection.commit()
        except self._engine.errors.again:
            for job in jobs:
                job.doubt = ""
            raise
        finally:
            connection.roll_back()
        return results, jobs[left:]

    def _one(self, connection: Connection, work: Work[Any], *, only: bool, alone: bool) -> tuple[Any, Exception | None]:
        """A work's result, or the error that it alone is to blame for; trouble and a bug are raised.

        Raises `_OneFailedError` where neither it is the `only` one, nor stands `alone` behind a savepoint.
        """
        guarded = alone and not only
        if guarded:
            connection.savepoint()
        try:
            value = work(connection.transaction)
        except self._blamed as error:
            if guarded:
                connection.roll_back_one()
            elif only:
                connection.roll_back()
            else:
                raise _OneFailedError from error
            return None, error
        if guarded:
            connection.release()
        return value, None
