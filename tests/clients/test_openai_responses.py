"""The official openai SDK on `/v1/responses`: create, stream, parse, and a tool's way there and back."""

import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.responses import FunctionToolParam, ToolParam
from pydantic import BaseModel

from claude_openai_proxy.simulator import Cut, Script, error_event
from claude_openai_proxy.simulator.message_events import block_events, message_start
from clients.proxies import MODEL, Proxy
from clients.test_openai_sdk import DRAWING, Drawing

JSONObject = dict[str, object]
WEATHER: FunctionToolParam = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}


class Weather(BaseModel):
    """Weather of a city."""

    city: str


def without_own(value: Any) -> Any:
    """Without what each answer has of its own, and what the SDK adds for its users."""
    if isinstance(value, dict):
        own = {"id", "encrypted_content", "parsed", "parsed_arguments"}
        return {name: without_own(member) for name, member in value.items() if name not in own}
    return [without_own(item) for item in value] if isinstance(value, list) else value


def streamed(client: OpenAI, **wanted: Any) -> tuple[list[Any], Any]:
    """The events of a stream by `create`, and its last response."""
    events = list(client.responses.create(model=MODEL, stream=True, **wanted))
    return events, events[-1].response


def test_a_created_response_is_the_whole_object(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.text("Hello."))
    response = client.responses.create(
        model=MODEL, input="Hi", instructions="Be short.", metadata={"a": "b"}, temperature=0.5, max_output_tokens=900
    )
    assert response.output_text == "Hello."
    assert (response.object, response.status, response.model) == ("response", "completed", MODEL)
    assert (response.instructions, response.metadata) == ("Be short.", {"a": "b"})
    assert (response.temperature, response.max_output_tokens) == (0.5, 900)
    assert response.id.startswith("resp_")
    assert response.completed_at
    assert response.completed_at >= response.created_at
    assert response.usage
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens
    (asked,) = proxy.asked()
    assert "Be short." in json.dumps(asked["system"])


def test_the_stream_helper_puts_together_what_create_answers(client: OpenAI, proxy: Proxy) -> None:
    blocks: list[JSONObject] = [
        {"type": "thinking", "thinking": "Hm. Let me see.", "signature": "c2ln"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}},
        {"type": "tool_use", "id": "toolu_2", "name": "get_weather", "input": {"city": "北京"}},
    ]
    proxy.play(*[Script.blocks(blocks, stop_reason="tool_use")] * 2)
    wanted: Any = {"model": MODEL, "input": "Weather?", "tools": [WEATHER], "reasoning": {"summary": "auto"}}
    created = client.responses.create(**wanted)
    with client.responses.stream(**wanted) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert [item.type for item in created.output] == ["reasoning", "message", "function_call", "function_call"]
    assert without_own([item.to_dict() for item in final.output]) == without_own(
        [item.to_dict() for item in created.output]
    )
    assert final.output_text == created.output_text == "I look."


async def test_the_async_stream_helper_gives_text_as_it_comes(async_client: AsyncOpenAI, proxy: Proxy) -> None:
    proxy.play(Script.text("One two three four", pieces=4))
    async with async_client.responses.stream(model=MODEL, input="Count") as stream:
        texts = [(event.delta, event.snapshot) async for event in stream if event.type == "response.output_text.delta"]
        final = await stream.get_final_response()
    assert "".join(delta for delta, _ in texts) == "One two three four"
    assert texts[-1][1] == final.output_text == "One two three four"
    assert len(texts) >= 4


def test_a_parsed_response_is_the_pydantic_object(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.text(json.dumps(DRAWING, ensure_ascii=False)))
    response = client.responses.parse(model=MODEL, input="Draw", text_format=Drawing)
    assert response.output_parsed == Drawing.model_validate(DRAWING)
    (asked,) = proxy.asked()
    assert "format" in json.dumps(asked["output_config"])


async def test_the_async_client_parses_while_it_streams(async_client: AsyncOpenAI, proxy: Proxy) -> None:
    proxy.play(Script.text(json.dumps(DRAWING, ensure_ascii=False), pieces=7))
    async with async_client.responses.stream(model=MODEL, input="Draw", text_format=Drawing) as stream:
        done = [event.parsed async for event in stream if event.type == "response.output_text.done"]
        final = await stream.get_final_response()
    assert done == [Drawing.model_validate(DRAWING)]
    assert final.output_parsed == Drawing.model_validate(DRAWING)


def test_arguments_are_parsed_into_their_model(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.tool_calls([("Weather", {"city": "Paris"})]))
    tools: list[Any] = [openai.pydantic_function_tool(Weather)]  # chat's nested shape, as some hand it over
    response = client.responses.parse(model=MODEL, input="Weather?", tools=tools)
    (call,) = response.output
    assert call.type == "function_call"
    assert (call.name, json.loads(call.arguments)) == ("Weather", {"city": "Paris"})


@pytest.mark.parametrize("stream", [False, True])
def test_a_tools_way_there_and_back(client: OpenAI, proxy: Proxy, stream: bool) -> None:
    proxy.play(Script.tool_calls([("get_weather", {"city": "Paris"})], text="Let me see."), Script.text("Sunny."))
    tools: list[ToolParam] = [WEATHER]
    history: list[Any] = [{"role": "user", "content": "Weather in Paris?"}]
    first = _answer(client, stream=stream, input=history, tools=tools)
    history += [item.to_dict() for item in first.output]
    (call,) = [item for item in first.output if item.type == "function_call"]
    history.append({"type": "function_call_output", "call_id": call.call_id, "output": "18 degrees"})
    second = _answer(client, stream=stream, input=history, tools=tools)
    assert second.output_text == "Sunny."
    asked = proxy.asked()[-1]["messages"]
    assert isinstance(asked, list)
    assert [message["role"] for message in asked] == ["user", "assistant", "user"]
    assert [block["type"] for block in asked[1]["content"]] == ["text", "tool_use"]
    (result,) = asked[2]["content"]
    assert (result["type"], result["tool_use_id"]) == ("tool_result", call.call_id)


def _answer(client: OpenAI, *, stream: bool, **wanted: Any) -> Any:
    if not stream:
        return client.responses.create(model=MODEL, **wanted)
    with client.responses.stream(model=MODEL, **wanted) as events:
        return events.get_final_response()


def test_a_custom_tools_input_is_the_raw_text_also_while_it_streams(client: OpenAI, proxy: Proxy) -> None:
    patch = '*** Begin Patch\n+say "hi"\n\\*** End Patch'
    proxy.play(Script.tool_calls([("apply_patch", {"input": patch})]))
    tools: list[ToolParam] = [{"type": "custom", "name": "apply_patch", "description": "Patches."}]
    events, response = streamed(client, input="Patch", tools=tools)
    deltas = [event.delta for event in events if event.type == "response.custom_tool_call_input.delta"]
    (call,) = response.output
    assert (call.type, call.input, "".join(deltas)) == ("custom_tool_call", patch, patch)


def test_a_call_in_a_namespace_comes_back_with_both_names(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.tool_calls([("mcp__sky__get_weather", {"city": "Paris"})]))
    tools: list[Any] = [{"type": "namespace", "name": "mcp__sky", "description": "The sky.", "tools": [WEATHER]}]
    events, response = streamed(client, input="Weather?", tools=tools)
    items = [event.item for event in events if event.type.startswith("response.output_item.")]
    assert [(item.name, item.namespace) for item in [*items, *response.output]] == [("get_weather", "mcp__sky")] * 3


# ---- how answers end -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("proxy", ["api"], indirect=True)  # the CLI takes a cut call for a broken stream
def test_truncation_is_incomplete_and_a_cut_call_is_not_done(client: OpenAI, proxy: Proxy) -> None:
    start = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": '{"city": "Pa'}
    proxy.play(
        Script.events(
            [
                message_start(),
                *block_events(0, {"type": "text", "text": "I look."}),
                {"type": "content_block_start", "index": 1, "content_block": start},
                {"type": "content_block_delta", "index": 1, "delta": delta},
                {"type": "content_block_stop", "index": 1},
                {
                    "type": "message_delta",
                    "delta": {"stop_reason": "max_tokens", "stop_sequence": None},
                    "usage": {"output_tokens": 9},
                },
                {"type": "message_stop"},
            ]
        )
    )
    events, response = streamed(client, input="Weather?", tools=[WEATHER])
    kinds = [event.type for event in events]
    assert kinds[-1] == "response.incomplete"
    assert "response.function_call_arguments.done" not in kinds
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert [(item.type, item.status) for item in response.output] == [
        ("message", "completed"),
        ("function_call", "incomplete"),
    ]
    assert response.output[1].arguments == '{"city": "Pa'


def test_an_answer_that_is_all_thinking_and_cut_is_valid(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.thinking("Long, long thoughts", stop_reason="max_tokens"))
    response = client.responses.create(model=MODEL, input="Hi", reasoning={"effort": "high", "summary": "auto"})
    assert (response.status, response.output_text) == ("incomplete", "")
    assert [(item.type, item.status) for item in response.output] == [("reasoning", "incomplete")]  # type: ignore[union-attr]


def test_an_empty_answer_is_valid(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.blocks([]))
    events, response = streamed(client, input="Hi")
    assert (response.status, response.output) == ("completed", [])
    assert [event.type for event in events] == ["response.created", "response.in_progress", "response.completed"]


def test_a_refusal_is_a_part_of_a_completed_response(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.refusal("Well, ", explanation="Not this."))
    response = client.responses.create(model=MODEL, input="Hi")
    assert response.status == "completed"
    (item,) = response.output
    assert item.type == "message"
    assert [part.type for part in item.content] == ["output_text", "refusal"]
    assert item.content[1].refusal == "Not this."  # type: ignore[union-attr]


def test_cached_tokens_count_in_the_totals(client: OpenAI, proxy: Proxy) -> None:
    usage: JSONObject = {
        "input_tokens": 10,
        "cache_read_input_tokens": 700,
        "cache_creation_input_tokens": 90,
        "output_tokens": 5,
    }
    proxy.play(Script.text("Hi.", usage=usage))
    told = client.responses.create(model=MODEL, input="Hi").usage
    assert told
    assert (told.input_tokens, told.output_tokens, told.total_tokens) == (800, 5, 805)
    assert told.input_tokens_details.cached_tokens == 700


# ---- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_before_the_first_event_has_its_real_status(client: OpenAI, proxy: Proxy, stream: bool) -> None:
    proxy.play(Script.error(429, "Slow down", retry_after=7))
    with pytest.raises(openai.RateLimitError, match="Slow down") as caught:
        client.responses.create(model=MODEL, input="Hi", stream=stream)
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.response.headers["retry-after"] == ("7" if proxy.kind == "api" else "5")


@pytest.mark.parametrize("stream", [False, True])
def test_a_wrong_request_is_a_400_that_names_the_field(client: OpenAI, proxy: Proxy, stream: bool) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=MODEL, input="Hi", stream=stream, max_output_tokens=3)
    assert (caught.value.param, caught.value.code) == ("max_output_tokens", "integer_below_min_value")
    assert proxy.asked() == []


@pytest.mark.parametrize("end", [Cut(), error_event("overloaded_error")], ids=["cut", "overloaded"])
@pytest.mark.parametrize("proxy", ["api"], indirect=True)  # the CLI asks again by itself
def test_a_failure_in_the_stream_is_raised_and_told_in_one_failed_response(
    client: OpenAI, proxy: Proxy, end: Any
) -> None:
    begun = [*block_events(0, {"type": "text", "text": "Half an answer"})][:2]
    proxy.play(*[Script.events([message_start(), *begun, end])] * 2)
    with pytest.raises(openai.APIError) as caught:
        streamed(client, input="Hi")
    assert caught.value.code == "server_error"
    with client.responses.with_streaming_response.create(model=MODEL, input="Hi", stream=True) as response:
        lines = [line for line in response.iter_lines() if line.startswith("data: ")]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert [event["type"] for event in events[-5:]] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "error",
        "response.failed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    failed = events[-1]["response"]
    assert (failed["status"], failed["error"]["code"]) == ("failed", "server_error")
    assert failed["output"][0]["status"] == "incomplete"
    assert failed["output"][0]["content"][0]["text"] in "Half an answer"
