"""What the usage page shows, and how many questions that takes, however much is in the ledger."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec.structs import replace

from claude_openai_proxy.records import LedgerRow
from claude_openai_proxy.service.usage import Usage
from claude_openai_proxy.service.usage_overview import DAYS, LATEST, Filter, UsageOverview
from claude_openai_proxy.storage.interface import Row, Transaction, Value, Work
from claude_openai_proxy.storage.ledger import MemoryLedger, StoredLedger
from claude_openai_proxy.storage.sqlite import SQLiteDatabase
from storage.ledger_rows import DAY, NOON, ROW

MANY = 100_000
T = TypeVar("T")


class Counted:
    """A transaction whose statements are kept, with their plans."""

    def __init__(self, transaction: Transaction, asked: list[str]) -> None:
        self._transaction = transaction
        self._asked = asked

    def execute(self, sql: str, parameters: Sequence[Value] = (), /) -> list[Row]:
        plan = self._transaction.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
        self._asked.append("; ".join(row[3] for row in plan))
        return self._transaction.execute(sql, parameters)

    def execute_many(self, *written: object) -> None:
        raise AssertionError(written)

    def insert_new(self, *written: object) -> None:
        raise AssertionError(written)

    def drop_before(self, *dropped: object) -> None:
        raise AssertionError(dropped)

    def alone(self, *names: str) -> None:
        raise AssertionError(names)

    @property
    def changed(self) -> int:
        raise AssertionError


class Counting(SQLiteDatabase):
    """A database that keeps the plan of each statement that reads."""

    asked: list[str]

    async def read(self, work: Work[T], /) -> T:
        return await super().read(lambda transaction: work(Counted(transaction, self.asked)))


@pytest.mark.parametrize("many", [10, MANY])
async def test_the_questions_are_few_and_indexed_however_much_is_in_it(tmp_path: Path, many: int) -> None:
    database = Counting(tmp_path / "state" / "state.db", told=lambda _: None)
    database.asked = []
    store = StoredLedger(database)
    for start in range(0, many, 10_000):
        numbers = range(start, min(start + 10_000, many))
        await store.keep([row(number, many) for number in numbers], oldest=0)

    shown = await UsageOverview(store, limits=tuple, wall_clock=lambda: float(NOON)).of(Filter())
    page, database.asked = database.asked, []
    told = await Usage(store, wall_clock=lambda: float(NOON)).report("client", 400 * DAY)
    report = database.asked
    await database.aclose()

    assert len(shown.latest) == min(LATEST, many)
    assert told.total.requests == many
    assert (len(page), len(report)) == (3, 2)
    assert all(plan.startswith("SEARCH ledger USING INDEX sqlite_autoindex_ledger_1 (at>?)") for plan in page + report)


def row(number: int, many: int) -> LedgerRow:
    at = NOON - number * 29 * DAY / many
    return replace(ROW, id=str(number), at=at, client=f"client/{number % 50}", principal=f"key_{number % 20}")


async def test_it_has_thirty_days_without_gaps_and_sums_of_them_alone() -> None:
    store = MemoryLedger()
    old = replace(ROW, id="2", at=NOON - DAYS * DAY)
    await store.keep([ROW, old], oldest=0)
    shown = await UsageOverview(store, limits=tuple, wall_clock=lambda: float(NOON)).of(Filter())
    assert list(shown.days) == list(range(20_000 - DAYS + 1, 20_001))
    assert shown.total.requests == 1


async def test_what_the_cache_saved_counts_what_writing_to_it_cost() -> None:
    store = MemoryLedger()
    sonnet = replace(ROW, cached_tokens=1_000_000, cache_write_tokens=300_000, cache_write_1h_tokens=100_000)
    unknown = replace(sonnet, id="2", model_used="glm")
    await store.keep([sonnet, unknown], oldest=0)
    shown = await UsageOverview(store, limits=tuple, wall_clock=lambda: float(NOON)).of(Filter())
    assert shown.saved == pytest.approx((2 - 0.1) - 0.2 * (2.5 - 2) - 0.1 * (4 - 2))


@pytest.mark.parametrize(
    ("asked", "having"),
    [
        (Filter(), {}),
        (Filter(status="failed"), {"failed": 1}),
        (Filter(status="529"), {}),
        (Filter(status="503", key="key_1", client="curl"), {"status": 503, "principal": "key_1", "client": "curl"}),
        (Filter(status="²"), {}),
    ],
)
def test_a_filter_asks_for_what_there_is(asked: Filter, having: dict[str, object]) -> None:
    assert asked.having == having
