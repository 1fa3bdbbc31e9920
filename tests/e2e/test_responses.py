"""Responses through a real port: chains, conversations, references, thinking that comes back, compaction, failures."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.responses import Response

from claude_openai_proxy.app.wiring import create_app
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Gate, Script, Simulator, error_event
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
Json = dict[str, Any]
THINKING: Json = {"type": "thinking", "thinking": "Paris, then.", "signature": SIGNATURE}
CALL: Json = {"type": "tool_use", "id": "toolu_sim_1", "name": "get_weather", "input": {"city": "Paris"}}
THOUGHTFUL = Script.blocks([THINKING, CALL], stop_reason="tool_use")


def slowly(gate: Gate, text: str) -> Script:
    """The text in two pieces; between them it waits."""
    *begun, last, stop, delta, end = Script.text(text, pieces=2).steps
    return Script.events([*begun, gate, last, stop, delta, end])


async def ended(client: AsyncOpenAI, id_: str) -> Response:
    """The response once it is final."""
    for _ in range(2000):
        if (kept := await client.responses.retrieve(id_)).status != "in_progress":
            return kept
    raise AssertionError("it goes on")


def messages(simulator: Simulator, number: int = -1) -> list[Json]:
    """What Claude was asked, without cache marks."""
    sent = json.dumps(simulator.requests[number].json["messages"]).replace(
        ', "cache_control": {"type": "ephemeral"}', ""
    )
    return list(json.loads(sent))


def said(turn: Json) -> list[str]:
    return [block["text"] for block in turn["content"] if block["type"] == "text"]


async def test_a_chain_has_its_items_and_not_its_instructions(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(Script.text("One."), Script.text("Two."), Script.text("Another two."))
    first = await client.responses.create(model=MODEL, input="First?", instructions="Be brief.")
    assert first.to_dict()["store"] is True
    second = await client.responses.create(model=MODEL, input="Second?", previous_response_id=first.id)
    branch = await client.responses.create(model=MODEL, input="Or?", previous_response_id=first.id)
    assert (second.output_text, branch.output_text) == ("Two.", "Another two.")
    assert [said(turn) for turn in messages(simulator, -2)] == [["First?"], ["One."], ["Second?"]]
    assert [said(turn) for turn in messages(simulator)] == [["First?"], ["One."], ["Or?"]]
    assert "system" not in simulator.requests[-2].json
    assert (await client.responses.retrieve(second.id)).to_dict() == second.to_dict()


async def test_a_tool_loop_over_a_chain_keeps_calls_and_thinking(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(THOUGHTFUL, Script.text("Mild."))
    asked = await client.responses.create(
        model=MODEL,
        input="Weather?",
        tools=[WEATHER],
        reasoning={"effort": "high"},
    )
    (call,) = [item for item in asked.output if item.type == "function_call"]
    answered = await client.responses.create(
        model=MODEL,
        previous_response_id=asked.id,
        tools=[WEATHER],
        reasoning={"effort": "high"},
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "18 degrees"}],
    )
    assert answered.output_text == "Mild."
    _, turn, result = messages(simulator)
    assert [block["type"] for block in turn["content"]] == ["thinking", "tool_use"]
    assert result["content"][0]["tool_use_id"] == call.call_id


@pytest.fixture
async def forgetful(environment: dict[str, str], tmp_path: Path) -> AsyncIterator[AsyncOpenAI]:
    """A client of a proxy that keeps nothing."""
    nothing = {"REASONING_STORE": "off", "RESPONSES_STORE": "off"}
    settings = load_settings(Flags(), environment | nothing, tmp_path)
    async with (
        served(create_app(settings)) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as sdk,
    ):
        yield sdk


async def test_thinking_comes_back_sealed_where_nothing_is_kept(forgetful: AsyncOpenAI, simulator: Simulator) -> None:
    client = forgetful
    simulator.play(THOUGHTFUL, Script.text("Mild."), Script.text("Again."))
    body: Json = {"model": MODEL, "tools": [WEATHER], "store": False, "reasoning": {"effort": "high"}}
    question: Any = {"role": "user", "content": "Weather?"}
    asked = await client.responses.create(input=[question], **body)
    items: list[Any] = [item.to_dict() for item in asked.output]
    assert items[0]["encrypted_content"].startswith("cp1.")
    result: Any = {"type": "function_call_output", "call_id": items[1]["call_id"], "output": "18 degrees"}
    await client.responses.create(input=[question, *items, result], **body)
    assert [block["type"] for block in messages(simulator)[1]["content"]] == ["thinking", "tool_use"]

    edited: Any = {"role": "user", "content": "Another question"}
    third = await client.responses.create(input=[edited, *items, result], **body)
    assert [block["type"] for block in messages(simulator)[1]["content"]] == ["tool_use"]
    assert third.to_dict()["input_transformations"] == [
        {"id": items[0]["id"], "reason": "prefix_mismatch", "type": "reasoning", "action": "removed"}
    ]


async def test_a_conversation_gets_input_and_output_together(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(Script.text("One."), Script.text("Two."))
    conversation = await client.conversations.create()
    await client.responses.create(model=MODEL, input="First?", conversation=conversation.id)
    second = await client.responses.create(model=MODEL, input="Second?", conversation={"id": conversation.id})
    assert second.conversation is not None
    assert [said(turn) for turn in messages(simulator)] == [["First?"], ["One."], ["Second?"]]
    items = [item async for item in client.conversations.items.list(conversation.id, order="asc")]
    assert [item.role for item in items if item.type == "message"] == ["user", "assistant"] * 2


async def test_a_conversation_in_use_is_locked(client: AsyncOpenAI, simulator: Simulator) -> None:
    gate = asyncio.Event()
    simulator.play(slowly(Gate(gate), "One."))
    conversation = await client.conversations.create()
    stream = await client.responses.create(model=MODEL, input="First?", conversation=conversation.id, stream=True)
    first = await anext(aiter(stream))
    assert first.type == "response.created"
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model=MODEL, input="Second?", conversation=conversation.id)
    assert (refused.value.code, refused.value.param) == ("conversation_locked", "conversation")
    await stream.close()


async def test_a_reference_stands_for_its_item(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(Script.text("One."), Script.text("Two."))
    first = await client.responses.create(model=MODEL, input="First?")
    reference: Any = {"type": "item_reference", "id": first.output[-1].id}
    await client.responses.create(
        model=MODEL, input=[{"role": "user", "content": "First?"}, reference, {"role": "user", "content": "Second?"}]
    )
    assert [said(turn) for turn in messages(simulator)] == [["First?"], ["One."], ["Second?"]]
    with pytest.raises(openai.NotFoundError) as lost:
        await client.responses.create(model=MODEL, input=[{"type": "item_reference", "id": "msg_gone"}])
    assert lost.value.param == "input"


async def test_a_stream_is_the_stored_response(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(Script.text("Hello, world.", pieces=4))
    final: Response | None = None
    async with client.responses.stream(model=MODEL, input="Hi") as stream:
        async for event in stream:
            if event.type == "response.completed":
                # Kept before this went out.
                assert (await client.responses.retrieve(event.response.id)).status == "completed"
        final = await stream.get_final_response()
    stored = await client.responses.retrieve(final.id)
    assert stored.output_text == final.output_text == "Hello, world."


async def test_a_stream_that_breaks_off_fails_and_is_kept_as_failed(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(Script.events([*Script.text("Hello, world.").steps[:4], error_event("overloaded_error")]))
    seen: list[str] = []
    id_ = ""
    stream = await client.responses.create(model=MODEL, input="Hi", stream=True)

    async def read() -> None:
        nonlocal id_
        async for event in stream:
            seen.append(event.type)
            if event.type == "response.created":
                id_ = event.response.id

    with pytest.raises(openai.APIError):
        await read()
    assert seen[:2] == ["response.created", "response.in_progress"]
    kept = await client.responses.retrieve(id_)
    assert (kept.status, kept.error.code if kept.error else None) == ("failed", "server_error")


async def test_a_client_that_leaves_leaves_a_cancelled_response(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(slowly(Gate(asyncio.Event()), "Hello, world."))
    stream = await client.responses.create(model=MODEL, input="Hi", stream=True)
    id_ = ""
    async for event in stream:
        if event.type == "response.created":
            id_ = event.response.id
        if event.type == "response.output_text.delta":
            break
    await stream.close()
    kept = await ended(client, id_)
    assert kept.status == "cancelled"
    assert kept.output_text.startswith("H")


async def test_a_compaction_is_one_item_that_stands_for_what_was_before(
    client: AsyncOpenAI, simulator: Simulator
) -> None:
    simulator.play(Script.text("We spoke of cats."), Script.text("Meow."))
    asked: list[Any] = [{"role": "user", "content": "Cats!"}, {"type": "compaction_trigger"}]
    stream = await client.responses.create(model=MODEL, input=asked, stream=True)
    events = [event async for event in stream]
    (item,) = [event.item for event in events if event.type == "response.output_item.done"]
    assert item.type == "compaction"
    after: list[Any] = [item.to_dict(), {"role": "user", "content": "Go on"}]
    assert (await client.responses.create(model=MODEL, input=after)).output_text == "Meow."
    assert said(messages(simulator)[0]) == [
        "This conversation began earlier. A summary of what came before:\n\nWe spoke of cats.",
        "Go on",
    ]


async def test_a_conversation_is_put_together_for_who_asks_for_that_alone(
    client: AsyncOpenAI, simulator: Simulator
) -> None:
    simulator.play(Script.text("We spoke of cats."))
    compacted = await client.responses.compact(
        model=MODEL, input=[{"role": "user", "content": "Cats!"}, {"role": "assistant", "content": "Meow."}]
    )
    assert compacted.object == "response.compaction"
    assert [item.type for item in compacted.output] == ["message", "compaction"]
    assert compacted.usage.output_tokens > 0
    assert said(messages(simulator)[-1])[-1].startswith("The conversation above is about to be replaced")
    with pytest.raises(openai.BadRequestError) as refused:
        await client.post("/responses/compact", body={"input": "Hi"}, cast_to=object)
    assert refused.value.param == "model"


async def test_tokens_are_counted_without_asking_for_an_answer(client: AsyncOpenAI, simulator: Simulator) -> None:
    counted = await client.responses.input_tokens.count(model=MODEL, input="Hello there")
    assert (counted.object, counted.input_tokens > 0) == ("response.input_tokens", True)
    assert simulator.requests[-1].path.endswith("/count_tokens")


async def test_a_stored_prompt_is_not_found(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as lost:
        await client.responses.create(model=MODEL, input="Hi", prompt={"id": "pmpt_1"})
    assert lost.value.body == {
        "message": "Prompt with id 'pmpt_1' not found.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


async def test_what_is_not_kept_is_not_promised(forgetful: AsyncOpenAI, simulator: Simulator) -> None:
    client = forgetful
    simulator.play(Script.text("Hello."))
    answer = await client.responses.with_raw_response.create(model=MODEL, input="Hi", store=True)
    assert answer.parse().to_dict()["store"] is False
    assert answer.headers["x-ignored-parameters"] == "store"
    for body in ({"previous_response_id": "resp_1"}, {"conversation": "conv_1"}):
        with pytest.raises(openai.BadRequestError, match="RESPONSES_STORE=off"):
            await client.responses.create(model=MODEL, input="Hi", **body)  # type: ignore[call-overload]


async def test_an_error_before_anything_has_its_own_status(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(Script.error(529))
    with pytest.raises(openai.InternalServerError) as overloaded:
        await client.responses.create(model=MODEL, input="Hi", stream=True)
    assert overloaded.value.status_code == 503
