"""What may be spent, and who answers when that is spent: meter, guard, budgets and ways, from their settings."""

import os
import time
from dataclasses import dataclass
from functools import partial

from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.service.allowances import OwnAllowances
from claude_openai_proxy.service.fallback_budget import FallbackBudget
from claude_openai_proxy.service.leased_allowances import LeasedAllowances
from claude_openai_proxy.service.plan_meter import PlanMeter
from claude_openai_proxy.service.spend_guard import SpendGuard
from claude_openai_proxy.service.ways import Ways
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.upstreams.interface import UpstreamChoice
from claude_openai_proxy.upstreams.selection import SelectedUpstream


@dataclass(frozen=True, slots=True)
class Money:
    """The parts, put together."""

    meter: PlanMeter
    guard: SpendGuard
    budget: FallbackBudget
    ways: Ways
    allowances: OwnAllowances

    async def open(self) -> None:
        """Read what is known from before."""
        await self.meter.open()
        await self.budget.open()


def money(settings: Settings, kept: Stores, upstreams: UpstreamChoice) -> Money:
    """As the settings say; PLAN_ONLY needs the meter, whatever PLAN_METER says."""
    metered = settings.plan_meter == "events" or settings.plan_only
    meter = PlanMeter(store=kept.login_limits, wall_clock=time.time, on=metered)
    guard = SpendGuard(meter=meter, wall_clock=time.time, plan_only=settings.plan_only)
    budget = FallbackBudget(dollars=settings.fallback_budget, store=kept.daily_spend, wall_clock=time.time)
    other = None
    if settings.fallback != "none" and isinstance(upstreams, SelectedUpstream):
        other = partial(upstreams.of_kind, settings.fallback)
    ways = Ways(
        upstreams, clock=time.monotonic, guard=guard, other=other, budget=budget, models=settings.model_fallbacks
    )
    return Money(meter, guard, budget, ways, _allowances(settings, kept))


def _allowances(settings: Settings, kept: Stores) -> OwnAllowances:
    """Leased where more than one process may answer."""
    spent, shares = kept.ledger.spent, kept.shares
    if shares is None or (settings.workers == 1 and settings.storage.database is None):
        return OwnAllowances(clock=time.monotonic, wall_clock=time.time, spent=spent)
    return LeasedAllowances(
        clock=time.monotonic, wall_clock=time.time, spent=spent, shares=shares, process=os.urandom(8).hex()
    )
