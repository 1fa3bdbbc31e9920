"""The lines of a batch through Claude's Message Batches.

| a part (one Message Batch) | is | goes on |
|---|---|---|
| its lines are translated, its row is kept | intended | it is asked for |
| nobody knows whether Claude has it (cut, crash, 500, 502, 504) | intended | looked for; then asked for again |
| Claude has named it | made | looked at, at ever longer intervals |
| it has ended, each of its lines has its end or another round | collected | the next round; there are two at most |

Invariants: nothing is asked for whose row is not kept; what may exist is not asked for again before it has been looked
for; a result that comes twice counts once. A process that dies loses no line, and Claude is not asked twice.
"""

import asyncio
import random
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from typing import Final

from claude_openai_proxy.errors import NoLoginError, UpstreamError, UpstreamStatusError
from claude_openai_proxy.protocols.anthropic_batches import MessageBatch
from claude_openai_proxy.service.batches.asking import Asking, Pace
from claude_openai_proxy.service.batches.collecting import Collecting
from claude_openai_proxy.service.batches.desk import Desk
from claude_openai_proxy.service.batches.document import A_DAY
from claude_openai_proxy.service.batches.line_run import CANCELLED, EXPIRED
from claude_openai_proxy.storage.batches import AGAIN, OPEN, WAITING, Line, LineState, Part
from claude_openai_proxy.upstreams.api.batches import MessageBatches
from claude_openai_proxy.upstreams.interface import Upstream

MOST_REQUESTS: Final = 100_000
FIRST_MINUTES: Final = 600.0
"""So long after it was made a part is looked at often."""
LOST_SECONDS: Final = 900.0
"""A 404 is believed after that long: it may come for minutes after a good create."""


class NativeRun:
    """`batches` are `upstream`'s."""

    def __init__(
        self,
        desk: Desk,
        upstream: Upstream,
        batches: MessageBatches,
        *,
        pace: Pace,
        news: asyncio.Event,
        delete: bool = False,
    ) -> None:
        """`news` is set when the batch is to be cancelled. `delete`: what Claude keeps of it goes when it is here."""
        self._desk = desk
        self._upstream = upstream
        self._batches = batches
        self._pace = pace
        self._news = news
        self._asking = Asking(desk, upstream, batches, pace=pace, sleep=self._sleep)
        self._collecting = Collecting(desk, upstream, batches, delete=delete)
        self._missing_since: dict[int, float] = {}

    async def run(self) -> None:
        """To the end of every line. Raises `BatchFailedError` where nothing can be run."""
        while True:
            await self._submit(AGAIN)
            await self._submit(WAITING)
            await self._asking.settle_intended()
            made = [part for part in await self._desk.parts() if part.state == "made"]
            for part in made:
                await self._follow(part)
            if not await self._desk.store.lines(self._desk.batch.id, OPEN, after=0, limit=1):
                return

    # ---- asking -----------------------------------------------------------------------------------------------------

    async def _submit(self, states: Collection[LineState]) -> None:
        """Part after part of the lines in these states."""
        lines: list[Line] = []
        requests: list[tuple[str, bytes]] = []
        size = 0
        async for line in self._desk.lines(states):
            if await self._ends_unasked(line):
                continue
            noted = await self._noted(line)
            if noted is None:
                continue
            weight = sum(map(len, noted))
            full = size + weight > self._asking.most_bytes or len(requests) + len(noted) > MOST_REQUESTS
            if lines and full:
                await self._asking.make(lines, requests)
                lines, requests, size = [], [], 0
            requests += [(self._asking.name(line, line.requests + place), body) for place, body in enumerate(noted)]
            lines.append(replace(line, requests=line.requests + len(noted), tries=line.tries + 1, state="sent"))
            size += weight
        if lines:
            await self._asking.make(lines, requests)

    async def _ends_unasked(self, line: Line) -> bool:
        """Of a batch that is cancelled, or whose day is over."""
        desk = self._desk
        expired = desk.wall_clock() >= desk.batch.created + A_DAY
        if not expired and not await desk.is_cancelled():
            return False
        if line.requests:
            await self._collecting.end(line, await desk.store.answers(desk.batch.id, line.number), last=True)
        else:
            desk.document.has_expired = desk.document.has_expired or expired
            await desk.end(desk.runs.not_run(line.number, await desk.read(line), EXPIRED if expired else CANCELLED))
        return True

    async def _noted(self, line: Line) -> list[bytes] | None:
        """What is to be asked for it next; None where that is nothing, and it has its end."""
        desk = self._desk
        answers = await desk.store.answers(desk.batch.id, line.number) if line.requests else {}
        read = await desk.read(line)
        ran = await desk.runs.replay(line.number, read, self._upstream, answers)
        if ran.noted:
            return ran.noted
        await self._collecting.keep_end(line, ran)
        return None

    # ---- looking at it ----------------------------------------------------------------------------------------------

    async def _follow(self, part: Part) -> None:
        """To its end, and then its results."""
        cancelled = False
        while (batch := await self._look(part)) is None or batch.processing_status != "ended":
            if batch is not None and not cancelled and await self._desk.is_cancelled():
                await self._batches.cancel(batch.id)
                cancelled = True
                continue
            age = self._desk.wall_clock() - part.submitted
            pause = self._pace.poll if age < FIRST_MINUTES else 2 * self._pace.poll
            await self._sleep(pause * random.uniform(0.9, 1.1))  # noqa: S311 - only that not all come at once
        if not await self._collecting.collect(part, self._asking.lines_of):
            self._asking.foreign.add(part.upstream_id)

    async def _look(self, part: Part) -> MessageBatch | None:
        """None where it cannot be seen now. Raises `UpstreamStatusError` (404) once it is believed to be gone."""
        now = self._desk.wall_clock()
        try:
            batch = await self._batches.retrieve(part.upstream_id)
        except UpstreamStatusError as error:
            if error.status != 404:
                return None
            since = self._missing_since.setdefault(part.number, now)
            if now >= since + LOST_SECONDS:
                await self._lose(part, error)
                raise
            return None
        except (UpstreamError, NoLoginError):
            return None
        self._missing_since.pop(part.number, None)
        return batch

    async def _lose(self, part: Part, error: UpstreamStatusError) -> None:
        desk, refusal = self._desk, self._desk.runs.refusal(error)
        for line in await self._asking.lines_of(part):
            await desk.end(desk.runs.refused(line.number, await desk.read(line), refusal))
        await desk.store.save_part(desk.batch.id, desk.holder, replace(part, state="collected"))

    async def _sleep(self, seconds: float) -> None:
        """Less where the batch is to be cancelled."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
            self._news.clear()
