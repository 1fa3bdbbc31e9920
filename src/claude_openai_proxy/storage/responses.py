"""What clients of OpenAI's API may ask for again: responses, conversations, and stored chat completions.

Three kinds of object, each under the principal whose request made it: another's is as good as none. An object has its
own JSON (`body`) and items in order: those that were sent (`input`), and those that were answered (`output`); messages
are the items of a chat completion. What a conversation holds are copies: they stay when the response that brought them
expires or is deleted, and go with the conversation. `responses_sql` keeps them in a database, `responses_memory` for as
long as the process lives.

| status of a response                          | next                              | who writes |
|-----------------------------------------------|-----------------------------------|------------|
| queued                                        | in_progress, or a final one       | its runner |
| in_progress                                   | a final one                       | its runner |
| completed, incomplete, failed, cancelled      | none: it never changes again      | nobody     |

Invariants: a final status is never left; output and final status come in one transaction, and with them the turn of
the conversation, if there is one and its lock is still held, which is freed with it; a runner (a process) that has not
been heard of until its time is dead: what it held is free, and who finds what it worked on gives that up as failed.
While the database is away nobody can be heard of: nobody counts as dead until it has been back for a lease.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

Kind = Literal["response", "conversation", "completion"]
Part = Literal["input", "output"]

UNFINISHED: Final = ("queued", "in_progress")
LEASE_SECONDS: Final = 15.0
"""A runner that says nothing for so long is dead."""
MOST_OBJECT_BYTES: Final = 1024 * 1024 * 1024
"""Of all objects in a database with their items; then the oldest go, conversations last."""
MOST_OBJECT_BYTES_IN_MEMORY: Final = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an object. `place` counts within its object, with gaps where one was deleted."""

    id: str
    part: Part
    body: bytes = field(repr=False)
    """JSON."""
    place: int = -1


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object without its items. Times in seconds since 1970; `expires` None: never; "" for what it has not."""

    id: str
    kind: Kind
    principal: str
    created: float
    body: bytes = field(repr=False)
    """JSON."""
    expires: float | None = None
    model: str = ""
    status: str = ""
    previous: str = ""
    """The response that it continues."""
    conversation: str = ""
    place: int = 0
    """Where in its conversation it began: the items before are what it went on from."""
    runner: str = ""
    """The process that works on it."""
    runs_until: float = 0.0
    """Until when that process is known to be alive."""
    bytes: int = 0
    """With its items."""

    def is_here(self, now: float) -> bool:
        """Whether it has not expired at `now`."""
        return self.expires is None or now < self.expires


@dataclass(frozen=True, slots=True)
class Turn:
    """What is appended to a conversation, by who holds its lock."""

    conversation: str
    holder: str
    items: Sequence[Item]


class ResponseStore(Protocol):
    """Objects by principal and id. All raise `StorageUnavailableError`; times in seconds since 1970."""

    async def add(self, new: StoredObject, items: Sequence[Item], now: float) -> None:
        """Keep a new object; its `place` is set to the end of its conversation, its runner lives for a lease."""
        ...

    async def finish(
        self,
        final: StoredObject,
        output: Sequence[Item],
        turn: Turn | None,
        now: float,
        *,
        otherwise: StoredObject | None = None,
    ) -> bool:
        """Give an unfinished response its final status, body and output, and its conversation the turn.

        False, and nothing of it done, where it is final or gone, or the lock of the conversation or itself is gone.
        When this raises, nothing of it will be done later, and the response is gone.

        With `otherwise` it stays in any case: where its turn cannot be appended it ends like that, which is False, too;
        when this raises, `finish_soon` is to follow.
        """
        ...

    def finish_soon(
        self, final: StoredObject, output: Sequence[Item], turn: Turn | None, now: float, *, otherwise: StoredObject
    ) -> None:
        """As `finish`, as soon as it can be. Nobody waits for it."""
        ...

    async def give_up(self, failed: StoredObject, now: float) -> bool:
        """Give an unfinished response whose runner is dead its final status and body; whether it was one."""
        ...

    async def change(self, changed: StoredObject) -> bool:
        """Another body and status for one that is not final, or no response; false where there is none."""
        ...

    async def one(self, kind: Kind, principal: str, id_: str, now: float) -> StoredObject | None:
        """An object of the principal's."""
        ...

    async def chain(self, principal: str, id_: str, now: float) -> list[StoredObject]:
        """A response and all that it continues, oldest first; none where one of them is not here any more."""
        ...

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
        """Chat completions in the order of their times, those behind `after`."""
        ...

    async def delete(self, kind: Kind, principal: str, id_: str) -> bool:
        """Erase an object with its items; whether there was one."""
        ...

    async def items(
        self,
        principal: str,
        owner: str,
        *,
        after: int | None = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> list[Item]:
        """Items of an object in their order, those behind the place `after`."""
        ...

    async def item(self, principal: str, id_: str, now: float, *, owner: str = "") -> Item | None:
        """The principal's item of that id, in one object or in any: an answered one first, the newest of them."""
        ...

    async def append(self, principal: str, turn: Turn, now: float) -> bool:
        """Append to a conversation and unlock it; false where it is gone or its lock lost.

        When this raises, nothing is appended.
        """
        ...

    async def delete_item(self, principal: str, owner: str, id_: str) -> bool:
        """Whether there was one."""
        ...

    async def take(self, conversation: str, holder: str, runner: str, now: float) -> bool:
        """Lock a conversation; false where somebody alive holds it. When this raises, the holder does not hold it."""
        ...

    def give(self, conversation: str, holder: str) -> None:
        """Unlock it. Nobody waits for it."""
        ...

    def live(self, runner: str, until: float) -> None:
        """A runner is alive; with `until` 0 it is not any more. Nobody waits for it."""
        ...

    def sweep(self, now: float) -> None:
        """Erase what has expired, then the oldest of what is too much. Nobody waits for it."""
        ...

    async def add_events(self, principal: str, owner: str, events: Sequence[tuple[int, bytes]]) -> str:
        """Keep stream events with their sequence numbers, each once; the status of their response, "" where it is gone.

        When this raises, some may be kept later.
        """
        ...

    def add_events_soon(self, principal: str, owner: str, events: Sequence[tuple[int, bytes]]) -> None:
        """As `add_events`, as soon as it can be. Nobody waits for it."""
        ...

    async def events(self, principal: str, owner: str, after: int) -> list[tuple[int, bytes]]:
        """Those with a higher number, in order."""
        ...
