"""`GET /usage/plan`: what Claude's side last told of each login's limits."""

from typing import Final, Literal

import msgspec
from msgspec import Struct

from claude_openai_proxy.service.plan_meter import LimitsReport, PlanMeter
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import Access
from claude_openai_proxy.web.exchange import Exchange

_encode: Final = msgspec.json.Encoder().encode


class PlanReport(Struct, frozen=True):
    """The login that told last comes first."""

    logins: tuple[LimitsReport, ...]
    object: Literal["usage.plan"] = "usage.plan"


class PlanPage:
    """Figures that came with answers: nothing is asked for them."""

    def __init__(self, meter: PlanMeter) -> None:
        self._meter = meter

    @staticmethod
    def access(_: Exchange) -> Access:
        """What the installation's login has used is not every client's business."""
        return "operator"

    async def __call__(self, exchange: Exchange) -> None:
        """One object."""
        async with ClientWatch(exchange):
            report = PlanReport(self._meter.reports())
            await exchange.answer(200, _encode(report), headers=((b"cache-control", b"no-store"),))
