"""Responses, conversations and chat completions that are kept: the same tests judge memory and SQLite."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from claude_openai_proxy.storage.interface import (
    WRITE_SECONDS,
    StorageRefusedError,
    StorageState,
    StorageUnavailableError,
    Transaction,
    Work,
)
from claude_openai_proxy.storage.responses import LEASE_SECONDS, Item, ResponseStore, StoredObject, Turn
from claude_openai_proxy.storage.responses_memory import MemoryResponses
from claude_openai_proxy.storage.responses_rows import MOST_AT_ONCE, insert
from claude_openai_proxy.storage.responses_sql import StoredResponses
from claude_openai_proxy.storage.sealing import KEY_BYTES, Seal
from claude_openai_proxy.storage.sqlite import SQLiteDatabase
from storage.databases import places, sqlite_in

T = TypeVar("T")

SEAL = Seal(bytes(KEY_BYTES))
NOW = 100.0
FIRST = StoredObject(
    "resp_1",
    "response",
    "ann",
    NOW,
    b'{"id":"resp_1"}',
    expires=1000.0,
    model="opus",
    status="in_progress",
    runner="me",
)
TALK = StoredObject("conv_1", "conversation", "ann", NOW, b'{"id":"conv_1"}')
CHAT = StoredObject("chatcmpl-1", "completion", "ann", NOW, b"{}", expires=1000.0, model="opus")
ASKED = Item("msg_1", "input", b'{"role":"user","content":"the question"}')
SAID = Item("msg_2", "output", b'{"role":"assistant","content":"the answer"}')


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[ResponseStore]:
    if request.param == "memory":
        yield MemoryResponses()
        return
    database = places(request.param, request)()
    yield StoredResponses(database, lambda: SEAL)
    await database.aclose()


async def finished(store: ResponseStore, response: StoredObject = FIRST, *, output: Item = SAID) -> None:
    await store.add(response, [ASKED], NOW)
    assert await store.finish(replace(response, status="completed"), [output], None, NOW)


def of(items: list[Item]) -> list[tuple[str, str, bytes]]:
    return [(item.id, item.part, item.body) for item in items]


ASKED_AND_SAID = of([ASKED, SAID])


async def test_a_response_is_there_when_it_begins_and_final_when_it_has_finished(store: ResponseStore) -> None:
    await store.add(FIRST, [ASKED], NOW)
    begun = await store.one("response", "ann", "resp_1", NOW)
    assert begun is not None
    assert (begun.status, begun.body, begun.runner, begun.runs_until > NOW) == ("in_progress", FIRST.body, "me", True)
    assert of(await store.items("ann", "resp_1")) == of([ASKED])

    final = replace(FIRST, status="completed", body=b'{"id":"resp_1","status":"completed"}')
    assert await store.finish(final, [SAID], None, NOW + 1)
    ended = await store.one("response", "ann", "resp_1", NOW)
    assert ended is not None
    assert (ended.status, ended.body, ended.model, ended.created) == ("completed", final.body, "opus", NOW)
    assert of(await store.items("ann", "resp_1")) == ASKED_AND_SAID


async def test_a_final_status_is_never_left(store: ResponseStore) -> None:
    await finished(store)
    assert not await store.finish(replace(FIRST, status="cancelled"), [SAID], None, NOW)
    assert not await store.change(replace(FIRST, status="in_progress"))
    ended = await store.one("response", "ann", "resp_1", NOW)
    assert ended is not None
    assert ended.status == "completed"
    assert of(await store.items("ann", "resp_1")) == ASKED_AND_SAID


async def test_a_queued_one_goes_on_and_another_body_is_kept(store: ResponseStore) -> None:
    await store.add(replace(FIRST, status="queued"), [], NOW)
    assert await store.change(replace(FIRST, body=b"{}"))
    found = await store.one("response", "ann", "resp_1", NOW)
    assert found is not None
    assert (found.status, found.body, found.runner) == ("in_progress", b"{}", "me")


async def test_nobody_sees_anothers(store: ResponseStore) -> None:
    await finished(store)
    await store.add(TALK, [ASKED], NOW)
    assert await store.one("response", "bob", "resp_1", NOW) is None
    assert await store.chain("bob", "resp_1", NOW) == []
    assert await store.items("bob", "resp_1") == []
    assert await store.item("bob", "msg_2", NOW) is None
    assert await store.item("bob", "msg_2", NOW, owner="resp_1") is None
    assert not await store.delete("response", "bob", "resp_1")
    assert not await store.delete_item("bob", "conv_1", "msg_1")
    assert not await store.change(replace(TALK, principal="bob"))
    assert await store.add_events("bob", "resp_1", [(0, b"{}")]) == ""
    assert await store.take("conv_1", "his", "me", NOW)
    assert not await store.append("bob", Turn("conv_1", "his", [SAID]), NOW)
    assert of(await store.items("ann", "conv_1")) == of([ASKED])


async def test_one_kind_is_not_another(store: ResponseStore) -> None:
    await store.add(TALK, [], NOW)
    assert await store.one("response", "ann", "conv_1", NOW) is None
    assert not await store.delete("response", "ann", "conv_1")
    assert await store.one("conversation", "ann", "conv_1", NOW) is not None


async def test_a_chain_is_whole_or_none(store: ResponseStore) -> None:
    await finished(store)
    await finished(store, replace(FIRST, id="resp_2", previous="resp_1"))
    await finished(store, replace(FIRST, id="resp_3", previous="resp_2"))
    await finished(store, replace(FIRST, id="resp_4", previous="resp_2"))
    assert [one.id for one in await store.chain("ann", "resp_3", NOW)] == ["resp_1", "resp_2", "resp_3"]
    assert [one.id for one in await store.chain("ann", "resp_4", NOW)] == ["resp_1", "resp_2", "resp_4"]
    assert await store.delete("response", "ann", "resp_2")
    assert await store.chain("ann", "resp_3", NOW) == []
    assert [one.id for one in await store.chain("ann", "resp_1", NOW)] == ["resp_1"]


async def test_what_has_expired_is_not_there(store: ResponseStore) -> None:
    await finished(store)
    await finished(store, replace(FIRST, id="resp_2", previous="resp_1", expires=2000.0))
    assert await store.one("response", "ann", "resp_1", 999.0) is not None
    assert await store.one("response", "ann", "resp_1", 1000.0) is None
    assert await store.chain("ann", "resp_2", 1000.0) == []
    assert await store.item("ann", "msg_2", 2000.0) is None


async def test_an_item_is_found_wherever_it_is_and_an_answered_one_first(store: ResponseStore) -> None:
    await finished(store)
    echoed = replace(SAID, part="input", body=b"as the client sent it back")
    await store.add(replace(FIRST, id="resp_2", created=NOW + 1), [echoed], NOW)
    found = await store.item("ann", "msg_2", NOW)
    assert found is not None
    assert found.body == SAID.body
    newest = await store.item("ann", "msg_1", NOW)
    assert newest is not None
    assert newest.body == ASKED.body
    within = await store.item("ann", "msg_2", NOW, owner="resp_2")
    assert within is not None
    assert within.body == echoed.body
    assert await store.item("ann", "msg_9", NOW) is None


async def test_what_is_deleted_leaves_nothing_behind(store: ResponseStore) -> None:
    await finished(store)
    await store.add_events("ann", "resp_1", [(0, b"{}")])
    assert await store.delete("response", "ann", "resp_1")
    assert not await store.delete("response", "ann", "resp_1")
    assert await store.one("response", "ann", "resp_1", NOW) is None
    assert await store.items("ann", "resp_1") == []
    assert await store.item("ann", "msg_2", NOW) is None
    assert await store.events("ann", "resp_1", -1) == []


# ---- conversations --------------------------------------------------------------------------------------------------


async def test_a_turn_comes_with_the_end_of_its_response_and_frees_the_conversation(store: ResponseStore) -> None:
    await store.add(TALK, [Item("msg_0", "input", b"{}")], NOW)
    assert await store.take("conv_1", "mine", "me", NOW)
    response = replace(FIRST, conversation="conv_1")
    await store.add(response, [ASKED], NOW)
    begun = await store.one("response", "ann", "resp_1", NOW)
    assert begun is not None
    assert begun.place == 1
    assert [item.id for item in await store.items("ann", "conv_1")] == ["msg_0"]

    turn = Turn("conv_1", "mine", [ASKED, SAID])
    assert await store.finish(replace(response, status="completed"), [SAID], turn, NOW)
    assert [item.id for item in await store.items("ann", "conv_1")] == ["msg_0", "msg_1", "msg_2"]
    assert await store.take("conv_1", "another", "me", NOW)


@pytest.mark.parametrize("lost", ["lock", "conversation"])
async def test_without_lock_or_conversation_nothing_is_finished(store: ResponseStore, lost: str) -> None:
    await store.add(TALK, [], NOW)
    await store.add(FIRST, [ASKED], NOW)
    assert await store.take("conv_1", "mine", "me", NOW)
    if lost == "lock":
        store.give("conv_1", "mine")
    else:
        await store.delete("conversation", "ann", "conv_1")
    turn = Turn("conv_1", "mine", [ASKED, SAID])
    assert not await store.finish(replace(FIRST, status="completed"), [SAID], turn, NOW)
    assert not await store.append("ann", turn, NOW)
    begun = await store.one("response", "ann", "resp_1", NOW)
    assert begun is not None
    assert begun.status == "in_progress"
    assert await store.items("ann", "conv_1") == []


async def test_items_of_a_conversation_outlive_the_response_and_go_with_it(store: ResponseStore) -> None:
    await store.add(TALK, [], NOW)
    await store.take("conv_1", "mine", "me", NOW)
    await store.add(FIRST, [ASKED], NOW)
    await store.finish(replace(FIRST, status="completed"), [SAID], Turn("conv_1", "mine", [ASKED, SAID]), NOW)
    assert await store.delete("response", "ann", "resp_1")
    assert of(await store.items("ann", "conv_1")) == ASKED_AND_SAID
    found = await store.item("ann", "msg_2", 1e9)
    assert found is not None
    assert found.body == SAID.body
    assert await store.delete("conversation", "ann", "conv_1")
    assert await store.item("ann", "msg_2", NOW) is None


async def test_a_deleted_item_leaves_the_order_of_the_others(store: ResponseStore) -> None:
    await store.add(TALK, [replace(ASKED, id=f"msg_{number}") for number in range(4)], NOW)
    assert await store.delete_item("ann", "conv_1", "msg_1")
    assert not await store.delete_item("ann", "conv_1", "msg_1")
    await store.take("conv_1", "mine", "me", NOW)
    assert await store.append("ann", Turn("conv_1", "mine", [SAID]), NOW)
    items = await store.items("ann", "conv_1")
    assert [(item.id, item.place) for item in items] == [("msg_0", 0), ("msg_2", 2), ("msg_3", 3), ("msg_2", 4)]


async def test_items_have_pages_both_ways(store: ResponseStore) -> None:
    await store.add(TALK, [replace(ASKED, id=f"msg_{number}") for number in range(5)], NOW)
    page = await store.items("ann", "conv_1", after=1, limit=2)
    assert [item.id for item in page] == ["msg_2", "msg_3"]
    page = await store.items("ann", "conv_1", after=3, descending=True, limit=2)
    assert [item.id for item in page] == ["msg_2", "msg_1"]
    page = await store.items("ann", "conv_1", descending=True, limit=1)
    assert [item.id for item in page] == ["msg_4"]


async def test_a_conversation_is_locked_once(store: ResponseStore) -> None:
    await store.add(TALK, [], NOW)
    took = await asyncio.gather(*(store.take("conv_1", f"holder {number}", "me", NOW) for number in range(5)))
    assert sorted(took) == [False] * 4 + [True]
    holder = f"holder {took.index(True)}"
    store.give("conv_1", "somebody else")
    assert not await store.take("conv_1", "late", "me", NOW)
    store.give("conv_1", holder)
    assert await store.take("conv_1", "late", "me", NOW)


# ---- chat completions -----------------------------------------------------------------------------------------------


async def test_completions_are_listed_in_pages_by_time_and_model(store: ResponseStore) -> None:
    for id_, created, model in (("b", 2.0, "opus"), ("c", 3.0, "haiku"), ("a", 2.0, "opus"), ("d", 4.0, "opus")):
        await store.add(replace(CHAT, id=id_, created=created, model=model), [], NOW)
    await store.add(replace(CHAT, id="old", expires=NOW), [], NOW)
    await store.add(replace(CHAT, id="his", principal="bob"), [], NOW)

    async def ids(*, model: str | None = None, after: str = "", descending: bool = False, limit: int = 10) -> list[str]:
        last = await store.one("completion", "ann", after, NOW) if after else None
        page = await store.page("ann", NOW, model=model, after=last, descending=descending, limit=limit)
        return [one.id for one in page]

    assert await ids() == ["a", "b", "c", "d"]
    assert await ids(descending=True) == ["d", "c", "b", "a"]
    assert await ids(model="opus", limit=2) == ["a", "b"]
    assert await ids(model="opus", after="b") == ["d"]
    assert await ids(after="b", descending=True) == ["a"]


async def test_another_body_replaces_the_one_before(store: ResponseStore) -> None:
    await store.add(CHAT, [], NOW)
    assert await store.change(replace(CHAT, body=b'{"metadata":{}}'))
    found = await store.one("completion", "ann", "chatcmpl-1", NOW)
    assert found is not None
    assert (found.body, found.model) == (b'{"metadata":{}}', "opus")
    assert not await store.change(replace(CHAT, id="chatcmpl-2"))


# ---- events ---------------------------------------------------------------------------------------------------------


async def test_events_come_back_in_order_behind_a_number(store: ResponseStore) -> None:
    await store.add(FIRST, [], NOW)
    assert await store.add_events("ann", "resp_1", [(0, b"zero"), (1, b"one")]) == "in_progress"
    assert await store.add_events("ann", "resp_1", [(3, b"three")]) == "in_progress"
    assert await store.events("ann", "resp_1", -1) == [(0, b"zero"), (1, b"one"), (3, b"three")]
    assert await store.events("ann", "resp_1", 1) == [(3, b"three")]
    assert await store.add_events("ann", "resp_9", [(0, b"zero")]) == ""


# ---- bounds ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_beyond_the_bound_the_oldest_go_first_and_conversations_last(kind: str, tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    store: ResponseStore = (
        MemoryResponses(most_bytes=300_000)
        if kind == "memory"
        else StoredResponses(database, lambda: SEAL, most_bytes=300_000)
    )
    large = Item("msg_1", "input", bytes(10_000))
    await store.add(TALK, [large], NOW)
    for number in range(400):
        await store.add(replace(FIRST, id=f"resp_{number}"), [large], NOW + number)
    await database.settle()
    there = [number for number in range(400) if await store.one("response", "ann", f"resp_{number}", NOW)]
    assert 399 in there
    assert len(there) < 250
    assert there == list(range(there[0], 400))
    assert await store.one("conversation", "ann", "conv_1", NOW) is not None
    await database.aclose()


async def test_one_sweep_erases_so_many_and_never_a_conversation_before_what_may_go(tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    store = StoredResponses(database, lambda: SEAL, most_bytes=1)
    await database.write(many)
    store.sweep(NOW)
    await database.settle()
    assert await count(database) == {"conversation": 1, "response": 50}
    store.sweep(NOW)
    await database.settle()
    assert await count(database) == {}
    await database.aclose()


async def test_of_what_has_expired_one_sweep_erases_so_many(tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    store = StoredResponses(database, lambda: SEAL)
    await database.write(many)
    store.sweep(5000.0)
    await database.settle()
    assert await count(database) == {"conversation": 1, "response": 50}
    await database.aclose()


def many(transaction: Transaction) -> None:
    """A conversation, and after it more responses than one sweep erases."""
    for one in (TALK, *(replace(FIRST, id=f"resp_{n}") for n in range(MOST_AT_ONCE + 50))):
        insert(transaction, SEAL, one, NOW)


async def count(database: SQLiteDatabase) -> dict[str, int]:
    return dict(
        await database.read(
            lambda transaction: transaction.execute("SELECT kind, count(*) FROM stored_objects GROUP BY kind")
        )
    )


# ---- what only a database has ---------------------------------------------------------------------------------------


async def test_they_outlive_the_process_and_nothing_of_them_can_be_read_on_the_disk(tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    store = StoredResponses(database, lambda: SEAL)
    await finished(store)
    await store.add_events("ann", "resp_1", [(0, b"the event")])
    await database.aclose()
    written = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    assert not [said for said in (b"question", b"answer", b"the event") if said in written]

    again = sqlite_in(tmp_path)
    store = StoredResponses(again, lambda: SEAL)
    assert of(await store.items("ann", "resp_1")) == ASKED_AND_SAID
    assert await store.events("ann", "resp_1", -1) == [(0, b"the event")]
    await again.aclose()


async def test_with_another_key_they_count_as_absent_and_stay(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = sqlite_in(tmp_path)
    kept = StoredResponses(database, lambda: SEAL)
    await finished(kept)
    await kept.add(CHAT, [], NOW)
    other = StoredResponses(database, lambda: Seal(b"\1" * KEY_BYTES))
    assert await other.one("response", "ann", "resp_1", NOW) is None
    assert await other.chain("ann", "resp_1", NOW) == []
    assert await other.item("ann", "msg_2", NOW) is None
    assert await other.page("ann", NOW, model=None, after=None, descending=False, limit=5) == []
    assert not await other.delete("response", "ann", "resp_1")
    assert len(caplog.records) == 1
    assert [one.id for one in await kept.chain("ann", "resp_1", NOW)] == ["resp_1"]
    await database.aclose()


async def test_a_runner_that_is_dead_holds_nothing_and_one_that_lives_does(tmp_path: Path) -> None:
    database, other_process = sqlite_in(tmp_path), sqlite_in(tmp_path)
    mine, its = StoredResponses(database, lambda: SEAL), StoredResponses(other_process, lambda: SEAL)
    await mine.add(TALK, [], NOW)
    assert await mine.take("conv_1", "mine", "me", NOW)
    assert not await its.take("conv_1", "its", "it", NOW + LEASE_SECONDS - 1)
    mine.live("me", NOW + 2 * LEASE_SECONDS)
    await database.settle()
    assert not await its.take("conv_1", "its", "it", NOW + LEASE_SECONDS + 1)
    assert await its.take("conv_1", "its", "it", NOW + 2 * LEASE_SECONDS + 1)

    assert not await mine.append("ann", Turn("conv_1", "mine", [SAID]), NOW)
    assert await its.append("ann", Turn("conv_1", "its", [SAID]), NOW)
    await database.aclose()
    await other_process.aclose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_what_a_dead_runner_worked_on_is_given_up_for_good(kind: str, request: pytest.FixtureRequest) -> None:
    database = places(kind, request)()
    store = StoredResponses(database, lambda: SEAL)
    await store.add(FIRST, [ASKED], NOW)
    failed = replace(FIRST, status="failed", body=b"{}")
    assert not await store.give_up(failed, NOW + LEASE_SECONDS - 1)
    assert await store.give_up(failed, NOW + LEASE_SECONDS)
    assert not await store.finish(replace(FIRST, status="completed"), [SAID], None, NOW + LEASE_SECONDS)
    found = await store.one("response", "ann", "resp_1", NOW)
    assert found is not None
    assert (found.status, found.body) == ("failed", b"{}")
    await database.aclose()


async def test_nobody_is_dead_who_could_not_be_heard(tmp_path: Path) -> None:
    """The database was away until just now: who works on it had no way to say so."""
    database = JustBack(sqlite_in(tmp_path))
    store = StoredResponses(database, lambda: SEAL)
    late = NOW + 10 * LEASE_SECONDS
    await store.add(FIRST, [ASKED], NOW)
    await store.add(TALK, [], NOW)
    assert await store.take("conv_1", "mine", "me", NOW)
    found = await store.one("response", "ann", "resp_1", late)
    assert found is not None
    assert found.runs_until > late
    assert not await store.give_up(replace(FIRST, status="failed"), late)
    assert not await store.take("conv_1", "its", "it", late)
    database.well_for = LEASE_SECONDS
    assert await store.take("conv_1", "its", "it", late)
    assert await store.give_up(replace(FIRST, status="failed"), late)
    await database.aclose()


class JustBack:
    """A database that was in trouble until a moment ago."""

    def __init__(self, database: SQLiteDatabase) -> None:
        self.well_for = 0.0
        self._database = database
        self.read, self.write, self.post = database.read, database.write, database.post
        self.settle, self.aclose = database.settle, database.aclose

    @property
    def state(self) -> StorageState:
        return self._database.state


async def test_in_the_background_one_stays_though_its_turn_cannot_be_appended(store: ResponseStore) -> None:
    await store.add(TALK, [], NOW)
    await store.add(FIRST, [ASKED], NOW)
    turn, failed = Turn("conv_1", "nobody", [ASKED, SAID]), replace(FIRST, status="failed", body=b"{}")
    assert not await store.finish(replace(FIRST, status="completed"), [SAID], turn, NOW, otherwise=failed)
    found = await store.one("response", "ann", "resp_1", NOW)
    assert found is not None
    assert (found.status, found.body) == ("failed", b"{}")
    assert of(await store.items("ann", "resp_1")) == of([ASKED])
    assert await store.items("ann", "conv_1") == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_what_is_finished_soon_is_finished_once_and_events_are_kept_once(
    kind: str, request: pytest.FixtureRequest
) -> None:
    database = places(kind, request)()
    store = StoredResponses(database, lambda: SEAL)
    await store.add(FIRST, [ASKED], NOW)
    final = replace(FIRST, status="completed", body=b'{"id":"resp_1"}')
    for _ in range(2):
        store.finish_soon(final, [SAID], None, NOW, otherwise=replace(FIRST, status="failed"))
        store.add_events_soon("ann", "resp_1", [(0, b"zero"), (1, b"one")])
    await database.settle()
    found = await store.one("response", "ann", "resp_1", NOW)
    assert found is not None
    assert found.status == "completed"
    assert of(await store.items("ann", "resp_1")) == ASKED_AND_SAID
    assert await store.events("ann", "resp_1", -1) == [(0, b"zero"), (1, b"one")]
    await database.aclose()


class Late:
    """A database whose commits come after its caller has stopped waiting for them."""

    def __init__(self, database: SQLiteDatabase) -> None:
        self._database = database
        self.read = database.read
        self.post = database.post
        self.settle = database.settle
        self.aclose = database.aclose

    @property
    def state(self) -> StorageState:
        return self._database.state

    @property
    def well_for(self) -> float:
        return self._database.well_for

    async def write(
        self,
        work: Work[T],
        /,
        *,
        wait: float = WRITE_SECONDS,  # noqa: ARG002
        abandon: bool = False,  # noqa: ARG002 - it has begun
        undo: Work[object] | None = None,
        apart: bool = False,
    ) -> T:
        left = threading.Event()

        def held_up(transaction: Transaction) -> T:
            left.wait(60)
            return work(transaction)

        try:
            return await self._database.write(held_up, wait=0.01, undo=undo, apart=apart)
        finally:
            left.set()


async def test_what_may_not_have_been_written_is_taken_back(tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    store = StoredResponses(Late(database), lambda: SEAL)
    fast = StoredResponses(database, lambda: SEAL)
    await fast.add(TALK, [ASKED], NOW)
    await fast.add(FIRST, [ASKED], NOW)
    assert await fast.take("conv_1", "mine", "me", NOW)
    with pytest.raises(StorageUnavailableError):
        await store.finish(replace(FIRST, status="completed"), [SAID], Turn("conv_1", "mine", [ASKED, SAID]), NOW)
    await database.settle()
    assert await fast.one("response", "ann", "resp_1", NOW) is None
    assert of(await fast.items("ann", "conv_1")) == of([ASKED])

    with pytest.raises(StorageUnavailableError):
        await store.add(replace(FIRST, id="resp_2"), [ASKED], NOW)
    await database.settle()
    assert await fast.one("response", "ann", "resp_2", NOW) is None

    fast.give("conv_1", "mine")
    with pytest.raises(StorageUnavailableError):
        await store.take("conv_1", "late", "me", NOW)
    await database.settle()
    assert await fast.take("conv_1", "another", "me", NOW)
    await database.aclose()


@pytest.mark.parametrize("trouble", [OSError("gone"), StorageRefusedError("not yours")])
async def test_without_the_key_storage_is_unavailable(tmp_path: Path, trouble: Exception) -> None:
    def refuse() -> Seal:
        raise trouble

    database = sqlite_in(tmp_path)
    with pytest.raises(StorageUnavailableError):
        await StoredResponses(database, refuse).add(FIRST, [], NOW)
    await database.aclose()
