"""Gives each unfinished batch to one process, this one among others, and sees to it that it goes on.

| a batch is | here |
|---|---|
| held by nobody, by one whose lease has ended or who is known to be dead | claimed, and worked on in a task |
| held by this process | its lease is renewed at every look; a lease that is lost ends the task |
| in trouble (storage, upstream) | tried again after a pause; what has been kept is not done again |
| unfinished when the server stops | let go, for whoever comes next |
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.service.batches.run import BatchRun
from claude_openai_proxy.storage.batches import BatchStore, LeaseLostError, StoredBatch
from claude_openai_proxy.storage.files import FileStore

LEASE_SECONDS_OF_BATCH: Final = 60.0
LOOKS_IN_A_LEASE: Final = 4
TROUBLE_SECONDS: Final = 10.0
KEPT_SECONDS: Final = 30 * 86_400.0
"""How long a batch is told of after its end: as long as its files are there."""

log: Final = logging.getLogger(__name__)

Begin = Callable[[StoredBatch, str, asyncio.Event], Awaitable[BatchRun]]
"""Makes the run of a batch under a holder's lease; the event says that it is to be cancelled."""


@dataclass(frozen=True, slots=True)
class _Work:
    task: asyncio.Task[None]
    news: asyncio.Event


@dataclass(slots=True)
class Collector:
    """`new_holder` names this process; `is_dead` knows others of this machine. `trouble`: seconds until another try.

    `is_revoked`: who made a batch may ask nothing more; it is cancelled.
    """

    store: BatchStore
    files: FileStore
    begin: Begin
    new_holder: Callable[[], str]
    is_dead: Callable[[str], bool]
    wall_clock: Callable[[], float]
    is_revoked: Callable[[StoredBatch], Awaitable[bool]]
    lease: float = LEASE_SECONDS_OF_BATCH
    trouble: float = TROUBLE_SECONDS
    _works: dict[str, _Work] = field(default_factory=dict)
    holder: str = ""
    _looking: asyncio.Task[None] | None = None
    _look_now: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self) -> None:
        """Look for what is unfinished, in the background and again and again; nothing where that is done already."""
        if self._looking is None:
            self.holder = self.new_holder()
            self._looking = asyncio.create_task(self._look_on())

    def wake(self, id_: str) -> None:
        """A new batch, or one that is to be cancelled."""
        if work := self._works.get(id_):
            work.news.set()
        else:
            self._look_now.set()

    async def aclose(self) -> None:
        """Stop, and let go."""
        tasks = [work.task for work in self._works.values()]
        if self._looking is not None:
            tasks.append(self._looking)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _look_on(self) -> None:
        pinned = False
        while True:
            self._look_now.clear()
            try:
                if not pinned:
                    ids = [batch.input_file for batch in await self.store.unfinished()]
                    await self.files.pin(ids, only=True)
                    await self.store.drop(self.wall_clock() - KEPT_SECONDS)
                    pinned = True
                await self._look()
            except ProxyError as error:
                log.debug("Batches are not looked for now: %s", error.message)  # The database tells of its trouble.
            with suppress(TimeoutError):
                async with asyncio.timeout(self.lease / LOOKS_IN_A_LEASE):
                    await self._look_now.wait()

    async def _look(self) -> None:
        for id_, work in list(self._works.items()):
            if work.task.done():
                del self._works[id_]
            elif not await self._claim(id_, ""):
                work.task.cancel()
        for batch in await self.store.unfinished():
            if batch.cancel_asked is None and await self.is_revoked(batch):
                await self.store.ask_cancel(batch.principal, batch.id, self.wall_clock())
                self.wake(batch.id)
            gone = batch.holder if batch.holder and self.is_dead(batch.holder) else ""
            if batch.id not in self._works and await self._claim(batch.id, gone):
                news = asyncio.Event()
                task = asyncio.create_task(self._work(batch, news))
                task.add_done_callback(_tell_bug)
                self._works[batch.id] = _Work(task, news)

    async def _claim(self, id_: str, instead_of: str) -> bool:
        now = self.wall_clock()
        return await self.store.claim(id_, self.holder, now=now, until=now + self.lease, instead_of=instead_of)

    async def _work(self, batch: StoredBatch, news: asyncio.Event) -> None:
        try:
            while True:
                try:
                    await (await self.begin(batch, self.holder, news)).run()
                except LeaseLostError:
                    return
                except ProxyError as error:
                    log.warning("Batch %s goes on in a moment: %s.", batch.id, type(error).__name__)
                else:
                    return
                await asyncio.sleep(self.trouble)
                batch = await self._again(batch)
        finally:
            await self._release(batch.id)

    async def _again(self, batch: StoredBatch) -> StoredBatch:
        """As it is kept now, once that can be read."""
        while True:
            try:
                return await self.store.one(batch.principal, batch.id) or batch
            except ProxyError:
                await asyncio.sleep(self.trouble)

    async def _release(self, id_: str) -> None:
        with suppress(ProxyError):  # The lease ends by itself.
            await self.store.release(id_, self.holder)


def _tell_bug(task: asyncio.Task[None]) -> None:
    """The batch is taken up again at the next look."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a batch stopped", exc_info=error)
