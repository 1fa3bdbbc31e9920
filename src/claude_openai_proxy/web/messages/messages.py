"""`POST /v1/messages` and `POST /v1/messages/count_tokens`."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

from claude_openai_proxy.service.messages import MessageAnswer, MessagesService
from claude_openai_proxy.web.body import LARGE_BODY, Bodies, Body, decode_body
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import check_json
from claude_openai_proxy.web.event_stream import KEEP_ALIVE_SECONDS, EventStream
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.messages.decode import decode_asked, passed_headers
from claude_openai_proxy.web.messages.dialect import answer_headers
from claude_openai_proxy.web.messages.events import PING, encode_events

Opening = AbstractAsyncContextManager[MessageAnswer]
"""An answer that is being asked for."""


class Messages:
    """`clock` counts seconds of silence."""

    def __init__(
        self,
        service: MessagesService,
        *,
        bodies: Bodies,
        clock: Callable[[], float],
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        self._service = service
        self._bodies = bodies
        self._clock = clock
        self._keep_alive_seconds = keep_alive_seconds

    async def create(self, exchange: Exchange) -> None:
        """Answer, whole or streamed as the client asked."""
        await self._answer(exchange, counting=False)

    async def count_tokens(self, exchange: Exchange) -> None:
        """How many tokens the request would take in."""
        await self._answer(exchange, counting=True)

    async def _answer(self, exchange: Exchange, *, counting: bool) -> None:
        check_json(exchange)
        async with self._bodies.read(exchange) as body:
            data = body.take()
            large = len(data) >= LARGE_BODY
            decode = partial(decode_asked, headers=passed_headers(exchange), counting=counting)
            asked = await decode_body(decode, data)
            streamed = asked.stream and not counting
            opening = self._service.answer(asked, record=exchange.record, large=large)
            del data, asked  # Only who passes it on has it now: an answer may take long.
            if streamed:
                await self._stream(exchange, opening, body)
            else:
                await self._whole(exchange, opening, body)

    async def _stream(self, exchange: Exchange, opening: Opening, body: Body) -> None:
        stream = EventStream(
            exchange, keep_alive=lambda: PING, keep_alive_seconds=self._keep_alive_seconds, clock=self._clock
        )
        async with ClientWatch(exchange, stream), opening as answer:
            body.release()
            exchange.answer_headers = answer_headers(answer.head)
            await stream.send(answer, encode_events, bytes, pass_on=answer.pass_on)

    async def _whole(self, exchange: Exchange, opening: Opening, body: Body) -> None:
        async with ClientWatch(exchange), opening as answer:
            body.release()
            exchange.answer_headers = answer_headers(answer.head)
            document = await answer.document()
            exchange.first_token()
            await exchange.answer(200, document)
