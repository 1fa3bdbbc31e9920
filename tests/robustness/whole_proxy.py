"""A proxy that can be looked into: its records, and what is left of a request on either side."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from claude_openai_proxy.app.wiring import wire
from claude_openai_proxy.records import RecordReader, RequestRecord
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.telemetry import line_writer
from claude_openai_proxy.web.application import Application
from telemetry.installed import logging_as_it_was


@dataclass(repr=False)
class Ledger(RecordReader):
    """Keeps the records of requests that have ended."""

    records: list[RequestRecord] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def ended(self, record: RequestRecord) -> None:
        self.records.append(record)
        self.changed.set()

    async def ends(self, count: int) -> list[RequestRecord]:
        """All records, once there are so many."""
        while len(self.records) < count:
            self.changed.clear()
            await self.changed.wait()
        return self.records


@dataclass(repr=False)
class WholeProxy:
    app: Application
    simulator: Simulator
    ledger: Ledger

    @property
    def upstream_connections(self) -> int:
        """Kept or in use, counted on the other side."""
        return len(self.simulator._connections._open)


@asynccontextmanager
async def whole_proxy(settings: Settings, simulator: Simulator) -> AsyncIterator[WholeProxy]:
    wiring = wire(settings)
    ledger = Ledger()
    wiring.application.read_by(ledger)
    with logging_as_it_was():
        wiring.log.install()
        async with wiring.running():
            yield WholeProxy(wiring.application, simulator, ledger)
        line_writer._drain_all()  # Its lines are written on a thread.


async def until(condition: Callable[[], bool]) -> None:
    """For what has no event: looked at in every turn of the loop."""
    while not condition():  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.001)
