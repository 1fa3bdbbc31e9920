"""The rows of responses, conversations and chat completions: what is done to them inside a transaction."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

from claude_openai_proxy.storage.interface import Row, Transaction, Value
from claude_openai_proxy.storage.responses import LEASE_SECONDS, UNFINISHED, Item, Part, StoredObject, Turn
from claude_openai_proxy.storage.sealing import Seal

_PUT: Final = "INSERT INTO stored_items (owner, place, part, id, principal, turn, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)"
_ItemRow: TypeAlias = tuple[str, int, Part, str, str, str, bytes]

MOST_AT_ONCE: Final = 1000
"""Objects that one sweep erases; what is left over goes with the next."""


def about(principal: str, owner: str, what: str) -> bytes:
    """What a sealed value is bound to. A principal's id and an object's have no slash in them."""
    return f"objects/{principal}/{owner}/{what}".encode()


# ---- objects --------------------------------------------------------------------------------------------------------


def insert(transaction: Transaction, seal: Seal, new: StoredObject, now: float, items: Sequence[Item] = ()) -> None:
    """A new object with its first items, which begins where its conversation ends now."""
    sealed = seal.seal(new.body, about(new.principal, new.id, "body"))
    rows = _sealed(seal, new.principal, new.id, items)
    place = next_place(transaction, new.conversation) if new.conversation else 0
    transaction.execute(
        "INSERT INTO stored_objects (id, kind, principal, created, touched, expires, model, status, previous, "
        "conversation, place, runner, bytes, seal, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(new.id, new.kind, new.principal, new.created, now, new.expires, new.model, new.status),
            *(new.previous, new.conversation, place, new.runner),
            *(len(sealed) + _size(rows), seal.fingerprint, sealed),
        ),
    )
    transaction.execute_many(_PUT, rows)


def change(transaction: Transaction, seal: Seal, changed: StoredObject, *, final: bool, more: int = 0) -> bool:
    """Body and status of a response while it is unfinished, of any other object at any time; whether it was done.

    `more`: bytes of what comes to it.
    """
    sealed = seal.seal(changed.body, about(changed.principal, changed.id, "body"))
    transaction.execute(
        "UPDATE stored_objects SET status = ?, runner = ?, bytes = bytes - length(sealed) + ?, sealed = ?, seal = ? "
        "WHERE id = ? AND kind = ? AND principal = ? AND (kind <> 'response' OR status IN (?, ?))",
        (
            *(changed.status, "" if final else changed.runner, len(sealed) + more, sealed, seal.fingerprint),
            *(changed.id, changed.kind, changed.principal, *UNFINISHED),
        ),
    )
    return transaction.changed > 0


def finish(
    transaction: Transaction,
    seal: Seal,
    final: StoredObject,
    output: Sequence[Item],
    *,
    turn: Turn | None,
    now: float,
    otherwise: StoredObject | None,
) -> bool:
    """See `ResponseStore.finish`."""
    if turn is not None and not holds(transaction, final.principal, turn):
        if otherwise is not None:
            change(transaction, seal, otherwise, final=True)
        return False
    rows = _sealed(seal, final.principal, final.id, output, first=next_place(transaction, final.id)) if output else []
    if not change(transaction, seal, final, final=True, more=_size(rows)):
        return False
    transaction.execute_many(_PUT, rows)
    if turn is not None:
        append(transaction, seal, final.principal, turn, now)
    return True


def give_up(transaction: Transaction, seal: Seal, failed: StoredObject, *, heard: float) -> bool:
    """See `ResponseStore.give_up`; its runner is dead where it has not been heard of until `heard`."""
    if transaction.execute("SELECT 1 FROM runners WHERE id = ? AND until > ?", (failed.runner, heard)):
        return False
    return change(transaction, seal, failed, final=True)


def grow(transaction: Transaction, id_: str, size: int) -> None:
    """What belongs to an object has so many more bytes."""
    transaction.execute("UPDATE stored_objects SET bytes = bytes + ? WHERE id = ?", (size, id_))


def erase(transaction: Transaction, ids: Sequence[str]) -> None:
    """Objects with all that belongs to them; first what others may be writing to, which is waited for."""
    transaction.alone(*ids)
    for table, column in (("stored_objects", "id"), ("stored_items", "owner"), ("stored_events", "owner")):
        transaction.execute_many(f"DELETE FROM {table} WHERE {column} = ?", [(id_,) for id_ in ids])  # noqa: S608


def sweep(transaction: Transaction, now: float, most_bytes: int) -> None:
    """What has expired, then the oldest of what is too much; conversations last, which were promised to stay.

    At most `MOST_AT_ONCE` of each: requests wait behind it for their own writes.
    """
    transaction.execute("DELETE FROM runners WHERE until < ?", (now - 100 * LEASE_SECONDS,))
    gone = transaction.execute(
        "SELECT id FROM stored_objects WHERE expires IS NOT NULL AND expires <= ? LIMIT ?", (now, MOST_AT_ONCE)
    )
    erase(transaction, [id_ for (id_,) in gone])
    ((size,),) = transaction.execute("SELECT coalesce(sum(bytes), 0) FROM stored_objects")
    if size > most_bytes:
        oldest = _oldest(transaction, "kind <> 'conversation'")
        if len(oldest) < MOST_AT_ONCE:
            oldest += _oldest(transaction, "kind = 'conversation'")
        too_much: list[str] = []
        for id_, of_it in oldest:
            if size > most_bytes:
                too_much.append(id_)
                size -= of_it
        erase(transaction, too_much)


def _oldest(transaction: Transaction, where: str) -> list[Row]:
    return transaction.execute(
        f"SELECT id, bytes FROM stored_objects WHERE {where} ORDER BY touched LIMIT ?",  # noqa: S608
        (MOST_AT_ONCE,),
    )


# ---- items ----------------------------------------------------------------------------------------------------------


def next_place(transaction: Transaction, owner: str) -> int:
    """The place of an object's next item."""
    ((place,),) = transaction.execute("SELECT coalesce(max(place), -1) + 1 FROM stored_items WHERE owner = ?", (owner,))
    return int(place)


def put(
    transaction: Transaction, seal: Seal, principal: str, owner: str, items: Sequence[Item], *, turn: str = ""
) -> None:
    """Append items to an object; `turn` names those that came together."""
    if items:
        rows = _sealed(seal, principal, owner, items, first=next_place(transaction, owner), turn=turn)
        transaction.execute_many(_PUT, rows)
        grow(transaction, owner, _size(rows))


def _sealed(
    seal: Seal, principal: str, owner: str, items: Sequence[Item], *, first: int = 0, turn: str = ""
) -> list[_ItemRow]:
    return [
        (owner, place, item.part, item.id, principal, turn, seal.seal(item.body, about(principal, owner, str(place))))
        for place, item in enumerate(items, first)
    ]


def _size(rows: Sequence[_ItemRow]) -> int:
    return sum(len(row[-1]) for row in rows)


def items_of(
    transaction: Transaction,
    seal: Seal,
    principal: str,
    owner: str,
    *,
    after: int | None,
    descending: bool,
    limit: int | None,
) -> list[Item]:
    """See `ResponseStore.items`."""
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
    return opened(seal, principal, transaction.execute(sql, parameters))


def opened(seal: Seal, principal: str, rows: Iterable[Row]) -> list[Item]:
    """The items of rows of `owner, place, part, id, sealed`."""
    found = (
        (id_, part, seal.open(bytes(sealed), about(principal, owner, str(place))), place)
        for owner, place, part, id_, sealed in rows
    )
    return [Item(id_, part, body, int(place)) for id_, part, body, place in found if body is not None]


def delete_items(
    transaction: Transaction, principal: str, owner: str, column: Literal["id", "turn"], value: str
) -> bool:
    """Those of an object with this id, or of this turn; whether there were any."""
    transaction.alone(owner)
    where = f"WHERE owner = ? AND principal = ? AND {column} = ?"
    parameters = (owner, principal, value)
    ((count, size),) = transaction.execute(
        f"SELECT count(*), coalesce(sum(length(sealed)), 0) FROM stored_items {where}",  # noqa: S608
        parameters,
    )
    transaction.execute(f"DELETE FROM stored_items {where}", parameters)  # noqa: S608
    grow(transaction, owner, -int(size))
    return int(count) > 0


# ---- events ---------------------------------------------------------------------------------------------------------


def put_events(
    transaction: Transaction, seal: Seal, principal: str, owner: str, events: Sequence[tuple[int, bytes]]
) -> str:
    """Those that are not there yet; the status of their response, "" where it is gone."""
    transaction.alone(owner)
    rows = transaction.execute("SELECT status FROM stored_objects WHERE id = ? AND principal = ?", (owner, principal))
    if not rows:
        return ""
    size = 0
    for number, event in events:
        transaction.execute(
            "INSERT INTO stored_events (owner, number, sealed) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (owner, number, seal.seal(event, about(principal, owner, f"event {number}"))),
        )
        size += len(event) * transaction.changed
    grow(transaction, owner, size)
    return str(rows[0][0])


def events(transaction: Transaction, seal: Seal, principal: str, owner: str, after: int) -> list[tuple[int, bytes]]:
    """Those with a higher number, in order."""
    rows = transaction.execute(
        "SELECT number, sealed FROM stored_events WHERE owner = ? AND number > ? ORDER BY number", (owner, after)
    )
    opened = (
        (int(number), seal.open(bytes(sealed), about(principal, owner, f"event {number}"))) for number, sealed in rows
    )
    return [(number, event) for number, event in opened if event is not None]


# ---- turns of a conversation, and who is alive --------------------------------------------------------------------


def holds(transaction: Transaction, principal: str, turn: Turn) -> bool:
    """The conversation is still there, and locked by who is about to append."""
    transaction.alone(turn.conversation)
    return bool(
        transaction.execute(
            "SELECT 1 FROM stored_objects o JOIN conversation_locks l ON l.conversation = o.id "
            "WHERE o.id = ? AND o.kind = 'conversation' AND o.principal = ? AND l.holder = ?",
            (turn.conversation, principal, turn.holder),
        )
    )


def lock(transaction: Transaction, conversation: str, holder: str, runner: str, *, heard: float) -> bool:
    """Where nobody holds it who has been heard of until `heard`."""
    transaction.execute(
        "INSERT INTO conversation_locks (conversation, holder, runner) VALUES (?, ?, ?) "
        "ON CONFLICT (conversation) DO UPDATE SET holder = excluded.holder, runner = excluded.runner "
        "WHERE NOT EXISTS "
        "(SELECT 1 FROM runners WHERE runners.id = conversation_locks.runner AND runners.until > ?)",
        (conversation, holder, runner, heard),
    )
    return transaction.changed > 0


def append(transaction: Transaction, seal: Seal, principal: str, turn: Turn, now: float) -> None:
    """The turn, and the end of the lock: what is acknowledged next can be continued whatever becomes of its holder."""
    put(transaction, seal, principal, turn.conversation, turn.items, turn=turn.holder)
    transaction.execute("UPDATE stored_objects SET touched = ? WHERE id = ?", (now, turn.conversation))
    unlock(transaction, turn.conversation, turn.holder)


def unlock(transaction: Transaction, conversation: str, holder: str) -> None:
    """Where it is still this holder's."""
    transaction.execute("DELETE FROM conversation_locks WHERE conversation = ? AND holder = ?", (conversation, holder))


def live(transaction: Transaction, runner: str, until: float) -> None:
    """A runner lives until then."""
    transaction.execute(
        "INSERT INTO runners (id, until) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET until = excluded.until",
        (runner, until),
    )
