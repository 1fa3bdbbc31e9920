"""The state of responses while they are answered: what they go on from, and what is kept of them.

| a response                 | its row                                   | its conversation, if it has one          |
|----------------------------|-------------------------------------------|------------------------------------------|
| begun                      | in_progress, with its input               | locked; nothing of it is in there yet    |
| finished                   | final, with its output, in one transaction | has input and output, and is free again |
| left (client, failure)     | cancelled, with what was produced         | free, and without it                     |
| could not be finished      | none; one in the background has its end   | free, and without it; in the background  |
| (the database is away)     | once the database is back                 | with it, if it is still locked then      |
| its process died           | reads as failed once its lease has ended  | free once the lease has ended            |
| not kept (`store: false`)  | none                                      | as above                                 |

Invariants: what `finish` has said yes to outlives the process; what it has said no to is not there later. A final
status is never left. Nobody finds what belongs to another principal, here or anywhere.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final

from msgspec import Raw

from claude_openai_proxy.errors import InvalidRequestError, NotStoredError
from claude_openai_proxy.records import Principal
from claude_openai_proxy.service.stored_items import come_with_ids, stored
from claude_openai_proxy.service.underway import Envelope, Underway, known
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.storage.responses import (
    LEASE_SECONDS,
    UNFINISHED,
    Item,
    ResponseStore,
    StoredObject,
    Turn,
)

RESPONSE_SECONDS: Final = 30 * 86_400.0
"""How long responses and chat completions are kept."""
LARGEST_HISTORY: Final = 64 * 1_048_576
"""Bytes that a response may go on from; Claude takes half of that."""
OFF: Final = (
    "This proxy keeps no responses, conversations or chat completions (RESPONSES_STORE=off): send the whole "
    "conversation with each request, or have the setting changed."
)
DIED: Final = "The proxy was stopped before this response was complete. Send the request again."


@dataclass(slots=True)
class ResponseState:
    """`store` None: nothing is kept. `new_id` makes an id with a prefix, `runner` names this process to others."""

    store: ResponseStore | None
    new_id: Callable[[str], str]
    runner: str
    wall_clock: Callable[[], float]
    largest_history: int = LARGEST_HISTORY
    _holders: dict[str, str] = field(default_factory=dict)
    """Who in this process holds a conversation's lock."""
    _busy: int = 0
    _beat: asyncio.Task[None] | None = None
    _tasks: set[asyncio.Task[bool]] = field(default_factory=set)

    @property
    def keeps(self) -> bool:
        """Whether anything is kept."""
        return self.store is not None

    def kept(self, param: str | None = None) -> ResponseStore:
        """Where things are kept. Raises `InvalidRequestError` where they are not."""
        if self.store is None:
            raise InvalidRequestError(OFF, param=param)
        return self.store

    # ---- what a response goes on from -------------------------------------------------------------------------------

    async def history(
        self, principal: Principal, *, previous_response_id: str | None = None, conversation: str | None = None
    ) -> list[Raw]:
        """The items before the request's own, in order. Raises `InvalidRequestError`, `NotStoredError`."""
        if previous_response_id is not None and conversation is not None:
            raise InvalidRequestError(
                "previous_response_id and conversation cannot be used together.", code="mutually_exclusive_parameters"
            )
        if previous_response_id is not None:
            return await self._history_of_response(principal.id, previous_response_id)
        if conversation is not None:
            found = await self._conversation(principal.id, conversation, "conversation")
            self._check_size(found.bytes)
            return [Raw(item.body) for item in await self.kept().items(principal.id, conversation)]
        return []

    async def item(self, principal: Principal, id_: str) -> Raw | None:
        """An item of the principal's, wherever it is; None where there is none."""
        if self.store is None:
            return None
        found = await self.store.item(principal.id, id_, self.wall_clock())
        return Raw(found.body) if found else None

    async def taken(
        self, principal: Principal, added: Sequence[bytes | Raw], *, conversation: str = "", previous: str = ""
    ) -> set[str]:
        """Ids that items to be `added` cannot have: those of the list; looked for where one comes with an id."""
        if self.store is None or not come_with_ids(added):
            return set()
        try:
            chain = await self.store.chain(principal.id, previous, self.wall_clock()) if previous else []
            lists = [one.id for one in chain] + [conversation] * bool(conversation)
            return {item.id for owner in lists for item in await self.store.items(principal.id, owner)}
        except StorageUnavailableError:  # Nothing will be added either.
            return set()

    async def _history_of_response(self, principal: str, id_: str) -> list[Raw]:
        store = self.kept("previous_response_id")
        chain = await store.chain(principal, id_, self.wall_clock())
        if not chain:
            raise InvalidRequestError(
                f"Previous response with id {id_[:200]!r} not found.",
                param="previous_response_id",
                code="previous_response_not_found",
            )
        if (status := self.status_of(chain[-1])) in (*UNFINISHED, "failed"):
            raise InvalidRequestError(
                f"Previous response with id {id_[:200]!r} is {status}: only one that is complete can be continued.",
                param="previous_response_id",
            )
        self._check_size(sum(one.bytes for one in chain))
        before = await self._before(chain[0])
        return [*before, *[Raw(item.body) for one in chain for item in await store.items(principal, one.id)]]

    async def _before(self, first: StoredObject) -> list[Raw]:
        """What the first of a chain itself went on from: its conversation as it was then."""
        if not first.conversation:
            return []
        items = await self.kept().items(first.principal, first.conversation, after=first.place, descending=True)
        return [Raw(item.body) for item in reversed(items)]

    def _check_size(self, size: int) -> None:
        if size > self.largest_history:
            raise InvalidRequestError(
                f"What this continues is larger than {self.largest_history // 1_048_576} MiB.",
                param="input",
                code="context_length_exceeded",
            )

    async def _conversation(self, principal: str, id_: str, param: str | None) -> StoredObject:
        found = await self.kept(param).one("conversation", principal, id_, self.wall_clock())
        if found is None:
            raise NotStoredError(f"Conversation with id {id_[:200]!r} not found.")
        return found

    def status_of(self, response: StoredObject) -> str:
        """Its status; failed where the process that worked on it has died."""
        dead = response.runner != self.runner and response.runs_until <= self.wall_clock()
        return "failed" if response.status in UNFINISHED and dead else response.status

    # ---- one at a time ----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def locked(self, principal: Principal, conversation: str) -> AsyncIterator[None]:
        """Nobody else changes the conversation inside. Raises `InvalidRequestError` (conversation_locked)."""
        await self._conversation(principal.id, conversation, "conversation")
        store, holder = self.kept(), self.new_id("lock_")
        with self._alive():
            if not await store.take(conversation, holder, self.runner, self.wall_clock()):
                raise InvalidRequestError(
                    "Another process is currently operating on this conversation. Please retry in a few seconds.",
                    param="conversation",
                    code="conversation_locked",
                )
            self._holders[conversation] = holder
            try:
                yield
            finally:
                if self._holders.get(conversation) == holder:
                    del self._holders[conversation]
                store.give(conversation, holder)

    @contextmanager
    def _alive(self) -> Iterator[None]:
        """Other processes hear of this one as long as there is something that it works on."""
        self._busy += 1
        if self._beat is None and self.store is not None:
            self._beat = asyncio.create_task(self._be_heard(self.store))
        try:
            yield
        finally:
            self._busy -= 1

    async def _be_heard(self, store: ResponseStore) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            if self._busy:
                store.live(self.runner, self.wall_clock() + LEASE_SECONDS)

    # ---- a response from its begin to its end -----------------------------------------------------------------------

    @asynccontextmanager
    async def begin(
        self,
        principal: Principal,
        draft: bytes | Raw,
        input_items: Sequence[bytes | Raw],
        *,
        include: Sequence[str] = (),
        streamed: bool = False,
    ) -> AsyncIterator[Underway]:
        """Entering it returns when the row is there, or after a second without; `Underway.kept` says which.

        `draft`: the response's JSON as it begins; `input_items` its own, without its history; `streamed`: its events
        will be kept. Who leaves without `finish` leaves it cancelled.
        """
        told = known(draft)
        row = StoredObject(
            id=told.id,
            kind="response",
            principal=principal.id,
            created=told.created_at,
            body=b"",
            expires=told.created_at + RESPONSE_SECONDS,
            model=told.model,
            previous=told.previous_response_id or "",
            conversation=told.conversation.id if told.conversation else "",
            runner=self.runner,
        )
        underway = Underway(self, draft, row, manner=Envelope(Raw(), list(include), streamed))
        previous = row.previous if told.store else ""
        taken = await self.taken(principal, input_items, conversation=row.conversation, previous=previous)
        asked = stored(input_items, "input", self.new_id, taken)
        underway.asked = asked if row.conversation else ()
        with self._alive():
            underway.kept = told.store and await self._add(underway.row, asked)
            try:
                yield underway
            finally:
                underway.leave()

    async def _add(self, row: StoredObject, asked: Sequence[Item]) -> bool:
        if self.store is None:
            return False
        try:
            await self.store.add(row, asked, self.wall_clock())
        except StorageUnavailableError:
            return False
        return True

    async def end(
        self,
        final: StoredObject,
        asked_items: Sequence[Item],
        said: Sequence[Item],
        *,
        kept: bool,
        asked: bool,
        otherwise: StoredObject | None = None,
    ) -> bool:
        """Keep the end of a response: its row where there is one, its turn where it has a conversation.

        With `otherwise` its row stays, whatever comes, and ends like that where its turn cannot be appended.
        """
        if self.store is None:
            return not asked
        holder, now = self._holders.get(final.conversation, ""), self.wall_clock()
        turn = Turn(final.conversation, holder, [*asked_items, *said]) if final.conversation else None
        try:
            if kept:
                done = await self.store.finish(final, said, turn, now, otherwise=otherwise)
            else:
                done = not asked and (turn is None or await self.store.append(final.principal, turn, now))
            if not done and turn is not None and kept and otherwise is None:
                await self.store.delete("response", final.principal, final.id)
        except StorageUnavailableError:
            if otherwise is not None:
                self.store.finish_soon(final, said, turn, now, otherwise=otherwise)
            return False
        return done

    async def append(self, principal: Principal, conversation: str, items: Sequence[Item]) -> bool:
        """Add to a conversation that is locked here; false where it is gone. Raises `StorageUnavailableError`."""
        turn = Turn(conversation, self._holders.get(conversation, ""), items)
        return await self.kept().append(principal.id, turn, self.wall_clock())

    def soon(self, ending: Coroutine[None, None, bool]) -> None:
        """Have it done; nobody waits."""
        task = asyncio.create_task(ending)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Return when what was to be done soon is done."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def aclose(self) -> None:
        """Wait for what is being written; whatever is unfinished then has failed, to everyone at once."""
        await self.settled()
        if self._beat is not None and self.store is not None:
            self._beat.cancel()
            await asyncio.wait([self._beat])
            self.store.live(self.runner, 0.0)
