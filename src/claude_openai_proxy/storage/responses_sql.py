"""Responses, conversations and chat completions in a database, sealed with what `seal` gives.

Bodies, items and events are sealed one by one, on the database's own threads, each bound to its principal, its object
and its place there. What was sealed with another key counts as absent and is not deleted.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from claude_openai_proxy.storage.interface import (
    Database,
    Row,
    StorageRefusedError,
    StorageUnavailableError,
    Transaction,
    Value,
    Work,
)
from claude_openai_proxy.storage.responses import LEASE_SECONDS, MOST_OBJECT_BYTES, Item, Kind, StoredObject, Turn
from claude_openai_proxy.storage.responses_rows import (
    about,
    append,
    change,
    delete_items,
    erase,
    events,
    finish,
    give_up,
    holds,
    insert,
    items_of,
    live,
    lock,
    opened,
    put_events,
    sweep,
    unlock,
)
from claude_openai_proxy.storage.sealing import Seal

_SWEEP_EVERY: Final = 200
"""Objects that are kept between two looks at what is old or too much."""
_COLUMNS: Final = (
    "o.id, o.kind, o.principal, o.created, o.expires, o.model, o.status, o.previous, o.conversation, o.place, "
    "o.runner, coalesce(r.until, 0), o.bytes, o.sealed"
)
_OBJECTS: Final = f"SELECT {_COLUMNS} FROM stored_objects o LEFT JOIN runners r ON r.id = o.runner"  # noqa: S608
_HERE: Final = "(o.expires IS NULL OR o.expires > ?)"

T = TypeVar("T")

log: Final = logging.getLogger(__name__)


class StoredResponses:
    """See `ResponseStore`."""

    def __init__(self, database: Database, seal: Callable[[], Seal], *, most_bytes: int = MOST_OBJECT_BYTES) -> None:
        self._database = database
        self._seal = seal
        self._most_bytes = most_bytes
        self._added = 0
        self._told = False
        self._lives_until: dict[str, float] = {}
        """What the database has at least of a runner of this process."""

    async def add(self, new: StoredObject, items: Sequence[Item], now: float) -> None:
        """See `ResponseStore.add`."""
        seal = self._open_seal()

        until = now + LEASE_SECONDS
        is_heard = not new.runner or until - self._lives_until.get(new.runner, 0.0) < LEASE_SECONDS / 3

        def work(transaction: Transaction) -> None:
            if not is_heard:
                live(transaction, new.runner, until)
            insert(transaction, seal, new, now, items)

        await self._taken(work, lambda transaction: erase(transaction, [new.id]))
        if not is_heard:
            self._lives_until[new.runner] = until
        self._added += 1
        if self._added % _SWEEP_EVERY == 1:
            self.sweep(now)

    def sweep(self, now: float) -> None:
        """See `ResponseStore.sweep`."""
        self._database.post(lambda transaction: sweep(transaction, now, self._most_bytes), name="sweep of responses")

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

        def undo(transaction: Transaction) -> None:
            erase(transaction, [final.id])
            if turn is not None:
                delete_items(transaction, final.principal, turn.conversation, "turn", turn.holder)

        try:
            return await self._database.write(self._finishing(final, output, turn, now, otherwise), abandon=True)
        except StorageUnavailableError:
            if otherwise is None:
                self._database.post(undo)
            raise

    def finish_soon(
        self, final: StoredObject, output: Sequence[Item], turn: Turn | None, now: float, *, otherwise: StoredObject
    ) -> None:
        """See `ResponseStore.finish_soon`. Once more is not twice: what is final stays as it is."""
        self._database.post(self._finishing(final, output, turn, now, otherwise))

    def _finishing(
        self, final: StoredObject, output: Sequence[Item], turn: Turn | None, now: float, otherwise: StoredObject | None
    ) -> Work[bool]:
        return lambda transaction: finish(
            transaction, self._open_seal(), final, output, turn=turn, now=now, otherwise=otherwise
        )

    async def give_up(self, failed: StoredObject, now: float) -> bool:
        """See `ResponseStore.give_up`."""
        seal, heard = self._open_seal(), self._heard_until(now)
        return await self._database.write(
            lambda transaction: give_up(transaction, seal, failed, heard=heard), abandon=True
        )

    async def change(self, changed: StoredObject) -> bool:
        """See `ResponseStore.change`."""
        seal = self._open_seal()
        return await self._database.write(
            lambda transaction: change(transaction, seal, changed, final=False), abandon=True
        )

    async def one(self, kind: Kind, principal: str, id_: str, now: float) -> StoredObject | None:
        """See `ResponseStore.one`."""
        seal = self._open_seal()
        return await self._database.read(lambda transaction: self._one(transaction, seal, (kind, principal, id_), now))

    async def chain(self, principal: str, id_: str, now: float) -> list[StoredObject]:
        """See `ResponseStore.chain`."""
        seal = self._open_seal()

        def work(transaction: Transaction) -> list[StoredObject]:
            found: list[StoredObject] = []
            wanted = id_
            while wanted:
                one = self._one(transaction, seal, ("response", principal, wanted), now)
                if one is None:
                    return []
                found.append(one)
                wanted = one.previous
            return found[::-1]

        return await self._database.read(work)

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
        seal = self._open_seal()
        sign, way = ("<", "DESC") if descending else (">", "ASC")
        sql = f"{_OBJECTS} WHERE o.kind = 'completion' AND o.principal = ? AND {_HERE} AND o.seal = ?"
        parameters: list[Value] = [principal, now, seal.fingerprint]
        if model is not None:
            sql += " AND o.model = ?"
            parameters.append(model)
        if after is not None:
            sql += f" AND (o.created {sign} ? OR (o.created = ? AND o.id {sign} ?))"
            parameters += [after.created, after.created, after.id]
        sql += f" ORDER BY o.created {way}, o.id {way} LIMIT ?"

        def work(transaction: Transaction) -> list[StoredObject]:
            rows = transaction.execute(sql, (*parameters, limit))
            return [one for row in rows if (one := self._opened(seal, row)) is not None]

        return await self._database.read(work)

    async def delete(self, kind: Kind, principal: str, id_: str) -> bool:
        """See `ResponseStore.delete`."""
        seal = self._open_seal()

        def work(transaction: Transaction) -> bool:
            transaction.alone(id_)
            if self._one(transaction, seal, (kind, principal, id_), 0.0) is None:
                return False
            erase(transaction, [id_])
            return True

        return await self._database.write(work, abandon=True)

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
        seal = self._open_seal()
        return await self._database.read(
            lambda transaction: items_of(
                transaction, seal, principal, owner, after=after, descending=descending, limit=limit
            )
        )

    async def item(self, principal: str, id_: str, now: float, *, owner: str = "") -> Item | None:
        """See `ResponseStore.item`."""
        seal = self._open_seal()
        sql = (
            "SELECT i.owner, i.place, i.part, i.id, i.sealed FROM stored_items i "  # noqa: S608
            f"JOIN stored_objects o ON o.id = i.owner WHERE i.principal = ? AND i.id = ? AND {_HERE} AND o.seal = ?"
        )
        parameters: list[Value] = [principal, id_, now, seal.fingerprint]
        if owner:
            sql += " AND i.owner = ?"
            parameters.append(owner)
        sql += " ORDER BY CASE i.part WHEN 'output' THEN 0 ELSE 1 END, o.created DESC, i.place DESC LIMIT 1"
        found = await self._database.read(
            lambda transaction: opened(seal, principal, transaction.execute(sql, parameters))
        )
        return found[0] if found else None

    async def append(self, principal: str, turn: Turn, now: float) -> bool:
        """See `ResponseStore.append`."""
        seal = self._open_seal()

        def work(transaction: Transaction) -> bool:
            if not holds(transaction, principal, turn):
                return False
            append(transaction, seal, principal, turn, now)
            return True

        def undo(transaction: Transaction) -> None:
            delete_items(transaction, principal, turn.conversation, "turn", turn.holder)

        return await self._database.write(work, abandon=True, undo=undo)

    async def delete_item(self, principal: str, owner: str, id_: str) -> bool:
        """See `ResponseStore.delete_item`."""

        return await self._database.write(
            lambda transaction: delete_items(transaction, principal, owner, "id", id_), abandon=True
        )

    async def take(self, conversation: str, holder: str, runner: str, now: float) -> bool:
        """See `ResponseStore.take`."""
        heard = self._heard_until(now)

        def work(transaction: Transaction) -> bool:
            transaction.alone(conversation)
            live(transaction, runner, now + LEASE_SECONDS)
            return lock(transaction, conversation, holder, runner, heard=heard)

        return await self._taken(work, lambda transaction: unlock(transaction, conversation, holder))

    def give(self, conversation: str, holder: str) -> None:
        """See `ResponseStore.give`."""
        self._database.post(lambda transaction: unlock(transaction, conversation, holder))

    def live(self, runner: str, until: float) -> None:
        """See `ResponseStore.live`."""
        if not until:
            self._lives_until.pop(runner, None)
        self._database.post(lambda transaction: live(transaction, runner, until), name=f"runner {runner}")

    async def add_events(self, principal: str, owner: str, events: Sequence[tuple[int, bytes]]) -> str:
        """See `ResponseStore.add_events`."""
        seal = self._open_seal()
        return await self._database.write(
            lambda transaction: put_events(transaction, seal, principal, owner, events), abandon=True
        )

    def add_events_soon(self, principal: str, owner: str, events: Sequence[tuple[int, bytes]]) -> None:
        """See `ResponseStore.add_events_soon`."""
        self._database.post(lambda transaction: put_events(transaction, self._open_seal(), principal, owner, events))

    async def events(self, principal: str, owner: str, after: int) -> list[tuple[int, bytes]]:
        """See `ResponseStore.events`."""
        seal = self._open_seal()
        return await self._database.read(lambda transaction: events(transaction, seal, principal, owner, after))

    # ---- steps --------------------------------------------------------------------------------------------------

    async def _taken(self, work: Work[T], undo: Work[object]) -> T:
        """What its caller does not hear of is nobody's, whether it could not be said to be written or they left."""
        try:
            return await self._database.write(work, abandon=True, undo=undo)
        except asyncio.CancelledError:
            self._database.post(undo)
            raise

    def _heard_until(self, now: float) -> float:
        """A runner that has said to live longer than this is alive; one that said its end is not, ever."""
        return now if self._database.well_for >= LEASE_SECONDS else 0.0

    def _open_seal(self) -> Seal:
        try:
            return self._seal()
        except (OSError, StorageRefusedError) as error:
            raise StorageUnavailableError(f"The key that seals responses cannot be used: {error}") from error

    def _one(
        self, transaction: Transaction, seal: Seal, which: tuple[Kind, str, str], now: float
    ) -> StoredObject | None:
        kind, principal, id_ = which
        rows = transaction.execute(
            f"{_OBJECTS} WHERE o.id = ? AND o.kind = ? AND o.principal = ? AND {_HERE}", (id_, kind, principal, now)
        )
        return self._opened(seal, rows[0]) if rows else None

    def _opened(self, seal: Seal, row: Row) -> StoredObject | None:
        id_, kind, principal, created, expires, model, status, previous, conversation, place, runner, until, size = row[
            :-1
        ]
        body = seal.open(bytes(row[-1]), about(principal, id_, "body"))
        if body is None:
            self._tell()
            return None
        if until > self._heard_until(until):
            until = math.inf
        return StoredObject(
            id_, kind, principal, created, body, expires, model, status, previous, conversation, int(place), runner,
            until, int(size),
        )  # fmt: skip

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            log.warning("Some stored responses were sealed with another STORAGE_KEY: they count as absent.")
