"""`POST /v1/completions`."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

import msgspec

from claude_openai_proxy.service.completions import CompletionAnswer, CompletionService
from claude_openai_proxy.web.body import LARGE_BODY, Bodies, Body, decode_body
from claude_openai_proxy.web.chunk_encoder import ChunkEncoder
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.completions.decode import decode_completion_request
from claude_openai_proxy.web.doors import check_json
from claude_openai_proxy.web.event_stream import KEEP_ALIVE_SECONDS, EventStream
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.response_headers import answer_headers

Opening = AbstractAsyncContextManager[CompletionAnswer]
"""An answer that is being asked for."""

_encode: Final = msgspec.json.Encoder().encode


class Completions:
    """`clock` counts seconds of silence, `wall_clock` seconds since 1970."""

    def __init__(
        self,
        service: CompletionService,
        *,
        bodies: Bodies,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        self._service = service
        self._bodies = bodies
        self._clock = clock
        self._wall_clock = wall_clock
        self._keep_alive_seconds = keep_alive_seconds

    async def __call__(self, exchange: Exchange) -> None:
        """Answer, whole or streamed as the client asked."""
        check_json(exchange)
        async with self._bodies.read(exchange) as body:
            data = body.take()
            large = len(data) >= LARGE_BODY
            decoded = await decode_body(decode_completion_request, data)
            del data
            exchange.record.repairs += decoded.repairs
            streamed = decoded.request.stream
            opening = self._service.complete(
                decoded.request, unknown=decoded.unknown, record=exchange.record, large=large
            )
            del decoded
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
                id_=answer.id,
                created=answer.created,
                model=answer.model,
                include_usage=answer.include_usage,
                object_="text_completion",
            )
            await stream.send(answer, encoder.encode, lambda: encoder.end(answer.usage, None))

    async def _whole(self, exchange: Exchange, opening: Opening, body: Body) -> None:
        async with ClientWatch(exchange), opening as answer:
            body.release()
            exchange.answer_headers = answer_headers(answer.head, now=self._wall_clock())
            completion = _encode(await answer.completion())
            exchange.first_token()
            await exchange.answer(200, completion)
