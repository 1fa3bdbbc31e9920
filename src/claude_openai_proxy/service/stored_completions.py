"""Chat completions that are kept because their request says `store: true`: read, listed, changed and erased later.

https://platform.openai.com/docs/api-reference/chat/list
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar

import msgspec
from msgspec import Raw

from claude_openai_proxy.errors import InvalidRequestError, NotStoredError
from claude_openai_proxy.protocols.openai_chat_request import NO_JSON, ChatCompletionRequest, Message
from claude_openai_proxy.protocols.openai_chat_response import ChatCompletion
from claude_openai_proxy.protocols.openai_stored import Deleted, ObjectList
from claude_openai_proxy.records import Principal, RequestRecord
from claude_openai_proxy.service.pages import PageAsked, not_in_list, page_of
from claude_openai_proxy.service.response_state import RESPONSE_SECONDS, ResponseState
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.storage.responses import Item, StoredObject
from claude_openai_proxy.translate.wishes.metadata import check_metadata

_LOOKED_AT_ONCE: Final = 100
_SHOWN_PARTS: Final = ("text", "image_url")
"""What the published shape of a stored message has of its parts."""

T = TypeVar("T")

_encode: Final = msgspec.json.Encoder().encode
_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode


_flag: Final[msgspec.json.Decoder[bool | None]] = msgspec.json.Decoder(bool | None)
_pairs: Final[msgspec.json.Decoder[dict[str, str] | None]] = msgspec.json.Decoder(dict[str, str] | None)


class _WithMetadata(msgspec.Struct):
    """A stored completion as far as lists look at it."""

    metadata: dict[str, str] = msgspec.field(default_factory=dict)


_metadata_of: Final = msgspec.json.Decoder(_WithMetadata).decode


class StoredCompletions:
    """Keeps chat completions where `state` keeps things at all."""

    def __init__(self, state: ResponseState) -> None:
        self._state = state

    def wanted(self, request: ChatCompletionRequest) -> dict[str, str] | None:
        """The metadata to keep a request's completion with; None where it is not to be kept, or nothing is.

        Raises `InvalidRequestError`.
        """
        if not self._state.keeps or not _read(request.store, "store", _flag, "a boolean"):
            return None
        metadata = _read(request.metadata, "metadata", _pairs, "an object of strings") or {}
        check_metadata(metadata)
        return metadata

    async def keep(
        self,
        completion: ChatCompletion,
        messages: Sequence[Message],
        metadata: Mapping[str, str],
        record: RequestRecord,
    ) -> None:
        """Keep a complete one; never raises: the record says where it was not kept in time."""
        now = self._state.wall_clock()
        row = StoredObject(
            id=completion.id,
            kind="completion",
            principal=record.principal.id,
            created=completion.created,
            body=_encode(_members(_encode(completion)) | {"metadata": Raw(_encode(metadata))}),
            expires=completion.created + RESPONSE_SECONDS,
            model=completion.model,
        )
        items = [_item(message, f"{completion.id}-{number}") for number, message in enumerate(messages)]
        try:
            await self._state.kept().add(row, items, now)
        except StorageUnavailableError:
            record.repairs.append("not_stored")

    # ---- what is asked for again ------------------------------------------------------------------------------------

    async def all(
        self, principal: Principal, asked: PageAsked, *, model: str | None, metadata: Mapping[str, str]
    ) -> ObjectList:
        """A page of those with the model and all of these pairs. Raises `InvalidRequestError`."""
        last = await self._found(asked.after, principal) if asked.after is not None else None
        if asked.after is not None and last is None:
            raise not_in_list(asked.after)
        found: list[StoredObject] = []
        while len(found) <= asked.limit:
            rows = await self._state.kept().page(
                principal.id,
                self._state.wall_clock(),
                model=model,
                after=last,
                descending=asked.descending,
                limit=_LOOKED_AT_ONCE,
            )
            found += [row for row in rows if metadata.items() <= _metadata_of(row.body).metadata.items()]
            if len(rows) < _LOOKED_AT_ONCE:
                break
            last = rows[-1]
        return page_of([(row.id, Raw(row.body)) for row in found], asked)

    async def one(self, id_: str, principal: Principal) -> Raw:
        """Raises `NotStoredError`."""
        return Raw((await self._row(id_, principal)).body)

    async def update(self, id_: str, metadata: Mapping[str, str], principal: Principal) -> Raw:
        """Another metadata in place of the one before. Raises `NotStoredError`, `InvalidRequestError`."""
        check_metadata(metadata)
        row = await self._row(id_, principal)
        changed = replace(row, body=_encode(_members(row.body) | {"metadata": Raw(_encode(metadata))}))
        if not await self._state.kept().change(changed):
            raise _not_found(id_)
        return Raw(changed.body)

    async def delete(self, id_: str, principal: Principal) -> Deleted:
        """Erase it with its messages. Raises `NotStoredError`."""
        if not await self._state.kept().delete("completion", principal.id, id_):
            raise _not_found(id_)
        return Deleted(id=id_, object="chat.completion.deleted")

    async def messages(self, id_: str, principal: Principal, asked: PageAsked) -> ObjectList:
        """A page of what was sent. Raises `NotStoredError`, `InvalidRequestError`."""
        await self._row(id_, principal)
        store, after = self._state.kept(), None
        if asked.after is not None:
            last = await store.item(principal.id, asked.after, self._state.wall_clock(), owner=id_)
            if last is None:
                raise not_in_list(asked.after)
            after = last.place
        found = await store.items(principal.id, id_, after=after, descending=asked.descending, limit=asked.limit + 1)
        return page_of([(item.id, Raw(item.body)) for item in found], asked)

    async def _found(self, id_: str, principal: Principal) -> StoredObject | None:
        return await self._state.kept().one("completion", principal.id, id_, self._state.wall_clock())

    async def _row(self, id_: str, principal: Principal) -> StoredObject:
        row = await self._found(id_, principal)
        if row is None:
            raise _not_found(id_)
        return row


def _read(value: Raw, name: str, decoder: msgspec.json.Decoder[T], expected: str) -> T | None:
    """A field that nobody has read yet. Raises `InvalidRequestError`."""
    if not value:
        return None
    try:
        return decoder.decode(value)
    except msgspec.DecodeError:
        raise InvalidRequestError(
            f"Invalid type for {name!r}: expected {expected}.", param=name, code="invalid_type"
        ) from None


def _item(message: Message, id_: str) -> Item:
    """A message in the shape that stored ones have: a text, or the parts that the shape knows."""
    members = {name: value for name, value in _members(_encode(message)).items() if bytes(value) != b"null"}
    content = msgspec.json.decode(members.get("content", Raw(b"null")))
    text = content if isinstance(content, str) or content is None else None
    parts = [part for part in content if part.get("type") in _SHOWN_PARTS] if _is_parts(content) else None
    if text is None and parts is None and content is not None:
        text = bytes(members["content"]).decode()
    members |= {"id": Raw(_encode(id_)), "content": Raw(_encode(text)), "content_parts": Raw(_encode(parts))}
    return Item(id_, "input", _encode(members))


def _is_parts(content: object) -> bool:
    return isinstance(content, list) and all(isinstance(part, dict) for part in content)


def _not_found(id_: str) -> NotStoredError:
    return NotStoredError(f"Chat completion with id {id_[:200]!r} not found.")


def without_store(request: ChatCompletionRequest) -> ChatCompletionRequest:
    """The request once what it says of keeping has been heard."""
    return msgspec.structs.replace(request, store=NO_JSON, metadata=NO_JSON)
