"""What clients do with thinking between two turns: drop it, send it back in one form or another, or make it up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.lib.streaming.chat import ChatCompletionStreamState

from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from reasoning.loops import SYSTEM, TOOL, JSONObject, Loop, asked_of, thought_turns, turns_of
from robustness.whole_proxy import WholeProxy, whole_proxy
from web.serving import served

OPUS = "claude-opus-5-5"
HIGH = {"reasoning_effort": "high"}


def blocks_of(message: JSONObject) -> list[JSONObject]:
    """The thinking of an answer as Claude's blocks."""
    return [
        {"type": "thinking", "thinking": detail["text"], "signature": detail["signature"]}
        for detail in message["reasoning_details"]
    ]


def as_thinking_blocks(said: JSONObject, message: JSONObject) -> JSONObject:
    return said | {"thinking_blocks": blocks_of(message)}


def as_parts(said: JSONObject, message: JSONObject) -> JSONObject:
    text = [{"type": "text", "text": said["content"]}] if said.get("content") else []
    return said | {"content": [*blocks_of(message), *text]}


@pytest.mark.parametrize("remember", [as_thinking_blocks, as_parts])
async def test_signed_thinking_comes_back_in_claude_s_own_shape(
    simulator: Simulator,
    environment: dict[str, str],
    tmp_path: Path,
    remember: Callable[[JSONObject, JSONObject], JSONObject],
) -> None:
    """Used by a proxy that keeps nothing."""
    settings = load_settings(Flags(), environment | {"REASONING_STORE": "off"}, tmp_path)
    async with (
        whole_proxy(settings, simulator) as forgetful,
        served(forgetful.app) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client,
    ):
        loop = Loop.of_rounds(client, OPUS, 9, calls=2, options=dict(HIGH), remember=remember)
        for turns in range(4):
            assert await loop.turn()
            request = asked_of(simulator)[-1]
            assert (request.broken_rule, thought_turns(request)) == ("", [True] * turns)


async def test_an_edited_echo_is_left_out_before_it_is_sent(
    client: AsyncOpenAI, simulator: Simulator, proxy: WholeProxy
) -> None:
    """The echo is signed, but what stood before it is not what Claude saw."""
    loop = Loop.of_rounds(client, OPUS, 9, options=dict(HIGH), remember=as_thinking_blocks)
    assert await loop.turn()
    loop.messages[1]["content"] += " please"
    simulator.forget()
    assert await loop.turn()
    (request,) = asked_of(simulator)
    assert (request.broken_rule, thought_turns(request)) == ("", [False])
    assert proxy.ledger.records[-1].thinking_left_out == "prefix"


async def test_a_signature_that_claude_refuses_costs_one_more_request(
    simulator: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    """A proxy that keeps nothing cannot tell that what stood before it is another text."""
    settings = load_settings(Flags(), environment | {"REASONING_STORE": "off"}, tmp_path)
    async with (
        whole_proxy(settings, simulator) as forgetful,
        served(forgetful.app) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client,
    ):
        loop = Loop.of_rounds(client, OPUS, 9, options=dict(HIGH), remember=as_thinking_blocks)
        assert await loop.turn()
        loop.messages[1]["content"] += " please"
        simulator.forget()
        assert await loop.turn()
        refused, taken = asked_of(simulator)
        assert (refused.broken_rule != "", taken.broken_rule, thought_turns(taken)) == (True, "", [False])
        assert forgetful.ledger.records[-1].repairs == ["thinking_blocks_left_out"]


async def test_thinking_without_a_signature_goes_no_further_and_is_told(
    client: AsyncOpenAI, simulator: Simulator, proxy: WholeProxy
) -> None:
    def unsigned(said: JSONObject, _: JSONObject) -> JSONObject:
        details = [{"type": "reasoning.text", "text": "Made up."}]
        return said | {"reasoning_content": "Made up.", "reasoning_details": details}

    loop = Loop.of_rounds(client, OPUS, 9, options=dict(HIGH), remember=unsigned)
    for turns in range(3):
        assert await loop.turn()
        request = asked_of(simulator)[-1]
        assert (request.broken_rule, thought_turns(request)) == ("", [True] * turns)
        assert b"Made up." not in request.body
    record = proxy.ledger.records[-1]
    assert "thinking_without_signature_left_out" in record.repairs


async def test_front_ends_that_keep_the_words_alone_get_the_thinking_back(
    client: AsyncOpenAI, simulator: Simulator, proxy: WholeProxy
) -> None:
    """No tools, no ids: the turn is known by what it says."""
    loop = Loop(client, OPUS, options={"tools": [], **HIGH}, messages=[{"role": "system", "content": SYSTEM}])
    for turns in range(4):
        loop.messages.append({"role": "user", "content": f"Question number {turns}, and nothing else."})
        assert await loop.turn() == []
        loop.messages[-1] = {"role": "assistant", "content": loop.messages[-1]["content"]}
        request = asked_of(simulator)[-1]
        assert (request.broken_rule, thought_turns(request)) == ("", [True] * turns)
    assert [record.thinking_put_back for record in proxy.ledger.records] == [0, 1, 2, 3]


async def test_a_turn_that_comes_back_is_the_same_to_the_byte_each_time(
    client: AsyncOpenAI, simulator: Simulator
) -> None:
    loop = Loop.of_rounds(client, OPUS, 5, calls=4, options=dict(HIGH))
    await loop.run()
    first, *later = [turns_of(request) for request in asked_of(simulator)[1:]]
    for turns in later:
        assert turns[0] == first[0]


async def test_a_client_that_hangs_up_at_the_finish_reason_gets_its_thinking_back(
    client: AsyncOpenAI, simulator: Simulator
) -> None:
    """Many read no further: neither the usage nor the end of the stream."""
    loop = Loop.of_rounds(client, OPUS, 9, calls=2, options=dict(HIGH))
    for turns in range(4):
        state = ChatCompletionStreamState()
        asked: JSONObject = {"model": OPUS, "messages": loop.messages, "tools": [TOOL], "stream": True, **HIGH}
        answer: Any = await client.chat.completions.create(**asked)
        async with answer:
            async for chunk in answer:
                state.handle_chunk(chunk)
                if chunk.choices and chunk.choices[0].finish_reason:
                    break
        message: JSONObject = state.current_completion_snapshot.choices[0].message.to_dict()
        loop.messages.append({"role": "assistant", "tool_calls": message["tool_calls"]})
        loop.messages += [
            {"role": "tool", "tool_call_id": call["id"], "content": "Found."} for call in message["tool_calls"]
        ]
        request = asked_of(simulator)[-1]
        assert (request.broken_rule, thought_turns(request)) == ("", [True] * turns)


@pytest.mark.parametrize("model", [OPUS, "claude-haiku-4-5"])
async def test_calls_without_ids_get_their_thinking_back(client: AsyncOpenAI, simulator: Simulator, model: str) -> None:
    """The legacy form of calls, `functions` and `function_call`, has none."""
    messages: list[JSONObject] = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": "Look it up in 9 rounds of 1 calls"},
    ]
    for turns in range(4):
        asked: JSONObject = {"model": model, "messages": messages, "functions": [TOOL["function"]], **HIGH}
        completion = await client.chat.completions.create(**asked)
        call: Any = completion.choices[0].message.function_call
        said = {"name": call.name, "arguments": call.arguments}
        messages.append({"role": "assistant", "content": None, "function_call": said})
        messages.append({"role": "function", "name": call.name, "content": "Found."})
        request = asked_of(simulator)[-1]
        assert (request.broken_rule, thought_turns(request)) == ("", [True] * turns)
