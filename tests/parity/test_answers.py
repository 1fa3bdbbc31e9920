"""Every kind of answer, both ways: what the client gets is the same, and so is what Claude was asked on the way."""

import base64

import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from claude_openai_proxy.simulator import Script
from parity.compare import Difference, differences
from parity.documented import rows, undocumented
from parity.same import assert_same_answer, assert_same_requests, assert_same_when_put_together
from parity.sides import JSONObject, Outcome, Pair
from translate.shape import PDF_DATA, PNG, assistant, call, function, result, user

HELLO = [user("Hello")]
USAGE: JSONObject = {"input_tokens": 9, "output_tokens": 7, "cache_read_input_tokens": 4}
PICTURE = "data:image/png;base64," + base64.b64encode(base64.b64decode(PNG.partition(",")[2]) + bytes(900_000)).decode()
PDF = {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF_DATA}"}}
SEARCH: list[JSONObject] = [
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "weather"}},
    {
        "type": "web_search_tool_result",
        "tool_use_id": "srvtoolu_1",
        "content": [{"type": "web_search_result", "title": "A", "url": "https://a.example", "encrypted_content": "eA"}],
    },
]
CITED: JSONObject = {
    "type": "text",
    "text": "It rains.",
    "citations": [
        {
            "type": "web_search_result_location",
            "url": "https://a.example",
            "title": "A",
            "encrypted_index": "eA",
            "cited_text": "rain",
        }
    ],
}
TWO_CALLS = Script.tool_calls([("f", {"city": "東京", "n": [1, 2.5, None]}), ("g", {})], text="I look.", usage=USAGE)
TEXT = Script.text("Zeile\u2028eins 你好 🚀 \r\n\n end", pieces=9, usage=USAGE)

# What is asked -> what Claude answers, one after the other.
CASES: dict[str, tuple[JSONObject, list[Script]]] = {
    "text": ({"messages": HELLO, "stream_options": {"include_usage": True}}, [TEXT]),
    "a large answer": ({"messages": HELLO}, [Script.text("Lorem ipsum " * 20_000, pieces=300)]),
    "an empty answer": ({"messages": HELLO}, [Script.text("")]),
    "cut at the limit": ({"messages": HELLO, "max_tokens": 5}, [Script.text("abc", stop_reason="max_tokens")]),
    "the context is full": ({"messages": HELLO}, [Script.text("abc", stop_reason="model_context_window_exceeded")]),
    "a stop sequence": (
        {"messages": HELLO, "stop": "END"},
        [Script.text("abc", stop_reason="stop_sequence", stop_sequence="END")],
    ),
    "a stop of white space": ({"messages": HELLO, "stop": "\n\n"}, [Script.text("one\n\ntwo", pieces=8)]),
    "JSON in a fence": (
        {"messages": HELLO, "response_format": {"type": "json_object"}},
        [Script.text('```json\n{"a": 1}\n```', pieces=7)],
    ),
    "a refusal in words": ({"messages": HELLO}, [Script.refusal("I will not.", usage=USAGE)]),
    "a refusal without a word": ({"messages": HELLO}, [Script.refusal(explanation="That is dangerous.")]),
    "thinking that is shown": (
        {"messages": HELLO, "reasoning_effort": "high"},
        [Script.thinking("Let me see.", "So it is.", usage=USAGE)],
    ),
    "thinking that is hidden": ({"messages": HELLO}, [Script.thinking("", "Silently.", usage=USAGE)]),
    "parallel calls": ({"messages": HELLO, "tools": [function("f"), function("g")]}, [TWO_CALLS]),
    "a forced call": (
        {"messages": HELLO, "tools": [function("f"), function("g")], "tool_choice": "required"},
        [TWO_CALLS],
    ),
    "a forced call, at the second try": (
        {"messages": HELLO, "tools": [function("f"), function("g")], "tool_choice": "required"},
        [TEXT, TWO_CALLS],
    ),
    "a search that paused": (
        {"messages": HELLO, "web_search_options": {}},
        [Script.blocks(SEARCH, stop_reason="pause_turn", usage=USAGE), Script.blocks([CITED], usage=USAGE)],
    ),
    "an image and a file": (
        {"messages": [user([{"type": "image_url", "image_url": {"url": PICTURE}}, PDF])]},
        [TEXT],
    ),
    "large results of calls": (
        {
            "messages": [
                user("Read both."),
                assistant(tool_calls=[call("call_1"), call("call_2")]),
                result("call_2", "x" * 300_000),
                result("call_1", "Zeile \u2028\n" * 30_000),
            ],
            "tools": [function("f")],
        },
        [TEXT],
    ),
    "a history of two hundred messages": (
        {"messages": [(assistant if number % 2 else user)(f"turn {number} " + "x" * 300) for number in range(201)]},
        [TEXT],
    ),
}


def ask(body: JSONObject, **more: object) -> JSONObject:
    return {"model": "custom-claude-4-opus", **body, **more}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", CASES)
async def test_an_answer_is_the_same(pair: Pair, name: str, stream: bool) -> None:
    body, scripts = CASES[name]
    if not stream:
        body = {field: value for field, value in body.items() if field != "stream_options"}

    api, claude_code = await pair.ask(ask(body, stream=stream), *scripts)

    assert len(api.sent) == len(scripts)
    assert_same_requests(api, claude_code)
    assert_same_answer(api, claude_code)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_several_choices_are_the_same(pair: Pair, stream: bool) -> None:
    body = ask({"messages": HELLO}, n=2, stream=stream)

    api, claude_code = await pair.ask(body, TEXT, TEXT)

    assert_same_requests(api, claude_code)
    assert_same_when_put_together(api, claude_code)


class Person(BaseModel):
    name: str
    age: int


async def test_the_official_sdk_parses_the_same_object(pair: Pair) -> None:
    parsed = []
    for side in (pair.api, pair.claude_code):
        side.simulator.forget()
        side.simulator.play(Script.text('{"name": "Ada", "age": 36}'))
        async with AsyncOpenAI(base_url=f"{side.base_url}/v1", api_key="any", max_retries=0) as client:
            completion = await client.chat.completions.parse(
                model="custom-claude-4-sonnet",
                messages=[{"role": "user", "content": "Who?"}],
                response_format=Person,
            )
        parsed.append(completion.choices[0].message.parsed)

    assert parsed == [Person(name="Ada", age=36)] * 2


async def test_claude_counts_the_blocks_of_claude_code_and_nothing_else_differs(pair: Pair) -> None:
    api, claude_code = await pair.ask(ask({"messages": HELLO}))

    found = differences(api.answer[0], claude_code.answer[0])
    assert undocumented(found, "Answers", "Counts") == []
    assert undocumented(found, "Answers") != []


# ---- names of models -------------------------------------------------------------------------------------------------


def documented(name: str) -> tuple[str, str]:
    (row,) = [row for row in rows("Models") if row.name == name]
    return row.api, row.claude_code


async def test_a_name_without_its_date_is_looked_up_where_there_is_a_list(pair: Pair) -> None:
    api, claude_code = await pair.ask({"model": "claude-haiku-4-5", "messages": HELLO}, TEXT)

    assert (api.sent[0]["model"], claude_code.sent[0]["model"]) == documented("claude-haiku-4-5")
    assert differences(api.answer[0]["choices"], claude_code.answer[0]["choices"]) == []


async def test_a_model_that_does_not_exist_is_asked_for_only_where_there_is_no_list(pair: Pair) -> None:
    outcomes = await pair.ask({"model": "claude-novel-9", "messages": HELLO})

    assert tuple(str(len(outcome.sent)) for outcome in outcomes) == documented("claude-novel-9")
    assert [without_message(outcome) for outcome in outcomes] == [
        (404, {"type": "invalid_request_error", "param": "model", "code": "model_not_found"})
    ] * 2


async def test_a_name_that_cannot_be_claudes_is_refused_both_ways(pair: Pair) -> None:
    api, claude_code = await pair.ask({"model": "gpt-4o", "messages": HELLO})

    assert without_message(claude_code) == without_message(api)
    assert (api.sent, claude_code.sent) == ([], [])


async def test_both_list_the_aliases_and_what_they_stand_for(pair: Pair) -> None:
    listed = [await side.get("/v1/models") for side in (pair.api, pair.claude_code)]

    assert [aliases(document) for document in listed] == [
        {"custom-claude-4-opus": "claude-opus-5-5", "custom-claude-4-sonnet": "claude-sonnet-5-5"}
    ] * 2
    assert documented("GET /v1/models") == ("any", "any")


def without_message(outcome: Outcome) -> tuple[int, object]:
    error = outcome.answer[0]["error"]
    assert isinstance(error, dict)
    return outcome.status, {name: value for name, value in error.items() if name != "message"}


def aliases(listed: JSONObject) -> dict[object, object]:
    data = listed["data"]
    assert isinstance(data, list)
    return {row["id"]: row["resolves_to"] for row in data if "resolves_to" in row}


# ---- the table itself ------------------------------------------------------------------------------------------------


async def test_no_row_about_requests_is_out_of_date(pair: Pair) -> None:
    found: list[Difference] = []
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    for fields in ({"top_p": 0.5, "user": "jane"}, {"max_tokens": 5}, {}, {"tools": tools}):
        api, claude_code = await pair.ask({"model": "claude-sonnet-4-6", "messages": HELLO, **fields}, TEXT)
        found += differences(api.sent[0], claude_code.sent[0])

    unused = [row for row in rows("Requests") if not any(row.covers(difference) for difference in found)]
    assert unused == []


@pytest.mark.parametrize(
    ("found", "known"),
    [
        (Difference("tools", "absent", "[]"), True),
        (Difference("tools", '[{"name": "f"}]', "[]"), False),
        (Difference("tools[0].name", '"f"', '"g"'), False),
        (Difference("temperature", "0.5", "1"), False),
        (Difference("messages[0].content", "1", "2"), False),
    ],
)
def test_a_row_lets_pass_only_what_it_says(found: Difference, known: bool) -> None:
    assert (undocumented([found], "Requests") == []) == known
