"""The official OpenAI SDK talks to the proxy as it talks to OpenAI."""

import asyncio
import json

import openai
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from claude_openai_proxy.simulator import Hang, Script, Simulator, error_event

MODELS = [
    "custom-claude-4-opus",
    "custom-claude-4-sonnet",
    "claude-haiku-4-5",
    "claude-opus-4-5",
    "claude-sonnet-4-6",
    "claude-opus-4-7",
    "claude-opus-4-8",
    "claude-sonnet-5",
    "claude-opus-5",
    "claude-haiku-5-5",
    "claude-fable-5",
    "claude-fable-5-2",
    "claude-mythos-5-1",
]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
TIME: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_time",
        "description": "Local time of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]


async def test_an_answer_comes_whole(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(Script.text("Hello, 世界 🌍"))
    completion = await client.chat.completions.create(model="custom-claude-4-sonnet", messages=HELLO)
    choice = completion.choices[0]
    assert (choice.message.content, choice.finish_reason, choice.message.refusal) == ("Hello, 世界 🌍", "stop", None)
    assert completion.model == "custom-claude-4-sonnet"
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    assert simulator.requests[-1].json["model"] == "claude-sonnet-5-5"


async def test_an_answer_comes_in_pieces(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(Script.text("Hello, 世界 🌍", pieces=5, split=1))
    stream = await client.chat.completions.create(
        model="custom-claude-4-opus", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]) == "Hello, 世界 🌍"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 2) + ["stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert {(chunk.id, chunk.created, chunk.model) for chunk in chunks} == {
        (chunks[0].id, chunks[0].created, "custom-claude-4-opus")
    }


async def test_the_stream_helper_puts_the_answer_together(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(Script.text("One, two."))
    async with client.chat.completions.stream(model="custom-claude-4-opus", messages=HELLO) as stream:
        completion = await stream.get_final_completion()
    assert completion.choices[0].message.content == "One, two."


def ask_in_a_thread(base_url: str) -> tuple[str | None, str]:
    with OpenAI(base_url=base_url, api_key="any value", max_retries=0) as client:
        completion = client.chat.completions.create(model="custom-claude-4-opus", messages=HELLO)
        with client.chat.completions.stream(model="custom-claude-4-opus", messages=HELLO) as stream:
            streamed = "".join(event.delta for event in stream if event.type == "content.delta")
    return completion.choices[0].message.content, streamed


async def test_the_synchronous_client_works_too(base_url: str, simulator: Simulator) -> None:
    simulator.play(Script.text("whole"), Script.text("in pieces"))
    assert await asyncio.to_thread(ask_in_a_thread, base_url) == ("whole", "in pieces")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("choice", ["auto", "required"])
async def test_two_tools_are_called_at_once_and_their_results_used(
    client: AsyncOpenAI, simulator: Simulator, model: str, choice: str
) -> None:
    simulator.play(Script.tool_calls([("get_weather", {"city": "Paris"}), ("get_time", {"city": "Rome"})]))
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Weather in Paris, time in Rome?"}]
    first = await client.chat.completions.create(
        model=model,
        messages=messages,
        tools=[WEATHER, TIME],
        tool_choice="required" if choice == "required" else "auto",
    )
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    calls = [call for call in message.tool_calls or [] if call.type == "function"]
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        ("get_weather", {"city": "Paris"}),
        ("get_time", {"city": "Rome"}),
    ]
    messages.append(message.to_dict())  # type: ignore[arg-type]
    messages += [{"role": "tool", "tool_call_id": call.id, "content": f"of {call.function.name}"} for call in calls]
    simulator.play(Script.text("Sunny, and noon."))
    second = await client.chat.completions.create(model=model, messages=messages, tools=[WEATHER, TIME])
    assert second.choices[0].message.content == "Sunny, and noon."
    body = json.loads(simulator.requests[-1].body)
    results = body["messages"][-1]["content"]
    assert [result["tool_use_id"] for result in results] == [call.id for call in calls]


async def test_tool_calls_stream_in_pieces(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play(Script.tool_calls([("get_weather", {"city": "Paris"}), ("get_time", {"city": "Rome"})], text="So:"))
    async with client.chat.completions.stream(
        model="custom-claude-4-opus", messages=HELLO, tools=[WEATHER, TIME]
    ) as stream:
        completion = await stream.get_final_completion()
    calls = completion.choices[0].message.tool_calls or []
    assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Paris"}, {"city": "Rome"}]
    assert completion.choices[0].message.content == "So:"


ERRORS = [
    (400, "invalid_request_error", openai.BadRequestError),
    (401, "authentication_error", openai.AuthenticationError),
    (403, "permission_error", openai.PermissionDeniedError),
    (404, "not_found_error", openai.NotFoundError),
    (413, "request_too_large", openai.APIStatusError),
    (429, "rate_limit_error", openai.RateLimitError),
    (500, "api_error", openai.InternalServerError),
    (529, "overloaded_error", openai.InternalServerError),
]


@pytest.mark.parametrize(("status", "error_type", "raised"), ERRORS, ids=str)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_of_claude_is_the_sdks_own_error(
    client: AsyncOpenAI,
    simulator: Simulator,
    status: int,
    error_type: str,
    raised: type[openai.APIStatusError],
    stream: bool,
) -> None:
    simulator.play(Script.error(status, "these words", error_type=error_type))
    with pytest.raises(raised) as caught:
        await client.chat.completions.create(model="custom-claude-4-opus", messages=HELLO, stream=stream)
    assert caught.value.status_code == (503 if status == 529 else status)
    assert "these words" in caught.value.message


async def test_an_error_in_the_middle_of_a_stream_is_raised(client: AsyncOpenAI, simulator: Simulator) -> None:
    events = [step for step in Script.text("Hel lo", pieces=2).steps if isinstance(step, dict)]
    simulator.play(Script.events([*events[:4], error_event("overloaded_error")]))
    stream = await client.chat.completions.create(model="custom-claude-4-opus", messages=HELLO, stream=True)
    with pytest.raises(openai.APIError, match="Overloaded"):
        async for _ in stream:
            pass


async def test_an_unknown_model_is_named_with_the_known_ones(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="custom-claude-4-opus") as caught:
        await client.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert caught.value.code == "model_not_found"


async def test_a_wrong_field_is_named(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(model="custom-claude-4-opus", messages=HELLO, temperature=3)
    assert caught.value.param == "temperature"


async def test_models_are_listed_and_described(client: AsyncOpenAI) -> None:
    ids = [model.id async for model in client.models.list()]
    assert ids[:2] == ["custom-claude-4-opus", "custom-claude-4-sonnet"]
    assert "claude-opus-5-5" in ids
    model = await client.models.retrieve("custom-claude-4-opus")
    assert model.to_dict()["resolves_to"] == "claude-opus-5-5"


async def test_a_client_that_leaves_a_stream_stops_the_upstream_request(
    client: AsyncOpenAI, simulator: Simulator
) -> None:
    simulator.play(Script.events([*Script.text("Hello").steps[:3], Hang()]))
    async with await client.chat.completions.create(
        model="custom-claude-4-opus", messages=HELLO, stream=True
    ) as stream:
        await anext(aiter(stream))
    await asyncio.wait_for(simulator.requests[-1].gone.wait(), timeout=60)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_before_the_first_token_stops_the_upstream_request(
    client: AsyncOpenAI, simulator: Simulator, stream: bool
) -> None:
    simulator.play(Script.hang())
    asking = asyncio.create_task(
        client.chat.completions.create(model="custom-claude-4-opus", messages=HELLO, stream=stream)
    )
    await simulator.received(1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    (received,) = await simulator.received(1)
    await asyncio.wait_for(received.gone.wait(), timeout=60)


async def test_what_was_ignored_is_named_in_a_header(client: AsyncOpenAI) -> None:
    response = await client.chat.completions.with_raw_response.create(
        model="custom-claude-4-opus", messages=HELLO, seed=7, logit_bias={"50256": -100}
    )
    assert set(response.headers["x-ignored-parameters"].split(", ")) == {"seed", "logit_bias"}
    assert response.headers["x-claude-model"] == "claude-opus-5-5"
    assert response.headers["x-upstream"] == "api"
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("stream", [False, True])
async def test_what_was_changed_so_that_claude_takes_it_is_named_in_a_header(
    client: AsyncOpenAI, simulator: Simulator, stream: bool
) -> None:
    simulator.play(Script.text("I would rather talk."), Script.text("No."))
    response = await client.chat.completions.with_raw_response.create(
        model="custom-claude-4-opus",
        messages=HELLO,
        max_tokens=10_000_000,
        tools=[WEATHER],
        tool_choice="required",
        stream=stream,
    )
    repairs = response.headers["x-repairs"].split(", ")
    assert repairs == ["tool_choice_emulated", "max_tokens_clamped", "tool_choice_retried"]


async def test_nothing_is_named_where_nothing_was_changed(client: AsyncOpenAI) -> None:
    response = await client.chat.completions.with_raw_response.create(model="custom-claude-4-opus", messages=HELLO)
    assert "x-repairs" not in response.headers


async def test_an_answer_that_is_no_json_object_is_handed_over_as_it_came(
    client: AsyncOpenAI, simulator: Simulator
) -> None:
    simulator.play(Script.text("Here you are: {}"))
    response = await client.chat.completions.with_raw_response.create(
        model="custom-claude-4-opus", messages=HELLO, response_format={"type": "json_object"}
    )
    assert (response.parse()).choices[0].message.content == "Here you are: {}"
    assert "x-repairs" not in response.headers


async def test_azures_client_works_with_the_deployment_as_the_model(base_url: str) -> None:
    endpoint = base_url.removesuffix("/v1")
    async with AsyncAzureOpenAI(azure_endpoint=endpoint, api_version="2024-10-21", api_key="any") as azure:
        answer = await azure.chat.completions.create(
            model="custom-claude-4-sonnet", messages=[{"role": "user", "content": "Hi"}]
        )
    assert answer.model == "custom-claude-4-sonnet"
    assert answer.choices[0].message.content
