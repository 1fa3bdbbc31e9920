"""Responses in the background through a real port: polled, cancelled, streamed, followed again, cut."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest
from openai import AsyncOpenAI
from openai.types.responses import Response, ResponseStreamEvent

from claude_openai_proxy.app.wiring import create_app
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Gate, Script, Simulator
from robustness.whole_proxy import whole_proxy
from web.direct import call
from web.serving import served

MODEL = "claude-sonnet-5-5"


def waiting(gate: asyncio.Event, text: str) -> Script:
    """The text in two pieces; between them it waits."""
    *begun, last, stop, delta, end = Script.text(text, pieces=2).steps
    return Script.events([*begun, Gate(gate), last, stop, delta, end])


async def ended(client: AsyncOpenAI, id_: str) -> Response:
    """The response once it is final, as a client polls for it."""
    while (kept := await client.responses.retrieve(id_)).status in ("queued", "in_progress"):
        pass
    return kept


async def begun(client: AsyncOpenAI, id_: str) -> None:
    """Returns when Claude answers it."""
    while (await client.responses.retrieve(id_)).status == "queued":
        pass


def numbers(events: list[ResponseStreamEvent]) -> list[int]:
    return [event.sequence_number for event in events]


async def test_it_is_queued_at_once_and_complete_later(client: AsyncOpenAI, simulator: Simulator) -> None:
    gate = asyncio.Event()
    simulator.play(waiting(gate, "Hello, world."))
    queued = await client.responses.create(model=MODEL, input="Hi", background=True, metadata={"a": "b"})
    assert (queued.status, queued.background, queued.output, queued.metadata) == ("queued", True, [], {"a": "b"})
    await begun(client, queued.id)
    assert (await client.responses.retrieve(queued.id)).status == "in_progress"
    with pytest.raises(openai.BadRequestError, match="is in_progress"):
        await client.responses.create(model=MODEL, input="And?", previous_response_id=queued.id)
    gate.set()
    kept = await ended(client, queued.id)
    assert (kept.id, kept.status, kept.output_text, kept.background) == (
        queued.id, "completed", "Hello, world.", True,
    )  # fmt: skip
    assert kept.usage is not None

    simulator.play(Script.text("Fine."))
    after = await client.responses.create(model=MODEL, input="And?", previous_response_id=queued.id)
    assert after.output_text == "Fine."


async def test_what_is_wrong_with_the_request_is_told_at_once(client: AsyncOpenAI, simulator: Simulator) -> None:
    choice: Any = {"type": "function", "name": "none_such"}
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(model=MODEL, input="Hi", background=True, tool_choice=choice)
    assert caught.value.param == "tool_choice"
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(model=MODEL, input="Hi", background=True, store=False)
    assert caught.value.param == "background"
    with pytest.raises(openai.NotFoundError):
        await client.responses.create(model="claude-none-such", input="Hi", background=True)
    assert [request for request in simulator.requests if request.is_message] == []


async def test_what_fails_later_is_kept_as_failed(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(Script.error(529))
    queued = await client.responses.create(model=MODEL, input="Hi", background=True)
    kept = await ended(client, queued.id)
    assert (kept.status, kept.output) == ("failed", [])
    assert kept.error is not None
    assert kept.error.code == "server_error"
    assert (await client.responses.cancel(queued.id)).status == "failed"


async def test_a_cancelled_one_ends_on_claudes_side_too(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(waiting(asyncio.Event(), "Hello, world."))
    queued = await client.responses.create(model=MODEL, input="Hi", background=True)
    await begun(client, queued.id)
    cancelled = await client.responses.cancel(queued.id)
    assert cancelled.status == "cancelled"
    again = await client.responses.cancel(queued.id)
    assert again == cancelled == await client.responses.retrieve(queued.id)


async def test_a_finished_one_is_cancelled_to_no_effect(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(Script.text("Hello."))
    queued = await client.responses.create(model=MODEL, input="Hi", background=True)
    kept = await ended(client, queued.id)
    assert await client.responses.cancel(queued.id) == kept


async def test_its_stream_can_be_left_and_followed_again(client: AsyncOpenAI, simulator: Simulator) -> None:
    gate = asyncio.Event()
    simulator.play(waiting(gate, "Hello, world."))
    seen: list[ResponseStreamEvent] = []
    stream = await client.responses.create(model=MODEL, input="Hi", background=True, stream=True)
    async for event in stream:
        seen.append(event)
        if event.type == "response.output_text.delta":
            break
    await stream.close()
    assert [event.type for event in seen[:3]] == ["response.created", "response.queued", "response.in_progress"]
    assert isinstance(seen[0].response, Response)  # type: ignore[union-attr]
    id_ = seen[0].response.id  # type: ignore[union-attr]

    gate.set()
    rest = [
        event async for event in await client.responses.retrieve(id_, stream=True, starting_after=numbers(seen)[-1])
    ]
    assert numbers(seen + rest) == list(range(len(seen) + len(rest)))
    assert rest[-1].type == "response.completed"
    assert rest[-1].response.output_text == "Hello, world."
    assert rest[-1].response == await client.responses.retrieve(id_)

    whole = [event async for event in await client.responses.retrieve(id_, stream=True)]
    assert whole == seen + rest
    none = [
        event async for event in await client.responses.retrieve(id_, stream=True, starting_after=numbers(rest)[-1])
    ]
    assert none == []


async def test_two_follow_at_once(client: AsyncOpenAI, simulator: Simulator) -> None:
    gate = asyncio.Event()
    simulator.play(waiting(gate, "Hello, world."))
    stream = await client.responses.create(model=MODEL, input="Hi", background=True, stream=True)
    first = await anext(aiter(stream))
    assert first.type == "response.created"
    others = [await client.responses.retrieve(first.response.id, stream=True) for _ in range(2)]
    reading = [asyncio.create_task(read(other)) for other in others]
    gate.set()
    mine = [first, *await read(stream)]
    assert [await task for task in reading] == [mine, mine]


async def read(stream: openai.AsyncStream[ResponseStreamEvent]) -> list[ResponseStreamEvent]:
    return [event async for event in stream]


async def test_a_stream_that_is_cancelled_or_fails_has_an_end(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(waiting(asyncio.Event(), "Hello, world."))
    stream = await client.responses.create(model=MODEL, input="Hi", background=True, stream=True)
    first = await anext(aiter(stream))
    assert first.type == "response.created"
    await begun(client, first.response.id)
    await client.responses.cancel(first.response.id)
    events = [first, *await read(stream)]
    assert numbers(events) == list(range(len(events)))
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.status == "cancelled"


async def test_what_has_no_events_cannot_be_streamed(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(Script.text("One."), Script.text("Two."))
    plain = await client.responses.create(model=MODEL, input="Hi")
    unstreamed = await client.responses.create(model=MODEL, input="Hi", background=True)
    for id_ in (plain.id, unstreamed.id):
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.retrieve(id_, stream=True)
        assert caught.value.param == "stream"
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve("resp_none", stream=True)
    await ended(client, unstreamed.id)


async def test_a_deleted_one_is_gone_whatever_becomes_of_it(client: AsyncOpenAI, simulator: Simulator) -> None:
    gate = asyncio.Event()
    simulator.play(waiting(gate, "Hello, world."))
    queued = await client.responses.create(model=MODEL, input="Hi", background=True)
    await begun(client, queued.id)
    await client.responses.delete(queued.id)
    gate.set()
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(queued.id)


async def test_its_turn_is_in_the_conversation_when_it_is_done(client: AsyncOpenAI, simulator: Simulator) -> None:
    gate = asyncio.Event()
    simulator.play(waiting(gate, "Hello, world."))
    talk = await client.conversations.create()
    queued = await client.responses.create(model=MODEL, input="Hi", background=True, conversation=talk.id)
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(model=MODEL, input="Me too", conversation=talk.id)
    assert caught.value.code == "conversation_locked"
    gate.set()
    await ended(client, queued.id)
    items = (await client.conversations.items.list(talk.id, order="asc")).data
    assert [item.role for item in items if item.type == "message"] == ["user", "assistant"]


async def test_one_in_a_conversation_that_fails_is_kept_as_failed(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(Script.error(529), Script.text("Hello."))
    talk = await client.conversations.create()
    queued = await client.responses.create(model=MODEL, input="Hi", background=True, conversation=talk.id)
    kept = await ended(client, queued.id)
    assert kept.error is not None
    assert (kept.status, "conversation" in kept.error.message) == ("failed", False)
    assert (await client.conversations.items.list(talk.id)).data == []
    again = await client.responses.create(model=MODEL, input="Hi", background=True, conversation=talk.id)
    assert (await ended(client, again.id)).status == "completed"


async def test_one_whose_conversation_is_erased_meanwhile_is_kept_as_failed(
    client: AsyncOpenAI, simulator: Simulator, tmp_path: Path
) -> None:
    gate = asyncio.Event()
    simulator.play(waiting(gate, "Hello, world."))
    talk = await client.conversations.create()
    stream = await client.responses.create(model=MODEL, input="Hi", background=True, conversation=talk.id, stream=True)
    first = await anext(aiter(stream))
    assert first.type == "response.created"
    (database,) = await asyncio.to_thread(lambda: list(tmp_path.rglob("state.db")))
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:  # to clients it is locked
        connection.execute("DELETE FROM stored_objects WHERE id = ?", (talk.id,))
    gate.set()
    events = [first, *await read(stream)]
    assert numbers(events) == list(range(len(events)))
    assert events[-1].type == "response.failed"
    kept = await client.responses.retrieve(first.response.id)
    assert kept == events[-1].response
    assert kept.error is not None
    assert "conversation could not be kept" in kept.error.message


@asynccontextmanager
async def client_of(environment: dict[str, str], home: Path) -> AsyncIterator[AsyncOpenAI]:
    async with (
        served(create_app(load_settings(Flags(), environment, home))) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client,
    ):
        yield client


async def test_one_that_the_servers_end_cuts_has_failed_and_says_so(
    environment: dict[str, str], tmp_path: Path, simulator: Simulator
) -> None:
    simulator.play(waiting(asyncio.Event(), "Hello, world."))
    async with client_of(environment, tmp_path) as client:
        stream = await client.responses.create(model=MODEL, input="Hi", background=True, stream=True)
        events: list[ResponseStreamEvent] = []
        async for event in stream:
            events.append(event)
            if event.type == "response.output_text.delta":
                break
        await stream.close()
    id_ = events[0].response.id  # type: ignore[union-attr]
    async with client_of(environment, tmp_path) as client:
        kept = await client.responses.retrieve(id_)
        assert kept.status == "failed"
        assert kept.error is not None
        assert (kept.error.code, "was stopped" in kept.error.message) == ("server_error", True)
        assert kept.output_text == events[-1].delta  # type: ignore[union-attr]
        rest = await read(await client.responses.retrieve(id_, stream=True, starting_after=numbers(events)[-1]))
        assert numbers(events + rest) == list(range(len(events) + len(rest)))
        assert rest[-1].type == "response.failed"
        assert rest[-1].response == kept


async def test_what_is_known_of_it_is_known_when_it_has_ended(
    environment: dict[str, str], tmp_path: Path, simulator: Simulator
) -> None:
    gate = asyncio.Event()
    simulator.play(waiting(gate, "Hello, world."))
    body = msgspec.json.encode({"model": MODEL, "input": "Hi", "background": True})
    async with whole_proxy(load_settings(Flags(), environment, tmp_path), simulator) as proxy:
        answer = await call(proxy.app, "POST", "/v1/responses", body)
        assert msgspec.json.decode(answer.body)["status"] == "queued"
        assert proxy.ledger.records == []
        gate.set()
        (record,) = await proxy.ledger.ends(1)
    assert (record.status, record.route, record.error, record.finish_reason) == (200, "/v1/responses", "", "completed")
    assert record.output_tokens > 0


async def test_another_keys_is_not_found(environment: dict[str, str], tmp_path: Path, simulator: Simulator) -> None:
    gate = asyncio.Event()
    simulator.play(waiting(gate, "Hello, world."))
    environment["PROXY_API_KEYS"] = "ann:key-of-ann,bob:key-of-bob"
    async with client_of(environment, tmp_path) as client:
        ann, bob = client.with_options(api_key="key-of-ann"), client.with_options(api_key="key-of-bob")
        queued = await ann.responses.create(model=MODEL, input="Hi", background=True)
        for ask in (bob.responses.retrieve(queued.id), bob.responses.cancel(queued.id)):
            with pytest.raises(openai.NotFoundError):
                await ask
        with pytest.raises(openai.NotFoundError):
            await bob.responses.retrieve(queued.id, stream=True)
        gate.set()
        assert (await ended(ann, queued.id)).status == "completed"


async def test_without_a_store_the_setting_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    environment["RESPONSES_STORE"] = "off"
    async with client_of(environment, tmp_path) as client:
        with pytest.raises(openai.BadRequestError, match="RESPONSES_STORE=off") as caught:
            await client.responses.create(model=MODEL, input="Hi", background=True)
        assert caught.value.param == "background"


async def test_a_wrong_query_is_refused_at_its_member(client: AsyncOpenAI) -> None:
    for query, param in (("stream=maybe", "stream"), ("stream=true&starting_after=-1", "starting_after")):
        with pytest.raises(openai.BadRequestError) as caught:
            await client.get(f"/responses/resp_1?{query}", cast_to=object)
        assert caught.value.param == param
