"""Without a script the simulated model answers sensibly; the caller is the official SDK."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from anthropic import (
    AsyncAnthropic,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
)
from anthropic.types import Message, MessageParam, ToolChoiceParam, ToolParam, ToolUseBlock

from claude_openai_proxy.simulator import MODELS, Script, Simulator

WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "Current weather of a city. 获取城市的天气。",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
        "required": ["city"],
    },
}
TIME: ToolParam = {
    "name": "get_time",
    "description": "Local time of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture
async def claude(simulator_url: str) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(api_key="made-up", auth_token=None, base_url=simulator_url, max_retries=0) as client:
        yield client


def question(text: str) -> list[MessageParam]:
    return [{"role": "user", "content": text}]


def calls_of(message: Message) -> list[tuple[str, object]]:
    return [(block.name, block.input) for block in message.content if isinstance(block, ToolUseBlock)]


def text_of(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


@pytest.mark.parametrize("text", ["Hello", "你好，世界", "family 👩‍👩‍👧 emoji", "line\u2028separator"])
async def test_the_text_comes_back_streamed_and_whole(claude: AsyncAnthropic, text: str) -> None:
    whole = await claude.messages.create(model="claude-opus-5-5", max_tokens=400, messages=question(text))
    async with claude.messages.stream(model="claude-opus-5-5", max_tokens=400, messages=question(text)) as stream:
        deltas = [delta async for delta in stream.text_stream]
        streamed = await stream.get_final_message()
    assert len(deltas) > 2
    assert "".join(deltas) == text_of(whole) == f"This is claude-opus-5-5, simulated. You said: {text}"
    assert [block.type for block in streamed.content] == [block.type for block in whole.content] == ["thinking", "text"]
    assert streamed.usage.output_tokens == whole.usage.output_tokens


@pytest.mark.parametrize("model", [model.id for model in MODELS if model.lifecycle == "active"])
async def test_two_cities_are_two_calls_on_every_model(claude: AsyncAnthropic, model: str) -> None:
    async with claude.messages.stream(
        model=model, max_tokens=400, messages=question("What's the weather in Paris and Rome?"), tools=[WEATHER]
    ) as stream:
        message = await stream.get_final_message()
    assert message.stop_reason == "tool_use"
    assert calls_of(message) == [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})]


async def test_two_questions_call_two_tools(claude: AsyncAnthropic) -> None:
    asked = question("What is the weather in Paris, and what time is it in Tokyo?")
    message = await claude.messages.create(
        model="claude-opus-5-5", max_tokens=400, messages=asked, tools=[WEATHER, TIME]
    )
    assert calls_of(message) == [("get_weather", {"city": "Paris"}), ("get_time", {"city": "Tokyo"})]


@pytest.mark.parametrize(
    ("asked", "call"),
    [
        ("Weather in New York in fahrenheit, please", {"city": "New York", "unit": "fahrenheit"}),
        ("北京的天气怎么样？", {"city": "北京"}),
        ('Use get_weather for "Bad Homburg"', {"city": "Bad Homburg"}),
    ],
)
async def test_arguments_are_found_in_the_prompt(claude: AsyncAnthropic, asked: str, call: object) -> None:
    message = await claude.messages.create(
        model="claude-opus-5-5", max_tokens=400, messages=question(asked), tools=[WEATHER]
    )
    assert calls_of(message) == [("get_weather", call)]


async def test_a_question_that_no_tool_fits_is_answered_with_text(claude: AsyncAnthropic) -> None:
    message = await claude.messages.create(
        model="claude-opus-5-5", max_tokens=400, messages=question("Tell me a joke"), tools=[WEATHER, TIME]
    )
    assert message.stop_reason == "end_turn"


async def test_a_forced_tool_is_called_whatever_was_asked(claude: AsyncAnthropic) -> None:
    message = await claude.messages.create(
        model="claude-opus-4-8",
        max_tokens=400,
        messages=question("Tell me a joke"),
        tools=[WEATHER, TIME],
        tool_choice={"type": "tool", "name": "get_time"},
    )
    assert [name for name, _ in calls_of(message)] == ["get_time"]


async def test_an_instruction_to_call_a_tool_is_followed(claude: AsyncAnthropic) -> None:
    message = await claude.messages.create(
        model="claude-opus-5-5",
        max_tokens=400,
        system="You must call one of the tools.",
        messages=question("Tell me a joke"),
        tools=[WEATHER, TIME],
    )
    assert len(calls_of(message)) == 1


async def test_one_call_where_parallel_calls_are_off_and_none_where_calls_are(claude: AsyncAnthropic) -> None:
    asked = question("What's the weather in Paris and Rome?")
    one = await claude.messages.create(
        model="claude-opus-5-5",
        max_tokens=400,
        messages=asked,
        tools=[WEATHER],
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
    )
    none = await claude.messages.create(
        model="claude-opus-5-5", max_tokens=400, messages=asked, tools=[WEATHER], tool_choice={"type": "none"}
    )
    assert (len(calls_of(one)), len(calls_of(none))) == (1, 0)


async def test_the_results_of_tools_are_in_the_answer_and_thinking_may_come_back(claude: AsyncAnthropic) -> None:
    asked = question("What's the weather in Paris and Rome?")
    first = await claude.messages.create(model="claude-opus-5-5", max_tokens=400, messages=asked, tools=[WEATHER])
    results: MessageParam = {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": block.id, "content": f"{degrees} degrees"}
            for degrees, block in zip([18, 25], [b for b in first.content if b.type == "tool_use"], strict=True)
        ],
    }
    history: list[MessageParam] = [*asked, {"role": "assistant", "content": first.content}, results]
    second = await claude.messages.create(model="claude-opus-5-5", max_tokens=400, messages=history, tools=[WEATHER])
    assert text_of(second) == "Here is what the tools say: 18 degrees; 25 degrees"


async def test_an_instruction_after_the_results_does_not_start_the_calls_again(claude: AsyncAnthropic) -> None:
    history: list[MessageParam] = [
        *question("What's the weather in Paris?"),
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "get_weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "18 degrees"}]},
        {"role": "system", "content": "You must call tools where you can."},
    ]
    message = await claude.messages.create(model="claude-opus-4-8", max_tokens=400, messages=history, tools=[WEATHER])
    assert text_of(message) == "Here is what the tools say: 18 degrees"


async def test_a_forced_choice_calls_again_right_after_the_results(claude: AsyncAnthropic) -> None:
    history: list[MessageParam] = [
        *question("What's the weather in Paris?"),
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "get_weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "18 degrees"}]},
    ]
    message = await claude.messages.create(
        model="claude-opus-4-8", max_tokens=400, messages=history, tools=[WEATHER, TIME], tool_choice={"type": "any"}
    )
    assert len(calls_of(message)) == 1


async def test_max_tokens_cuts_and_counts(claude: AsyncAnthropic) -> None:
    message = await claude.messages.create(model="claude-opus-4-8", max_tokens=4, messages=question("Hello"))
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 4)
    assert text_of(message) == "This is claude-"


async def test_a_stop_sequence_cuts_before_itself(claude: AsyncAnthropic) -> None:
    message = await claude.messages.create(
        model="claude-opus-4-8", max_tokens=400, messages=question("one two three"), stop_sequences=["three", "two"]
    )
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "two")
    assert text_of(message).endswith("one ")


async def test_a_call_that_max_tokens_cuts_is_cut_in_its_input(claude: AsyncAnthropic) -> None:
    async with claude.messages.stream(
        model="claude-opus-4-8", max_tokens=3, messages=question("Weather in Paris"), tools=[WEATHER]
    ) as stream:
        pieces = [event.partial_json async for event in stream if event.type == "input_json"]
        message = await stream.get_final_message()
    assert "".join(pieces) == '{"city'
    assert message.stop_reason == "max_tokens"


async def test_thinking_shows_its_text_only_where_it_is_asked_for(claude: AsyncAnthropic) -> None:
    hidden = await claude.messages.create(model="claude-opus-5-5", max_tokens=400, messages=question("x"))
    shown = await claude.messages.create(
        model="claude-opus-5-5",
        max_tokens=400,
        messages=question("x"),
        thinking={"type": "adaptive", "display": "summarized"},
    )
    assert [block.thinking for block in hidden.content if block.type == "thinking"] == [""]
    assert [bool(block.thinking) for block in shown.content if block.type == "thinking"] == [True]
    assert shown.usage.output_tokens_details is not None
    assert 0 < shown.usage.output_tokens_details.thinking_tokens < shown.usage.output_tokens


async def test_an_answer_by_schema_is_json_of_that_schema(claude: AsyncAnthropic) -> None:
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"answer": {"type": "string", "enum": ["yes", "no"]}, "degrees": {"type": "integer"}},
        "required": ["answer", "degrees"],
        "additionalProperties": False,
    }
    message = await claude.messages.create(
        model="claude-opus-5-5",
        max_tokens=400,
        messages=question("Is it 18 degrees? Say no"),
        output_config={"format": {"type": "json_schema", "schema": schema}},
    )
    assert text_of(message) == '{"answer":"no","degrees":18}'


async def test_names_days_and_lists_of_a_schema_are_found_in_the_prompt(claude: AsyncAnthropic) -> None:
    people = {"type": "array", "items": {"type": "string"}}
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "day": {"type": "string"}, "people": people},
        "required": ["name", "day", "people"],
        "additionalProperties": False,
    }
    message = await claude.messages.create(
        model="claude-opus-5-5",
        max_tokens=400,
        messages=question("Alice and Bob meet for the science fair on Friday."),
        output_config={"format": {"type": "json_schema", "schema": schema}},
    )
    assert text_of(message) == '{"name":"Alice","day":"Friday","people":["Alice","Bob"]}'


async def test_a_picture_is_named_by_its_media_type(claude: AsyncAnthropic) -> None:
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    message = await claude.messages.create(
        model="claude-opus-5-5",
        max_tokens=400,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}},
                    {"type": "text", "text": "What is it?"},
                ],
            }
        ],
    )
    assert "image (image/png)" in text_of(message)


async def test_a_search_on_the_web_is_cited(claude: AsyncAnthropic) -> None:
    async with claude.messages.stream(
        model="claude-opus-5-5",
        max_tokens=400,
        messages=question("Search the web for the news"),
        tools=[{"type": "web_search_20250305", "name": "web_search"}],
    ) as stream:
        message = await stream.get_final_message()
    kinds = [block.type for block in message.content]
    assert kinds == ["thinking", "server_tool_use", "web_search_tool_result", "text"]
    assert [len(block.citations or []) for block in message.content if block.type == "text"] == [1]
    assert message.usage.server_tool_use is not None
    assert message.usage.server_tool_use.web_search_requests == 1


async def test_a_marked_prefix_is_written_once_and_then_read(claude: AsyncAnthropic) -> None:
    async def usage(text: str) -> tuple[int | None, int | None]:
        message = await claude.messages.create(
            model="claude-opus-5-5",
            max_tokens=400,
            system=[{"type": "text", "text": "Long. " * 4_000, "cache_control": {"type": "ephemeral"}}],
            messages=question(text),
        )
        return message.usage.cache_creation_input_tokens, message.usage.cache_read_input_tokens

    written, read = await usage("first")
    assert (bool(written), read) == (True, 0)
    assert await usage("second") == (0, written)


@pytest.mark.parametrize(
    ("model", "keeps"), [("claude-haiku-4-5", False), ("claude-sonnet-4-5", False), ("claude-opus-4-5", True)]
)
async def test_thinking_of_earlier_questions_is_part_of_the_prompt_where_the_model_reads_it(
    claude: AsyncAnthropic, model: str, keeps: bool
) -> None:
    """A new question changes what stands before it where the model forgets; results of tools change nothing."""
    long = [{"type": "text", "text": "Long. " * 4_000, "cache_control": {"type": "ephemeral"}}]
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_time", "input": {"city": "Bonn"}}
    thought = {"type": "thinking", "thinking": "About time, and about what time is. " * 9, "signature": "EqQBCgIYAhIM"}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "noon"}
    said: list[Any] = [{"role": "user", "content": "Go"}, {"role": "assistant", "content": [thought, call]}]
    mark = {"cache_control": {"type": "ephemeral"}}

    async def usage(*messages: Any) -> tuple[int, int, int]:
        asked: Any = {"model": model, "system": long, "tools": [TIME], "messages": messages}
        asked["thinking"] = {"type": "enabled", "budget_tokens": 1_024}
        counted = await claude.messages.count_tokens(**asked)
        used = (await claude.messages.create(max_tokens=2_000, **asked)).usage
        read, written = used.cache_read_input_tokens or 0, used.cache_creation_input_tokens or 0
        assert counted.input_tokens == read + written + used.input_tokens
        return read, written, used.input_tokens

    first = await usage(*said, {"role": "user", "content": [result | mark]})
    looped = await usage(*said, {"role": "user", "content": [result | mark]})
    assert looped == (first[0] + first[1], 0, first[2])

    answer: Any = {"role": "assistant", "content": "It is noon."}
    asked = {"role": "user", "content": [{"type": "text", "text": "And now?"} | mark]}
    later = await usage(*said, {"role": "user", "content": [result]}, answer, asked)
    bare = await usage(
        said[0], {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}, answer, asked
    )
    if keeps:
        assert later[0] == looped[0]
        assert later[1] > 0
        assert sum(later) > sum(bare)
    else:
        assert later[0] < looped[0]
        assert bare == (later[0] + later[1], 0, later[2])


async def test_who_thinks_in_another_way_reads_no_messages_from_the_cache(claude: AsyncAnthropic) -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    asked: Any = {
        "model": "claude-opus-4-6",
        "max_tokens": 5_000,
        "system": [{"type": "text", "text": "Long. " * 4_000} | mark],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Longer. " * 400} | mark]}],
    }
    budgets: list[Any] = [{"type": "enabled", "budget_tokens": budget} for budget in (1_024, 1_024, 2_048)]
    read = []
    for thinking in (*budgets, {"type": "disabled"}):
        used = (await claude.messages.create(**asked, thinking=thinking)).usage
        read.append((used.cache_read_input_tokens or 0, used.cache_creation_input_tokens or 0))
    (_, written), (all_of_it, nothing), (system, rest), off = read
    assert (all_of_it, nothing) == (written, 0)
    assert system + rest == written
    assert 0 < system < written
    assert off == (system, rest)


async def test_models_come_in_pages_and_by_id_or_alias(claude: AsyncAnthropic) -> None:
    listed = [model async for model in claude.models.list(limit=4)]
    assert [model.id for model in listed] == [model.id for model in MODELS if model.lifecycle != "retired"]
    haiku = await claude.models.retrieve("claude-haiku-4-5")
    assert (haiku.id, haiku.line, haiku.max_tokens) == ("claude-haiku-4-5-20251001", "haiku", 64_000)
    assert haiku.capabilities is not None
    assert haiku.capabilities.thinking.types.enabled.supported
    assert not haiku.capabilities.effort.supported
    with pytest.raises(NotFoundError, match="model: claude-none"):
        await claude.models.retrieve("claude-none")


async def test_a_page_before_an_id_ends_right_before_it(claude: AsyncAnthropic) -> None:
    page = await claude.models.list(limit=2, before_id=MODELS[3].id)
    assert [model.id for model in page.data] == [MODELS[1].id, MODELS[2].id]
    assert page.has_more


async def test_tokens_are_counted(claude: AsyncAnthropic) -> None:
    short = await claude.messages.count_tokens(model="claude-opus-5-5", messages=question("x"))
    long = await claude.messages.count_tokens(model="claude-opus-5-5", messages=question("x" * 4000))
    assert long.input_tokens - short.input_tokens == 999


async def test_a_refused_key_and_a_model_outside_the_plan(simulator: Simulator, claude: AsyncAnthropic) -> None:
    simulator.account.not_in_plan = {"claude-opus-5-5"}
    with pytest.raises(PermissionDeniedError):
        await claude.messages.create(model="claude-opus-5-5", max_tokens=9, messages=question("x"))
    simulator.account.refuse_keys = {"made-up"}
    with pytest.raises(AuthenticationError, match="Invalid bearer token"):
        await claude.messages.create(model="claude-opus-5-5", max_tokens=9, messages=question("x"))


async def test_the_sdk_raises_the_class_of_an_error(simulator: Simulator, claude: AsyncAnthropic) -> None:
    simulator.play(Script.error(500))
    with pytest.raises(InternalServerError):
        await claude.messages.create(model="claude-opus-5-5", max_tokens=9, messages=question("x"))
    with pytest.raises(BadRequestError, match="at least one message"):
        await claude.messages.create(model="claude-opus-5-5", max_tokens=9, messages=[])


async def test_thinking_and_a_refusal_are_read_by_the_sdk(simulator: Simulator, claude: AsyncAnthropic) -> None:
    simulator.play(Script.thinking("Hm", "Yes", wire_split=1), Script.refusal("I", category="bio"))
    async with claude.messages.stream(model="claude-opus-5-5", max_tokens=9, messages=question("x")) as stream:
        thought = await stream.get_final_message()
    assert [block.type for block in thought.content] == ["thinking", "text"]
    async with claude.messages.stream(model="claude-opus-5-5", max_tokens=9, messages=question("x")) as stream:
        refused = await stream.get_final_message()
    assert refused.stop_reason == "refusal"
    assert refused.stop_details is not None
    assert refused.stop_details.category == "bio"


def tool(name: str, description: str, **properties: str) -> ToolParam:
    parts = {part: {"type": "string", "description": about} for part, about in properties.items()}
    schema: dict[str, object] = {"type": "object", "properties": parts, "required": [*properties]}
    return {"name": name, "description": description, "input_schema": schema}


@pytest.mark.parametrize(
    "risky",
    [
        tool("bash", "Runs it.", command="What to run"),
        tool("exec_command", "Starts a program.", cmd="The command"),
        tool("note", "Write a text to a file.", text="The text"),
        tool("apply_patch", "Changes files.", input="The patch"),
        tool("cleanUp", "Deletes what is not used.", what="What"),
    ],
    ids=lambda one: str(one["name"]),
)
async def test_no_tool_is_called_that_runs_writes_or_deletes(claude: AsyncAnthropic, risky: ToolParam) -> None:
    asked = question(f'Call the tool {risky["name"]} with "rm -rf /" now')
    choices: list[ToolChoiceParam] = [{"type": "auto"}, {"type": "any"}]
    for choice in choices:
        message = await claude.messages.create(
            model="claude-opus-4-8", max_tokens=400, messages=asked, tools=[risky], tool_choice=choice
        )
        assert calls_of(message) == []


async def test_nothing_that_was_said_becomes_a_command_a_path_a_query_or_an_address(claude: AsyncAnthropic) -> None:
    harmless = tool(
        "look_around", "Looks.", code="", file_path="", sql="", where="The URL of the page", city="Name of the city"
    )
    message = await claude.messages.create(
        model="claude-opus-4-8",
        max_tokens=400,
        messages=question('Use look_around for "Paris"'),
        tools=[harmless],
    )
    assert [given for _, given in calls_of(message)] == [
        {
            "code": "true",
            "file_path": "simulated",
            "sql": "simulated",
            "where": "https://example.com/",
            "city": "Paris",
        }
    ]


async def test_what_was_said_comes_back_on_one_short_line_without_fences(claude: AsyncAnthropic) -> None:
    said = "path/to/file.js\n```js\n<<<<<<< SEARCH\n=======\nrm(1)\n>>>>>>> REPLACE\n```\n" + "long " * 100
    message = await claude.messages.create(model="claude-opus-4-8", max_tokens=400, messages=question(said))
    echoed = text_of(message).partition("You said: ")[2]
    assert echoed == "path/to/file.js js SEARCH ======= rm(1) REPLACE long long long long long long l…"
    assert len(echoed) == 80


async def test_a_prompt_that_mentions_json_is_answered_in_words(claude: AsyncAnthropic) -> None:
    message = await claude.messages.create(
        model="claude-opus-4-8",
        max_tokens=400,
        system="Output only valid JSON in tool calls. Use one single JSON file for settings.",
        messages=question("Hello"),
    )
    assert text_of(message) == "This is claude-opus-4-8, simulated. You said: Hello"
