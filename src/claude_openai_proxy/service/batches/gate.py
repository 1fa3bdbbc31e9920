"""When a line of an emulated batch may be asked: live requests come first, and a plan is not to be used up.

| it waits while | as told by |
|---|---|
| as many lines as may be under way are | the gate |
| anybody waits for a place, or none would be left free beside it | the places |
| there is one place, and somebody has had it in the last `QUIET_SECONDS` | the places |
| a window of the plan is used to its share, or upstream warns; until the reset | the meter |
| extra usage is in use; until the reset | the meter |
| nothing is known of the plan, and a line is under way | the meter |
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from claude_openai_proxy.service.plan_meter import PlanMeter
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.upstreams.interface import Identity, Upstream

QUIET_SECONDS: Final = 30.0
LOOK_AGAIN_SECONDS: Final = 0.25
"""Nothing tells of a place that has become free: it is looked at so often."""


class Gate:
    """`share` of each of the plan's windows may be used by lines, `most` at once. `clock` counts seconds."""

    def __init__(
        self,
        *,
        places: Places,
        meter: PlanMeter,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        share: float,
        most: int,
        look_again: float = LOOK_AGAIN_SECONDS,
    ) -> None:
        self._places = places
        self._meter = meter
        self._clock = clock
        self._wall_clock = wall_clock
        self._share = share
        self._turns = asyncio.Semaphore(most)
        self._look_again = look_again
        self._running = 0
        self._busy_at = clock() - QUIET_SECONDS
        self.most = most

    @asynccontextmanager
    async def place(self, upstream: Upstream) -> AsyncIterator[None]:
        """Wait for it; batches take turns."""
        async with self._turns:
            while self.reason(upstream):  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(self._look_again)
            self._running += 1
            try:
                yield
            finally:
                self._running -= 1

    def reason(self, upstream: Upstream) -> str:
        """Why no line may be asked now; "" where one may."""
        return self._of_places(upstream.capabilities.simultaneous) or self._of_plan(upstream.identity)

    def _of_places(self, capacity: int | None) -> str:
        places = self._places
        if places.server.waiting or places.upstream.waiting:
            self._busy_at = self._clock()
            return "requests wait"
        if capacity is None:
            return ""
        if places.upstream.taken > self._running:
            self._busy_at = self._clock()
        if capacity == 1:
            quiet = self._clock() - self._busy_at >= QUIET_SECONDS
            return "" if quiet and not self._running else "the one place is kept free"
        return "" if places.upstream.taken + 1 < capacity else "the last place is kept free"

    def _of_plan(self, identity: Identity) -> str:
        if identity.payer not in ("", "plan") or identity.kind == "demo":
            return ""
        kept = self._meter.of(identity.kind, identity.account)
        if kept is None:
            return "nothing is known of the plan" if self._running else ""
        limits, now = kept.limits, self._wall_clock()
        ahead = limits.resets is not None and limits.resets > now
        if ahead and limits.extra_usage_in_use:
            return "extra usage is in use"
        if ahead and limits.status not in ("", "allowed"):
            return "the plan's limit is near"
        used = [
            window.name
            for window in limits.windows
            if window.of_a_plan and (window.used or 0) >= self._share and (window.resets or 0) > now
        ]
        return f"the plan's {used[0]} window is used to the batches' share" if used else ""
