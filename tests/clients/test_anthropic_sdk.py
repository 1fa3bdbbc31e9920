"""The official anthropic SDK: messages, the stream helpers, tools, parsed answers, errors, models, counts."""

import json

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic, beta_tool, omit
from anthropic.types import MessageParam, ToolParam
from pydantic import BaseModel

from claude_openai_proxy.simulator import Script
from clients.proxies import Proxy

MODEL = "claude-sonnet-5-5"
HELLO: list[MessageParam] = [{"role": "user", "content": "Hello"}]
WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "Weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class City(BaseModel):
    name: str
    people: int


def test_a_message_comes_whole(claude: Anthropic, proxy: Proxy) -> None:
    proxy.play(Script.text("Hi.", usage={"input_tokens": 5, "output_tokens": 3}))
    message = claude.messages.create(model=MODEL, max_tokens=100, messages=HELLO, system="Be brief.")
    assert [block.text for block in message.content if block.type == "text"] == ["Hi."]
    assert (message.model, message.stop_reason, message.role) == (MODEL, "end_turn", "assistant")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (5, 3)
    assert "Be brief." in json.dumps(proxy.asked()[0]["system"])


async def test_the_async_client_streams_with_an_alias(async_claude: AsyncAnthropic, proxy: Proxy) -> None:
    proxy.play(Script.text("It is 海 🌊.", pieces=4))
    async with async_claude.messages.stream(model="custom-claude-4-sonnet", max_tokens=100, messages=HELLO) as stream:
        pieces = [piece async for piece in stream.text_stream]
        message = await stream.get_final_message()
    assert "".join(pieces) == "It is 海 🌊."
    assert len(pieces) >= 3
    assert message.content[0].type == "text"
    assert proxy.asked()[0]["model"] == MODEL


def test_raw_events_come_in_order(claude: Anthropic, proxy: Proxy) -> None:
    proxy.play(Script.thinking("Hm.", "Yes."))
    with claude.messages.create(model=MODEL, max_tokens=2000, messages=HELLO, stream=True) as events:
        kinds = [event.type for event in events]
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    assert list(dict.fromkeys(kinds)) == ["message_start", *block, "message_delta", "message_stop"]
    assert kinds.count("content_block_start") == 2


def test_thinking_keeps_its_signature_in_both_forms(claude: Anthropic, proxy: Proxy) -> None:
    proxy.play(Script.thinking("Hm.", "Yes.", signature="c2ln"), Script.thinking("Hm.", "Yes.", signature="c2ln"))
    whole = claude.messages.create(model=MODEL, max_tokens=2000, messages=HELLO)
    with claude.messages.stream(model=MODEL, max_tokens=2000, messages=HELLO) as stream:
        streamed = stream.get_final_message()
    for message in (whole, streamed):
        first = message.content[0]
        assert first.type == "thinking"
        assert (first.thinking, first.signature) == ("Hm.", "c2ln")


def test_a_tool_is_called_and_its_result_taken(claude: Anthropic, proxy: Proxy) -> None:
    proxy.play(Script.tool_calls([("get_weather", {"city": "Paris"})], text="Let me see."), Script.text("Rain."))
    first = claude.messages.create(model=MODEL, max_tokens=500, messages=HELLO, tools=[WEATHER])
    call = next(block for block in first.content if block.type == "tool_use")
    assert (first.stop_reason, call.name, call.input) == ("tool_use", "get_weather", {"city": "Paris"})
    result: MessageParam = {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "12 degrees, rain"}],
    }
    history: list[MessageParam] = [*HELLO, {"role": "assistant", "content": first.content}, result]
    second = claude.messages.create(model=MODEL, max_tokens=500, messages=history, tools=[WEATHER])
    assert [block.text for block in second.content if block.type == "text"] == ["Rain."]
    assert proxy.asked()[1]["messages"] is not None
    assert "12 degrees, rain" in json.dumps(proxy.asked()[1]["messages"])


def test_the_tool_runner_runs_a_function(claude: Anthropic, proxy: Proxy) -> None:
    @beta_tool
    def get_weather(city: str) -> str:
        """Weather of a city."""
        return f"Rain in {city}"

    proxy.play(Script.tool_calls([("get_weather", {"city": "Rome"})]), Script.text("It rains."))
    runner = claude.beta.messages.tool_runner(
        model=MODEL,
        max_tokens=500,
        messages=[{"role": "user", "content": "?"}],
        tools=[get_weather],
        # Kept conversations are the API's; the simulated one has none. Of Claude Code the SDK learns that it has none.
        thread=False if proxy.kind == "api" else omit,
    )
    assert runner.until_done().content[0].to_dict()["text"] == "It rains."
    assert "Rain in Rome" in json.dumps(proxy.asked()[1]["messages"])


def test_a_parsed_answer_is_the_pydantic_object(claude: Anthropic, proxy: Proxy) -> None:
    proxy.play(Script.text('{"name": "Oslo", "people": 700000}'))
    message = claude.messages.parse(model=MODEL, max_tokens=500, messages=HELLO, output_format=City)
    assert message.parsed_output == City(name="Oslo", people=700_000)
    assert "format" in json.dumps(proxy.asked()[0]["output_config"])


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, anthropic.BadRequestError),
        (403, anthropic.PermissionDeniedError),
        (429, anthropic.RateLimitError),
        (529, anthropic.InternalServerError),
    ],
)
def test_errors_are_raised_as_the_sdks_own(
    claude: Anthropic, proxy: Proxy, status: int, error: type[anthropic.APIStatusError]
) -> None:
    # Claude Code asks once more, without its own beta headers, what was refused with 400; the proxy after a 5xx.
    proxy.play(*[Script.error(status, "Not this.")] * (2 if status in (400, 529) else 1))
    with pytest.raises(error) as caught:
        claude.messages.create(model=MODEL, max_tokens=100, messages=HELLO)
    assert caught.value.status_code == status
    assert "Not this." in str(caught.value) or status == 529
    assert caught.value.request_id


def test_an_error_in_a_stream_is_raised(claude: Anthropic, proxy: Proxy) -> None:
    proxy.play(Script.events([*Script.text("Half").steps[:4], {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}]))  # fmt: skip  # noqa: E501
    with (
        claude.messages.stream(model=MODEL, max_tokens=100, messages=HELLO) as stream,
        pytest.raises(anthropic.APIStatusError, match="Overloaded"),
    ):
        stream.get_final_message()


def test_an_unknown_model_is_not_found(claude: Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="nobody"):
        claude.messages.create(model="nobody", max_tokens=100, messages=HELLO)


def test_models_are_listed_page_by_page(claude: Anthropic) -> None:
    ids = [model.id for model in claude.models.list(limit=2)]
    assert ids == list(dict.fromkeys(ids))
    assert len(ids) > 4
    assert claude.models.retrieve("custom-claude-4-opus").type == "model"


def test_tokens_are_counted_where_that_is_possible(claude: Anthropic, proxy: Proxy) -> None:
    if proxy.kind == "api":
        assert claude.messages.count_tokens(model=MODEL, messages=HELLO).input_tokens > 0
        return
    with pytest.raises(anthropic.InternalServerError) as caught:
        claude.with_options(max_retries=2).messages.count_tokens(model=MODEL, messages=HELLO)
    assert caught.value.status_code == 501
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert not proxy.asked()


def test_what_claude_code_owns_is_told_of(claude: Anthropic, proxy: Proxy) -> None:
    response = claude.beta.messages.with_raw_response.create(
        model=MODEL,
        max_tokens=100,
        messages=[{"role": "user", "content": "?"}],
        metadata={"user_id": "me"},
        betas=["context-management-2025-06-27"],
    )
    told = response.headers.get("x-ignored-parameters", "")
    if proxy.kind == "api":
        assert told == ""
        assert proxy.asked()[0]["metadata"] == {"user_id": "me"}
    else:
        assert {"metadata", "anthropic-beta"} <= set(told.split(", "))
