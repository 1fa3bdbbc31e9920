"""The lines of a batch one by one, as live requests of the lowest class, where there are no Message Batches.

| a line | is | goes on |
|---|---|---|
| waits for the gate | waiting | it is asked |
| is being answered | sent | its end; waiting again, where upstream was busy, away or failed |
| its process died meanwhile | sent | it is asked once more, and after that given up |
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from claude_openai_proxy.errors import (
    NoLoginError,
    PlanSpentError,
    ProxyError,
    QueueFullError,
    StoppingError,
    UpstreamConnectionError,
    UpstreamError,
    UpstreamStatusError,
)
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.batches.desk import Desk
from claude_openai_proxy.service.batches.document import A_DAY
from claude_openai_proxy.service.batches.gate import Gate
from claude_openai_proxy.service.batches.line_run import CANCELLED, EXPIRED
from claude_openai_proxy.storage.batches import SENT, WAITING, Line
from claude_openai_proxy.upstreams.interface import Upstream

TRIES: Final = 3
PAUSE_SECONDS_OF_LINE: Final = 5.0
LONGEST_PAUSE_OF_LINE: Final = 900.0
"""What resets later is looked at again meanwhile: it may have been raised."""
_BUSY: Final = frozenset({429, 503, 529})


class EmulatedRun:
    """`upstream` gives the one that is in use now; only one of the batch's own kind is asked."""

    def __init__(
        self,
        desk: Desk,
        *,
        upstream: Callable[[], Awaitable[Upstream]],
        admissions: Admissions,
        gate: Gate,
        kind: str,
        news: asyncio.Event,
        pause: float = PAUSE_SECONDS_OF_LINE,
    ) -> None:
        self._desk = desk
        self._upstream = upstream
        self._admissions = admissions
        self._gate = gate
        self._kind = kind
        self._news = news
        self._pause = pause

    async def run(self) -> None:
        """To the end of every line."""
        desk = self._desk
        if not desk.document.in_progress:
            desk.document.in_progress = desk.wall_clock()
        await desk.save("in_progress")
        await self._take_up()
        while await desk.store.lines(desk.batch.id, WAITING, after=0, limit=1):
            lines, turn = desk.lines(WAITING), asyncio.Lock()
            workers = [asyncio.create_task(self._work(lines, turn)) for _ in range(self._gate.most)]
            try:
                await asyncio.gather(*workers)
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, lines: AsyncIterator[Line], turn: asyncio.Lock) -> None:
        """Line after line, of which every worker takes some."""
        while True:
            async with turn:
                line = await anext(lines, None)
            if line is None:
                return
            await self._answer(line)

    async def _answer(self, line: Line) -> None:
        """Its end, or it waits again."""
        desk = self._desk
        if await self._ends_unasked(line):
            return
        upstream = await self._upstream()
        if upstream.identity.kind != self._kind:
            await self._sleep(LONGEST_PAUSE_OF_LINE)  # Another login, which may charge otherwise, was not asked for.
            return
        async with self._gate.place(upstream):
            if await self._ends_unasked(line):
                return
            sent = replace(line, state="sent", tries=line.tries + 1, requests=line.requests + 1)
            await desk.store.set_line(desk.batch.id, desk.holder, sent)
            ran = await desk.runs.ask(line.number, await desk.read(line), self._admissions)
        pause = None if ran.error is None else _pause(ran.error, line.requests + 1, self._pause)
        if pause is None:
            end = desk.runs.end(line.number, await desk.read(line), ran, dollars=ran.record.list_price)
            await desk.end(end, ran.record)
            return
        seconds, failed = pause
        waiting = replace(line, state="waiting", requests=line.requests + failed)
        await desk.store.set_line(desk.batch.id, desk.holder, waiting)
        await self._sleep(seconds)

    async def _ends_unasked(self, line: Line) -> bool:
        """Of a batch that is cancelled, or whose day is over."""
        desk = self._desk
        expired = desk.wall_clock() >= desk.batch.created + A_DAY
        if not expired and not await desk.is_cancelled():
            return False
        desk.document.has_expired = desk.document.has_expired or expired
        await desk.end(desk.runs.not_run(line.number, await desk.read(line), EXPIRED if expired else CANCELLED))
        return True

    async def _sleep(self, seconds: float) -> None:
        """Less where the batch is to be cancelled."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    async def _take_up(self) -> None:
        """Lines that were being answered when the process died."""
        desk = self._desk
        async for line in desk.lines(SENT):
            if line.tries > 1:
                refusal = desk.runs.refusal(UpstreamConnectionError("The proxy was stopped twice during this request"))
                await desk.end(desk.runs.refused(line.number, await desk.read(line), refusal))
            else:
                await desk.store.set_line(desk.batch.id, desk.holder, replace(line, state="waiting"))


def _pause(error: ProxyError, tries: int, pause: float) -> tuple[float, bool] | None:
    """Seconds after which it may be asked again, and whether this try counts; None where that would not help."""
    if isinstance(error, PlanSpentError):
        return min(error.resets_in or LONGEST_PAUSE_OF_LINE, LONGEST_PAUSE_OF_LINE), False
    if isinstance(error, UpstreamStatusError) and (error.status in _BUSY or error.refusal == "quota"):
        return min(error.retry_after or pause, LONGEST_PAUSE_OF_LINE), False
    if isinstance(error, QueueFullError | StoppingError | NoLoginError):
        return pause, False
    if isinstance(error, UpstreamConnectionError) and not error.reached:
        return pause, False
    if isinstance(error, UpstreamStatusError) and error.status < 500:
        return None
    return (pause, True) if isinstance(error, UpstreamError) and tries < TRIES else None
