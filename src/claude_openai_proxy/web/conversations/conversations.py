"""`/v1/conversations` and below (https://platform.openai.com/docs/api-reference/conversations)."""

from functools import partial
from typing import Final, TypeVar

import msgspec

from claude_openai_proxy.protocols.openai_stored import ConversationCreate, ItemsCreate, MetadataUpdate
from claude_openai_proxy.service.conversations import Conversations
from claude_openai_proxy.web.body import Bodies, decode_body
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import check_json
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.json_body import decoded
from claude_openai_proxy.web.query import Query
from claude_openai_proxy.web.response_headers import NO_STORE

T = TypeVar("T")

_encode: Final = msgspec.json.Encoder().encode
_creation: Final = msgspec.json.Decoder(ConversationCreate)
_items: Final = msgspec.json.Decoder(ItemsCreate)
_update: Final = msgspec.json.Decoder(MetadataUpdate)


class ConversationPages:
    """`exchange.rest` is the conversation's id; with an item's behind a slash where it is about one."""

    def __init__(self, conversations: Conversations, *, bodies: Bodies) -> None:
        self._conversations = conversations
        self._bodies = bodies

    async def create(self, exchange: Exchange) -> None:
        """`POST`: a new one, with items or none."""
        asked = await self._read(exchange, _creation)
        async with ClientWatch(exchange):
            made = await self._conversations.create(asked.items or [], asked.metadata or {}, exchange.record.principal)
            await exchange.answer(200, _encode(made))

    async def one(self, exchange: Exchange) -> None:
        """`GET`: the conversation without its items."""
        async with ClientWatch(exchange):
            found = await self._conversations.one(exchange.rest, exchange.record.principal)
            await exchange.answer(200, _encode(found), headers=(NO_STORE,))

    async def update(self, exchange: Exchange) -> None:
        """`POST`: another metadata."""
        asked = await self._read(exchange, _update)
        async with ClientWatch(exchange):
            changed = await self._conversations.update(exchange.rest, asked.metadata or {}, exchange.record.principal)
            await exchange.answer(200, _encode(changed))

    async def delete(self, exchange: Exchange) -> None:
        """`DELETE`: it is gone with its items."""
        async with ClientWatch(exchange):
            deleted = await self._conversations.delete(exchange.rest, exchange.record.principal)
            await exchange.answer(200, _encode(deleted))

    # ---- items ------------------------------------------------------------------------------------------------------

    async def items(self, exchange: Exchange) -> None:
        """`GET`: a page of them."""
        query = Query(exchange.query)
        async with ClientWatch(exchange):
            page = await self._conversations.items(
                exchange.rest, exchange.record.principal, query.page("desc"), query.include()
            )
            await exchange.answer(200, _encode(page), headers=(NO_STORE,))

    async def add_items(self, exchange: Exchange) -> None:
        """`POST`: more of them."""
        include = Query(exchange.query).include()
        asked = await self._read(exchange, _items)
        async with ClientWatch(exchange):
            added = await self._conversations.add_items(exchange.rest, asked.items, exchange.record.principal, include)
            await exchange.answer(200, _encode(added))

    async def item(self, exchange: Exchange) -> None:
        """`GET`: one of them."""
        include = Query(exchange.query).include()
        id_, _, item = exchange.rest.partition("/")
        async with ClientWatch(exchange):
            found = await self._conversations.item(id_, item, exchange.record.principal, include)
            await exchange.answer(200, bytes(found), headers=(NO_STORE,))

    async def delete_item(self, exchange: Exchange) -> None:
        """`DELETE`: one of them is gone; the answer is the conversation."""
        id_, _, item = exchange.rest.partition("/")
        async with ClientWatch(exchange):
            left = await self._conversations.delete_item(id_, item, exchange.record.principal)
            await exchange.answer(200, _encode(left))

    async def _read(self, exchange: Exchange, decoder: msgspec.json.Decoder[T]) -> T:
        check_json(exchange)
        async with self._bodies.read(exchange) as body:
            return await decode_body(partial(decoded, decoder=decoder), body.take())
