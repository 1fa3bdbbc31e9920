"""The rows of responses, conversations and chat completions: what is done to them inside a transaction."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from claude_openai_proxy.storage.interface import Row, Transaction
from claude_openai_proxy.storage.responses import LEASE_SECONDS, UNFINISHED, Item, StoredObject, Turn
from claude_openai_proxy.storage.sealing import Seal

MOST_AT_ONCE: Final = 1000
"""Objects that one sweep erases; what is left over goes with the next."""


def about(principal: str, owner: str, what: str) -> bytes:
    """What a sealed value is bound to. A principal's id and an object's have no slash in them."""
    return f"objects/{principal}/{owner}/{what}".encode()


# ---- objects --------------------------------------------------------------------------------------------------------


def insert(transaction: Transaction, seal: Seal, new: StoredObject, now: float) -> None:
    """A new object, which begins where its conversation ends now."""
    sealed = seal.seal(new.body, about(new.principal, new.id, "body"))
    transaction.execute(
        "INSERT INTO stored_objects (id, kind, principal, created, touched, expires, model, status, previous, "
        "conversation, place, runner, bytes, seal, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(new.id, new.kind, new.principal, new.created, now, new.expires, new.model, new.status),
            *(new.previous, new.conversation, next_place(transaction, new.conversation), new.runner),
            *(len(sealed), seal.fingerprint, sealed),
        ),
    )


def change(transaction: Transaction, seal: Seal, changed: StoredObject, *, final: bool) -> bool:
    """Body and status of a response while it is unfinished, of any other object at any time; whether it was done."""
    transaction.alone(changed.id)
    rows = transaction.execute(
        "SELECT status, length(sealed) FROM stored_objects WHERE id = ? AND kind = ? AND principal = ?",
        (changed.id, changed.kind, changed.principal),
    )
    if not rows or (changed.kind == "response" and rows[0][0] not in UNFINISHED):
        return False
    sealed = seal.seal(changed.body, about(changed.principal, changed.id, "body"))
    transaction.execute(
        "UPDATE stored_objects SET status = ?, runner = ?, sealed = ?, seal = ?, bytes = bytes + ? WHERE id = ?",
        (
            *(changed.status, "" if final else changed.runner, sealed, seal.fingerprint),
            *(len(sealed) - int(rows[0][1]), changed.id),
        ),
    )
    return True


def grow(transaction: Transaction, id_: str, size: int) -> None:
    """What belongs to an object has so many more bytes."""
    transaction.execute("UPDATE stored_objects SET bytes = bytes + ? WHERE id = ?", (size, id_))


def erase(transaction: Transaction, ids: Sequence[str]) -> None:
    """Objects with all that belongs to them."""
    transaction.alone(*ids)
    for table, column in (("stored_items", "owner"), ("stored_events", "owner"), ("stored_objects", "id")):
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
    if not items:
        return
    rows = [
        (owner, place, item.part, item.id, principal, turn, seal.seal(item.body, about(principal, owner, str(place))))
        for place, item in enumerate(items, next_place(transaction, owner))
    ]
    transaction.execute_many(
        "INSERT INTO stored_items (owner, place, part, id, principal, turn, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)", rows
    )
    grow(transaction, owner, sum(len(row[-1]) for row in rows))


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
