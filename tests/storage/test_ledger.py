"""The ledger's rows and sums: the same tests judge memory, SQLite and PostgreSQL."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from claude_openai_proxy.records import LedgerRow
from claude_openai_proxy.storage.ledger import (
    DIMENSIONS,
    MEMORY_ROWS,
    MOST_LET_GO,
    Choice,
    Dimension,
    LedgerStore,
    LedgerSum,
    MemoryLedger,
    StoredLedger,
    latest_query,
    sums_query,
)
from storage.databases import places, sqlite_in
from storage.ledger_rows import DAY, NOON, ROW


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[LedgerStore]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    database = places(request.param, request)()
    yield StoredLedger(database)
    await database.aclose()


async def kept(store: LedgerStore, *rows: LedgerRow) -> None:
    await store.keep(rows, oldest=0)


async def groups(store: LedgerStore, *by: Dimension, since: float = 0) -> dict[tuple[str, ...], LedgerSum]:
    return {one.group: one for one in await store.sums(Choice(since), by)}


async def test_a_row_comes_back_as_it_was_kept(store: LedgerStore) -> None:
    other = replace(ROW, id="req_2", at=NOON + 1, charged=None, first_token_ms=None, stream=False, has_list_price=False)
    await kept(store, ROW, other)
    assert await store.latest(Choice(0), 10) == [other, ROW]


async def test_sums_by_day_and_model(store: LedgerStore) -> None:
    tomorrow = replace(ROW, id="req_3", at=NOON + DAY)
    opus = replace(ROW, id="req_4", model_used="claude-opus-5-5")
    await kept(store, ROW, replace(ROW, id="req_2", status=500), tomorrow, opus)

    found = await groups(store, "day", "model")

    assert set(found) == {
        ("20000", "claude-sonnet-5-5"),
        ("20001", "claude-sonnet-5-5"),
        ("20000", "claude-opus-5-5"),
    }
    assert found["20000", "claude-sonnet-5-5"] == LedgerSum(
        group=("20000", "claude-sonnet-5-5"),
        requests=2,
        failed=1,
        input_tokens=2_000,
        cached_tokens=1_200,
        cache_write_tokens=600,
        cache_write_1h_tokens=200,
        output_tokens=100,
        thinking_tokens=40,
        web_searches=2,
        list_price=0.5,
        charged=0.5,
    )


@pytest.mark.parametrize("dimension", DIMENSIONS)
async def test_each_dimension_makes_groups(store: LedgerStore, dimension: Dimension) -> None:
    other = replace(
        ROW,
        id="req_2",
        at=NOON + DAY,
        principal="key_2",
        client="curl",
        model_used="claude-opus-5-5",
        upstream="claude-code",
        billed="plan",
    )
    await kept(store, ROW, other)
    words = {
        "day": ("20000", "20001"),
        "hour": ("480012", "480036"),
        "model": ("claude-sonnet-5-5", "claude-opus-5-5"),
        "key": ("key_1", "key_2"),
        "client": ("OpenAI/Python", "curl"),
        "upstream": ("api", "claude-code"),
        "billed": ("api", "plan"),
    }
    assert {group[0]: one.requests for group, one in (await groups(store, dimension)).items()} == dict.fromkeys(
        words[dimension], 1
    )


async def test_a_key_is_shown_by_its_name_and_counted_by_its_id(store: LedgerStore) -> None:
    await kept(store, ROW, replace(ROW, id="req_2", principal="key_2"))
    assert {one.group: one.name for one in await store.sums(Choice(0), ["key"])} == {
        ("key_1",): "ann",
        ("key_2",): "ann",
    }


async def test_prices_that_are_not_known_are_counted_and_not_summed(store: LedgerStore) -> None:
    gateway = replace(ROW, id="req_2", model_used="glm", has_list_price=False, list_price=40.0, charged=None)
    unused = replace(ROW, id="req_3", model_used="glm", has_list_price=False, list_price=0.0, charged=0.0)
    await kept(store, ROW, gateway, unused)

    (all_,) = await store.sums(Choice(0), [])

    assert (all_.requests, all_.list_price, all_.unpriced) == (3, 0.25, 1)
    assert (all_.charged, all_.uncharged) == (0.25, 1)


async def test_of_no_rows_the_sum_is_nothing(store: LedgerStore) -> None:
    assert await store.sums(Choice(0), []) == [LedgerSum()]
    assert await store.sums(Choice(0), ["day"]) == []


async def test_only_what_came_since_counts(store: LedgerStore) -> None:
    await kept(store, ROW, replace(ROW, id="req_2", at=NOON + 10))
    assert (await groups(store, since=NOON + 10))[()].requests == 1
    assert await store.latest(Choice(NOON + 11), 10) == []


async def test_the_last_requests_of_a_status_a_key_a_client(store: LedgerStore) -> None:
    failed = replace(ROW, id="req_2", at=NOON + 1, status=529)
    ben = replace(ROW, id="req_3", at=NOON + 2, principal="key_2", client="curl")
    await kept(store, ROW, failed, ben)

    assert [row.id for row in await store.latest(Choice(0, {"status": 529}), 10)] == ["req_2"]
    assert [row.id for row in await store.latest(Choice(0, {"principal": "key_1"}), 10)] == ["req_2", "req_1"]
    assert [row.id for row in await store.latest(Choice(0, {"client": "curl", "status": 200}), 10)] == ["req_3"]
    assert [row.id for row in await store.latest(Choice(0), 2)] == ["req_3", "req_2"]


async def test_what_is_tried_again_is_kept_once(store: LedgerStore) -> None:
    await kept(store, ROW)
    await kept(store, ROW, replace(ROW, id="req_2"))
    assert (await groups(store))[()].requests == 2


async def test_what_is_too_old_goes(store: LedgerStore) -> None:
    await kept(store, ROW)
    await store.keep([replace(ROW, id="req_2", at=NOON + DAY)], oldest=NOON + 1)
    assert [row.id for row in await store.latest(Choice(0), 10)] == ["req_2"]
    await store.keep([], oldest=NOON + 2 * DAY)
    assert await store.latest(Choice(0), 10) == []


async def test_what_is_too_old_goes_in_several_writes(tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    store = StoredLedger(database)
    await kept(store, *(replace(ROW, id=f"req_{number}", at=NOON + number) for number in range(2 * MOST_LET_GO + 1)))
    new = replace(ROW, id="new", at=NOON + 2 * DAY)
    left = []
    for _ in range(4):
        await store.keep([new], oldest=NOON + DAY)
        left.append((await groups(store))[()].requests - 1)
    assert left == [MOST_LET_GO + 1, 1, 0, 0], "who has rows to keep is not kept waiting"
    await database.aclose()


async def test_all_that_is_too_old_goes_at_the_start(tmp_path: Path) -> None:
    """With LEDGER_DAYS=0 nobody comes afterwards."""
    database = sqlite_in(tmp_path)
    store = StoredLedger(database)
    await kept(store, *(replace(ROW, id=f"req_{number}", at=NOON + number) for number in range(2 * MOST_LET_GO + 1)))
    await store.keep([], oldest=NOON + DAY)
    assert (await groups(store))[()].requests == 0
    await database.aclose()


async def test_what_a_key_has_spent(store: LedgerStore) -> None:
    unknown = replace(ROW, id="req_2", at=NOON + DAY, list_price=2.0, has_list_price=False)
    await kept(store, ROW, unknown, replace(ROW, id="req_3", at=NOON + DAY, principal="key_2"))
    assert await store.spent("key_1", NOON) == 2.25
    assert await store.spent("key_1", NOON + 1) == 2.0
    assert await store.spent("nobody", 0) == 0.0


@pytest.mark.parametrize(
    ("status", "error", "failed"),
    [(200, "", False), (200, "UpstreamError", True), (404, "", True), (499, "ClientLeftError", False), (502, "", True)],
)
def test_what_counts_as_failed(status: int, error: str, failed: bool) -> None:
    assert replace(ROW, status=status, error=error).failed is failed


async def test_memory_is_bounded() -> None:
    store = MemoryLedger()
    await kept(store, *(replace(ROW, id=f"req_{number}") for number in range(MEMORY_ROWS + 5)))
    assert (await groups(store))[()].requests == MEMORY_ROWS


async def test_every_question_is_answered_by_an_index(tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    await kept(StoredLedger(database), ROW)
    await database.aclose()
    asked: list[tuple[Dimension, ...]] = [(), ("day", "model"), ("key", "client"), ("hour",)]
    queries = [sums_query(Choice(NOON), by) for by in asked]
    queries += [latest_query(Choice(NOON), 100), latest_query(Choice(NOON, {"principal": "key_1"}), 100)]
    queries += [("SELECT SUM(list_price) FROM ledger WHERE principal = ? AND at >= ?", ("key_1", NOON))]

    with closing(sqlite3.connect(tmp_path / "state" / "state.db")) as connection:
        plans = [
            " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters))
            for sql, parameters in queries
        ]

    assert all("SEARCH ledger USING INDEX" in plan and "(at>" in plan.replace("principal=? AND ", "") for plan in plans)
    assert not any("SCAN" in plan for plan in plans)
    assert "ledger_by_principal" in plans[-1]
    assert not any("TEMP B-TREE FOR ORDER BY" in plan for plan in plans[4:])
