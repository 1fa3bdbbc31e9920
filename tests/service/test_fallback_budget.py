"""What a fallback may cost on a day: reserved, settled, begun anew, and not forgotten."""

import pytest

from claude_openai_proxy.errors import PlanSpentError
from claude_openai_proxy.service.fallback_budget import SPENT_SECONDS, FallbackBudget
from claude_openai_proxy.storage.daily_spend import MemoryDailySpend, Spend
from claude_openai_proxy.storage.interface import StorageUnavailableError

NOON = 1_800_014_400.0
"""12:00 UTC on 2027-01-15."""


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def test_requests_at_the_same_time_cannot_spend_the_same_dollars() -> None:
    budget = FallbackBudget(dollars=1.0, store=MemoryDailySpend(), wall_clock=Clock())
    budget.reserve(0.6)
    with pytest.raises(PlanSpentError, match="the next day starts in 12 h 0 min") as refused:
        budget.reserve(0.6)
    assert refused.value.resets_in == 12 * 3600
    budget.settle(0.6, 0.1)
    assert budget.left == pytest.approx(0.9)
    budget.reserve(0.6)


def test_an_answer_that_cost_more_than_was_reserved_counts_in_full() -> None:
    budget = FallbackBudget(dollars=1.0, store=MemoryDailySpend(), wall_clock=Clock())
    budget.reserve(0.6)
    budget.settle(0.6, 1.5)
    assert budget.left == -0.5
    with pytest.raises(PlanSpentError):
        budget.reserve(0.0)


def test_a_day_begins_anew_and_what_runs_over_midnight_counts_there() -> None:
    clock = Clock()
    budget = FallbackBudget(dollars=1.0, store=MemoryDailySpend(), wall_clock=clock)
    budget.reserve(0.2)
    budget.settle(0.2, 0.7)
    budget.reserve(0.2)
    clock.now += 12 * 3600
    assert budget.left == 0.8
    budget.settle(0.2, 0.25)
    assert budget.left == 0.75


async def test_what_was_spent_before_a_restart_counts() -> None:
    store = MemoryDailySpend()
    store.add(Spend("2027-01-15", 0.75))
    budget = FallbackBudget(dollars=1.0, store=store, wall_clock=Clock())
    await budget.open()
    assert budget.left == 0.25


async def test_a_store_in_trouble_costs_no_start() -> None:
    class Broken(MemoryDailySpend):
        async def on(self, day: str) -> float:
            raise StorageUnavailableError(f"Nothing of {day} can be read.")

    budget = FallbackBudget(dollars=1.0, store=Broken(), wall_clock=Clock())
    await budget.open()
    assert budget.left == 1.0


async def test_what_another_process_spends_is_known_two_seconds_later() -> None:
    store, clock = MemoryDailySpend(), Clock()
    one, other = (FallbackBudget(dollars=1.0, store=store, wall_clock=clock) for _ in range(2))
    for budget in (one, other):
        await budget.open()
    one.reserve(0.5)
    one.settle(0.5, 0.75)
    await other.refresh()
    assert other.left == 1.0
    clock.now += SPENT_SECONDS
    await other.refresh()
    assert other.left == 0.25
    with pytest.raises(PlanSpentError):
        other.reserve(0.5)
