"""Parts of a batch on their way to Claude's side: asked for once, and looked for where nobody knows.

A part is asked for again only where it cannot have been made, or was looked for in vain for long enough.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from claude_openai_proxy.errors import (
    NoLoginError,
    ProxyError,
    UpstreamConnectionError,
    UpstreamError,
    UpstreamStatusError,
)
from claude_openai_proxy.protocols.anthropic_batches import MessageBatch
from claude_openai_proxy.service.batches.desk import BatchFailedError, Desk
from claude_openai_proxy.service.batches.document import A_DAY
from claude_openai_proxy.service.plan_meter import moment
from claude_openai_proxy.storage.batches import Line, Part
from claude_openai_proxy.translate.messages_api.shared_prefix import with_shared_prefixes
from claude_openai_proxy.upstreams.api.batches import MessageBatches
from claude_openai_proxy.upstreams.interface import Upstream

PART_BYTES: Final = 32 * 1_048_576
"""Of one Message Batch: it is held in memory. Claude would take 256 MB."""
SKEW_SECONDS: Final = 120.0
"""Claude's clock may be so much behind ours."""
PAGE: Final = 100

_WAIT: Final = frozenset({429, 503, 529})
_UNCLEAR: Final = frozenset({500, 502, 504})


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: between two looks at a part; for how long one that may exist is looked for."""

    poll: float = 30.0
    adopt: float = 180.0


class Asking:
    """`batches` are `upstream`'s. `sleep` waits so many seconds, less where the batch is to be cancelled."""

    def __init__(
        self,
        desk: Desk,
        upstream: Upstream,
        batches: MessageBatches,
        *,
        pace: Pace,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._desk = desk
        self._upstream = upstream
        self._batches = batches
        self._pace = pace
        self._sleep = sleep
        self._prefix = f"{desk.document.letters}-"
        self.most_bytes = PART_BYTES
        self.foreign: set[str] = set()
        """Message Batches that were taken for ours, and are not."""

    def name(self, line: Line, number: int) -> str:
        """Of a request at Claude's side: nothing of the client's, and no other batch's."""
        return f"{self._prefix}{line.number}-{number}"

    async def make(self, lines: Sequence[Line], requests: Sequence[tuple[str, bytes]]) -> None:
        """Keep that it is intended, then ask."""
        desk = self._desk
        number = max((part.number for part in await desk.parts()), default=0) + 1
        part = Part(number, len(requests), desk.wall_clock())
        sent = [replace(line, part=number) for line in lines]
        await desk.store.begin_part(desk.batch.id, desk.holder, part, sent)
        await self._ask(part, sent, _body(requests))

    async def _ask(self, part: Part, lines: Sequence[Line], body: bytes) -> None:
        """Until Claude has it, has refused it, or nobody knows."""
        while True:
            try:
                made = await self._batches.create(body)
            except UpstreamStatusError as error:
                if error.status in _UNCLEAR:
                    return
                if not await self._waits(error, part, lines):
                    return
            except UpstreamConnectionError as error:
                if error.reached:
                    return
                await self._sleep(self._pace.poll)
            except UpstreamError:
                return  # A timeout, or garbage: it may exist.
            except NoLoginError as error:
                await self._refused(lines, part, "authentication_error", error)
                return
            else:
                await self._has(part, made.id)
                return

    async def _waits(self, error: UpstreamStatusError, part: Part, lines: Sequence[Line]) -> bool:
        """Whether it is to be asked again as it is."""
        if error.status in _WAIT and error.refusal != "quota":
            await self._sleep(error.retry_after or self._pace.poll)
            return not await self.is_over()
        if error.status == 413 and len(lines) > 1:
            self.most_bytes = max(1, self.most_bytes // 2)
            await self._undo(part, lines)
            return False
        quota = error.refusal == "quota"
        await self._refused(
            lines, part, "insufficient_quota" if quota else error.error_type or "invalid_request", error
        )
        return False

    async def is_over(self) -> bool:
        """Whether nothing more is to be asked."""
        desk = self._desk
        return await desk.is_cancelled() or desk.wall_clock() >= desk.batch.created + A_DAY

    async def _undo(self, part: Part, lines: Sequence[Line]) -> None:
        """It was not made: its lines are as they were before."""
        desk = self._desk
        for line in lines:
            kept = await desk.store.answers(desk.batch.id, line.number) if line.tries > 1 else {}
            before = replace(
                line, state="again" if kept else "waiting", requests=len(kept), tries=line.tries - 1, part=0
            )
            await desk.store.set_line(desk.batch.id, desk.holder, before)
        await desk.store.save_part(desk.batch.id, desk.holder, replace(part, state="collected"))

    async def _refused(self, lines: Sequence[Line], part: Part, code: str, error: ProxyError) -> None:
        """The whole batch, where nothing of it was asked; else these lines."""
        desk = self._desk
        if part.number == 1:
            raise BatchFailedError(code, error.message) from error
        refusal = desk.runs.refusal(error)
        for line in lines:
            await desk.end(desk.runs.refused(line.number, await desk.read(line), refusal))
        await desk.store.save_part(desk.batch.id, desk.holder, replace(part, state="collected"))

    async def _has(self, part: Part, upstream_id: str) -> None:
        """Claude has it."""
        desk = self._desk
        await desk.store.save_part(desk.batch.id, desk.holder, replace(part, upstream_id=upstream_id, state="made"))
        if not desk.document.in_progress:
            desk.document.in_progress = desk.wall_clock()
        await desk.save("finalizing" if desk.document.finalizing else "in_progress")

    # ---- what may exist ---------------------------------------------------------------------------------------------

    async def settle_intended(self) -> None:
        """Look for each part that may exist; one that is not found in time is asked for again."""
        for part in await self._desk.parts():
            while part.state == "intended":
                if (found := await self._find(part)) is not None:
                    await self._has(part, found)
                    break
                lines = await self.lines_of(part)
                if await self.is_over():
                    await self._undo(part, lines)
                    break
                if self._desk.wall_clock() >= part.submitted + self._pace.adopt:
                    await self._ask_again(part, lines)
                    break
                await self._sleep(min(self._pace.poll, self._pace.adopt / 4))

    async def lines_of(self, part: Part) -> list[Line]:
        """Those that have not ended."""
        desk, lines, after = self._desk, list[Line](), 0
        while some := await desk.store.of_part(desk.batch.id, part.number, after=after, limit=1000):
            lines += some
            after = some[-1].number
        return lines

    async def _ask_again(self, part: Part, lines: Sequence[Line]) -> None:
        """The same requests, translated once more."""
        desk, requests = self._desk, list[tuple[str, bytes]]()
        for line in lines:
            answers = await desk.store.answers(desk.batch.id, line.number) if line.tries > 1 else {}
            ran = await desk.runs.replay(line.number, await desk.read(line), self._upstream, answers)
            requests += [(self.name(line, len(answers) + place), body) for place, body in enumerate(ran.noted)]
        part = replace(part, requests=len(requests), submitted=desk.wall_clock())
        await desk.store.save_part(desk.batch.id, desk.holder, part)
        if requests:
            await self._ask(part, lines, _body(requests))

    async def _find(self, part: Part) -> str | None:
        """The Message Batch that this part became: of those that are nobody's, made since then, of that size."""
        known = await self._desk.store.upstream_ids() | self.foreign
        fits = [
            batch
            for batch in await self._listed(part.submitted - SKEW_SECONDS)
            if batch.id not in known and _requests_of(batch) == part.requests
        ]
        for batch in fits:
            if batch.processing_status == "ended" and await self._is_ours(batch.id):
                return batch.id
        running = [batch for batch in fits if batch.processing_status != "ended"]
        return running[0].id if len(running) == 1 and len(fits) == 1 else None

    async def _listed(self, since: float) -> list[MessageBatch]:
        """Of the workspace, those made since then."""
        found: list[MessageBatch] = []
        after = ""
        while True:
            page = await self._batches.list(limit=PAGE, after_id=after)
            young = [batch for batch in page.data if (moment(batch.created_at) or 0.0) >= since]
            found += young
            if len(young) < len(page.data) or not (page.has_more and page.last_id):
                return found
            after = page.last_id

    async def _is_ours(self, upstream_id: str) -> bool:
        """By the names of its requests."""
        async with self._batches.results(upstream_id) as results:
            async for result in results:
                return result.custom_id.startswith(self._prefix)
        return False


def _body(requests: Sequence[tuple[str, bytes]]) -> bytes:
    bodies = with_shared_prefixes([body for _, body in requests])
    requests = [(name, body) for (name, _), body in zip(requests, bodies, strict=True)]
    return b'{"requests":[%b]}' % b",".join(b'{"custom_id":"%b","params":%b}' % (n.encode(), b) for n, b in requests)


def _requests_of(batch: MessageBatch) -> int:
    counts = batch.request_counts
    return counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
