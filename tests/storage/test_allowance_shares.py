"""Shares of limits: the same tests judge SQLite and PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from claude_openai_proxy.storage.allowance_shares import SHARE_SECONDS, Share, StoredShares, Wanted
from storage.databases import places

NOW = 1_800_000_000.0


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[StoredShares]:
    database = places(request.param, request)()
    yield StoredShares(database)
    await database.aclose()


def minute(needed: float, *, in_use: float = 0, hoped: float = 2) -> Wanted:
    return Wanted("requests", "", 10, in_use, needed, hoped)


def day(needed: float, *, in_use: float = 0, spent_elsewhere: float = 0) -> Wanted:
    return Wanted("dollars", "2027-01-15", 1.0, in_use, needed, 0.1, spent_elsewhere)


async def test_a_share_is_what_is_hoped_for_or_what_is_needed_and_never_more_than_is_free(store: StoredShares) -> None:
    assert await store.lease("one", "ann", [minute(1)], NOW) == {"requests": 2}
    assert await store.lease("two", "ann", [minute(5)], NOW) == {"requests": 5}
    assert await store.lease("one", "ann", [minute(1, in_use=2)], NOW) == {"requests": 4}
    assert await store.lease("two", "ann", [minute(1, in_use=5)], NOW) == {"requests": 6}
    assert await store.lease("three", "ann", [minute(1)], NOW) == {}
    assert await store.lease("three", "bob", [minute(1)], NOW) == {"requests": 2}


async def test_one_limit_that_is_used_up_keeps_no_other_from_being_leased(store: StoredShares) -> None:
    assert await store.lease("one", "ann", [minute(10), day(0.5)], NOW) == {"requests": 10, "dollars": 0.5}
    assert await store.lease("two", "ann", [minute(1), day(0.25)], NOW) == {"dollars": 0.25}


async def test_what_is_given_back_is_free(store: StoredShares) -> None:
    await store.lease("one", "ann", [minute(10)], NOW)
    await store.keep("one", [Share("ann", "requests", "", 3, 0)], NOW, seconds=SHARE_SECONDS)
    assert await store.lease("two", "ann", [minute(7)], NOW) == {"requests": 7}


async def test_of_a_process_that_died_a_minute_s_share_returns_and_of_a_day_s_what_it_had_not_used(
    store: StoredShares,
) -> None:
    await store.lease("dead", "ann", [minute(10), day(1.0)], NOW)
    await store.keep("dead", [Share("ann", "dollars", "2027-01-15", 1.0, 0.25)], NOW, seconds=SHARE_SECONDS)
    before, after = NOW + SHARE_SECONDS - 1, NOW + SHARE_SECONDS

    assert await store.lease("other", "ann", [minute(1), day(0.1)], before) == {}
    assert await store.lease("other", "ann", [minute(10), day(0.76)], after) == {"requests": 10}
    assert await store.lease("other", "ann", [day(0.75)], after) == {"dollars": 0.75}


async def test_what_the_ledger_knows_counts_where_it_knows_more(store: StoredShares) -> None:
    await store.lease("one", "ann", [day(0.25)], NOW)
    assert await store.lease("two", "ann", [day(0.5, spent_elsewhere=0.5)], NOW) == {}
    assert await store.lease("two", "ann", [day(0.25, spent_elsewhere=0.5)], NOW) == {"dollars": 0.25}
