"""`POST /v1/chat/completions`."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.web.body import IDLE_SECONDS, read_body
from claude_openai_proxy.web.chat.decode import decode_chat_request
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import check_json
from claude_openai_proxy.web.event_stream import KEEP_ALIVE_SECONDS, EventStream
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.interface import ChatService
from claude_openai_proxy.web.response_headers import answer_headers

LARGE_BODY = 1_048_576
"""Bytes from which on looking through a body takes so long that other answers would be held up by it."""

_encode: Final = msgspec.json.Encoder().encode


class ChatCompletions:
    """`body_limit` in bytes; `clock` counts seconds of silence, `wall_clock` seconds since 1970."""

    def __init__(
        self,
        service: ChatService,
        *,
        body_limit: int,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._service = service
        self._body_limit = body_limit
        self._clock = clock
        self._wall_clock = wall_clock
        self._keep_alive_seconds = keep_alive_seconds
        self._idle_seconds = idle_seconds

    async def __call__(self, exchange: Exchange) -> None:
        """Answer, whole or streamed as the client asked."""
        check_json(exchange)
        body = await read_body(exchange, limit=self._body_limit, idle_seconds=self._idle_seconds)
        request, unknown = await _decode(body)
        if exchange.rest:
            request = msgspec.structs.replace(request, model=exchange.rest)
        if request.stream:
            await self._stream(exchange, request, unknown)
        else:
            await self._whole(exchange, request, unknown)

    async def _stream(self, exchange: Exchange, request: ChatCompletionRequest, unknown: tuple[str, ...]) -> None:
        stream = EventStream(exchange, keep_alive_seconds=self._keep_alive_seconds, clock=self._clock)
        async with (
            ClientWatch(exchange, stream),
            self._service.chat(request, unknown=unknown, record=exchange.record) as answer,
        ):
            exchange.answer_headers = answer_headers(answer.head, now=self._wall_clock())
            await stream.send_answer(answer)

    async def _whole(self, exchange: Exchange, request: ChatCompletionRequest, unknown: tuple[str, ...]) -> None:
        async with (
            ClientWatch(exchange),
            self._service.chat(request, unknown=unknown, record=exchange.record) as answer,
        ):
            exchange.answer_headers = answer_headers(answer.head, now=self._wall_clock())
            completion = _encode(await answer.completion())
            exchange.first_token()
            await exchange.answer(200, completion)


async def _decode(body: bytes) -> tuple[ChatCompletionRequest, tuple[str, ...]]:
    if len(body) < LARGE_BODY:
        return decode_chat_request(body)
    return await asyncio.to_thread(decode_chat_request, body)
