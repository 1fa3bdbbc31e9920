"""Thinking goes back to whom and where it belongs; whatever else comes is answered without it, never refused."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI

from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.translate.models.facts import BUILT_IN
from reasoning.loops import JSONObject, Loop, asked_of, thought_turns, turns_of
from robustness.whole_proxy import WholeProxy, whole_proxy
from web.serving import served

MODELS = [facts.id for facts in BUILT_IN]
HIGH = {"reasoning_effort": "high"}
OPUS = "claude-opus-5-5"


async def after(client: AsyncOpenAI, turns: int, model: str = OPUS, calls: int = 2, **more: Any) -> Loop:
    """A loop after so many turns of nine."""
    loop = Loop.of_rounds(client, model, 9, calls=calls, options=dict(HIGH), **more)
    for _ in range(turns):
        assert await loop.turn()
    return loop


def last_asked(simulator: Simulator) -> list[bool]:
    """Of the last request, which must have been taken: which turns went out with their thinking."""
    request = asked_of(simulator)[-1]
    assert request.broken_rule == ""
    return thought_turns(request)


async def edit_the_question(loop: Loop) -> None:
    loop.messages[1]["content"] += " please"


async def edit_the_system_prompt(loop: Loop) -> None:
    loop.messages[0]["content"] += " Be brief."


async def edit_a_result(loop: Loop) -> None:
    loop.messages[3]["content"] = "Something else."


async def edit_the_first_call(loop: Loop) -> None:
    loop.messages[2]["tool_calls"][0]["function"]["arguments"] = '{"thing": "another"}'


async def other_tools(loop: Loop) -> None:
    loop.options["tools"] = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]


async def drop_a_result(loop: Loop) -> None:
    del loop.messages[3]


async def double_a_result(loop: Loop) -> None:
    loop.messages.insert(4, dict(loop.messages[3]))


Change = Callable[[Loop], Awaitable[None]]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "change",
    [
        edit_the_question,
        edit_the_system_prompt,
        edit_a_result,
        edit_the_first_call,
        drop_a_result,
    ],
)
async def test_after_any_edit_of_what_came_before_the_answer_comes_without_earlier_thinking(
    client: AsyncOpenAI, simulator: Simulator, proxy: WholeProxy, model: str, change: Change
) -> None:
    loop = await after(client, 3, model)
    await change(loop)
    assert await loop.turn()
    first, *_ = last_asked(simulator)
    assert not first or change in (edit_a_result, drop_a_result)
    assert not last_asked(simulator)[-1]
    record = proxy.ledger.records[-1]
    assert "thinking_left_out" in record.repairs
    assert set(record.thinking_left_out.split(",")) <= {"edited", "prefix"}


async def test_a_switch_of_the_model_leaves_thinking_out_and_the_way_back_finds_it_again(
    client: AsyncOpenAI, simulator: Simulator, proxy: WholeProxy
) -> None:
    loop = await after(client, 2)
    loop.model = "claude-sonnet-5-5"
    assert await loop.turn()
    assert last_asked(simulator) == [False, False]
    assert proxy.ledger.records[-1].thinking_left_out == "model"

    loop.messages = loop.messages[:-3]
    loop.model = OPUS
    assert await loop.turn()
    assert last_asked(simulator) == [True, True]


async def test_two_conversations_with_the_same_ids_do_not_mix(client: AsyncOpenAI, simulator: Simulator) -> None:
    """The ids of calls are the client's own: it may use them twice."""
    one, other = await after(client, 1), await after(client, 1, system="Another agent. " * 2_000)
    ids = [call["id"] for call in one.messages[2]["tool_calls"]]
    for call, id_ in zip(other.messages[2]["tool_calls"], ids, strict=True):
        call["id"] = id_
    for message, id_ in zip(other.messages[3:], ids, strict=True):
        message["tool_call_id"] = id_
    assert await other.turn()
    (turn,) = turns_of(asked_of(simulator)[-1])
    assert [block["id"] for block in turn if block["type"] == "tool_use"] == ids or turn[0]["type"] == "thinking"
    assert asked_of(simulator)[-1].broken_rule == ""
    assert await one.turn()
    assert last_asked(simulator) == [True]


async def test_branches_of_one_conversation_each_find_their_own(client: AsyncOpenAI, simulator: Simulator) -> None:
    loop = await after(client, 2)
    branch = Loop(client, OPUS, messages=[*loop.messages], options=dict(HIGH))
    branch.messages.append({"role": "user", "content": "And now look at it from the other side."})
    assert await branch.turn()
    assert last_asked(simulator) == [True, True]
    assert await loop.turn()
    assert await branch.turn()
    assert last_asked(simulator) == [True] * 3


async def test_a_late_result_changes_nothing_that_came_before(client: AsyncOpenAI, simulator: Simulator) -> None:
    loop = await after(client, 2)
    late = loop.messages.pop()
    loop.messages += [{"role": "user", "content": "It takes a while."}, late]
    assert await loop.turn()
    assert last_asked(simulator) == [True, True]


async def test_thinking_that_the_client_echoes_unsigned_does_no_harm(
    client: AsyncOpenAI, simulator: Simulator, proxy: WholeProxy
) -> None:
    """As editors do that send `reasoning_content` back with each turn."""

    def with_reasoning(said: JSONObject, message: JSONObject) -> JSONObject:
        return said | {"reasoning_content": message.get("reasoning_content")}

    loop = await after(client, 3, remember=with_reasoning)
    assert await loop.turn()
    assert last_asked(simulator) == [True] * 3
    assert "thinking_without_signature_left_out" in proxy.ledger.records[-1].repairs


async def test_signed_thinking_that_the_client_echoes_is_used(
    client: AsyncOpenAI, simulator: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    """As clients of gateways do; even by a proxy that keeps nothing."""

    def with_details(said: JSONObject, message: JSONObject) -> JSONObject:
        return said | {"reasoning_details": message["reasoning_details"]}

    settings = load_settings(Flags(), environment | {"REASONING_STORE": "off"}, tmp_path)
    async with (
        whole_proxy(settings, simulator) as forgetful,
        served(forgetful.app) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="any") as other,
    ):
        loop = await after(other, 3, remember=with_details)
        assert await loop.turn()
        assert last_asked(simulator) == [True] * 3
        plain = await after(other, 3)
        assert await plain.turn()
        assert last_asked(simulator) == [False] * 3
    both = await after(client, 3, remember=with_details)
    assert await both.turn()
    assert last_asked(simulator) == [True] * 3


async def test_nobody_gets_the_thinking_of_another_s_conversation(
    simulator: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    keys = {"PROXY_API_KEYS": "ann:key-of-ann-0123456,bob:key-of-bob-0123456"}
    async with (
        whole_proxy(load_settings(Flags(), environment | keys, tmp_path), simulator) as proxy,
        served(proxy.app) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="key-of-ann-0123456") as ann,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="key-of-bob-0123456") as bob,
    ):
        loop = await after(ann, 2)
        stolen = Loop(bob, OPUS, messages=[*loop.messages], options=dict(HIGH))
        assert await stolen.turn()
        assert last_asked(simulator) == [False, False]
        assert await loop.turn()
        assert last_asked(simulator) == [True, True]


async def test_after_a_restart_the_loop_goes_on_with_its_thinking(
    simulator: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    settings = load_settings(Flags(), environment, tmp_path)
    messages: list[JSONObject] = []
    for expected in ([], [True], [True] * 2, [True] * 3):
        async with (
            whole_proxy(settings, simulator) as proxy,
            served(proxy.app) as url,
            AsyncOpenAI(base_url=f"{url}/v1", api_key="any") as client,
        ):
            loop = Loop.of_rounds(client, OPUS, 9, calls=2, options=dict(HIGH))
            loop.messages = messages or loop.messages
            assert await loop.turn()
            messages = loop.messages
            assert last_asked(simulator) == expected


async def test_a_store_that_fails_costs_the_thinking_and_nothing_else(
    client: AsyncOpenAI, simulator: Simulator, proxy: WholeProxy, tmp_path: Path
) -> None:
    loop = await after(client, 1)
    state = tmp_path / ".local/state/claude-openai-proxy"
    state.rename(tmp_path / "away")
    state.write_text("", encoding="utf-8")
    for _ in range(3):
        assert await loop.turn()
    assert last_asked(simulator) == [True] * 3  # From memory.
    assert all(record.status == 200 for record in proxy.ledger.records)


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-5"])
async def test_a_budget_without_its_thinking_goes_on_without_thinking(
    simulator: Simulator, environment: dict[str, str], tmp_path: Path, model: str
) -> None:
    settings = load_settings(Flags(), environment | {"REASONING_STORE": "off"}, tmp_path)
    async with (
        whole_proxy(settings, simulator) as proxy,
        served(proxy.app) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="any") as client,
    ):
        loop = await after(client, 3, model)
        assert last_asked(simulator) == [False] * 2
        assert "thinking" not in asked_of(simulator)[-1].json
        assert "thinking_off_in_tool_loop" in proxy.ledger.records[-1].repairs
        assert await loop.turn()
