"""`GET /health`."""

from typing import Final

import msgspec

from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.exchange import ANONYMOUS, Exchange
from claude_openai_proxy.web.interface import HealthService

_encode: Final = msgspec.json.Encoder().encode


class HealthPage:
    """The state of the proxy; whoever has no key on a public bind learns one word of it."""

    def __init__(self, service: HealthService) -> None:
        self._service = service

    async def __call__(self, exchange: Exchange) -> None:
        """200 while the server runs; `?deep=1` also asks Claude's side."""
        async with ClientWatch(exchange):
            report = await self._service.health(deep=exchange.asks_for("deep"))
            body = {"status": report.status} if exchange.record.principal is ANONYMOUS else report
            await exchange.answer(200, _encode(body), headers=((b"cache-control", b"no-store"),))
