"""The ledger's months in PostgreSQL: made ahead, asked for alone, dropped by age; and how rows get into them."""

import asyncio
import multiprocessing
import re
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from msgspec.structs import replace

from claude_openai_proxy.service.usage import Usage
from claude_openai_proxy.service.usage_overview import Filter, UsageOverview
from claude_openai_proxy.storage import postgresql_schema
from claude_openai_proxy.storage.interface import Row, Transaction, Value, Work
from claude_openai_proxy.storage.ledger import Choice, StoredLedger, columns_of
from claude_openai_proxy.storage.migration import steps
from claude_openai_proxy.storage.months import month_of
from claude_openai_proxy.storage.postgresql import PostgreSQLDatabase
from postgresql_server import execute
from storage.databases import postgresql_at
from storage.ledger_rows import DAY, NOON, ROW
from tcp_relay import relay_to

T = TypeVar("T")
PARTITIONS = (
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = 'ledger'::regclass ORDER BY 1"
)


def partitions(url: str) -> list[object]:
    return [name for (name,) in execute(url, PARTITIONS)]


def at(year: int, month: int, day: int = 1) -> float:
    return datetime(year, month, day, tzinfo=UTC).timestamp()


@pytest.fixture
def store(database: PostgreSQLDatabase) -> StoredLedger:
    return StoredLedger(database)


@pytest.mark.parametrize(
    ("moment", "first", "end"),
    [
        (at(2024, 10, 4), (2024, 10), (2024, 11)),
        (at(2024, 12, 31) + DAY - 0.001, (2024, 12), (2025, 1)),
        (at(2025, 1), (2025, 1), (2025, 2)),
        (-1.0, (1969, 12), (1970, 1)),
    ],
)
def test_a_month_is_one_of_utc(moment: float, first: tuple[int, int], end: tuple[int, int]) -> None:
    assert month_of(moment) == (at(*first), at(*end))


async def test_a_month_is_there_before_its_first_row(store: StoredLedger, postgresql_url: str) -> None:
    await store.keep([ROW], oldest=0)
    assert partitions(postgresql_url) == ["ledger_2024_10", "ledger_2024_11"]
    await store.keep([replace(ROW, at=at(2024, 11))], oldest=0)
    assert partitions(postgresql_url) == ["ledger_2024_10", "ledger_2024_11", "ledger_2024_12"]


async def test_rows_of_any_time_have_a_month(store: StoredLedger, postgresql_url: str) -> None:
    """What a killed proxy left, or one whose clock was wrong."""
    rows = [replace(ROW, id="old", at=at(2022, 2, 3)), ROW, replace(ROW, id="ahead", at=at(2031, 12, 31))]
    await store.keep(rows, oldest=0)
    assert [row.id for row in await store.latest(Choice(0), 9)] == ["ahead", "req_1", "old"]
    assert partitions(postgresql_url) == ["ledger_2022_02", "ledger_2024_10", "ledger_2031_12", "ledger_2032_01"]


async def test_what_is_sent_again_with_its_time_is_kept_once(store: StoredLedger, postgresql_url: str) -> None:
    other = StoredLedger(postgresql_at(postgresql_url))
    rows = [replace(ROW, id=f"req_{number}", at=NOON + number / 7) for number in range(300)]
    await asyncio.gather(store.keep(rows, oldest=0), other.keep(rows[100:], oldest=0))
    await store.keep([*rows[:50], *rows[:50]], oldest=0)
    kept = await store.latest(Choice(0), 1000)
    assert sorted(kept, key=lambda row: row.at) == rows
    await other._database.aclose()


def _keep_from_another_process(url: str, number: int) -> None:
    async def keep() -> None:
        database = postgresql_at(url)
        for month in range(6):
            rows = [replace(ROW, id=f"{number}-{day}", at=at(2025, month + 1, day)) for day in range(1, 11)]
            await StoredLedger(database).keep(rows, oldest=at(2024, month + 1))
        await database.aclose()

    asyncio.run(keep())


async def test_several_processes_make_the_same_months(store: StoredLedger, postgresql_url: str) -> None:
    await store.keep([ROW], oldest=0)
    spawning = multiprocessing.get_context("fork")
    processes = [spawning.Process(target=_keep_from_another_process, args=(postgresql_url, n)) for n in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        await asyncio.to_thread(process.join)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(await store.latest(Choice(at(2025, 1)), 1000)) == 180
    assert partitions(postgresql_url)[-7:] == [f"ledger_2025_{month:02}" for month in range(1, 8)]


# ---- by age ---------------------------------------------------------------------------------------------------------


async def test_whole_months_are_dropped_and_a_part_of_one_is_deleted(store: StoredLedger, postgresql_url: str) -> None:
    rows = [replace(ROW, id=f"{month}-{day}", at=at(2024, month, day)) for month in (1, 2, 3) for day in (5, 25)]
    await store.keep(rows, oldest=0)
    await store.keep([], oldest=at(2024, 2, 15))
    assert partitions(postgresql_url) == ["ledger_2024_02", "ledger_2024_03", "ledger_2024_04"]
    assert [row.id for row in await store.latest(Choice(0), 9)] == ["3-25", "3-5", "2-25"]


async def test_a_month_that_somebody_reads_is_dropped_another_time(
    store: StoredLedger, database: PostgreSQLDatabase, postgresql_url: str
) -> None:
    await store.keep([ROW], oldest=0)
    begun, go_on = threading.Event(), threading.Event()

    def reads(transaction: Transaction) -> None:
        transaction.execute("SELECT count(*) FROM ledger")
        begun.set()
        go_on.wait(60)

    reading = asyncio.ensure_future(database.read(reads))
    await asyncio.to_thread(begun.wait, 60)
    await store.keep([replace(ROW, id="req_2", at=NOON + 70 * DAY)], oldest=NOON + 60 * DAY)
    assert "ledger_2024_10" in partitions(postgresql_url)
    assert [row.id for row in await store.latest(Choice(0), 9)] == ["req_2"]
    assert database.state.trouble == ""
    go_on.set()
    await reading
    await store.keep([], oldest=NOON + 61 * DAY)
    assert partitions(postgresql_url) == ["ledger_2024_12", "ledger_2025_01"]


# ---- from before ----------------------------------------------------------------------------------------------------


async def test_what_was_there_before_months_stays_and_goes_by_age(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(postgresql_schema, "steps", lambda kind: steps(kind)[:13])
        before.setattr(postgresql_schema, "newest", lambda: 13)
        old = postgresql_at(postgresql_url)
        old.open()
        rows = [replace(ROW, id=f"req_{number}", at=NOON + number * DAY) for number in range(20)]
        names = ", ".join({"key": "key_name", "stream": "streamed"}.get(n, n) for n in ROW.__struct_fields__)
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            for row in rows:
                values = [
                    int(v) if isinstance(v, bool) else v for v in (getattr(row, n) for n in row.__struct_fields__)
                ]
                marks = ", ".join(["%s"] * (len(values) + 2))
                sql = f"INSERT INTO ledger ({names}, hour, failed) VALUES ({marks})"
                connection.execute(sql.encode(), [*values, int(row.at) // 3600, 0])
        await old.aclose()

    database = postgresql_at(postgresql_url)
    store = StoredLedger(database)
    assert await store.latest(Choice(0), 100) == rows[::-1]
    assert partitions(postgresql_url) == ["ledger_before"]
    await store.keep([rows[0], replace(ROW, id="new", at=at(2024, 11, 2))], oldest=0)
    assert partitions(postgresql_url) == ["ledger_2024_11", "ledger_2024_12", "ledger_before"]
    assert len(await store.latest(Choice(0), 100)) == 21
    await store.keep([], oldest=at(2024, 11))
    assert partitions(postgresql_url) == ["ledger_2024_11", "ledger_2024_12"]
    await database.aclose()


# ---- questions ------------------------------------------------------------------------------------------------------


class _Planned:
    """A transaction that keeps the plan of each statement."""

    def __init__(self, transaction: Transaction, plans: list[str]) -> None:
        self._transaction = transaction
        self._plans = plans

    def execute(self, sql: str, parameters: Sequence[Value] = (), /) -> list[Row]:
        plan = self._transaction.execute(f"EXPLAIN (COSTS OFF) {sql}", parameters)
        self._plans.append("\n".join(row[0] for row in plan))
        return self._transaction.execute(sql, parameters)

    def __getattr__(self, name: str) -> object:
        raise AssertionError(name)


class _Planning(PostgreSQLDatabase):
    plans: list[str]

    async def read(self, work: Work[T], /) -> T:
        return await super().read(lambda transaction: work(_Planned(transaction, self.plans)))  # type: ignore[arg-type]


async def test_the_usage_page_asks_few_questions_of_the_months_it_shows_by_an_index(
    store: StoredLedger, postgresql_url: str
) -> None:
    """Sequential scans are dear in this session: of a whole month one may well be quicker than its index."""
    rows = [replace(ROW, id=str(n), at=NOON - n * 390 * DAY / 5_000, principal=f"key_{n % 20}") for n in range(5_000)]
    await store.keep(rows, oldest=0)
    execute(postgresql_url, "ANALYZE ledger")
    database = _Planning(f"{postgresql_url}%20-cenable_seqscan%3Doff", fingerprint=lambda: "f", told=lambda _: None)
    database.plans = []
    planned = StoredLedger(database)

    for asked in (Filter(), Filter(key="key_1"), Filter(status="failed")):
        await UsageOverview(planned, limits=tuple, wall_clock=lambda: float(NOON)).of(asked)
    await planned.spent("key_1", NOON - 3_600)
    recent, database.plans = database.plans, []
    told = await Usage(planned, wall_clock=lambda: float(NOON)).report("client", 400 * DAY)
    report = database.plans
    await database.aclose()

    assert told.total.requests == 5_000
    assert (len(recent), len(report)) == (3 * 3 + 1, 2)
    assert all("ledger_2024_10" in _scanned(plan) for plan in recent)
    assert all(_scanned(plan) <= {"ledger_2024_09", "ledger_2024_10", "ledger_2024_11"} for plan in recent)
    assert all(len(_scanned(plan)) == 15 for plan in report), "fourteen months, and the one that is made ahead"
    assert not any("Seq Scan" in plan for plan in [*recent, *report])


def _scanned(plan: str) -> set[str]:
    """The partitions in a plan."""
    return set(re.findall(r" on (ledger_\d{4}_\d\d) ", plan))


# ---- a line that is cut ---------------------------------------------------------------------------------------------


async def test_a_line_that_is_cut_among_many_rows_loses_and_doubles_none(
    store: StoredLedger, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_openai_proxy.storage.postgresql.UNANSWERED_SECONDS", 0.3)
    monkeypatch.setattr("claude_openai_proxy.storage.queued.RETRY_SECONDS", 0.1)
    place = urlsplit(postgresql_url)
    user = f"{place.netloc.rpartition('@')[0]}@" if "@" in place.netloc else ""
    rows = [replace(ROW, id=f"req_{number}", at=NOON + number) for number in range(2_000)]
    await store.keep(rows[:1], oldest=0)
    with relay_to(place.hostname or "127.0.0.1", place.port or 5432) as relay:
        far = postgresql_at(urlunsplit(place._replace(netloc=f"{user}127.0.0.1:{relay.port}")))
        await far.read(lambda transaction: transaction.execute("SELECT 1"))
        tries = 0

        def cut_once(transaction: Transaction) -> None:
            nonlocal tries
            tries += 1
            transaction.execute("SELECT 1")
            if tries == 1:
                relay.go("swallowing")
            transaction.insert_new("ledger", columns_of(rows))

        far.post(cut_once)
        async with asyncio.timeout(60):
            while not far.state.trouble:  # noqa: ASYNC110 - another thread makes it so
                await asyncio.sleep(0.01)
            relay.go("open")
            while far.state.trouble:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.01)
        assert tries == 2
        assert len(await store.latest(Choice(0), 5_000)) == 2_000
        await far.aclose()
