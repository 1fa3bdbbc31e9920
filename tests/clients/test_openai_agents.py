"""The OpenAI Agents SDK in its chat completions mode, tracing off."""

import json

import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from claude_openai_proxy.simulator import Script
from clients.installed import module
from clients.proxies import MODEL, Proxy

agents = module("agents", "openai-agents")


class Place(BaseModel):
    city: str
    country: str | None


class Model:
    """The proxy as a model of the SDK, and its settings for a run."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self.chat = agents.OpenAIChatCompletionsModel(MODEL, client)
        self.quiet = agents.RunConfig(tracing_disabled=True)


@pytest.fixture
def model(async_client: AsyncOpenAI) -> Model:
    agents.set_tracing_disabled(True)
    return Model(async_client)


def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"18 degrees in {city}"


async def test_an_agent_runs_its_tools_and_answers(model: Model, proxy: Proxy) -> None:
    proxy.play(
        Script.tool_calls([("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})], text="I look."),
        Script.text("Mild in both."),
    )
    agent = agents.Agent("Guide", instructions="Be short.", model=model.chat, tools=[agents.function_tool(get_weather)])
    result = await agents.Runner.run(agent, "Weather in Paris and Rome?", run_config=model.quiet)
    assert result.final_output == "Mild in both."
    assert "18 degrees in Rome" in json.dumps(proxy.asked()[-1]["messages"])


async def test_an_output_type_is_filled(model: Model, proxy: Proxy) -> None:
    proxy.play(Script.text('{"city": "Paris", "country": null}'))
    agent = agents.Agent("Guide", model=model.chat, output_type=Place)
    result = await agents.Runner.run(agent, "Where?", run_config=model.quiet)
    assert result.final_output == Place(city="Paris", country=None)


async def test_a_run_streams_with_tools(model: Model, proxy: Proxy) -> None:
    proxy.play(Script.tool_calls([("get_weather", {"city": "Paris"})]), Script.text("Mild there.", pieces=4))
    agent = agents.Agent("Guide", model=model.chat, tools=[agents.function_tool(get_weather)])
    result = agents.Runner.run_streamed(agent, "Weather in Paris?", run_config=model.quiet)
    pieces = [
        event.data.delta
        async for event in result.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    assert "".join(pieces) == "Mild there."
    assert result.final_output == "Mild there."


async def test_a_handoff_goes_to_the_other_agent(model: Model, proxy: Proxy) -> None:
    proxy.play(Script.tool_calls([("transfer_to_french", {})]), Script.text("Bonjour."))
    french = agents.Agent("French", instructions="Speak French.", model=model.chat)
    agent = agents.Agent("Triage", model=model.chat, handoffs=[french])
    result = await agents.Runner.run(agent, "Bonjour", run_config=model.quiet)
    assert (result.final_output, result.last_agent.name) == ("Bonjour.", "French")


async def test_the_usage_of_all_turns_is_summed(model: Model, proxy: Proxy) -> None:
    proxy.play(Script.tool_calls([("get_weather", {"city": "Paris"})]), Script.text("Mild."))
    agent = agents.Agent("Guide", model=model.chat, tools=[agents.function_tool(get_weather)])
    result = await agents.Runner.run(agent, "Weather?", run_config=model.quiet)
    usage = result.context_wrapper.usage
    assert usage.requests == 2
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens > 0
