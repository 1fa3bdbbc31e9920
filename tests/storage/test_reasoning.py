"""Turns that are kept: the same over memory and SQLite, and what only one of them does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from claude_openai_proxy.storage.interface import Database, StorageUnavailableError, Transaction, Work
from claude_openai_proxy.storage.reasoning import (
    ABSENT_SECONDS,
    COMMIT_SECONDS,
    USE_SECONDS,
    MemoryReasoning,
    NoReasoning,
    ReasoningStore,
    StoredReasoning,
)
from claude_openai_proxy.storage.sealing import KEY_FILE, Seal, generated_key
from claude_openai_proxy.storage.sqlite import SQLiteDatabase
from claude_openai_proxy.translate.messages_api.kept_turns import KeptTurn
from storage.databases import places, sqlite_in

KEY = b"k" * 32
HOUR = 3_600.0


class Day:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class CountingDatabase(SQLiteDatabase):
    """Counts what is posted."""

    posts = 0

    def post(self, work: Work[object], /, *, name: str = "") -> None:
        self.posts += 1
        super().post(work, name=name)


def turn(number: int, *, keys: tuple[str, ...] = (), size: int = 10) -> KeptTurn:
    return KeptTurn(
        keys or (f"calls-{number}", f"said-{number}"), "claude-opus-5-5", "api", f"prefix-{number}", b"x" * size
    )


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SQLiteDatabase]:
    made = sqlite_in(tmp_path)
    yield made
    await made.aclose()


@pytest.fixture(params=["memory", "sqlite", "sqlite, read anew", "postgresql", "postgresql, read anew"])
async def store(request: pytest.FixtureRequest, day: Day) -> AsyncIterator[Callable[[], ReasoningStore]]:
    """Gives the store; of those that are read anew each is a new one over the same place, as after a restart."""
    kind, _, anew = request.param.partition(", ")
    if kind == "memory":
        memory = MemoryReasoning(wall_clock=day, ttl=24 * HOUR)
        yield lambda: memory
        return
    database = places(kind, request)()
    stored = over(database, day)
    yield (lambda: over(database, day)) if anew else (lambda: stored)
    await database.aclose()


def over(
    database: Database, day: Day, key: bytes = KEY, most_turns: int = 1_000, patience: float = 60.0
) -> StoredReasoning:
    """Patient, so that a busy machine changes nothing."""
    return StoredReasoning(
        database,
        lambda: Seal(key),
        wall_clock=day,
        ttl=24 * HOUR,
        most_turns=most_turns,
        commit_seconds=patience,
    )


async def test_a_turn_is_found_by_either_key_and_by_no_other(store: Callable[[], ReasoningStore]) -> None:
    await store().keep(turn(1))
    await store().keep(turn(2))
    assert await store().find(["calls-1"]) == {"calls-1": [turn(1)]}
    assert await store().find(["said-2", "calls-3"]) == {"said-2": [turn(2)]}
    assert await store().find(["calls-3"]) == {}


async def test_turns_of_the_same_key_all_come_oldest_first(store: Callable[[], ReasoningStore], day: Day) -> None:
    for number in range(3):
        await store().keep(turn(number, keys=("same",)))
        day.now += 1.0
    found = await store().find(["same"])
    assert [one.prefix for one in found["same"]] == ["prefix-0", "prefix-1", "prefix-2"]


async def test_what_was_looked_for_in_vain_is_found_once_it_is_kept(store: Callable[[], ReasoningStore]) -> None:
    assert await store().find(["calls-1"]) == {}
    await store().keep(turn(1))
    assert await store().find(["calls-1"]) == {"calls-1": [turn(1)]}


async def test_what_another_process_keeps_late_is_found_after_a_while(database: SQLiteDatabase, day: Day) -> None:
    here, there = over(database, day), over(database, day)
    assert await here.find(["said-1"]) == {}
    await there.keep(turn(1))
    day.now += ABSENT_SECONDS - 1
    assert await here.find(["said-1"]) == {}
    day.now += 1
    assert await here.find(["said-1"]) == {"said-1": [turn(1)]}


async def test_a_turn_is_kept_for_a_day(store: Callable[[], ReasoningStore], day: Day) -> None:
    await store().keep(turn(1))
    day.now += 24 * HOUR - 1
    assert await store().find(["calls-1"])
    day.now += 1
    assert await store().find(["calls-1"]) == {}


async def test_the_figures_tell_how_much_and_how_old(store: Callable[[], ReasoningStore], day: Day) -> None:
    first = day.now
    await store().keep(turn(1))
    day.now += 60
    await store().keep(turn(2))
    figures = await store().figures()
    assert (figures.turns, figures.oldest, figures.bytes > 0, figures.late) == (2, first, True, 0)


async def test_memory_lets_the_least_used_go(day: Day) -> None:
    memory = MemoryReasoning(wall_clock=day, most_turns=2)
    await memory.keep(turn(1))
    await memory.keep(turn(2))
    await memory.find(["calls-1"])
    await memory.keep(turn(3))
    assert sorted(await memory.find(["calls-1", "calls-2", "calls-3"])) == ["calls-1", "calls-3"]
    small = MemoryReasoning(wall_clock=day, most_bytes=25)
    for number in range(5):
        await small.keep(turn(number))
    assert (await small.figures()).bytes == 20


async def test_the_file_has_what_is_sealed_and_nothing_to_read(
    database: SQLiteDatabase, day: Day, tmp_path: Path
) -> None:
    secret = KeptTurn(("key",), "claude-opus-5-5", "api", "prefix", b"what Claude thought")
    await over(database, day).keep(secret)
    kept = b"".join(file.read_bytes() for file in (tmp_path / "state").iterdir())
    assert b"what Claude thought" not in kept
    assert b"claude-opus" not in kept


async def test_after_another_key_the_rows_count_as_absent_stay_and_are_told_once(
    database: SQLiteDatabase, day: Day, caplog: pytest.LogCaptureFixture
) -> None:
    await over(database, day).keep(turn(1))
    await over(database, day).keep(turn(2))
    other = over(database, day, key=b"o" * 32)
    assert await other.find(["calls-1"]) == {}
    assert await other.find(["calls-2"]) == {}
    day.now += ABSENT_SECONDS
    assert await other.find(["calls-1", "said-2"]) == {}
    told = [record.getMessage() for record in caplog.records]
    assert told == ["Some kept thinking was sealed with another STORAGE_KEY: it counts as absent."]
    assert await over(database, day).find(["calls-1"]) == {"calls-1": [turn(1)]}
    assert len(caplog.records) == 1


async def test_a_lost_key_is_told_once_and_what_is_said_now_is_kept_with_the_new_one(
    database: SQLiteDatabase, day: Day, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def generated() -> StoredReasoning:
        return StoredReasoning(
            database, lambda: Seal(generated_key(tmp_path / "state")), wall_clock=day, commit_seconds=60.0
        )

    await generated().keep(turn(1))
    (tmp_path / "state" / KEY_FILE).unlink()
    again = generated()
    assert await again.find(["calls-1"]) == {}
    await again.keep(turn(2))
    assert await generated().find(["calls-2"]) == {"calls-2": [turn(2)]}
    assert len(caplog.records) == 1
    assert (await again.figures()).turns == 2


async def test_a_file_is_bounded_and_loses_what_was_used_longest_ago(database: SQLiteDatabase, day: Day) -> None:
    store = over(database, day, most_turns=50)
    for number in range(401):
        day.now += 1
        await store.keep(turn(number))
        assert await store.find(["calls-1"] if number else ["calls-0"])
    await database.settle()
    assert (await store.figures()).turns <= 50
    assert await over(database, day).find(["calls-400"])
    assert await over(database, day).find(["said-1"])
    assert not await over(database, day).find(["calls-2"])


async def test_what_another_process_has_used_stays_too(database: SQLiteDatabase, day: Day) -> None:
    writing, reading = over(database, day, most_turns=50), over(database, day)
    await writing.keep(turn(0))
    for number in range(1, 401):
        day.now += 1
        await writing.keep(turn(number))
        if number % 30 == 0:
            day.now += USE_SECONDS
            assert await reading.find(["said-0"])
    await database.settle()
    assert (await writing.figures()).turns <= 50
    assert await over(database, day).find(["calls-0"])


async def test_uses_are_written_together(day: Day, tmp_path: Path) -> None:
    database = CountingDatabase(tmp_path / "state" / "state.db", told=lambda _: None)
    store = over(database, day)
    for number in range(3):
        await store.keep(turn(number))
    await database.settle()
    before = database.posts
    for _ in range(500):
        day.now += USE_SECONDS / 1_000
        assert len(await store.find(["calls-0", "calls-1", "said-2"])) == 3
    assert database.posts == before
    day.now += USE_SECONDS
    assert await store.find(["calls-0"])
    assert database.posts == before + 1
    await database.settle()
    used = await database.read(lambda transaction: transaction.execute("SELECT used FROM reasoning ORDER BY at, used"))
    assert sorted(round(day.now - row[0], 3) for row in used) == [0.0, USE_SECONDS, USE_SECONDS]
    await database.aclose()


async def test_the_last_event_waits_no_longer_than_stated_for_a_file_that_is_locked(
    database: SQLiteDatabase, day: Day
) -> None:
    store = over(database, day, patience=COMMIT_SECONDS)
    held, go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(_: Transaction) -> None:
        loop.call_soon_threadsafe(held.set)
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result()

    holding = asyncio.create_task(database.write(hold, wait=60.0))
    await held.wait()
    await store.keep(turn(1))
    assert (await store.find(["calls-1"])) == {"calls-1": [turn(1)]}
    go.set()
    await holding
    await database.settle()
    assert (await store.figures()).late == 1
    assert await over(database, day).find(["calls-1"])


async def test_a_file_that_cannot_be_used_leaves_memory(tmp_path: Path, day: Day) -> None:
    (tmp_path / "state").write_text("", encoding="utf-8")
    database = sqlite_in(tmp_path)
    store = over(database, day)
    await store.keep(turn(1))
    assert await store.find(["calls-1", "calls-2"]) == {"calls-1": [turn(1)]}
    assert (await store.figures()).late == 1
    with pytest.raises(StorageUnavailableError):
        await database.read(lambda _: None)
    await database.aclose()


async def test_switched_off_nothing_is_kept() -> None:
    store = NoReasoning()
    await store.keep(turn(1))
    assert await store.find(["calls-1"]) == {}
    assert (await store.figures()).turns == 0


async def test_an_empty_store_says_so_until_something_is_kept(store: Callable[[], ReasoningStore]) -> None:
    assert await store().is_empty()
    await store().keep(turn(1))
    assert not await store().is_empty()


async def test_what_another_process_has_kept_is_known_within_a_second(database: SQLiteDatabase, day: Day) -> None:
    store = over(database, day)
    assert await store.is_empty()
    await over(database, day).keep(turn(1))
    day.now += 1.0
    assert not await store.is_empty()
