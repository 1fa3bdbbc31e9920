"""`GET /v1/chat/completions`, and `/v1/chat/completions/{id}` with its `messages`: chat completions that are kept."""

from functools import partial
from typing import Final

import msgspec

from claude_openai_proxy.protocols.openai_stored import MetadataUpdate
from claude_openai_proxy.service.stored_completions import StoredCompletions
from claude_openai_proxy.web.body import Bodies, decode_body
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import check_json
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.json_body import decoded
from claude_openai_proxy.web.query import Query
from claude_openai_proxy.web.response_headers import NO_STORE

_encode: Final = msgspec.json.Encoder().encode
_update: Final = msgspec.json.Decoder(MetadataUpdate)


class StoredCompletionPages:
    """`exchange.rest` is the id."""

    def __init__(self, completions: StoredCompletions, *, bodies: Bodies) -> None:
        self._completions = completions
        self._bodies = bodies

    async def all(self, exchange: Exchange) -> None:
        """`GET`: a page of them."""
        query = Query(exchange.query)
        async with ClientWatch(exchange):
            page = await self._completions.all(
                exchange.record.principal, query.page("asc"), model=query.text("model"), metadata=query.metadata()
            )
            await exchange.answer(200, _encode(page), headers=(NO_STORE,))

    async def one(self, exchange: Exchange) -> None:
        """`GET`: the completion as it was answered, with its metadata."""
        async with ClientWatch(exchange):
            found = await self._completions.one(exchange.rest, exchange.record.principal)
            await exchange.answer(200, bytes(found), headers=(NO_STORE,))

    async def update(self, exchange: Exchange) -> None:
        """`POST`: another metadata."""
        check_json(exchange)
        async with self._bodies.read(exchange) as body:
            asked = await decode_body(partial(decoded, decoder=_update), body.take())
        async with ClientWatch(exchange):
            changed = await self._completions.update(exchange.rest, asked.metadata or {}, exchange.record.principal)
            await exchange.answer(200, bytes(changed))

    async def delete(self, exchange: Exchange) -> None:
        """`DELETE`: it is gone with its messages."""
        async with ClientWatch(exchange):
            deleted = await self._completions.delete(exchange.rest, exchange.record.principal)
            await exchange.answer(200, _encode(deleted))

    async def messages(self, exchange: Exchange) -> None:
        """`GET`: a page of what was sent."""
        query = Query(exchange.query)
        async with ClientWatch(exchange):
            page = await self._completions.messages(exchange.rest, exchange.record.principal, query.page("asc"))
            await exchange.answer(200, _encode(page), headers=(NO_STORE,))
