"""What a fallback that is paid by tokens may cost on a day (UTC).

A request is reserved for before it is asked: its estimated input, and as much output as it may give, up to
`estimates.OUTPUT_TOKENS`. When it has ended, what it cost by list price takes the reservation's place. So the budget is
overrun by what answers give beyond those, or beyond the estimate, and not by how many requests run at the same time.
Where several processes answer, each knows what the others have spent, at most `SPENT_SECONDS` old, and not what they
have reserved: by that much more they may overrun it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Final

from claude_openai_proxy.errors import PlanSpentError
from claude_openai_proxy.protocols.anthropic import MessagesRequest, Usage
from claude_openai_proxy.service.estimates import input_tokens, output_tokens
from claude_openai_proxy.storage.daily_spend import DailySpendStore, Spend
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.translate.messages_api.refusals import spoken
from claude_openai_proxy.translate.models.prices import cost

SPENT_SECONDS: Final = 2.0
READ_WAIT_SECONDS: Final = 1.0
"""No request waits longer for what others have spent."""


def estimated_cost(model_id: str, request: MessagesRequest) -> float:
    """US dollars that `request` is reserved for with."""
    return cost(model_id, Usage(input_tokens=input_tokens(request), output_tokens=output_tokens(request)))


class FallbackBudget:
    """`dollars` a day; `wall_clock` gives seconds since 1970."""

    def __init__(self, *, dollars: float, store: DailySpendStore, wall_clock: Callable[[], float]) -> None:
        self._dollars = dollars
        self._store = store
        self._now = wall_clock
        self._day = ""
        self._spent = 0.0
        self._reserved = 0.0
        self._read = float("-inf")

    async def open(self) -> None:
        """Read what was spent today. A store in trouble tells that itself; what this process spends counts anyway."""
        self._read, today = self._now(), self._today()
        try:
            before = await self._store.on(today.isoformat())
        except StorageUnavailableError:
            return
        self._spent_today()
        self._spent = max(self._spent, before)

    async def refresh(self) -> None:
        """Read it again where that was `SPENT_SECONDS` ago: other processes may have spent some meanwhile."""
        if self._now() - self._read >= SPENT_SECONDS:
            with suppress(TimeoutError):
                async with asyncio.timeout(READ_WAIT_SECONDS):
                    await self.open()

    @property
    def left(self) -> float:
        """US dollars, above nothing where another request may be reserved for."""
        return self._dollars - self._spent_today() - self._reserved

    def reserve(self, dollars: float) -> None:
        """Keep `dollars` for a request. Raises `PlanSpentError` where so much is not left."""
        if dollars > self.left:
            seconds = self._until_tomorrow()
            raise PlanSpentError(
                f"FALLBACK_BUDGET allows {self._dollars:g} US dollars a day, and this request may cost more than is "
                f"left of them; the next day starts in {spoken(seconds)}.",
                resets_in=seconds,
            )
        self._reserved += dollars

    def settle(self, reserved: float, dollars: float) -> None:
        """The request that `reserved` was kept for has cost `dollars`."""
        self._reserved -= reserved
        assert self._reserved > -1e-9, "what is settled was reserved"
        self._spent = self._spent_today() + dollars
        if dollars:
            self._store.add(Spend(self._day, dollars))

    def _spent_today(self) -> float:
        if (day := self._today().isoformat()) != self._day:
            self._day, self._spent = day, 0.0
        return self._spent

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()

    def _until_tomorrow(self) -> float:
        now = datetime.fromtimestamp(self._now(), UTC)
        return ((now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0) - now).total_seconds()
