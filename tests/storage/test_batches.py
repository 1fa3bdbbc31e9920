"""Batches and their lines: the same tests judge memory and both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from claude_openai_proxy.storage.batches import (
    OPEN,
    WAITING,
    BatchStore,
    Counts,
    LeaseLostError,
    Line,
    LineEnd,
    Part,
    StoredBatch,
    Totals,
)
from claude_openai_proxy.storage.batches_memory import MemoryBatches
from claude_openai_proxy.storage.batches_sql import StoredBatches
from claude_openai_proxy.storage.sealing import KEY_BYTES, Seal
from storage.databases import places, sqlite_in

SEAL = Seal(bytes(KEY_BYTES))
BATCH = StoredBatch("batch_1", "ann", 100.0, "file-1", "validating", b"{}")
ME, OTHER = "me", "other"


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[BatchStore]:
    if request.param == "memory":
        yield MemoryBatches()
        return
    database = places(request.param, request)()
    yield StoredBatches(database, lambda: SEAL)
    await database.aclose()


@pytest.fixture
async def held(store: BatchStore) -> BatchStore:
    await store.create(BATCH)
    assert await store.claim("batch_1", ME, now=100.0, until=160.0)
    await store.add_lines("batch_1", ME, [Line(1, 0, 10), Line(2, 11, 10), Line(4, 30, 10)])
    return store


async def test_a_batch_comes_back_as_it_was_and_is_nobody_elses(store: BatchStore) -> None:
    await store.create(BATCH)
    assert await store.one("ann", "batch_1") == BATCH
    assert await store.one("bob", "batch_1") is None
    assert await store.ask_cancel("bob", "batch_1", 5.0) is None
    assert await store.page("bob", after="", limit=9) == []
    assert await store.page("bob", after="batch_1", limit=9) is None


async def test_pages_begin_with_the_newest(store: BatchStore) -> None:
    for id_, created in (("batch_b", 2.0), ("batch_c", 3.0), ("batch_a", 2.0)):
        await store.create(replace(BATCH, id=id_, created=created))

    async def ids(after: str) -> list[str]:
        return [batch.id for batch in await store.page("ann", after=after, limit=2) or []]

    assert await ids("") == ["batch_c", "batch_b"]
    assert await ids("batch_b") == ["batch_a"]


async def test_a_lease_is_one_holders_until_it_ends(store: BatchStore) -> None:
    await store.create(BATCH)
    assert await store.claim("batch_1", ME, now=100.0, until=160.0)
    assert not await store.claim("batch_1", OTHER, now=159.0, until=219.0)
    assert await store.claim("batch_1", ME, now=159.0, until=219.0)
    assert await store.claim("batch_1", OTHER, now=160.0, until=219.0, instead_of=ME)
    with pytest.raises(LeaseLostError):
        await store.save(BATCH, ME)
    with pytest.raises(LeaseLostError):
        await store.add_lines("batch_1", ME, [Line(1, 0, 1)])
    await store.release("batch_1", OTHER)
    assert await store.claim("batch_1", ME, now=161.0, until=219.0)


async def test_a_wish_to_cancel_needs_no_lease_and_stays(held: BatchStore) -> None:
    assert not await held.cancel_asked("batch_1")
    asked = await held.ask_cancel("ann", "batch_1", 110.0)
    assert asked is not None
    assert asked.cancel_asked == 110.0
    again = await held.ask_cancel("ann", "batch_1", 120.0)
    assert again is not None
    assert again.cancel_asked == 110.0
    assert await held.cancel_asked("batch_1")


async def test_a_line_ends_once(held: BatchStore) -> None:
    counts = Counts(input=7, cached=2, output=3, thinking=1, dollars=0.25)
    await held.set_line("batch_1", ME, Line(2, 11, 10, "again", 1, 2, 1), [(0, b"first"), (1, b"second")])
    assert await held.line("batch_1", 2) == Line(2, 11, 10, "again", 1, 2, 1)
    assert await held.answers("batch_1", 2) == {0: b"first", 1: b"second"}
    end = LineEnd(2, False, b'{"custom_id":"a"}', counts)
    assert await held.end_line("batch_1", ME, end)
    assert not await held.end_line("batch_1", ME, replace(end, failed=True))
    await held.set_line("batch_1", ME, Line(2, 11, 10, "waiting"))
    assert await held.end_line("batch_1", ME, LineEnd(4, True, b"{}"))
    assert await held.answers("batch_1", 2) == {}
    assert await held.totals("batch_1") == Totals(3, 1, 1, counts)
    assert await held.ends("batch_1", failed=False, after=0, limit=9) == [end]
    assert [line.number for line in await held.lines("batch_1", OPEN, after=0, limit=9)] == [1]
    assert await held.queued("ann") == 1
    assert await held.queued("bob") == 0


async def test_a_part_is_there_before_it_is_asked_for_with_its_lines(held: BatchStore) -> None:
    lines = [Line(1, 0, 10, "sent", 1, 2, 1), Line(4, 30, 10, "sent", 1, 1, 1)]
    await held.begin_part("batch_1", ME, Part(1, 3, 105.0), lines)
    await held.save_part("batch_1", ME, Part(1, 3, 105.0, "msgbatch_1", "made"))
    assert await held.parts("batch_1") == [Part(1, 3, 105.0, "msgbatch_1", "made")]
    assert await held.of_part("batch_1", 1, after=0, limit=1) == lines[:1]
    assert await held.of_part("batch_1", 1, after=1, limit=9) == lines[1:]
    assert [line.number for line in await held.lines("batch_1", WAITING, after=0, limit=9)] == [2]


async def test_lines_that_are_there_already_stay_as_they_are(held: BatchStore) -> None:
    await held.end_line("batch_1", ME, LineEnd(1, False, b"{}"))
    await held.add_lines("batch_1", ME, [Line(1, 0, 10), Line(5, 41, 10)])
    assert await held.totals("batch_1") == Totals(4, 1, 0)


async def test_an_ended_batch_keeps_its_document_alone_and_goes_in_time(held: BatchStore) -> None:
    ended = replace(BATCH, status="completed", ended=200.0, document=b'{"a":1}')
    await held.save(ended, ME)
    kept = await held.one("ann", "batch_1")
    assert kept is not None
    assert (kept.status, kept.ended, kept.document) == ("completed", 200.0, b'{"a":1}')
    assert await held.totals("batch_1") == Totals()
    assert await held.unfinished() == []
    assert not await held.claim("batch_1", ME, now=999.0, until=1000.0)
    await held.drop(200.0)
    assert await held.one("ann", "batch_1") is not None
    await held.drop(201.0)
    assert await held.one("ann", "batch_1") is None


async def test_what_was_said_is_sealed(tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    store = StoredBatches(database, lambda: SEAL)
    await store.create(replace(BATCH, document=b"the secret document"))
    await store.claim("batch_1", ME, now=100.0, until=160.0)
    await store.add_lines("batch_1", ME, [Line(1, 0, 10), Line(2, 11, 10)])
    await store.set_line("batch_1", ME, Line(2, 11, 10, "again"), [(0, b"the secret answer")])
    await store.end_line("batch_1", ME, LineEnd(1, False, b"the secret line"))
    await database.aclose()
    files = list((tmp_path / "state").iterdir())
    assert files
    assert not any(b"the secret" in file.read_bytes() for file in files)
