"""A body in the shape of the Responses API on the chat route means the chat request that says the same."""
# ruff: noqa: E501

import json
from typing import Any

import pytest

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.web.chat.decode import DecodedRequest, decode_chat_request

JSONObject = dict[str, Any]
SCHEMA: JSONObject = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
IMAGE = "data:image/png;base64,iVBORw0KGgo="


def decode(body: JSONObject) -> DecodedRequest:
    return decode_chat_request(json.dumps(body).encode())


USER: JSONObject = {"role": "user", "content": "Hi"}
SAME: dict[str, tuple[JSONObject, JSONObject]] = {
    "a text": ({"input": "Hi"}, {"messages": [USER]}),
    "messages without type": ({"input": [USER]}, {"messages": [USER]}),
    "empty messages beside it": ({"input": [USER], "messages": []}, {"messages": [USER]}),
    "null messages beside it": ({"input": [USER], "messages": None}, {"messages": [USER]}),
    "instructions": (
        {"instructions": "Be brief.", "input": "Hi"},
        {"messages": [{"role": "system", "content": "Be brief."}, USER]},
    ),
    "developer and assistant": (
        {
            "input": [
                {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]},
                {
                    "type": "message",
                    "role": "assistant",
                    "id": "msg_1",
                    "status": "completed",
                    "content": [{"type": "output_text", "text": "Yes", "annotations": [], "logprobs": []}],
                },
                USER,
            ]
        },
        {
            "messages": [
                {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
                {"role": "assistant", "content": [{"type": "text", "text": "Yes"}]},
                USER,
            ]
        },
    ),
    "images and files": (
        {
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_image", "image_url": IMAGE, "detail": "auto"},
                        {"type": "input_file", "filename": "a.txt", "file_data": "aGk="},
                        {"type": "text", "text": "chat's own"},
                    ],
                }
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": IMAGE, "detail": "auto"}},
                        {"type": "file", "file": {"filename": "a.txt", "file_data": "aGk="}},
                        {"type": "text", "text": "chat's own"},
                    ],
                }
            ]
        },
    ),
    "calls and their results": (
        {
            "input": [
                USER,
                {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}", "status": "completed"},
                {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "raw"},
                {"type": "function_call_output", "call_id": "c1", "output": "1"},
                {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "2"}]},
            ]
        },
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                },
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "c2", "type": "custom", "custom": {"name": "g", "input": "raw"}}],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "1"},
                {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "2"}]},
            ]
        },
    ),
    "fields with other names": (
        {
            "input": "Hi",
            "max_output_tokens": 100,
            "reasoning": {"effort": "high", "summary": "auto"},
            "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n", "strict": True, "schema": SCHEMA}},
            "previous_response_id": None,
        },
        {
            "messages": [USER],
            "max_completion_tokens": 100,
            "reasoning": {"effort": "high"},
            "include_reasoning": True,
            "verbosity": "low",
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": SCHEMA}},
        },
    ),
    "json_object": (
        {"input": "Hi", "text": {"format": {"type": "json_object"}}},
        {"messages": [USER], "response_format": {"type": "json_object"}},
    ),
    "tools": (
        {
            "input": "Hi",
            "tools": [
                {"type": "function", "name": "f", "parameters": SCHEMA, "strict": False},
                {"type": "custom", "name": "g", "description": "d", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
                {"type": "web_search"},
            ],
            "tool_choice": {"type": "function", "name": "f"},
        },
        {
            "messages": [USER],
            "tools": [
                {"type": "function", "name": "f", "parameters": SCHEMA, "strict": False},
                {
                    "type": "custom",
                    "custom": {
                        "name": "g",
                        "description": "d",
                        "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}},
                    },
                },
            ],
            "web_search_options": {},
            "tool_choice": {"type": "function", "name": "f"},
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_it_is_the_chat_request_that_says_the_same(name: str) -> None:
    shape, chat = SAME[name]
    fields = {"model": "m", "stream": True, "temperature": 0.5, "store": False, "user": "me"}
    assert decode(shape | fields) == decode(chat | fields)


def test_what_chat_has_no_word_for_is_told() -> None:
    body: JSONObject = {
        "input": [{"type": "reasoning", "id": "rs_1", "summary": []}, USER, {"type": "of_tomorrow"}],
        "include": ["reasoning.encrypted_content"],
        "tools": [{"type": "image_generation"}, {"type": "function", "name": "f", "parameters": SCHEMA}],
    }
    decoded = decode(body)
    assert decoded.unknown == ("include", "input[].reasoning", "input[].of_tomorrow", "tools[0]")
    assert len(decoded.request.messages) == len(decoded.request.tools or ()) == 1


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": "Hi", "previous_response_id": "resp_1"}, "previous_response_id"),
        ({"input": "Hi", "conversation": "conv_1"}, "conversation"),
        ({"input": "Hi", "prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"input": 1}, "input"),
        ({"input": [1]}, "input"),
        ({"input": [{"role": "user", "content": [1]}]}, "input[0].content"),
        ({"input": "Hi", "text": 1}, "text"),
        ({"input": "Hi", "text": {"format": 1}}, "text.format"),
        ({"input": "Hi", "reasoning": 1}, "reasoning"),
        ({"input": "Hi", "tools": 1}, "tools"),
        ({"input": "Hi", "tools": [{"type": "custom", "format": 1}]}, "tools[].format"),
        ({}, "messages"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_place(body: JSONObject, param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode(body)
    assert caught.value.param == param


def test_a_chat_request_keeps_its_own_shape() -> None:
    assert decode({"messages": [USER], "input": "other"}).unknown == ("input",)


def test_depth_and_halves_are_judged_as_ever() -> None:
    with pytest.raises(InvalidRequestError, match="nested"):
        decode_chat_request(b'{"input": "Hi", "metadata": ' + b"[" * 5000 + b"]" * 5000 + b"}")
    assert decode_chat_request(b'{"input": "\\ud83d"}').repairs == ("half_characters_replaced",)
