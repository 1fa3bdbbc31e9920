"""State as other servers get it wrong: ids that lead nowhere, chains without calls, keys that see each other."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from claude_openai_proxy.app.wiring import create_app
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Gate, Script, Simulator
from claude_openai_proxy.simulator.message_events import SIGNATURE
from web.serving import served

MODEL = "claude-sonnet-5-5"
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
THINKING: Any = {"type": "thinking", "thinking": "Paris, then.", "signature": SIGNATURE}
CALL: Any = {"type": "tool_use", "id": "toolu_sim_1", "name": "get_weather", "input": {"city": "Paris"}}
THOUGHTFUL = Script.blocks([THINKING, CALL], stop_reason="tool_use")


def kinds(simulator: Simulator) -> list[list[str]]:
    """The types of the blocks of each turn that Claude was sent last."""
    messages: Any = simulator.requests[-1].json["messages"]
    return [[block["type"] for block in message["content"]] for message in messages]


async def asked_for_weather(client: AsyncOpenAI, simulator: Simulator) -> Any:
    """A stored response with thinking and a call."""
    simulator.play(THOUGHTFUL, Script.text("Mild."))
    return await client.responses.create(model=MODEL, input="Weather?", tools=[WEATHER], reasoning={"effort": "high"})


RESULT: Any = {"type": "function_call_output", "call_id": "toolu_sim_1", "output": "15 degrees"}
WHOLE_LOOP = [["text"], ["thinking", "tool_use"], ["tool_result"]]


@pytest.mark.parametrize("form", ["bare references", "items without what was sealed"])
async def test_ids_of_stored_reasoning_stand_for_it_for_as_long_as_it_is_stored(
    client: AsyncOpenAI, simulator: Simulator, form: str
) -> None:
    first = await asked_for_weather(client, simulator)
    items = [item.to_dict() for item in first.output]
    assert "encrypted_content" not in items[0]
    back = [{"type": "item_reference", "id": item["id"]} for item in items] if form == "bare references" else items
    sent: Any = [{"role": "user", "content": "Weather?"}, *back, RESULT]
    answer = await client.responses.create(model=MODEL, input=sent, tools=[WEATHER], reasoning={"effort": "high"})
    assert answer.output_text == "Mild."
    assert kinds(simulator) == WHOLE_LOOP


async def test_a_whole_reasoning_item_never_fails_whatever_is_known_of_it(
    client: AsyncOpenAI, simulator: Simulator
) -> None:
    first = await asked_for_weather(client, simulator)
    items: Any = [item.to_dict() for item in first.output]
    await client.responses.delete(first.id)
    sent: Any = [{"role": "user", "content": "Weather?"}, *items, RESULT]
    answer = await client.responses.create(model=MODEL, input=sent, tools=[WEATHER])
    assert answer.output_text == "Mild."

    reference: Any = [{"type": "item_reference", "id": "rs_none"}, {"role": "user", "content": "And?"}]
    with pytest.raises(openai.NotFoundError) as caught:
        await client.responses.create(model=MODEL, input=reference)
    assert caught.value.body == {
        "message": "Item with id 'rs_none' not found. Items are not persisted when `store` is set to false. Try again "
        "with `store` set to true, or remove this item from your input.",
        "type": "invalid_request_error",
        "param": "input",
        "code": None,
    }


async def test_calls_are_in_the_stored_chain(client: AsyncOpenAI, simulator: Simulator) -> None:
    first = await asked_for_weather(client, simulator)
    answer = await client.responses.create(
        model=MODEL, input=[RESULT], previous_response_id=first.id, tools=[WEATHER], reasoning={"effort": "high"}
    )
    assert answer.output_text == "Mild."
    assert kinds(simulator) == WHOLE_LOOP


async def test_a_streamed_response_is_found_by_the_request_that_follows_its_terminal_event(
    client: AsyncOpenAI, simulator: Simulator
) -> None:
    simulator.play(Script.text("One."), Script.text("Two."))
    answers = []
    async for event in await client.responses.create(model=MODEL, input="First?", stream=True):
        if event.type == "response.completed":
            previous = event.response.id
            answers.append(await client.responses.create(model=MODEL, input="Second?", previous_response_id=previous))
    assert [answer.output_text for answer in answers] == ["Two."]
    assert kinds(simulator) == [["text"], ["text"], ["text"]]


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_unknown_previous_response_is_never_ignored(
    client: AsyncOpenAI, simulator: Simulator, streamed: bool
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(model=MODEL, input="And?", previous_response_id="resp_none", stream=streamed)
    assert caught.value.body == {
        "message": "Previous response with id 'resp_none' not found.",
        "type": "invalid_request_error",
        "param": "previous_response_id",
        "code": "previous_response_not_found",
    }
    assert not [request for request in simulator.requests if request.is_message]


async def test_of_many_in_one_conversation_at_once_one_goes_through(client: AsyncOpenAI, simulator: Simulator) -> None:
    gate = asyncio.Event()
    simulator.play(Script.events([Gate(gate), *Script.text("Hello.").steps]))
    talk = await client.conversations.create()

    async def ask() -> str:
        try:
            return (await client.responses.create(model=MODEL, input="Hi", conversation=talk.id)).output_text
        except openai.BadRequestError as error:
            gate.set()
            return str(error.code)

    told = await asyncio.gather(*(ask() for _ in range(4)))
    assert sorted(told) == ["Hello.", *["conversation_locked"] * 3]
    assert len((await client.conversations.items.list(talk.id)).data) == 2


# ---- who has another key --------------------------------------------------------------------------------------------


@pytest.fixture
async def keys(environment: dict[str, str], tmp_path: Path) -> AsyncIterator[tuple[AsyncOpenAI, AsyncOpenAI]]:
    """Ann and Bob."""
    environment["PROXY_API_KEYS"] = "ann:key-of-ann,bob:key-of-bob"
    async with (
        served(create_app(load_settings(Flags(), environment, tmp_path))) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="key-of-ann", max_retries=0) as ann,
    ):
        yield ann, ann.with_options(api_key="key-of-bob")


@pytest.mark.parametrize("how", ["whole", "streamed", "in the background"])
async def test_nobody_reads_or_continues_what_another_key_has(
    keys: tuple[AsyncOpenAI, AsyncOpenAI], simulator: Simulator, how: str
) -> None:
    ann, bob = keys
    simulator.play(Script.text("Secret."))
    talk = (await ann.conversations.create()).id
    options: Any = {"streamed": {"stream": True}, "in the background": {"background": True}}.get(how, {})
    made: Any = await ann.responses.create(model=MODEL, input="Hi", conversation=talk, **options)
    if how == "streamed":
        *_, last = [event async for event in made]
        made = last.response
    while made.status in ("queued", "in_progress"):
        made = await ann.responses.retrieve(made.id)
    assert made.output_text == "Secret."

    hers: Any = {"type": "item_reference", "id": made.output[-1].id}
    refused: list[tuple[Any, type[openai.APIStatusError]]] = [
        (bob.responses.retrieve(made.id), openai.NotFoundError),
        (bob.responses.cancel(made.id), openai.NotFoundError),
        (bob.responses.delete(made.id), openai.NotFoundError),
        (bob.responses.create(model=MODEL, input="?", previous_response_id=made.id), openai.BadRequestError),
        (bob.responses.create(model=MODEL, input=[hers]), openai.NotFoundError),
        (bob.responses.create(model=MODEL, input="?", conversation=talk), openai.NotFoundError),
        (bob.conversations.retrieve(talk), openai.NotFoundError),
    ]
    for asking, kind in refused:
        with pytest.raises(kind, match="not found"):
            await asking
    assert len([request for request in simulator.requests if request.is_message]) == 1

    simulator.play(Script.text("Go on."))
    answer = await ann.responses.create(model=MODEL, input="?", previous_response_id=made.id)
    assert answer.output_text == "Go on."
