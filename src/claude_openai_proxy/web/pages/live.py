"""`GET /status` and `GET /logs`: the running server at a look, and its requests as they end."""

import asyncio
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs

import msgspec

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.service.server_status import ServerStatus
from claude_openai_proxy.telemetry.live_log import Line, Listener, LiveLog, Wanted
from claude_openai_proxy.web.asgi import Header
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import Access
from claude_openai_proxy.web.event_stream import COMMENT, KEEP_ALIVE_SECONDS
from claude_openai_proxy.web.exchange import Exchange

_encode: Final = msgspec.json.Encoder().encode
_STATUS: Final = re.compile(r"error|[1-5](?:xx|\d\d)")
_NO_STORE: Final[Header] = (b"cache-control", b"no-store")
_STREAM: Final = b"text/event-stream; charset=utf-8"
_STREAM_HEADERS: Final[tuple[Header, ...]] = (_NO_STORE, (b"x-accel-buffering", b"no"))


class LivePages:
    """What belongs to everybody who uses the server is for an operator."""

    def __init__(self, status: ServerStatus, log: LiveLog, *, keep_alive_seconds: float = KEEP_ALIVE_SECONDS) -> None:
        self._status = status
        self._log = log
        self._keep_alive_seconds = keep_alive_seconds

    @staticmethod
    def access(_: Exchange) -> Access:
        """Names of others, their requests and their money."""
        return "operator"

    async def status(self, exchange: Exchange) -> None:
        """One object."""
        async with ClientWatch(exchange):
            await exchange.answer(200, _encode(await self._status.report()), headers=(_NO_STORE,))

    async def logs(self, exchange: Exchange) -> None:
        """An event for each of the last requests, in the log's own JSON; with `?follow`, for each that ends, too.

        `?key=`, `?client=` (a part of its name) and `?status=` (`429`, `5xx`, `error`) choose among them.
        """
        wanted = _wanted(exchange)
        async with ClientWatch(exchange):
            if not exchange.asks_for("follow"):
                events = self._events(self._log.recent(wanted))
                return await exchange.answer(200, events, content_type=_STREAM, headers=_STREAM_HEADERS)
            with self._log.listening(wanted) as listener:
                exchange.server.when_server_stops(listener.end)
                await exchange.start(200, _STREAM, _STREAM_HEADERS)
                await exchange.write(COMMENT + self._events(self._log.recent(wanted)))
                await self._follow(exchange, listener)
        return None

    async def _follow(self, exchange: Exchange, listener: Listener) -> None:
        while not listener.ended:
            try:
                async with asyncio.timeout(self._keep_alive_seconds):
                    lines, left_out = await listener.news()
            except TimeoutError:
                await exchange.write(COMMENT)
                continue
            told = b'event: left_out\ndata: {"lines":%d}\n\n' % left_out if left_out else b""
            await exchange.write(self._events(lines) + told, more=not listener.ended)

    def _events(self, lines: Sequence[Line]) -> bytes:
        return "".join(f"data: {self._log.text(line)}\n" for line in lines).encode()


def _wanted(exchange: Exchange) -> Wanted:
    asked = parse_qs(exchange.query.decode("latin-1"))
    key, client, status = (asked.get(name, [""])[-1] for name in ("key", "client", "status"))
    if status and not _STATUS.fullmatch(status):
        raise InvalidRequestError("status is one such as 429 or 5xx, or error.", param="status")
    return Wanted(key, client, status)
