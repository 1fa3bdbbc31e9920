"""`/v1/responses/{id}`, its `cancel` and its `input_items`: responses that are asked for again."""

from collections.abc import Callable
from typing import Final

import msgspec

from claude_openai_proxy.service.background_responses import BackgroundResponses
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.event_stream import EventStream
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.query import Query
from claude_openai_proxy.web.response_headers import NO_STORE
from claude_openai_proxy.web.responses.event_encoder import encode_kept

_encode: Final = msgspec.json.Encoder().encode


class StoredResponsePages:
    """`exchange.rest` is the id."""

    def __init__(self, background: BackgroundResponses, *, clock: Callable[[], float]) -> None:
        self._responses = background.stored
        self._background = background
        self._clock = clock

    async def one(self, exchange: Exchange) -> None:
        """`GET`: the response, or the events of its stream."""
        query = Query(exchange.query)
        if query.flag("stream"):
            after = query.number("starting_after")
            await follow(self._background, exchange, exchange.rest, after=after, clock=self._clock)
            return
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
            found = await self._background.cancel(exchange.rest, exchange.record.principal)
            await exchange.answer(200, bytes(found))

    async def input_items(self, exchange: Exchange) -> None:
        """`GET`: a page of what it was made from."""
        query = Query(exchange.query)
        async with ClientWatch(exchange):
            page = await self._responses.input_items(
                exchange.rest, exchange.record.principal, query.page("desc"), query.include()
            )
            await exchange.answer(200, _encode(page), headers=(NO_STORE,))


async def follow(
    background: BackgroundResponses,
    exchange: Exchange,
    id_: str,
    *,
    clock: Callable[[], float],
    after: int | None = None,
) -> None:
    """The events of a response in the background, those that are kept and those that come, behind a number."""
    exchange.record.admitted = clock()
    stream = EventStream(exchange, clock=clock)
    async with ClientWatch(exchange, stream):
        events = await background.follow(id_, exchange.record.principal, -1 if after is None else after)
        await stream.send(events, encode_kept, bytes)
