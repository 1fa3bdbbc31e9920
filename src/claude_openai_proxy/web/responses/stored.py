"""`/v1/responses/{id}`, its `cancel` and its `input_items`: responses that are asked for again."""

from typing import Final

import msgspec

from claude_openai_proxy.service.stored_responses import StoredResponses
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.query import Query
from claude_openai_proxy.web.response_headers import NO_STORE

_encode: Final = msgspec.json.Encoder().encode


class StoredResponsePages:
    """`exchange.rest` is the id."""

    def __init__(self, responses: StoredResponses) -> None:
        self._responses = responses

    async def one(self, exchange: Exchange) -> None:
        """`GET`: the response."""
        query = Query(exchange.query)
        async with ClientWatch(exchange):
            found = await self._responses.one(exchange.rest, exchange.record.principal, query.include())
            await exchange.answer(200, bytes(found), headers=(NO_STORE,))

    async def delete(self, exchange: Exchange) -> None:
        """`DELETE`: it is gone."""
        async with ClientWatch(exchange):
            deleted = await self._responses.delete(exchange.rest, exchange.record.principal)
            await exchange.answer(200, _encode(deleted))

    async def cancel(self, exchange: Exchange) -> None:
        """`POST`: what runs in the background ends."""
        async with ClientWatch(exchange):
            found = await self._responses.cancel(exchange.rest, exchange.record.principal)
            await exchange.answer(200, bytes(found))

    async def input_items(self, exchange: Exchange) -> None:
        """`GET`: a page of what it was made from."""
        query = Query(exchange.query)
        async with ClientWatch(exchange):
            page = await self._responses.input_items(
                exchange.rest, exchange.record.principal, query.page("desc"), query.include()
            )
            await exchange.answer(200, _encode(page), headers=(NO_STORE,))
