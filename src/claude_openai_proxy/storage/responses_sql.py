"""Responses, conversations and chat completions in a database, sealed with what `seal` gives.

Bodies, items and events are sealed one by one, on the database's own threads, each bound to its principal, its object
and its place there. What was sealed with another key counts as absent and is not deleted.
"""

import asyncio
import logging
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
    grow,
    holds,
    insert,
    live,
    opened,
    put,
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

    async def add(self, new: StoredObject, items: Sequence[Item], now: float) -> None:
        """See `ResponseStore.add`."""
        seal = self._open_seal()

        def work(transaction: Transaction) -> None:
            if new.runner:
                live(transaction, new.runner, now + LEASE_SECONDS)
            insert(transaction, seal, new, now)
            put(transaction, seal, new.principal, new.id, items)

        # Who leaves works on it no more, whether it is written or not.
        await self._written(work, lambda transaction: erase(transaction, [new.id]), also=asyncio.CancelledError)
        self._added += 1
        if self._added % _SWEEP_EVERY == 1:
            self.sweep(now)

    def sweep(self, now: float) -> None:
        """See `ResponseStore.sweep`."""
        self._database.post(lambda transaction: sweep(transaction, now, self._most_bytes))

    async def finish(self, final: StoredObject, output: Sequence[Item], turn: Turn | None, now: float) -> bool:
        """See `ResponseStore.finish`."""
        seal = self._open_seal()

        def work(transaction: Transaction) -> bool:
            if turn is not None and not holds(transaction, final.principal, turn):
                return False
            if not change(transaction, seal, final, final=True):
                return False
            put(transaction, seal, final.principal, final.id, output)
            if turn is not None:
                append(transaction, seal, final.principal, turn, now)
            return True

        def undo(transaction: Transaction) -> None:
            erase(transaction, [final.id])
            if turn is not None:
                delete_items(transaction, final.principal, turn.conversation, "turn", turn.holder)

        return await self._written(work, undo)

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
        sign, way = ("<", "DESC") if descending else (">", "ASC")
        sql = "SELECT owner, place, part, id, sealed FROM stored_items WHERE owner = ? AND principal = ?"
        parameters: list[Value] = [owner, principal]
        if after is not None:
            sql += f" AND place {sign} ?"
            parameters.append(after)
        sql += f" ORDER BY place {way}"
        if limit is not None:
            sql += " LIMIT ?"
            parameters.append(limit)
        return await self._database.read(
            lambda transaction: opened(seal, principal, transaction.execute(sql, parameters))
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

        return await self._written(
            work, lambda transaction: delete_items(transaction, principal, turn.conversation, "turn", turn.holder)
        )

    async def delete_item(self, principal: str, owner: str, id_: str) -> bool:
        """See `ResponseStore.delete_item`."""

        return await self._database.write(
            lambda transaction: delete_items(transaction, principal, owner, "id", id_), abandon=True
        )

    async def take(self, conversation: str, holder: str, runner: str, now: float) -> bool:
        """See `ResponseStore.take`."""

        def work(transaction: Transaction) -> bool:
            transaction.alone(conversation)
            live(transaction, runner, now + LEASE_SECONDS)
            transaction.execute(
                "INSERT INTO conversation_locks (conversation, holder, runner) VALUES (?, ?, ?) "
                "ON CONFLICT (conversation) DO UPDATE SET holder = excluded.holder, runner = excluded.runner "
                "WHERE NOT EXISTS "
                "(SELECT 1 FROM runners WHERE runners.id = conversation_locks.runner AND runners.until > ?)",
                (conversation, holder, runner, now),
            )
            return transaction.changed > 0

        return await self._database.write(work, abandon=True)

    def give(self, conversation: str, holder: str) -> None:
        """See `ResponseStore.give`."""
        self._database.post(lambda transaction: unlock(transaction, conversation, holder))

    def live(self, runner: str, until: float) -> None:
        """See `ResponseStore.live`."""
        self._database.post(lambda transaction: live(transaction, runner, until))

    async def add_events(self, principal: str, owner: str, events: Sequence[tuple[int, bytes]]) -> str:
        """See `ResponseStore.add_events`."""
        seal = self._open_seal()

        def work(transaction: Transaction) -> str:
            transaction.alone(owner)
            rows = transaction.execute(
                "SELECT status FROM stored_objects WHERE id = ? AND principal = ?", (owner, principal)
            )
            if not rows:
                return ""
            transaction.execute_many(
                "INSERT INTO stored_events (owner, number, sealed) VALUES (?, ?, ?)",
                [
                    (owner, number, seal.seal(event, about(principal, owner, f"event {number}")))
                    for number, event in events
                ],
            )
            grow(transaction, owner, sum(len(event) for _, event in events))
            return str(rows[0][0])

        return await self._database.write(work)

    async def events(self, principal: str, owner: str, after: int) -> list[tuple[int, bytes]]:
        """See `ResponseStore.events`."""
        seal = self._open_seal()

        def work(transaction: Transaction) -> list[tuple[int, bytes]]:
            rows = transaction.execute(
                "SELECT number, sealed FROM stored_events WHERE owner = ? AND number > ? ORDER BY number",
                (owner, after),
            )
            opened = (
                (int(number), seal.open(bytes(sealed), about(principal, owner, f"event {number}")))
                for number, sealed in rows
            )
            return [(number, event) for number, event in opened if event is not None]

        return await self._database.read(work)

    # ---- steps --------------------------------------------------------------------------------------------------

    async def _written(
        self, work: Work[T], undo: Work[object], *, also: type[BaseException] = StorageUnavailableError
    ) -> T:
        """What cannot be said to be written is taken back: the client is told that it was not."""
        try:
            return await self._database.write(work, abandon=True)
        except (StorageUnavailableError, also):
            self._database.post(undo)
            raise

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
        return StoredObject(
            id_, kind, principal, created, body, expires, model, status, previous, conversation, int(place), runner,
            until, int(size),
        )  # fmt: skip

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            log.warning("Some stored responses were sealed with another STORAGE_KEY: they count as absent.")
