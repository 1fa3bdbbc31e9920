"""What was spent on a day: the same tests judge memory and SQLite."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from claude_openai_proxy.storage.daily_spend import DailySpendStore, MemoryDailySpend, Spend, StoredDailySpend
from storage.databases import places, sqlite_in


class Settled(StoredDailySpend):
    """Reads once all is committed."""

    async def on(self, day: str) -> float:
        await self._database.settle()
        return await super().on(day)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[DailySpendStore]:
    if request.param == "memory":
        yield MemoryDailySpend()
        return
    database = places(request.param, request)()
    yield Settled(database)
    await database.aclose()


async def test_a_days_sum(store: DailySpendStore) -> None:
    assert await store.on("2027-01-15") == 0
    store.add(Spend("2027-01-15", 0.25))
    store.add(Spend("2027-01-15", 0.5))
    assert await store.on("2027-01-15") == 0.75
    store.add(Spend("2027-01-16", 0.125))
    assert await store.on("2027-01-16") == 0.125


async def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    StoredDailySpend(database).add(Spend("2027-01-15", 0.25))
    await database.aclose()

    again = sqlite_in(tmp_path)
    assert await StoredDailySpend(again).on("2027-01-15") == 0.25
    await again.aclose()
