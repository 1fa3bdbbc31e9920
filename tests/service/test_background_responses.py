"""Responses in the background that another process works on, or did until it died."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from claude_openai_proxy.protocols.openai_responses_request import ResponsesRequest
from claude_openai_proxy.service.background_responses import BackgroundResponses
from claude_openai_proxy.service.response_state import DIED
from claude_openai_proxy.storage.responses import LEASE_SECONDS
from claude_openai_proxy.storage.responses_sql import StoredResponses
from claude_openai_proxy.storage.sealing import KEY_BYTES, Seal
from service.fake_upstream import message as message_of
from service.fake_upstream import text
from service.test_response_state import ANN, NOW, Kept, message, response, said
from service.test_ways import Two, a_record
from service.test_ways_of_dialects import no_files, responses_of
from storage.databases import sqlite_in


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[tuple[Kept, Kept]]:
    """Two processes on one directory: the one that works, and another."""
    databases = [sqlite_in(tmp_path), sqlite_in(tmp_path)]
    working, other = (
        Kept(StoredResponses(database, lambda: Seal(bytes(KEY_BYTES))), runner=runner)
        for database, runner in zip(databases, ("working", "other"), strict=True)
    )
    yield working, other
    await working.state.aclose()
    await other.state.aclose()
    for database in databases:
        await database.aclose()


def event(type_: str, number: int, **more: object) -> tuple[int, bytes]:
    return number, msgspec.json.encode({"type": type_, "sequence_number": number, **more})


async def followed(process: Kept, after: int = -1) -> list[dict[str, Any]]:
    events = await BackgroundResponses(process.state).follow("resp_1", ANN, after)
    return [msgspec.json.decode(one) async for batch in events for one in batch]


async def test_one_whose_process_died_ends_as_failed_for_who_follows(processes: tuple[Kept, Kept]) -> None:
    working, other = processes
    begun = working.state.begin(ANN, response("resp_1", background=True), [message("Hi")], streamed=True)
    async with begun as underway:
        await working.there.add_events(
            "ann", "resp_1", [event("response.created", 0), event("response.in_progress", 1)]
        )
        other.clock.now = NOW + LEASE_SECONDS
        events = await followed(other)
        assert [(one["type"], one["sequence_number"]) for one in events] == [
            ("response.created", 0), ("response.in_progress", 1), ("response.failed", 2),
        ]  # fmt: skip
        told = events[-1]["response"]
        assert (told["id"], told["status"]) == ("resp_1", "failed")
        assert told["error"] == {"code": "server_error", "message": DIED}
        again = await followed(other, after=1)
        assert [one["sequence_number"] for one in again] == [2]
        assert not await underway.finish(response("resp_1", "completed", output=[said("Hello", "msg_1")]))
        assert await followed(other) == events


async def test_one_of_another_process_is_followed_to_its_end(processes: tuple[Kept, Kept]) -> None:
    working, other = processes
    begun = working.state.begin(ANN, response("resp_1", background=True), [message("Hi")], streamed=True)
    async with begun as underway:
        await working.there.add_events("ann", "resp_1", [event("response.created", 0)])
        events = await BackgroundResponses(other.state).follow("resp_1", ANN, -1)
        first = await anext(events)
        assert [msgspec.json.decode(one)["type"] for one in first] == ["response.created"]
        assert await underway.finish(response("resp_1", "completed", output=[said("Hello", "msg_1")]))
        await working.there.add_events("ann", "resp_1", [event("response.completed", 1)])
        rest = [msgspec.json.decode(one)["type"] async for batch in events for one in batch]
        assert rest == ["response.completed"]
    assert await followed(other, after=1) == []


async def test_one_of_another_process_is_cancelled_and_stays_so(processes: tuple[Kept, Kept]) -> None:
    working, other = processes
    begun = working.state.begin(ANN, response("resp_1", background=True), [message("Hi")], streamed=True)
    async with begun as underway:
        cancelled = msgspec.json.decode(await BackgroundResponses(other.state).cancel("resp_1", ANN))
        assert cancelled["status"] == "cancelled"
        told = await working.there.add_events("ann", "resp_1", [event("response.created", 0)])
        assert told == "cancelled"
        assert not await underway.finish(response("resp_1", "completed", output=[said("Hello", "msg_1")]))
    kept = msgspec.json.decode(await BackgroundResponses(working.state).stored.one("resp_1", ANN))
    assert (kept["status"], kept["output"]) == ("cancelled", [])


@pytest.mark.parametrize("how", ["cancelled", "erased"])
async def test_a_run_ends_when_another_process_says_so(processes: tuple[Kept, Kept], how: str) -> None:
    working, other = processes
    two, record = Two(), a_record()
    two.first.scripts = [[message_of(text("Hi"))[:2]]]
    two.first._hang = True
    service = responses_of(two.admissions, working.state)
    background = BackgroundResponses(working.state, watch_seconds=0.01)
    work = service.begin(ResponsesRequest(model="big", input="Hello", background=True))
    run = background.run(work, record)
    await background.start(run, service.respond(work, unknown=(), record=record, hold=no_files))
    if how == "cancelled":
        await BackgroundResponses(other.state).cancel(work.id, record.principal)
    else:
        await BackgroundResponses(other.state).stored.delete(work.id, record.principal)
    assert run.task is not None
    await asyncio.wait([run.task])
    await background.aclose()
    assert two.first.left == len(two.first.requests)
    row = await other.there.one("response", record.principal.id, work.id, NOW)
    assert (row.status if row else "erased") == how
