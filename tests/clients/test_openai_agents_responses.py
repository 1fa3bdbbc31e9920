"""The OpenAI Agents SDK in its default mode: responses that are kept, chains, conversations, sessions."""

import asyncio
import json
from typing import Any

import pytest
from openai import AsyncOpenAI

from claude_openai_proxy.simulator import Script
from claude_openai_proxy.simulator.message_events import SIGNATURE
from clients.installed import module
from clients.proxies import MODEL, Proxy

agents = module("agents", "openai-agents")

THINKING: Any = {"type": "thinking", "thinking": "Paris, then.", "signature": SIGNATURE}
CALL: Any = {"type": "tool_use", "id": "toolu_sim_1", "name": "get_weather", "input": {"city": "Paris"}}


class Model:
    """The proxy as the SDK's default kind of model, and its settings for a run."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self.client = client
        self.responses = agents.OpenAIResponsesModel(MODEL, client)
        self.quiet = agents.RunConfig(tracing_disabled=True)
        self.thinks = agents.ModelSettings(reasoning={"effort": "high"})

    async def run(self, agent: Any, asked: str, **options: Any) -> Any:
        return await agents.Runner.run(agent, asked, run_config=self.quiet, **options)


@pytest.fixture
def model(async_client: AsyncOpenAI) -> Model:
    agents.set_tracing_disabled(True)
    return Model(async_client)


def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"18 degrees in {city}"


def kinds(proxy: Proxy) -> list[list[str]]:
    """The types of the blocks of each turn that Claude was sent last."""
    messages: Any = proxy.asked()[-1]["messages"]
    return [[block["type"] for block in message["content"]] for message in messages]


async def test_a_run_sends_its_items_back_and_thinking_comes_along_by_id(model: Model, proxy: Proxy) -> None:
    proxy.play(Script.blocks([THINKING, CALL], stop_reason="tool_use"), Script.text("Mild."))
    tools = [agents.function_tool(get_weather)]
    agent = agents.Agent("Guide", model=model.responses, tools=tools, model_settings=model.thinks)
    result = await model.run(agent, "Weather?")
    assert result.final_output == "Mild."
    assert "18 degrees in Paris" in json.dumps(proxy.asked()[-1]["messages"])
    assert kinds(proxy) == [["text"], ["thinking", "tool_use"], ["tool_result"]]


async def test_a_streamed_run_hands_off(model: Model, proxy: Proxy) -> None:
    proxy.play(Script.tool_calls([("transfer_to_french", {})]), Script.text("Bonjour.", pieces=3))
    french = agents.Agent("French", model=model.responses)
    agent = agents.Agent("Triage", model=model.responses, handoffs=[french])
    result = agents.Runner.run_streamed(agent, "Bonjour", run_config=model.quiet)
    async for _ in result.stream_events():
        pass
    assert (result.final_output, result.last_agent.name) == ("Bonjour.", "French")


async def test_a_run_goes_on_from_the_last_response(model: Model, proxy: Proxy) -> None:
    proxy.play(Script.text("Hello, Ann."), Script.text("Ann."))
    agent = agents.Agent("Guide", model=model.responses)
    first = await model.run(agent, "I am Ann.")
    second = await model.run(agent, "Who am I?", previous_response_id=first.last_response_id)
    assert second.final_output == "Ann."
    assert kinds(proxy) == [["text"], ["text"], ["text"]]


async def test_a_run_in_a_conversation_waits_for_the_one_before(model: Model, proxy: Proxy) -> None:
    """The SDK repeats what is refused as `conversation_locked`."""
    proxy.play(*[Script.text("One."), Script.text("Two.")])
    agent = agents.Agent("Guide", model=model.responses)
    talk = await model.client.conversations.create()
    runs = [model.run(agent, "Hi", conversation_id=talk.id) for _ in range(2)]
    assert {run.final_output for run in await asyncio.gather(*runs)} == {"One.", "Two."}
    items = await model.client.conversations.items.list(talk.id)
    assert len(items.data) == 4


async def test_a_session_remembers_forgets_one_and_forgets_all(model: Model, proxy: Proxy) -> None:
    proxy.play(
        Script.blocks([THINKING, CALL], stop_reason="tool_use"), Script.text("Mild."), Script.text("Paris, I said.")
    )
    session = agents.OpenAIConversationsSession(openai_client=model.client)
    tools = [agents.function_tool(get_weather)]
    agent = agents.Agent("Guide", model=model.responses, tools=tools, model_settings=model.thinks)
    assert (await model.run(agent, "Weather?", session=session)).final_output == "Mild."
    assert (await model.run(agent, "Where?", session=session)).final_output == "Paris, I said."
    assert kinds(proxy) == [["text"], ["thinking", "tool_use"], ["tool_result"], ["text"], ["text"]]

    before = await session.get_items()
    assert [item.get("role", item["type"]) for item in before] == [
        "user", "reasoning", "function_call", "function_call_output", "assistant", "user", "assistant",
    ]  # fmt: skip
    last = await session.pop_item()
    assert last["content"][0]["text"] == "Paris, I said."
    assert await session.get_items() == before[:-1]
    await session.clear_session()
    assert await session.get_items() == []
