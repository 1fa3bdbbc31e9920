"""What responses go on from, and what is kept of them, over memory and SQLite."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw

from claude_openai_proxy.errors import InvalidRequestError, NotStoredError
from claude_openai_proxy.records import Principal
from claude_openai_proxy.service.background_responses import BackgroundResponses
from claude_openai_proxy.service.response_state import ResponseState
from claude_openai_proxy.service.underway import Underway
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.storage.responses import LEASE_SECONDS, ResponseStore, StoredObject
from claude_openai_proxy.storage.responses_memory import MemoryResponses
from claude_openai_proxy.storage.responses_sql import StoredResponses
from claude_openai_proxy.storage.sealing import KEY_BYTES, Seal
from storage.databases import sqlite_in

ANN, BOB = Principal("ann", "ann"), Principal("bob", "bob")
NOW = 1_800_000_000.0
DAY = 86_400.0


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class Kept:
    """A state, its store and its clock."""

    store: ResponseStore | None
    runner: str = "me"
    clock: Clock = field(default_factory=Clock)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.state = ResponseState(self.store, self.new_id, self.runner, self.clock)

    def new_id(self, prefix: str) -> str:
        return f"{prefix}{next(self.numbers)}"

    @property
    def there(self) -> ResponseStore:
        assert self.store is not None
        return self.store


@pytest.fixture(params=["memory", "sqlite"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    if request.param == "memory":
        made = Kept(MemoryResponses())
        yield made
        await made.state.aclose()
        return
    database = sqlite_in(tmp_path)
    made = Kept(StoredResponses(database, lambda: Seal(bytes(KEY_BYTES))))
    yield made
    await made.state.aclose()
    await database.aclose()


def message(text: str, role: str = "user", **more: object) -> bytes:
    return msgspec.json.encode({"type": "message", "role": role, "content": text, **more})


def said(text: str, id_: str) -> dict[str, object]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"id": id_, "type": "message", "role": "assistant", "status": "completed", "content": [part]}


def response(id_: str, status: str = "in_progress", /, **more: object) -> bytes:
    members = {"id": id_, "created_at": int(NOW), "status": status, "model": "opus", "store": True, "output": []}
    return msgspec.json.encode(members | more)


async def answered(kept: Kept, id_: str, text: str, answer: str, status: str = "completed", /, **more: object) -> bool:
    async with kept.state.begin(ANN, response(id_, **more), [message(text)]) as underway:
        return await underway.finish(response(id_, status, output=[said(answer, f"msg_of_{id_}")], **more))


async def talk(kept: Kept, id_: str = "conv_1", principal: Principal = ANN) -> None:
    await kept.there.add(StoredObject(id_, "conversation", principal.id, NOW, b"{}"), [], NOW)


def texts(items: list[Raw]) -> list[str]:
    found = []
    for item in items:
        content = msgspec.json.decode(item)["content"]
        found.append(content if isinstance(content, str) else content[0]["text"])
    return found


async def test_a_chain_is_all_that_was_sent_and_said_in_it(kept: Kept) -> None:
    assert await answered(kept, "resp_1", "one", "first")
    assert await answered(kept, "resp_2", "two", "second", previous_response_id="resp_1")
    assert await answered(kept, "resp_3", "another two", "another second", previous_response_id="resp_1")
    history = await kept.state.history(ANN, previous_response_id="resp_2")
    assert texts(history) == ["one", "first", "two", "second"]
    branch = await kept.state.history(ANN, previous_response_id="resp_3")
    assert texts(branch) == ["one", "first", "another two", "another second"]
    assert await kept.state.history(ANN) == []


async def test_calls_their_results_and_thinking_are_part_of_the_chain_byte_for_byte(kept: Kept) -> None:
    thinking = b'{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"cp1.sealed"}'
    call = b'{"id":"fc_1","type":"function_call","call_id":"toolu_1","name":"f","arguments":"{\\"a\\": 1}"}'
    result = b'{"type":"function_call_output","call_id":"toolu_1","output":"42"}'
    async with kept.state.begin(ANN, response("resp_1"), [message("go")]) as underway:
        shown = msgspec.json.encode({"id": "rs_1", "type": "reasoning", "summary": []})
        final = response("resp_1", "completed", output=[Raw(shown), Raw(call)])
        assert await underway.finish(final, [thinking, call])
    async with kept.state.begin(ANN, response("resp_2", previous_response_id="resp_1"), [result]) as underway:
        assert await underway.finish(response("resp_2", "completed"))
    history = [bytes(item) for item in await kept.state.history(ANN, previous_response_id="resp_2")]
    assert history[1:3] == [thinking, call]
    assert msgspec.json.decode(history[3]) == msgspec.json.decode(result) | {"id": "fco_2"}
    found = await kept.state.item(ANN, "rs_1")
    assert found is not None
    assert bytes(found) == thinking


async def test_the_row_is_there_while_it_is_answered_and_cannot_be_continued_yet(kept: Kept) -> None:
    async with kept.state.begin(ANN, response("resp_1"), [message("one")]) as underway:
        assert underway.kept
        with pytest.raises(InvalidRequestError, match="is in_progress") as caught:
            await kept.state.history(ANN, previous_response_id="resp_1")
        assert caught.value.param == "previous_response_id"
        await underway.finish(response("resp_1", "incomplete"))
    assert texts(await kept.state.history(ANN, previous_response_id="resp_1")) == ["one"]


async def test_a_failed_one_cannot_be_continued(kept: Kept) -> None:
    await answered(kept, "resp_1", "one", "fir", "failed")
    with pytest.raises(InvalidRequestError, match="is failed"):
        await kept.state.history(ANN, previous_response_id="resp_1")


@pytest.mark.parametrize("why", ["unknown", "another's", "erased", "expired"])
async def test_what_is_not_there_is_not_found_as_the_api_says_it(kept: Kept, why: str) -> None:
    await answered(kept, "resp_1", "one", "first")
    await answered(kept, "resp_2", "two", "second", previous_response_id="resp_1")
    if why == "erased":
        await kept.there.delete("response", "ann", "resp_1")
    if why == "expired":
        kept.clock.now = NOW + 30 * DAY
    asked = "resp_9" if why == "unknown" else "resp_2"
    with pytest.raises(InvalidRequestError) as caught:
        await kept.state.history(BOB if why == "another's" else ANN, previous_response_id=asked)
    assert caught.value.message == f"Previous response with id '{asked}' not found."
    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")


async def test_items_of_others_are_not_found(kept: Kept) -> None:
    await answered(kept, "resp_1", "one", "first")
    assert await kept.state.item(ANN, "msg_of_resp_1") is not None
    assert await kept.state.item(BOB, "msg_of_resp_1") is None


async def test_both_ways_to_go_on_are_one_too_many(kept: Kept) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await kept.state.history(ANN, previous_response_id="resp_1", conversation="conv_1")
    assert (caught.value.code, caught.value.param) == ("mutually_exclusive_parameters", None)


async def test_what_is_not_to_be_stored_is_not(kept: Kept) -> None:
    assert await answered(kept, "resp_1", "one", "first", store=False)
    with pytest.raises(InvalidRequestError):
        await kept.state.history(ANN, previous_response_id="resp_1")


# ---- conversations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", [True, False])
async def test_a_conversation_has_input_and_output_once_the_response_is_done(kept: Kept, store: bool) -> None:
    await talk(kept)
    in_it: dict[str, object] = {"conversation": {"id": "conv_1"}, "store": store}
    for id_, text, answer in (("resp_1", "one", "first"), ("resp_2", "two", "second")):
        async with kept.state.locked(ANN, "conv_1"):
            assert await answered(kept, id_, text, answer, **in_it)
    assert texts(await kept.state.history(ANN, conversation="conv_1")) == ["one", "first", "two", "second"]


async def test_a_response_of_a_conversation_is_continued_from_where_it_was(kept: Kept) -> None:
    await talk(kept)
    for id_ in ("resp_1", "resp_2"):
        async with kept.state.locked(ANN, "conv_1"):
            await answered(kept, id_, f"to {id_}", f"by {id_}", conversation={"id": "conv_1"})
    assert texts(await kept.state.history(ANN, previous_response_id="resp_1")) == ["to resp_1", "by resp_1"]
    assert texts(await kept.state.history(ANN, previous_response_id="resp_2")) == [
        "to resp_1", "by resp_1", "to resp_2", "by resp_2",
    ]  # fmt: skip


async def test_two_at_once_in_one_conversation_are_told_so(kept: Kept) -> None:
    await talk(kept)
    async with kept.state.locked(ANN, "conv_1"):
        with pytest.raises(InvalidRequestError, match="Another process is currently operating") as caught:
            async with kept.state.locked(ANN, "conv_1"):
                pytest.fail("entered twice")
        assert (caught.value.code, caught.value.param) == ("conversation_locked", "conversation")
    async with kept.state.locked(ANN, "conv_1"):
        pass


async def test_a_conversation_is_free_as_soon_as_its_turn_is_kept(kept: Kept) -> None:
    await talk(kept)
    async with kept.state.locked(ANN, "conv_1"):
        await answered(kept, "resp_1", "one", "first", conversation={"id": "conv_1"})
        async with kept.state.locked(ANN, "conv_1"):
            await answered(kept, "resp_2", "two", "second", conversation={"id": "conv_1"})
    assert texts(await kept.state.history(ANN, conversation="conv_1")) == ["one", "first", "two", "second"]


async def test_a_conversation_that_is_gone_meanwhile_takes_no_turn(kept: Kept) -> None:
    await talk(kept)
    async with (
        kept.state.locked(ANN, "conv_1"),
        kept.state.begin(ANN, response("resp_1", conversation={"id": "conv_1"}), [message("one")]) as underway,
    ):
        await kept.there.delete("conversation", "ann", "conv_1")
        assert not await underway.finish(response("resp_1", "completed", conversation={"id": "conv_1"}))
    with pytest.raises(InvalidRequestError):
        await kept.state.history(ANN, previous_response_id="resp_1")


@pytest.mark.parametrize("use", ["history", "lock"])
async def test_an_unknown_conversation_is_not_found_nor_is_anothers(kept: Kept, use: str) -> None:
    await talk(kept, principal=BOB)
    with pytest.raises(NotStoredError, match=r"Conversation with id 'conv_1' not found\.") as caught:
        await (kept.state.history(ANN, conversation="conv_1") if use == "history" else lock(kept))
    assert caught.value.param is None


async def lock(kept: Kept) -> None:
    async with kept.state.locked(ANN, "conv_1"):
        pass


# ---- those that do not end as they should ---------------------------------------------------------------------------


async def test_what_a_leaving_client_has_seen_is_kept_as_cancelled(kept: Kept) -> None:
    started = asyncio.Event()

    async def one() -> None:
        async with kept.state.begin(ANN, response("resp_1"), [message("one")]) as underway:
            underway.so_far = lambda: response("resp_1", output=[said("half an ans", "msg_a")])
            started.set()
            await asyncio.Event().wait()

    request = asyncio.create_task(one())
    await started.wait()
    request.cancel()
    await asyncio.wait([request])
    await kept.state.aclose()
    row = await kept.there.one("response", "ann", "resp_1", NOW)
    assert row is not None
    assert row.status == "cancelled"
    assert texts(await kept.state.history(ANN, previous_response_id="resp_1")) == ["one", "half an ans"]


async def test_a_cancelled_turn_is_not_in_its_conversation(kept: Kept) -> None:
    await talk(kept)
    begun = kept.state.begin(ANN, response("resp_1", conversation={"id": "conv_1"}), [message("one")])
    async with kept.state.locked(ANN, "conv_1"), begun:
        pass
    await kept.state.aclose()
    assert await kept.state.history(ANN, conversation="conv_1") == []


async def test_a_response_whose_process_died_has_failed_once_its_lease_has_ended(tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    store = StoredResponses(database, lambda: Seal(bytes(KEY_BYTES)))
    dead, alive = Kept(store, runner="dead"), Kept(store, runner="alive")
    await talk(dead)
    async with dead.state.locked(ANN, "conv_1"), dead.state.begin(ANN, response("resp_1"), [message("one")]):
        with pytest.raises(InvalidRequestError, match="is in_progress"):
            await alive.state.history(ANN, previous_response_id="resp_1")
        alive.clock.now = NOW + LEASE_SECONDS
        with pytest.raises(InvalidRequestError, match="is failed"):
            await alive.state.history(ANN, previous_response_id="resp_1")
        async with alive.state.locked(ANN, "conv_1"):
            pass
    await dead.state.aclose()
    await alive.state.aclose()
    await database.aclose()


class Broken(MemoryResponses):
    """Takes nothing, from a moment on."""

    takes = False

    async def add(self, *args: object) -> None:
        if not self.takes:
            raise StorageUnavailableError("full")
        await super().add(*args)  # type: ignore[arg-type]

    async def finish(self, *_: object, otherwise: StoredObject | None = None) -> bool:  # noqa: ARG002
        raise StorageUnavailableError("full")

    async def append(self, *_: object) -> bool:
        raise StorageUnavailableError("full")


@pytest.mark.parametrize("takes", [True, False])
async def test_what_the_store_does_not_take_is_not_said_to_be_kept(takes: bool) -> None:
    store = Broken()
    store.takes = takes
    kept = Kept(store)
    async with kept.state.begin(ANN, response("resp_1"), [message("one")]) as underway:
        assert underway.kept is takes
        assert not await underway.finish(response("resp_1", "completed"))
    async with kept.state.begin(ANN, response("resp_2"), [message("one")]) as underway:
        told = response("resp_2", "completed", store=False)
        assert await underway.finish(told) is not takes
    await kept.state.aclose()


async def test_without_a_store_the_setting_is_named() -> None:
    state = Kept(None).state
    assert not state.keeps
    assert await state.history(ANN) == []
    assert await state.item(ANN, "msg_1") is None
    for asked in ({"previous_response_id": "resp_1"}, {"conversation": "conv_1"}):
        with pytest.raises(InvalidRequestError, match="RESPONSES_STORE=off") as caught:
            await state.history(ANN, **asked)
        assert caught.value.param == next(iter(asked))
    async with state.begin(ANN, response("resp_1", store=False), [message("one")]) as underway:
        assert isinstance(underway, Underway)
        assert not underway.kept
        assert await underway.finish(response("resp_1", "completed", store=False))


async def test_a_history_that_is_too_large_is_too_long(kept: Kept) -> None:
    assert kept.state.largest_history == 64 * 1_048_576
    kept.state.largest_history = 1_048_576
    large = message("a" * 300_000)
    before: dict[str, object] = {}
    for number in range(4):
        id_ = f"resp_{number}"
        async with kept.state.begin(ANN, response(id_, **before), [large]) as underway:
            assert await underway.finish(response(id_, "completed", **before))
        before = {"previous_response_id": id_}
    with pytest.raises(InvalidRequestError, match="1 MiB") as caught:
        await kept.state.history(ANN, previous_response_id="resp_3")
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "input")


async def test_who_leaves_while_the_row_is_made_leaves_none(tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    kept = Kept(StoredResponses(database, lambda: Seal(bytes(KEY_BYTES))))
    occupied, goes_on = threading.Event(), threading.Event()

    def occupy(_: object) -> None:
        occupied.set()
        goes_on.wait()

    database.post(occupy)
    await asyncio.to_thread(occupied.wait)
    request = asyncio.create_task(answered(kept, "resp_1", "one", "first"))
    await asyncio.sleep(0)
    request.cancel()
    await asyncio.wait([request])
    goes_on.set()
    await database.settle()
    assert await kept.there.one("response", "ann", "resp_1", NOW) is None
    await kept.state.aclose()
    await database.aclose()


async def test_what_has_expired_is_erased_though_nobody_asks(tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    kept = Kept(StoredResponses(database, lambda: Seal(bytes(KEY_BYTES))))
    await answered(kept, "resp_1", "one", "first")
    kept.clock.now = NOW + 30 * DAY
    background = BackgroundResponses(kept.state)
    await background.open()
    await asyncio.sleep(0)
    await database.settle()
    assert await database.read(lambda transaction: transaction.execute("SELECT owner FROM stored_items")) == []
    await background.aclose()
    await database.aclose()
