"""LangChain's ChatOpenAI: whole and streamed answers, bound tools, structured output in each of its methods."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from openai import DefaultAsyncHttpxClient, DefaultHttpxClient
from pydantic import BaseModel, Field

from claude_openai_proxy.simulator import Script
from claude_openai_proxy.simulator.message_events import SIGNATURE
from clients.installed import module
from clients.proxies import MODEL, Proxy

langchain_openai = module("langchain_openai", "langchain-openai")
messages = module("langchain_core.messages", "langchain-openai")
tools = module("langchain_core.tools", "langchain-openai")


class Joke(BaseModel):
    """A joke."""

    setup: str = Field(description="The first line")
    punchline: str
    rating: int | None = Field(default=None, ge=1, le=10)


class Chat:
    """ChatOpenAI on an HTTP client that the fixture closes."""

    def __init__(self, proxy: Proxy, **http: object) -> None:
        self.model = langchain_openai.ChatOpenAI(
            model=MODEL, base_url=proxy.base_url, api_key="any value", max_retries=0, temperature=0, **http
        )


@pytest.fixture
def chat(proxy: Proxy) -> Iterator[Chat]:
    with DefaultHttpxClient(verify=False) as http:
        yield Chat(proxy, http_client=http)


@pytest.fixture
async def async_chat(proxy: Proxy) -> AsyncIterator[Chat]:
    async with DefaultAsyncHttpxClient(verify=False) as http:
        yield Chat(proxy, http_async_client=http, stream_usage=True)


def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"18 degrees in {city}"


def test_invoke_gives_the_text_the_usage_and_the_finish_reason(chat: Chat, proxy: Proxy) -> None:
    proxy.play(Script.text("Hello, 世界"))
    answer = chat.model.invoke([("system", "Be short."), ("human", "Hello")])
    assert answer.content == "Hello, 世界"
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata["input_tokens"] > 0
    assert proxy.asked()[0]["messages"]


async def test_the_stream_adds_up_with_usage_at_its_end(async_chat: Chat, proxy: Proxy) -> None:
    proxy.play(Script.text("One, two, three.", pieces=5))
    chunks = [chunk async for chunk in async_chat.model.astream("Count")]
    total = chunks[0]
    for chunk in chunks[1:]:
        total = total + chunk
    assert total.content == "One, two, three."
    assert total.response_metadata["finish_reason"] == "stop"
    assert total.usage_metadata["output_tokens"] > 0


def test_bound_tools_are_called_in_parallel_and_their_results_go_back(chat: Chat, proxy: Proxy) -> None:
    proxy.play(
        Script.tool_calls([("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})]),
        Script.text("Mild in both."),
    )
    bound = chat.model.bind_tools([tools.tool(get_weather)])
    history = [messages.HumanMessage("Weather in Paris and Rome?")]
    asking = bound.invoke(history)
    assert [(call["name"], call["args"]) for call in asking.tool_calls] == [
        ("get_weather", {"city": "Paris"}),
        ("get_weather", {"city": "Rome"}),
    ]
    results = [tools.tool(get_weather).invoke(call) for call in asking.tool_calls]
    final = bound.invoke([*history, asking, *results])
    assert final.content == "Mild in both."
    assert "18 degrees in Rome" in json.dumps(proxy.asked()[-1]["messages"])


async def test_streamed_tool_calls_add_up(async_chat: Chat, proxy: Proxy) -> None:
    proxy.play(Script.tool_calls([("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})], text="So:"))
    bound = async_chat.model.bind_tools([tools.tool(get_weather)], tool_choice="required", parallel_tool_calls=True)
    chunks = [chunk async for chunk in bound.astream("Weather?")]
    total = chunks[0]
    for chunk in chunks[1:]:
        total = total + chunk
    assert [call["args"] for call in total.tool_calls] == [{"city": "Paris"}, {"city": "Rome"}]
    assert total.response_metadata["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("strict", [None, True])
def test_structured_output_by_json_schema(chat: Chat, proxy: Proxy, strict: bool | None) -> None:
    proxy.play(Script.text('{"setup": "a", "punchline": "b", "rating": 7}'))
    joke = chat.model.with_structured_output(Joke, method="json_schema", strict=strict).invoke("A joke")
    assert joke == Joke(setup="a", punchline="b", rating=7)


def test_structured_output_by_a_call_of_a_function(chat: Chat, proxy: Proxy) -> None:
    proxy.play(Script.tool_calls([("Joke", {"setup": "a", "punchline": "b", "rating": None})]))
    joke = chat.model.with_structured_output(Joke, method="function_calling").invoke("A joke")
    assert joke == Joke(setup="a", punchline="b")


def test_structured_output_by_json_mode_needs_no_script(chat: Chat) -> None:
    structured = chat.model.with_structured_output(method="json_mode")
    assert isinstance(structured.invoke("Tell me a joke as JSON"), dict)


async def test_structured_output_streams_partial_objects(async_chat: Chat, proxy: Proxy) -> None:
    proxy.play(Script.text('{"setup": "a", "punchline": "b", "rating": null}', pieces=6))
    structured = async_chat.model.with_structured_output(Joke.model_json_schema(), method="json_schema", strict=False)
    parts = [part async for part in structured.astream("A joke")]
    assert parts[-1] == {"setup": "a", "punchline": "b", "rating": None}


def test_an_image_part_arrives(chat: Chat, proxy: Proxy) -> None:
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    part = {"type": "image", "base64": pixel, "mime_type": "image/png"}
    chat.model.invoke([messages.HumanMessage([{"type": "text", "text": "What is it?"}, part])])
    assert "image/png" in json.dumps(proxy.asked()[0]["messages"])


# ---- on /v1/responses -----------------------------------------------------------------------------------------------


@pytest.fixture
def responses(proxy: Proxy) -> Iterator[Chat]:
    with DefaultHttpxClient(verify=False) as http:
        yield Chat(proxy, http_client=http, use_responses_api=True)


def test_calls_and_thinking_go_back_and_forth_on_responses(responses: Chat, proxy: Proxy) -> None:
    call: dict[str, object] = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}}
    thinking: dict[str, object] = {"type": "thinking", "thinking": "Paris.", "signature": SIGNATURE}
    proxy.play(Script.blocks([thinking, call], stop_reason="tool_use"), Script.text("Mild."))
    model = responses.model.bind_tools([tools.tool(get_weather)])
    asked = [messages.HumanMessage("Weather in Paris?")]
    answer = model.invoke(asked)
    assert [(made["name"], made["args"]) for made in answer.tool_calls] == [("get_weather", {"city": "Paris"})]
    result = messages.ToolMessage("18 degrees", tool_call_id=answer.tool_calls[0]["id"])
    assert model.invoke([*asked, answer, result]).text == "Mild."
    sent: Any = proxy.asked()[-1]["messages"]
    assert [[block["type"] for block in message["content"]] for message in sent] == [
        ["text"], ["thinking", "tool_use"], ["tool_result"],
    ]  # fmt: skip


def test_a_chat_goes_on_from_the_previous_response(responses: Chat, proxy: Proxy) -> None:
    proxy.play(Script.text("Hello, Ann."), Script.text("Ann.", pieces=2))
    model = responses.model.model_copy(update={"use_previous_response_id": True})
    talk = [messages.HumanMessage("I am Ann.")]
    talk.append(model.invoke(talk))
    talk.append(messages.HumanMessage("Who am I?"))
    assert "".join(piece.text for piece in model.stream(talk)) == "Ann."
    sent: Any = proxy.asked()[-1]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
