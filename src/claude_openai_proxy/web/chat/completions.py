"""`POST /v1/chat/completions`."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final

import msgspec

from claude_openai_proxy.service.chat import ChatAnswer, ChatService
from claude_openai_proxy.service.files import Files
from claude_openai_proxy.web.body import LARGE_BODY, Bodies, Body, decode_body
from claude_openai_proxy.web.chat.decode import decode_chat_request
from claude_openai_proxy.web.chunk_encoder import ChunkEncoder
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import check_json
from claude_openai_proxy.web.event_stream import KEEP_ALIVE_SECONDS, EventStream
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.response_headers import answer_headers

Opening = AbstractAsyncContextManager[ChatAnswer]
"""An answer that is being asked for."""

_encode: Final = msgspec.json.Encoder().encode


class ChatCompletions:
    """`clock` counts seconds of silence, `wall_clock` seconds since 1970."""

    def __init__(
        self,
        service: ChatService,
        *,
        bodies: Bodies,
        files: Files,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        self._service = service
        self._bodies = bodies
        self._files = files
        self._clock = clock
        self._wall_clock = wall_clock
        self._keep_alive_seconds = keep_alive_seconds

    async def __call__(self, exchange: Exchange) -> None:
        """Answer, whole or streamed as the client asked."""
        check_json(exchange)
        async with self._bodies.read(exchange) as body:
            data = body.take()
            large = len(data) >= LARGE_BODY
            decoded = await decode_body(decode_chat_request, data)
            del data
            request, unknown = decoded.request, decoded.unknown
            exchange.record.repairs += decoded.repairs
            if exchange.rest:
                request = msgspec.structs.replace(request, model=exchange.rest)
            inlined = await self._files.inlined(
                request, exchange.record.principal, partial(self._bodies.hold_more, body)
            )
            large = large or inlined is not request
            request, streamed = inlined, inlined.stream
            opening = self._service.chat(request, unknown=unknown, record=exchange.record, large=large)
            del decoded, request, inlined  # Only who translates it has it now: an answer may take long.
            if streamed:
                await self._stream(exchange, opening, body)
            else:
                await self._whole(exchange, opening, body)

    async def _stream(self, exchange: Exchange, opening: Opening, body: Body) -> None:
        stream = EventStream(exchange, keep_alive_seconds=self._keep_alive_seconds, clock=self._clock)
        async with ClientWatch(exchange, stream), opening as answer:
            body.release()
            exchange.answer_headers = answer_headers(answer.head, now=self._wall_clock())
            encoder = ChunkEncoder(
                id_=answer.id, created=answer.created, model=answer.model, include_usage=answer.include_usage
            )
            await stream.send(
                answer,
                encoder.encode,
                lambda: encoder.end(answer.usage, answer.service_tier),
                pass_on=answer.pass_on,
            )

    async def _whole(self, exchange: Exchange, opening: Opening, body: Body) -> None:
        async with ClientWatch(exchange), opening as answer:
            body.release()
            exchange.answer_headers = answer_headers(answer.head, now=self._wall_clock())
            completion = _encode(await answer.completion())
            exchange.first_token()
            await exchange.answer(200, completion)
