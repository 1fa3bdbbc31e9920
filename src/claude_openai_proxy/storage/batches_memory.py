"""Batches for as long as the process lives."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from claude_openai_proxy.storage.batches import (
    ENDS,
    Counts,
    LeaseLostError,
    Line,
    LineEnd,
    LineState,
    Part,
    StoredBatch,
    Totals,
    added,
)


@dataclass(slots=True)
class _Kept:
    batch: StoredBatch
    lines: dict[int, Line] = field(default_factory=dict)
    ends: dict[int, LineEnd] = field(default_factory=dict)
    parts: dict[int, Part] = field(default_factory=dict)
    answers: dict[int, dict[int, bytes]] = field(default_factory=dict)


class MemoryBatches:
    """See `BatchStore` for all of it."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    async def create(self, batch: StoredBatch) -> None:
        """See `BatchStore.create`."""
        self._kept[batch.id] = _Kept(batch)

    async def one(self, principal: str, id_: str) -> StoredBatch | None:
        """See `BatchStore.one`."""
        kept = self._kept.get(id_)
        return kept.batch if kept and kept.batch.principal == principal else None

    async def page(self, principal: str, *, after: str, limit: int) -> Sequence[StoredBatch] | None:
        """See `BatchStore.page`."""
        mine = [kept.batch for kept in self._kept.values() if kept.batch.principal == principal]
        mine.sort(key=lambda batch: (batch.created, batch.id), reverse=True)
        if after:
            ids = [batch.id for batch in mine]
            if after not in ids:
                return None
            mine = mine[ids.index(after) + 1 :]
        return mine[:limit]

    async def unfinished(self) -> Sequence[StoredBatch]:
        """See `BatchStore.unfinished`."""
        batches = [kept.batch for kept in self._kept.values() if kept.batch.ended is None]
        return sorted(batches, key=lambda batch: (batch.created, batch.id))

    async def drop(self, before: float) -> None:
        """See `BatchStore.drop`."""
        gone = [id_ for id_, kept in self._kept.items() if kept.batch.ended is not None and kept.batch.ended < before]
        for id_ in gone:
            del self._kept[id_]

    async def claim(self, id_: str, holder: str, *, now: float, until: float, instead_of: str = "") -> bool:
        """See `BatchStore.claim`."""
        kept = self._kept.get(id_)
        if kept is None or kept.batch.ended is not None:
            return False
        if kept.batch.holder not in (holder, instead_of) and kept.batch.held_until > now:
            return False
        kept.batch = replace(kept.batch, holder=holder, held_until=until)
        return True

    async def release(self, id_: str, holder: str) -> None:
        """See `BatchStore.release`."""
        kept = self._kept.get(id_)
        if kept is not None and kept.batch.holder == holder:
            kept.batch = replace(kept.batch, holder="", held_until=0.0)

    async def save(self, batch: StoredBatch, holder: str) -> None:
        """See `BatchStore.save`."""
        kept = self._held(batch.id, holder)
        kept.batch = replace(kept.batch, status=batch.status, ended=batch.ended, document=batch.document)
        if batch.ended is not None:
            self._kept[batch.id] = _Kept(kept.batch)

    async def ask_cancel(self, principal: str, id_: str, now: float) -> StoredBatch | None:
        """See `BatchStore.ask_cancel`."""
        kept = self._kept.get(id_)
        if kept is None or kept.batch.principal != principal:
            return None
        if kept.batch.ended is None and kept.batch.cancel_asked is None:
            kept.batch = replace(kept.batch, cancel_asked=now)
        return kept.batch

    async def cancel_asked(self, id_: str) -> bool:
        """See `BatchStore.cancel_asked`."""
        kept = self._kept.get(id_)
        return kept is not None and kept.batch.cancel_asked is not None

    async def queued(self, principal: str) -> int:
        """See `BatchStore.queued`."""
        mine = (kept for kept in self._kept.values() if kept.batch.principal == principal)
        return sum(line.state not in ENDS for kept in mine for line in kept.lines.values())

    # ---- lines and parts --------------------------------------------------------------------------------------------

    async def add_lines(self, id_: str, holder: str, lines: Sequence[Line]) -> None:
        """See `BatchStore.add_lines`."""
        kept = self._held(id_, holder)
        for line in lines:
            kept.lines.setdefault(line.number, line)

    async def lines(self, id_: str, states: Collection[LineState], *, after: int, limit: int) -> Sequence[Line]:
        """See `BatchStore.lines`."""
        return self._some(id_, after, limit, lambda line: line.state in states)

    async def line(self, id_: str, number: int) -> Line | None:
        """See `BatchStore.line`."""
        kept = self._kept.get(id_)
        return kept.lines.get(number) if kept else None

    async def begin_part(self, id_: str, holder: str, part: Part, lines: Sequence[Line]) -> None:
        """See `BatchStore.begin_part`."""
        kept = self._held(id_, holder)
        kept.parts[part.number] = part
        kept.lines |= {line.number: line for line in lines}

    async def save_part(self, id_: str, holder: str, part: Part) -> None:
        """See `BatchStore.save_part`."""
        self._held(id_, holder).parts[part.number] = part

    async def parts(self, id_: str) -> Sequence[Part]:
        """See `BatchStore.parts`."""
        kept = self._kept.get(id_)
        return sorted(kept.parts.values(), key=lambda part: part.number) if kept else []

    async def upstream_ids(self) -> set[str]:
        """See `BatchStore.upstream_ids`."""
        parts = (part for kept in self._kept.values() for part in kept.parts.values())
        return {part.upstream_id for part in parts if part.upstream_id}

    async def of_part(self, id_: str, part: int, *, after: int, limit: int) -> Sequence[Line]:
        """See `BatchStore.of_part`."""
        return self._some(id_, after, limit, lambda line: line.part == part and line.state == "sent")

    async def set_line(self, id_: str, holder: str, line: Line, answers: Sequence[tuple[int, bytes]] = ()) -> None:
        """See `BatchStore.set_line`."""
        kept = self._held(id_, holder)
        if kept.lines[line.number].state not in ENDS:
            kept.lines[line.number] = line
            of_line = kept.answers.setdefault(line.number, {})
            for number, answer in answers:
                of_line.setdefault(number, answer)

    async def end_line(self, id_: str, holder: str, end: LineEnd) -> bool:
        """See `BatchStore.end_line`."""
        kept = self._held(id_, holder)
        line = kept.lines[end.number]
        if line.state in ENDS:
            return False
        kept.lines[end.number] = replace(line, state="failed" if end.failed else "done")
        kept.ends[end.number] = end
        kept.answers.pop(end.number, None)
        return True

    async def answers(self, id_: str, line: int) -> dict[int, bytes]:
        """See `BatchStore.answers`."""
        kept = self._kept.get(id_)
        return dict(kept.answers.get(line, {})) if kept else {}

    async def ends(self, id_: str, *, failed: bool, after: int, limit: int) -> Sequence[LineEnd]:
        """See `BatchStore.ends`."""
        kept = self._kept.get(id_)
        ends = sorted(kept.ends.values(), key=lambda end: end.number) if kept else []
        return [end for end in ends if end.failed == failed and end.number > after][:limit]

    async def totals(self, id_: str) -> Totals:
        """See `BatchStore.totals`."""
        kept = self._kept.get(id_)
        if kept is None:
            return Totals()
        counts = Counts()
        for end in kept.ends.values():
            counts = added(counts, end.counts)
        failed = sum(end.failed for end in kept.ends.values())
        return Totals(len(kept.lines), len(kept.ends) - failed, failed, counts)

    def _some(self, id_: str, after: int, limit: int, wanted: Callable[[Line], bool]) -> Sequence[Line]:
        kept = self._kept.get(id_)
        lines = sorted(kept.lines.values(), key=lambda line: line.number) if kept else []
        return [line for line in lines if line.number > after and wanted(line)][:limit]

    def _held(self, id_: str, holder: str) -> _Kept:
        kept = self._kept.get(id_)
        if kept is None or kept.batch.holder != holder or kept.batch.ended is not None:
            raise LeaseLostError
        return kept
