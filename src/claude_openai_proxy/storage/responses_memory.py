"""Responses, conversations and chat completions for as long as the process lives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from claude_openai_proxy.storage.responses import (
    MOST_OBJECT_BYTES_IN_MEMORY,
    UNFINISHED,
    Item,
    Kind,
    StoredObject,
    Turn,
)

_SWEEP_EVERY: Final = 200
"""Objects that are kept between two looks at what has expired."""


@dataclass(slots=True)
class _Kept:
    """An object with what belongs to it."""

    object: StoredObject
    items: list[Item] = field(default_factory=list)
    events: list[tuple[int, bytes]] = field(default_factory=list)
    next: int = 0
    """The place of the item that comes next."""
    bytes: int = 0

    def shown(self) -> StoredObject:
        """As it is handed out: who works on it lives as long as this."""
        return replace(self.object, bytes=self.bytes, runs_until=float("inf"))


class MemoryResponses:
    """See `ResponseStore`. Never raises."""

    def __init__(self, *, most_bytes: int = MOST_OBJECT_BYTES_IN_MEMORY) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._added = 0
        self._kept: dict[str, _Kept] = {}
        """By id, the oldest first."""
        self._owners: dict[tuple[str, str], dict[str, None]] = {}
        """The objects with an item, by its principal and id."""
        self._locks: dict[str, str] = {}

    async def add(self, new: StoredObject, items: Sequence[Item], now: float) -> None:
        """See `ResponseStore.add`."""
        conversation = self._kept.get(new.conversation)
        kept = self._kept[new.id] = _Kept(replace(new, place=conversation.next if conversation else 0))
        self._grow(kept, len(new.body))
        self._put(kept, items)
        self._added += 1
        if self._added % _SWEEP_EVERY == 0:
            self.sweep(now)
        self._drop_oldest()

    async def finish(
        self,
        final: StoredObject,
        output: Sequence[Item],
        turn: Turn | None,
        now: float,
        *,
        otherwise: StoredObject | None = None,
    ) -> bool:
        """See `ResponseStore.finish`."""
        kept = self._mine("response", final.principal, final.id, now)
        if kept is None or kept.object.status not in UNFINISHED:
            return False
        if turn is not None and not self._append(final.principal, turn, now):
            if otherwise is not None:
                self._end(kept, otherwise, ())
            return False
        self._end(kept, final, output)
        self._drop_oldest()
        return True

    def finish_soon(
        self, final: StoredObject, output: Sequence[Item], turn: Turn | None, now: float, *, otherwise: StoredObject
    ) -> None:
        """See `ResponseStore.finish_soon`: nothing is ever in the way of `finish` here."""

    async def give_up(self, failed: StoredObject, now: float) -> bool:  # noqa: ARG002 - who works on it is this process
        """See `ResponseStore.give_up`."""
        return False

    async def change(self, changed: StoredObject) -> bool:
        """See `ResponseStore.change`."""
        kept = self._mine(changed.kind, changed.principal, changed.id, 0.0)
        if kept is None or (changed.kind == "response" and kept.object.status not in UNFINISHED):
            return False
        self._grow(kept, len(changed.body) - len(kept.object.body))
        kept.object = replace(kept.object, body=changed.body, status=changed.status)
        return True

    async def one(self, kind: Kind, principal: str, id_: str, now: float) -> StoredObject | None:
        """See `ResponseStore.one`."""
        kept = self._mine(kind, principal, id_, now)
        return kept.shown() if kept else None

    async def chain(self, principal: str, id_: str, now: float) -> list[StoredObject]:
        """See `ResponseStore.chain`."""
        found: list[StoredObject] = []
        while id_:
            one = await self.one("response", principal, id_, now)
            if one is None:
                return []
            found.append(one)
            id_ = one.previous
        return found[::-1]

    async def page(
        self,
        principal: str,
        now: float,
        *,
        model: str | None,
        after: StoredObject | None,
        descending: bool,
        limit: int,
    ) -> list[StoredObject]:
        """See `ResponseStore.page`."""
        found = sorted(
            (
                kept.shown()
                for kept in self._of("completion", principal, now)
                if model is None or kept.object.model == model
            ),
            key=_when,
            reverse=descending,
        )
        if after is not None:
            end = _when(after)
            found = [one for one in found if (_when(one) < end if descending else _when(one) > end)]
        return found[:limit]

    async def delete(self, kind: Kind, principal: str, id_: str) -> bool:
        """See `ResponseStore.delete`."""
        if self._mine(kind, principal, id_, 0.0) is None:
            return False
        self._drop(id_)
        return True

    async def items(
        self,
        principal: str,
        owner: str,
        *,
        after: int | None = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> list[Item]:
        """See `ResponseStore.items`."""
        kept = self._kept.get(owner)
        if kept is None or kept.object.principal != principal:
            return []
        items = kept.items[::-1] if descending else kept.items
        if after is not None:
            items = [item for item in items if (item.place < after if descending else item.place > after)]
        return items[:limit]

    async def item(self, principal: str, id_: str, now: float, *, owner: str = "") -> Item | None:
        """See `ResponseStore.item`."""
        owners = [owner] if owner else list(self._owners.get((principal, id_), ()))
        found = [
            (item.part == "output", kept.object.created, item.place, item)
            for kept in (self._kept[one] for one in owners if one in self._kept)
            if kept.object.principal == principal and kept.object.is_here(now)
            for item in kept.items
            if item.id == id_
        ]
        return max(found, key=lambda row: row[:3])[3] if found else None

    async def append(self, principal: str, turn: Turn, now: float) -> bool:
        """See `ResponseStore.append`."""
        return self._append(principal, turn, now)

    def _append(self, principal: str, turn: Turn, now: float) -> bool:
        kept = self._mine("conversation", principal, turn.conversation, now)
        if kept is None or self._locks.get(turn.conversation) != turn.holder:
            return False
        self._kept[turn.conversation] = self._kept.pop(turn.conversation)  # the youngest now
        self._put(kept, turn.items)
        self.give(turn.conversation, turn.holder)
        self._drop_oldest()
        return True

    async def delete_item(self, principal: str, owner: str, id_: str) -> bool:
        """See `ResponseStore.delete_item`."""
        kept = self._kept.get(owner)
        if kept is None or kept.object.principal != principal:
            return False
        gone = [item for item in kept.items if item.id == id_]
        kept.items = [item for item in kept.items if item.id != id_]
        self._forget(kept, gone)
        return bool(gone)

    async def take(self, conversation: str, holder: str, runner: str, now: float) -> bool:  # noqa: ARG002 - this process
        """See `ResponseStore.take`."""
        return self._locks.setdefault(conversation, holder) == holder

    def give(self, conversation: str, holder: str) -> None:
        """See `ResponseStore.give`."""
        if self._locks.get(conversation) == holder:
            del self._locks[conversation]

    def live(self, runner: str, until: float) -> None:
        """See `ResponseStore.live`: there is only this process."""

    async def add_events(self, principal: str, owner: str, events: Sequence[tuple[int, bytes]]) -> str:
        """See `ResponseStore.add_events`."""
        kept = self._mine("response", principal, owner, 0.0)
        if kept is None:
            return ""
        kept.events += events
        self._grow(kept, sum(len(event) for _, event in events))
        return kept.object.status

    def add_events_soon(self, principal: str, owner: str, events: Sequence[tuple[int, bytes]]) -> None:
        """See `ResponseStore.add_events_soon`: nothing is ever in the way of `add_events` here."""

    async def events(self, principal: str, owner: str, after: int) -> list[tuple[int, bytes]]:
        """See `ResponseStore.events`."""
        kept = self._mine("response", principal, owner, 0.0)
        return [event for event in kept.events if event[0] > after] if kept else []

    # ---- who is here --------------------------------------------------------------------------------------------

    def _mine(self, kind: Kind, principal: str, id_: str, now: float) -> _Kept | None:
        kept = self._kept.get(id_)
        if kept is None or (kept.object.kind, kept.object.principal) != (kind, principal):
            return None
        return kept if kept.object.is_here(now) else None

    def _of(self, kind: Kind, principal: str, now: float) -> Iterator[_Kept]:
        for id_ in self._kept:
            if (kept := self._mine(kind, principal, id_, now)) is not None:
                yield kept

    def _end(self, kept: _Kept, final: StoredObject, output: Sequence[Item]) -> None:
        self._grow(kept, len(final.body) - len(kept.object.body))
        kept.object = replace(kept.object, body=final.body, status=final.status, runner="")
        self._put(kept, output)

    def _put(self, kept: _Kept, items: Sequence[Item]) -> None:
        for item in items:
            kept.items.append(replace(item, place=kept.next))
            kept.next += 1
            self._owners.setdefault((kept.object.principal, item.id), {})[kept.object.id] = None
        self._grow(kept, sum(len(item.body) for item in items))

    def _grow(self, kept: _Kept, size: int) -> None:
        kept.bytes += size
        self._bytes += size

    def _forget(self, kept: _Kept, items: Sequence[Item]) -> None:
        for item in items:
            key = (kept.object.principal, item.id)
            self._owners.get(key, {}).pop(kept.object.id, None)
            if not self._owners.get(key, True):
                del self._owners[key]
        self._grow(kept, -sum(len(item.body) for item in items))

    def _drop(self, id_: str) -> None:
        kept = self._kept.pop(id_)
        self._forget(kept, kept.items)
        self._bytes -= kept.bytes

    def sweep(self, now: float) -> None:
        """See `ResponseStore.sweep`."""
        for id_ in [id_ for id_, kept in self._kept.items() if not kept.object.is_here(now)]:
            self._drop(id_)

    def _drop_oldest(self) -> None:
        """Conversations last: whoever keeps one has been promised that it stays."""
        if self._bytes <= self._most_bytes:
            return
        others = (id_ for id_, kept in self._kept.items() if kept.object.kind != "conversation")
        while self._bytes > self._most_bytes and (oldest := next(others, None)) is not None:
            self._drop(oldest)
            others = (id_ for id_, kept in self._kept.items() if kept.object.kind != "conversation")
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))


def _when(one: StoredObject) -> tuple[float, str]:
    return one.created, one.id
