"""`GET /health` and `GET /ready`."""

from typing import Final

import msgspec

from claude_openai_proxy.records import Principal
from claude_openai_proxy.service.health import HealthReport, HealthService
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import Access
from claude_openai_proxy.web.exchange import ANONYMOUS, Exchange

_encode: Final = msgspec.json.Encoder().encode
_NO_STORE: Final = (b"cache-control", b"no-store")


class HealthPage:
    """The state of the proxy, in full for an operator; a client learns what it can use, a stranger one word."""

    def __init__(self, service: HealthService) -> None:
        self._service = service

    @staticmethod
    def access(exchange: Exchange) -> Access:
        """A bare look is for everybody, under any name: load balancers probe by address and have no key."""
        return "operator" if exchange.asks_for("deep") else "open"

    async def __call__(self, exchange: Exchange) -> None:
        """200 while the server runs; `?deep=1` also asks Claude's side, and is 503 where that did not answer."""
        async with ClientWatch(exchange):
            deep = exchange.asks_for("deep")
            report = await self._service.health(deep=deep)
            status = 503 if deep and report.status == "unreachable" else 200
            await exchange.answer(status, _encode(_told(report, exchange.record.principal)), headers=(_NO_STORE,))

    async def ready(self, exchange: Exchange) -> None:
        """200 where a request can be answered, else 503; one word for everybody, and one more without the database.

        Then most requests go on: a load balancer that took every proxy out would make it worse.
        """
        async with ClientWatch(exchange):
            word = await self._service.readiness()
            told = {"status": word} if self._service.storage_works else {"status": word, "storage": "unavailable"}
            await exchange.answer(200 if word == "ok" else 503, _encode(told), headers=(_NO_STORE,))


def _told(report: HealthReport, who: Principal) -> HealthReport | dict[str, object]:
    if who.operator:
        return report
    if who is ANONYMOUS:
        return {"status": report.status}
    return {"status": report.status, "version": report.version, "models": report.models}
