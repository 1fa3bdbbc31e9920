"""Results of a part, each made the end of its line, or another round of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic_batches import (
    MessageBatchCanceledResult,
    MessageBatchExpiredResult,
    MessageBatchIndividualResponse,
    MessageBatchResult,
)
from claude_openai_proxy.service.batches.desk import Desk
from claude_openai_proxy.service.batches.line_run import CANCELLED, EXPIRED, Ran, at_half_price
from claude_openai_proxy.service.batches.replayed import encode_result
from claude_openai_proxy.storage.batches import Line, Part
from claude_openai_proxy.upstreams.api.batches import MessageBatches
from claude_openai_proxy.upstreams.interface import Upstream

ROUNDS: Final = 3
RESULTS_TOGETHER: Final = 16
"""Results that are translated together, so that their ends are kept in one commit."""


class Collecting:
    """`batches` are `upstream`'s. `delete`: what Claude keeps of a part goes when it is here."""

    def __init__(self, desk: Desk, upstream: Upstream, batches: MessageBatches, *, delete: bool) -> None:
        self._desk = desk
        self._upstream = upstream
        self._batches = batches
        self._delete = delete
        self._prefix = f"{desk.document.letters}-"

    async def collect(self, part: Part, lines_of: Callable[[Part], Awaitable[list[Line]]]) -> bool:
        """Whether it is this batch's; one that is not is looked for again."""
        desk = self._desk
        if not await self._read_results(part):
            await desk.store.save_part(desk.batch.id, desk.holder, replace(part, upstream_id="", state="intended"))
            return False
        missing = desk.runs.refusal(UpstreamProtocolError("Claude's side has no result for this request"))
        for line in await lines_of(part):
            await desk.end(desk.runs.refused(line.number, await desk.read(line), missing))
        await desk.save(desk.batch.status)
        await desk.store.save_part(desk.batch.id, desk.holder, replace(part, state="collected"))
        if self._delete:
            await self._batches.delete(part.upstream_id)
        return True

    async def _read_results(self, part: Part) -> bool:
        """Whether they are this batch's."""
        desk, group, ours = self._desk, list[MessageBatchIndividualResponse](), False
        if not desk.document.finalizing and all(one.state != "made" or one == part for one in await desk.parts()):
            desk.document.finalizing = desk.wall_clock()
            await desk.save("finalizing")
        async with self._batches.results(part.upstream_id) as results:
            async for result in results:
                ours = ours or result.custom_id.startswith(self._prefix)
                group.append(result)
                if len(group) == RESULTS_TOGETHER:
                    await self._take(group)
                    group = []
            await self._take(group)
        return ours

    async def _take(self, group: Sequence[MessageBatchIndividualResponse]) -> None:
        """Results of one line one after the other, lines together."""
        by_line: dict[int, dict[int, MessageBatchResult]] = {}
        for result in group:
            line, _, number = result.custom_id.removeprefix(self._prefix).partition("-")
            if result.custom_id.startswith(self._prefix) and line.isdecimal() and number.isdecimal():
                by_line.setdefault(int(line), {})[int(number)] = result.result
        await asyncio.gather(*(self._take_line(number, results) for number, results in by_line.items()))

    async def _take_line(self, number: int, results: Mapping[int, MessageBatchResult]) -> None:
        desk = self._desk
        line = await desk.store.line(desk.batch.id, number)
        if line is None or line.state != "sent":
            return
        for result in results.values():
            if isinstance(result, MessageBatchCanceledResult | MessageBatchExpiredResult):
                expired = isinstance(result, MessageBatchExpiredResult)
                desk.document.has_expired = desk.document.has_expired or expired
                error = EXPIRED if expired else CANCELLED
                await desk.end(desk.runs.not_run(number, await desk.read(line), error))
                return
        fresh = {place: encode_result(result) for place, result in results.items()}
        if line.requests > 1:
            await desk.store.set_line(desk.batch.id, desk.holder, line, list(fresh.items()))
            fresh |= await desk.store.answers(desk.batch.id, number)
        if len(fresh) >= line.requests:
            await self.end(line, fresh, last=line.tries >= ROUNDS)

    async def end(self, line: Line, answers: Mapping[int, bytes], *, last: bool) -> None:
        """The line's end, or another round."""
        desk = self._desk
        read, single = await desk.read(line), line.tries == 1 and line.requests == 1
        ran = await desk.runs.replay(line.number, read, self._upstream, answers, single=single, last=last)
        if ran.noted and not last:
            again = replace(line, state="again")
            await desk.store.set_line(desk.batch.id, desk.holder, again, list(answers.items()))
            return
        await self.keep_end(line, ran)

    async def keep_end(self, line: Line, ran: Ran) -> None:
        """What it came to; told of, where Claude was asked."""
        desk, asked = self._desk, line.requests > 0
        dollars = at_half_price(ran.record) if asked else 0.0
        end = desk.runs.end(line.number, await desk.read(line), ran, dollars=dollars)
        await desk.end(end, ran.record if asked else None)
