"""Conversations: made, read, changed and erased by their principal; responses append to them by themselves."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import msgspec
from msgspec import Raw

from claude_openai_proxy.errors import InvalidRequestError, NotStoredError
from claude_openai_proxy.protocols.openai_stored import Conversation, Deleted, ObjectList
from claude_openai_proxy.records import Principal
from claude_openai_proxy.service.pages import PageAsked, not_in_list, page_of
from claude_openai_proxy.service.response_state import ResponseState
from claude_openai_proxy.service.stored_items import shown, stored
from claude_openai_proxy.storage.responses import Item, StoredObject
from claude_openai_proxy.translate.responses.checked_items import check_items
from claude_openai_proxy.translate.wishes.metadata import check_metadata

MOST_ITEMS: Final = 20
"""That one request may add."""

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Conversation).decode


class Conversations:
    """Changes what `state` keeps; what a response works on is locked, to these changes, too."""

    def __init__(self, state: ResponseState) -> None:
        self._state = state

    async def create(self, items: Sequence[Raw], metadata: dict[str, str], principal: Principal) -> Conversation:
        """Raises `InvalidRequestError`, `StorageUnavailableError`."""
        store, now = self._state.kept(), self._state.wall_clock()
        check_metadata(metadata)
        made = Conversation(id=self._state.new_id("conv_"), created_at=int(now), metadata=metadata)
        row = StoredObject(made.id, "conversation", principal.id, now, _encode(made))
        _check(items)
        await store.add(row, stored(items, "input", self._state.new_id), now)
        return made

    async def one(self, id_: str, principal: Principal) -> Conversation:
        """Raises `NotStoredError`."""
        return _decode((await self._row(id_, principal)).body)

    async def update(self, id_: str, metadata: dict[str, str], principal: Principal) -> Conversation:
        """Another metadata in place of the one before. Raises `NotStoredError`, `InvalidRequestError`."""
        check_metadata(metadata)
        row = await self._row(id_, principal)
        changed = msgspec.structs.replace(_decode(row.body), metadata=metadata)
        if not await self._state.kept().change(replace(row, body=_encode(changed))):
            raise _not_found(id_)
        return changed

    async def delete(self, id_: str, principal: Principal) -> Deleted:
        """Erase it with its items. Raises `NotStoredError`, `InvalidRequestError` (conversation_locked)."""
        async with self._state.locked(principal, id_):
            await self._state.kept().delete("conversation", principal.id, id_)
        return Deleted(id=id_, object="conversation.deleted")

    # ---- items ------------------------------------------------------------------------------------------------------

    async def items(
        self, id_: str, principal: Principal, asked: PageAsked, include: Collection[str] = ()
    ) -> ObjectList:
        """A page. Raises `NotStoredError`, `InvalidRequestError`."""
        await self._row(id_, principal)
        after = None
        if asked.after is not None:
            last = await self._item(id_, asked.after, principal)
            if last is None:
                raise not_in_list(asked.after)
            after = last.place
        found = await self._state.kept().items(
            principal.id, id_, after=after, descending=asked.descending, limit=asked.limit + 1
        )
        return page_of([(item.id, shown(item.body, include)) for item in found], asked)

    async def add_items(
        self, id_: str, items: Sequence[Raw], principal: Principal, include: Collection[str] = ()
    ) -> ObjectList:
        """What was added. Raises `NotStoredError`, `InvalidRequestError`."""
        _check(items)
        async with self._state.locked(principal, id_):
            taken = await self._state.taken(principal, items, conversation=id_)
            added = stored(items, "input", self._state.new_id, taken)
            if not await self._state.append(principal, id_, added):
                raise _not_found(id_)
        rows = [(item.id, shown(item.body, include)) for item in added]
        return page_of(rows, PageAsked("asc", limit=max(1, len(rows))))

    async def item(self, id_: str, item: str, principal: Principal, include: Collection[str] = ()) -> Raw:
        """Raises `NotStoredError`."""
        await self._row(id_, principal)
        found = await self._item(id_, item, principal)
        if found is None:
            raise _no_item(item)
        return shown(found.body, include)

    async def delete_item(self, id_: str, item: str, principal: Principal) -> Conversation:
        """The conversation without it. Raises `NotStoredError`, `InvalidRequestError` (conversation_locked)."""
        async with self._state.locked(principal, id_):
            if not await self._state.kept().delete_item(principal.id, id_, item):
                raise _no_item(item)
        return await self.one(id_, principal)

    async def _item(self, id_: str, item: str, principal: Principal) -> Item | None:
        return await self._state.kept().item(principal.id, item, self._state.wall_clock(), owner=id_)

    async def _row(self, id_: str, principal: Principal) -> StoredObject:
        row = await self._state.kept().one("conversation", principal.id, id_, self._state.wall_clock())
        if row is None:
            raise _not_found(id_)
        return row


def _check(items: Sequence[Raw]) -> None:
    if len(items) > MOST_ITEMS:
        raise InvalidRequestError(
            f"Invalid 'items': array too long. Expected an array with maximum length {MOST_ITEMS}, but got an array "
            f"with length {len(items)} instead.",
            param="items",
            code="array_above_max_length",
        )
    check_items(items, "items")


def _not_found(id_: str) -> NotStoredError:
    return NotStoredError(f"Conversation with id {id_[:200]!r} not found.")


def _no_item(id_: str) -> NotStoredError:
    return NotStoredError(f"Item with id {id_[:200]!r} not found.")
