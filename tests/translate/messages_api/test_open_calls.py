"""Results find their calls, whatever they name."""

import json
from typing import Any

import pytest

from translate.translated import sent, translate

TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in ("f", "g")]


def call(id_: str | None, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def conversation(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    body = {"messages": [{"role": "user", "content": "hi"}, *messages], "tools": TOOLS}
    turns: list[dict[str, Any]] = sent(translate(body))["messages"]  # type: ignore[assignment]  # JSON
    return turns


def results(turns: list[dict[str, Any]]) -> list[tuple[str, object]]:
    blocks = [block for turn in turns for block in turn["content"]]
    return [(block["tool_use_id"], block.get("content")) for block in blocks if block["type"] == "tool_result"]


@pytest.mark.parametrize("id_", ["", None])
def test_a_result_without_an_id_answers_the_calls_in_order(id_: str | None) -> None:
    turns = conversation(
        {"role": "assistant", "tool_calls": [call(id_), call(id_, "g")]},
        {"role": "tool", "tool_call_id": id_, "content": "1"},
        {"role": "tool", "tool_call_id": id_, "content": "2"},
    )
    assert results(turns) == [("call", "1"), ("call_2", "2")]


def test_a_result_with_a_name_alone_answers_the_call_of_that_name() -> None:
    turns = conversation(
        {"role": "assistant", "tool_calls": [call("a"), call("b", "g")]},
        {"role": "tool", "name": "g", "content": "of g"},
        {"role": "tool", "name": "f", "content": "of f"},
    )
    assert results(turns) == [("a", "of f"), ("b", "of g")]


def test_an_empty_leftover_call_is_left_out_and_told() -> None:
    body = {
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "so", "tool_calls": [call("", "", "")]},
            {"role": "user", "content": "on"},
        ],
        "tools": TOOLS,
    }
    translation = translate(body)
    assert "empty_call_left_out" in translation.repairs
    assert "tool_use" not in json.dumps(sent(translation)["messages"])


def test_a_call_told_in_both_shapes_is_one_call_with_one_result() -> None:
    again = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "R"}]}
    part = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": "1"}}
    turns = conversation(
        {"role": "assistant", "content": [part], "tool_calls": [call("toolu_1", arguments='{"a":"1"}')]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "R"},
        {"role": "user", "content": [again]},
    )
    assert [block["type"] for block in turns[1]["content"]] == ["tool_use"]
    assert turns[2]["content"] == [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "R"}]


def test_a_call_told_in_both_shapes_is_told_of() -> None:
    part = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    said = {"role": "assistant", "content": [part], "tool_calls": [call("toolu_1")]}
    assert "double_call_left_out" in translate({"messages": [said], "tools": TOOLS}).repairs


@pytest.mark.parametrize("arguments", ["[]", " [] ", []])
def test_an_empty_list_of_arguments_is_an_empty_object(arguments: object) -> None:
    turns = conversation(
        {
            "role": "assistant",
            "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": arguments}}],
        },
        {"role": "tool", "tool_call_id": "a", "content": "pong"},
    )
    assert turns[1]["content"][0]["input"] == {}
