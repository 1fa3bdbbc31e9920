"""The official openai SDK: parsed answers, the stream helper, raw responses, retries, async variants."""

import json
from enum import Enum
from typing import Literal

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel, Field

from claude_openai_proxy.simulator import Script
from clients.proxies import MODEL, Proxy

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Circle(BaseModel):
    kind: Literal["circle"]
    radius: float = Field(gt=0, description="In metres")


class Square(BaseModel):
    kind: Literal["square"]
    side: float


class Owner(BaseModel):
    name: str = Field(min_length=1, max_length=40)
    email: str | None


class Drawing(BaseModel):
    title: str
    colour: Colour
    shapes: list[Circle | Square] = Field(min_length=1)
    owner: Owner
    second_owner: Owner | None
    note: str | None
    tags: list[str] = Field(max_length=5)


DRAWING: dict[str, object] = {
    "title": "海 🌊",
    "colour": "green",
    "shapes": [{"kind": "circle", "radius": 1.5}, {"kind": "square", "side": 2.0}],
    "owner": {"name": "Ada", "email": None},
    "second_owner": None,
    "note": None,
    "tags": ["a", "b"],
}


class GetWeather(BaseModel):
    """Weather of a city."""

    city: str
    unit: Literal["C", "F"]


def test_a_parsed_answer_is_the_pydantic_object(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.text(json.dumps(DRAWING, ensure_ascii=False)))
    completion = client.chat.completions.parse(model=MODEL, messages=HELLO, response_format=Drawing)
    assert completion.choices[0].message.parsed == Drawing.model_validate(DRAWING)
    assert completion.choices[0].message.refusal is None


def test_the_simulator_fills_a_nested_schema_with_optional_parts_enums_and_unions(client: OpenAI, proxy: Proxy) -> None:
    completion = client.chat.completions.parse(model=MODEL, messages=HELLO, response_format=Drawing)
    assert isinstance(completion.choices[0].message.parsed, Drawing)
    (asked,) = proxy.asked()
    assert "format" in json.dumps(asked["output_config"])


async def test_the_async_client_parses_too(async_client: AsyncOpenAI, proxy: Proxy) -> None:
    proxy.play(Script.text(json.dumps(DRAWING)))
    completion = await async_client.chat.completions.parse(model=MODEL, messages=HELLO, response_format=Drawing)
    assert completion.choices[0].message.parsed == Drawing.model_validate(DRAWING)


def test_a_refusal_is_told_and_nothing_is_parsed(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.refusal(explanation="Not this."))
    completion = client.chat.completions.parse(model=MODEL, messages=HELLO, response_format=Drawing)
    assert completion.choices[0].message.refusal == "Not this."
    assert completion.choices[0].message.parsed is None


def test_an_answer_cut_by_the_token_limit_raises_the_sdks_own_error(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.text('{"title": "ha', stop_reason="max_tokens"))
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(model=MODEL, messages=HELLO, response_format=Drawing)


def test_tool_arguments_are_parsed_into_their_model(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.tool_calls([("GetWeather", {"city": "Paris", "unit": "C"})]))
    completion = client.chat.completions.parse(
        model=MODEL, messages=HELLO, tools=[openai.pydantic_function_tool(GetWeather)]
    )
    (call,) = completion.choices[0].message.tool_calls or []
    assert call.function.parsed_arguments == GetWeather(city="Paris", unit="C")


def test_the_stream_helper_parses_while_it_streams(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.text(json.dumps(DRAWING, ensure_ascii=False), pieces=9))
    with client.chat.completions.stream(
        model=MODEL, messages=HELLO, response_format=Drawing, stream_options={"include_usage": True}
    ) as stream:
        pieces = [event.delta for event in stream if event.type == "content.delta"]
        completion = stream.get_final_completion()
    assert json.loads("".join(pieces)) == DRAWING
    assert len(pieces) >= 9
    assert completion.choices[0].message.parsed == Drawing.model_validate(DRAWING)
    assert completion.usage is not None


async def test_the_async_stream_helper_parses_tool_calls(async_client: AsyncOpenAI, proxy: Proxy) -> None:
    calls = [("GetWeather", {"city": "Paris", "unit": "C"}), ("GetWeather", {"city": "Rome", "unit": "F"})]
    proxy.play(Script.tool_calls([(name, dict(given)) for name, given in calls], text="So:"))
    async with async_client.chat.completions.stream(
        model=MODEL, messages=HELLO, tools=[openai.pydantic_function_tool(GetWeather)]
    ) as stream:
        done = [event.parsed_arguments async for event in stream if event.type == "tool_calls.function.arguments.done"]
        completion = await stream.get_final_completion()
    expected = [GetWeather(city="Paris", unit="C"), GetWeather(city="Rome", unit="F")]
    message = completion.choices[0].message
    assert done == expected
    assert [call.function.parsed_arguments for call in message.tool_calls or []] == expected
    assert message.content == "So:"
    assert completion.choices[0].finish_reason == "tool_calls"


def test_a_streamed_refusal_reaches_the_helper(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.refusal(explanation="Not this."))
    with client.chat.completions.stream(model=MODEL, messages=HELLO) as stream:
        told = [event.delta for event in stream if event.type == "refusal.delta"]
        with pytest.raises(openai.ContentFilterFinishReasonError):
            stream.get_final_completion()
    assert "".join(told) == "Not this."


def test_a_raw_response_has_the_headers_and_the_completion(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.text("Hi."))
    response = client.chat.completions.with_raw_response.create(model=MODEL, messages=HELLO)
    completion = response.parse()
    assert completion.choices[0].message.content == "Hi."
    assert completion._request_id == response.headers["x-request-id"]
    assert response.headers["x-upstream"] == proxy.kind
    assert int(response.headers["openai-processing-ms"]) >= 0


async def test_a_streaming_response_can_be_read_line_by_line(async_client: AsyncOpenAI, proxy: Proxy) -> None:
    proxy.play(Script.text("Hi."))
    async with async_client.chat.completions.with_streaming_response.create(
        model=MODEL, messages=HELLO, stream=True
    ) as response:
        lines = [line async for line in response.iter_lines() if line]
    assert response.headers["content-type"].startswith("text/event-stream")
    assert all(line.startswith(("data: ", ":")) for line in lines)
    assert lines[-1] == "data: [DONE]"


def test_an_overload_is_raised_with_its_retry_after(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.error(429, "Slow down", retry_after=7))
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model=MODEL, messages=HELLO)
    # Claude Code does not hand on what the API said of the time; the proxy then names one of its own.
    assert caught.value.response.headers["retry-after"] == ("7" if proxy.kind == "api" else "5")
    assert "Slow down" in caught.value.message


@pytest.mark.parametrize("proxy", ["api"], indirect=True)  # elsewhere the wait is not the test's to choose
def test_the_sdk_asks_again_after_a_rate_limit(proxy: Proxy) -> None:
    proxy.play(Script.error(429, "Slow down", retry_after=0), Script.text("Now."))
    with OpenAI(base_url=proxy.base_url, api_key="any value", max_retries=1) as client:
        completion = client.chat.completions.create(model=MODEL, messages=HELLO)
    assert completion.choices[0].message.content == "Now."


def test_the_sdk_does_not_ask_again_where_the_proxy_already_did(proxy: Proxy) -> None:
    proxy.play(Script.error(500, "Broken"), Script.error(500, "Broken again"), Script.text("Never heard."))
    with (
        OpenAI(base_url=proxy.base_url, api_key="any value", max_retries=2) as client,
        pytest.raises(openai.InternalServerError, match="Broken again") as caught,
    ):
        client.chat.completions.create(model=MODEL, messages=HELLO)
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(proxy.asked()) == 2


def test_a_whole_conversation_dumped_from_the_sdks_types_is_taken_back(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.tool_calls([("GetWeather", {"city": "Paris", "unit": "C"})]), Script.text("Sunny."))
    tools = [openai.pydantic_function_tool(GetWeather)]
    first = client.chat.completions.create(model=MODEL, messages=HELLO, tools=tools)
    message = first.choices[0].message
    (call,) = message.tool_calls or []
    answer: ChatCompletionMessageParam = {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"}
    dumped: ChatCompletionMessageParam = message.model_dump()  # type: ignore[assignment]  # nulls and all
    second = client.chat.completions.create(model=MODEL, messages=[*HELLO, dumped, answer], tools=tools)
    assert (message.content, message.role, call.type) == (None, "assistant", "function")
    assert second.choices[0].message.content == "Sunny."
    assert second.choices[0].message.tool_calls is None
