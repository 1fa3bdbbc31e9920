"""pydantic-ai: tools, output types in each mode, streaming."""

import asyncio
import json
from typing import Literal

import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from claude_openai_proxy.simulator import Script
from clients.installed import module
from clients.proxies import MODEL, Proxy

pydantic_ai = module("pydantic_ai", "pydantic-ai")
models = module("pydantic_ai.models.openai", "pydantic-ai")
providers = module("pydantic_ai.providers.openai", "pydantic-ai")


class Place(BaseModel):
    city: str
    country: str | None = None
    size: Literal["small", "large"]


PARIS = {"city": "Paris", "country": "France", "size": "large"}


class Model:
    """The proxy as a pydantic-ai model."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self.chat = models.OpenAIChatModel(MODEL, provider=providers.OpenAIProvider(openai_client=client))


@pytest.fixture
def model(async_client: AsyncOpenAI) -> Model:
    return Model(async_client)


def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"18 degrees in {city}"


async def test_a_tool_runs_and_its_result_is_used(model: Model, proxy: Proxy) -> None:
    proxy.play(
        Script.tool_calls([("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})], text="I look."),
        Script.text("Mild in both."),
    )
    agent = pydantic_ai.Agent(model.chat, tools=[get_weather], instructions="Be short.")
    result = await agent.run("Weather in Paris and Rome?")
    assert result.output == "Mild in both."
    assert "18 degrees in Rome" in json.dumps(proxy.asked()[-1]["messages"])


async def test_an_output_type_is_given_by_an_output_tool(model: Model, proxy: Proxy) -> None:
    proxy.play(Script.tool_calls([("final_result", dict(PARIS))]))
    result = await pydantic_ai.Agent(model.chat, output_type=Place).run("Where?")
    assert result.output == Place(city="Paris", country="France", size="large")


async def test_an_output_type_is_given_natively(model: Model, proxy: Proxy) -> None:
    proxy.play(Script.text(json.dumps(PARIS)))
    result = await pydantic_ai.Agent(model.chat, output_type=pydantic_ai.NativeOutput(Place)).run("Where?")
    assert result.output == Place(city="Paris", country="France", size="large")
    assert "output_config" in proxy.asked()[0]


async def test_an_output_type_is_given_by_prompt(model: Model, proxy: Proxy) -> None:
    proxy.play(Script.text(json.dumps(PARIS)))
    result = await pydantic_ai.Agent(model.chat, output_type=pydantic_ai.PromptedOutput(Place)).run("Where?")
    assert result.output == Place(city="Paris", country="France", size="large")


async def test_a_wrong_output_is_sent_back_and_mended(model: Model, proxy: Proxy) -> None:
    proxy.play(
        Script.tool_calls([("final_result", {"city": "Paris", "size": "huge"})]),
        Script.tool_calls([("final_result", dict(PARIS))]),
    )
    result = await pydantic_ai.Agent(model.chat, output_type=Place).run("Where?")
    assert result.output.size == "large"
    assert len(proxy.asked()) == 2


async def test_text_streams(model: Model, proxy: Proxy) -> None:
    proxy.play(Script.text("One, two, three.", pieces=5))
    async with pydantic_ai.Agent(model.chat).run_stream("Count") as stream:
        parts = [part async for part in stream.stream_text(delta=True, debounce_by=None)]
        usage = stream.usage
    assert "".join(parts) == "One, two, three."
    assert usage.output_tokens > 0


async def test_an_output_type_streams(model: Model, proxy: Proxy) -> None:
    proxy.play(Script.tool_calls([("final_result", dict(PARIS))]))
    async with pydantic_ai.Agent(model.chat, output_type=Place).run_stream("Where?") as stream:
        output = await asyncio.wait_for(stream.get_output(), timeout=60)
    assert output == Place(city="Paris", country="France", size="large")
