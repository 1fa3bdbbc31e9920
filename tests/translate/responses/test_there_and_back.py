"""What goes out and what its answer becomes, together; and histories with a gap."""

import pytest

from claude_openai_proxy.translate.responses.request import ReadResponse
from claude_openai_proxy.translate.responses_answer.manner import Manner
from translate.message_events import Events, message, text, tool_use
from translate.responses.asked import JSONObject, read, turns
from translate.responses_answer.told import output

SKY = {
    "type": "namespace",
    "name": "mcp__sky",
    "description": "The sky.",
    "tools": [
        {"type": "function", "name": "get_weather"},
        {"type": "custom", "name": "draw"},
        {"type": "function", "name": "twice"},
    ],
}
TOOLS = [SKY, {"type": "namespace", "name": "mcp__sea", "tools": [{"type": "function", "name": "twice"}]}]


def answered(response: ReadResponse, events: Events) -> list[JSONObject]:
    return output(events, response.translation.plan, Manner(forms=response.forms))


@pytest.mark.parametrize("called", ["mcp__sky__get_weather", "get_weather"])
def test_a_tool_of_a_namespace_comes_back_with_both_names_also_where_the_model_leaves_one_out(called: str) -> None:
    (item,) = answered(read({"tools": TOOLS}), message(tool_use(0, "toolu_1", called, '{"city": "Paris"}')))
    assert (item["type"], item["namespace"], item["name"]) == ("function_call", "mcp__sky", "get_weather")
    assert item["arguments"] == '{"city": "Paris"}'


@pytest.mark.parametrize("called", ["mcp__sky__draw", "draw"])
def test_a_custom_tool_of_a_namespace_has_the_raw_text_also_by_its_bare_name(called: str) -> None:
    (item,) = answered(read({"tools": TOOLS}), message(tool_use(0, "toolu_1", called, '{"input": "a \\"sun\\""}')))
    assert (item["type"], item["namespace"], item["name"]) == ("custom_tool_call", "mcp__sky", "draw")
    assert item["input"] == 'a "sun"'


def test_a_bare_name_that_two_tools_have_stays_as_it_was_said() -> None:
    (item,) = answered(read({"tools": TOOLS}), message(tool_use(0, "toolu_1", "twice", "{}")))
    assert (item["name"], item.get("namespace")) == ("twice", None)


def test_a_tool_that_has_the_name_itself_is_meant_by_it() -> None:
    tools = [SKY, {"type": "function", "name": "get_weather"}]
    (item,) = answered(read({"tools": tools}), message(tool_use(0, "toolu_1", "get_weather", "{}")))
    assert (item["name"], item.get("namespace")) == ("get_weather", None)


def test_an_interrupted_call_gets_a_result_that_says_so() -> None:
    call = {"type": "function_call", "call_id": "toolu_1", "name": "f", "arguments": "{}"}
    tools = [{"type": "function", "name": "f"}]
    sent = turns({"role": "user", "content": "Hi"}, call, {"role": "user", "content": "Go on"}, tools=tools)
    assert isinstance(sent, list)
    result, said = sent[2]["content"]
    assert (result["type"], result["tool_use_id"], said["text"]) == ("tool_result", "toolu_1", "Go on")
    assert "result" in result["content"]


def test_a_call_whose_arguments_were_cut_goes_out_as_an_object() -> None:
    call = {
        "type": "function_call",
        "call_id": "toolu_1",
        "name": "f",
        "arguments": '{"a": [1, ',
        "status": "incomplete",
    }
    output_ = {"type": "function_call_output", "call_id": "toolu_1", "output": "x"}
    sent = turns({"role": "user", "content": "Hi"}, call, output_, tools=[{"type": "function", "name": "f"}])
    assert isinstance(sent, list)
    assert isinstance(sent[1]["content"][0]["input"], dict)


@pytest.mark.parametrize("summary", [{}, {"summary": []}, {"summary": None}], ids=["absent", "empty", "null"])
def test_reasoning_needs_neither_a_summary_nor_an_item_that_follows(summary: JSONObject) -> None:
    reasoning = {"type": "reasoning", "id": "rs_1", **summary}
    assert turns({"role": "user", "content": "Hi"}, reasoning) == turns({"role": "user", "content": "Hi"})


def test_text_that_looks_like_thinking_is_text() -> None:
    said = "<think>Hm.</think><reasoning>So.</reasoning>Hi"
    (item,) = answered(read({"reasoning": {"summary": "auto"}}), message(text(0, "<thi", said[4:])))
    assert item["type"] == "message"
    assert item["content"] == [{"type": "output_text", "text": said, "annotations": [], "logprobs": []}]
