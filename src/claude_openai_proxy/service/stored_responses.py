"""Responses that are asked for again: read, listed, erased. Nobody sees another principal's."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

import msgspec
from msgspec import Raw

from claude_openai_proxy.errors import InvalidRequestError, NotStoredError
from claude_openai_proxy.protocols.openai_stored import Deleted, ObjectList
from claude_openai_proxy.records import Principal
from claude_openai_proxy.service.pages import PageAsked, not_in_list, page_of
from claude_openai_proxy.service.response_state import DIED, ResponseState
from claude_openai_proxy.service.stored_items import shown
from claude_openai_proxy.service.underway import failed, open_envelope
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.storage.responses import UNFINISHED, Item, StoredObject

_encode: Final = msgspec.json.Encoder().encode
_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode


class StoredResponses:
    """Reads what `state` keeps."""

    def __init__(self, state: ResponseState) -> None:
        self._state = state

    async def one(self, id_: str, principal: Principal, include: Collection[str] = ()) -> Raw:
        """The response as it was answered, or as it is now. Raises `NotStoredError`."""
        row = await self.row(id_, principal)
        envelope = open_envelope(row.body)
        members = _members(envelope.response)
        shows = {*envelope.include, *include}
        items = await self._state.kept().items(principal.id, id_)
        members["output"] = Raw(_encode([shown(item.body, shows) for item in items if item.part == "output"]))
        return Raw(_encode(members))

    async def delete(self, id_: str, principal: Principal) -> Deleted:
        """Erase it. Raises `NotStoredError`."""
        if not await self._state.kept().delete("response", principal.id, id_):
            raise not_found(id_)
        return Deleted(id=id_, object="response")

    async def input_items(
        self, id_: str, principal: Principal, asked: PageAsked, include: Collection[str] = ()
    ) -> ObjectList:
        """What it was made from, what it continues among it. Raises `NotStoredError`, `InvalidRequestError`."""
        row = await self.row(id_, principal)
        items = await self._inherited(row)
        items += [item for item in await self._state.kept().items(principal.id, id_) if item.part == "input"]
        if asked.descending:
            items.reverse()
        if asked.after is not None:
            ids = [item.id for item in items]
            if asked.after not in ids:
                raise not_in_list(asked.after)
            items = items[ids.index(asked.after) + 1 :]
        found = [(item.id, shown(item.body, include)) for item in items[: asked.limit + 1]]
        return page_of(found, asked)

    async def _inherited(self, row: StoredObject) -> list[Item]:
        store, now = self._state.kept(), self._state.wall_clock()
        chain = await store.chain(row.principal, row.previous, now) if row.previous else []
        return [item for one in chain for item in await store.items(row.principal, one.id)]

    async def cancellable(self, id_: str, principal: Principal) -> StoredObject:
        """Raises `NotStoredError`; `InvalidRequestError` for one whose client waits for it."""
        row = await self.row(id_, principal)
        if bytes(_members(open_envelope(row.body).response).get("background", Raw(b"null"))) != b"true":
            raise InvalidRequestError("Cannot cancel a synchronous response.")
        return row

    async def cancel(self, row: StoredObject) -> None:
        """End one that another process works on."""
        envelope = open_envelope(row.body)
        response = Raw(_encode(_members(envelope.response) | {"status": Raw(b'"cancelled"')}))
        cancelled = replace(row, status="cancelled", body=_encode(msgspec.structs.replace(envelope, response=response)))
        await self._state.kept().finish(cancelled, (), None, self._state.wall_clock(), otherwise=cancelled)

    async def row(self, id_: str, principal: Principal) -> StoredObject:
        """As it is kept; what a dead process worked on has failed, for good. Raises `NotStoredError`."""
        row = await self._row(id_, principal)
        if row.status in UNFINISHED and self._state.status_of(row) == "failed":
            envelope = open_envelope(row.body)
            body = _encode(msgspec.structs.replace(envelope, response=failed(envelope.response, DIED)))
            given_up = replace(row, status="failed", body=body)
            try:
                if not await self._state.kept().give_up(given_up, self._state.wall_clock()):
                    return await self._row(id_, principal)
            except StorageUnavailableError:  # A full disk can be read, and its process stays dead.
                pass
            return given_up
        return row

    async def _row(self, id_: str, principal: Principal) -> StoredObject:
        row = await self._state.kept().one("response", principal.id, id_, self._state.wall_clock())
        if row is None:
            raise not_found(id_)
        return row


def not_found(id_: str) -> NotStoredError:
    """In the published API's words."""
    return NotStoredError(f"Response with id {id_[:200]!r} not found.")
