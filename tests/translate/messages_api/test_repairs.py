"""Refusals of upstream that have a remedy."""

import msgspec
import pytest

from claude_openai_proxy.protocols.anthropic import MessagesRequest
from claude_openai_proxy.translate.messages_api.repairs import repair_for
from translate.sent import Sent
from translate.shape import assistant, function, text, user
from translate.translated import refusal, sent, translate

TOO_LARGE = "The compiled grammar is too large, which would cause performance issues. Simplify your tool schemas."
BOUND = "messages.1.content.0: the `thinking` block is bound to a different conversation."
OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "schema": OBJECT}}


def repaired(message: str, request: MessagesRequest) -> tuple[str, Sent]:
    repair = repair_for(message, request)
    assert repair is not None
    assert refusal(repair[1]) is None
    return repair[0], Sent(msgspec.json.decode(msgspec.json.encode(repair[1]), type=dict[str, object]))


def test_a_grammar_that_is_too_large_loses_its_strict_tools_first() -> None:
    translation = translate({"tools": [function("f", OBJECT, strict=True)], "response_format": FORMAT})
    name, request = repaired(TOO_LARGE, translation.request)
    assert name == "strict_left_out"
    assert request.get("tools", 0, "strict") is None
    assert request.get("output_config", "format") is not None


def test_without_strict_tools_the_answers_schema_is_told_in_words() -> None:
    translation = translate({"response_format": FORMAT, "reasoning_effort": "low"})
    name, request = repaired(TOO_LARGE, translation.request)
    assert name == "response_format_emulated"
    assert request.get("output_config") == {"effort": "low"}
    assert '"a"' in request.system


def test_bound_thinking_is_left_out() -> None:
    thinking = {"type": "thinking", "thinking": "Hm", "signature": "c2ln"}
    translation = translate({"messages": [user("a"), assistant([thinking, text("b")]), user("c")]})
    name, request = repaired(BOUND, translation.request)
    assert name == "thinking_blocks_left_out"
    assert [block["type"] for block in request.blocks("assistant")] == ["text"]


@pytest.mark.parametrize("message", [TOO_LARGE, BOUND, "max_tokens: too many", ""])
def test_a_request_that_a_remedy_would_not_change_is_not_sent_again(message: str) -> None:
    assert repair_for(message, translate({}).request) is None


def test_the_rest_of_the_request_stays() -> None:
    translation = translate({"tools": [function("f", OBJECT, strict=True)], "stop": "x"})
    _, request = repaired(TOO_LARGE, translation.request)
    before = sent(translation)
    assert {**request.json, "tools": 0} == {**before, "tools": 0}


@pytest.mark.parametrize(
    "message",
    [
        "web_search: Web search is not enabled for this organization.",
        "tools.1: web_search_20250305 is not available for your account",
    ],
)
def test_a_search_that_the_organisation_has_not_is_left_out(message: str) -> None:
    body = {"tools": [function("f", OBJECT)], "web_search_options": {}}
    name, request = repaired(message, translate(body).request)
    assert name == "web_search_left_out"
    assert [tool["name"] for tool in request.get("tools")] == ["f"]  # type: ignore[attr-defined]
    alone, request = repaired(message, translate({"web_search_options": {}}).request)
    assert (alone, request.get("tools")) == ("web_search_left_out", None)
    assert repair_for(message, translate({"tools": [function("f", OBJECT)]}).request) is None


def test_a_conversation_that_is_too_long_loses_whole_turns_where_that_is_wanted() -> None:
    long = "x" * 1000
    call = {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        user(f"First {long}"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": long},
        assistant(long),
        user("Second"),
        assistant("Two."),
        user("Third"),
    ]
    request = translate({"messages": [{"role": "system", "content": "Be brief."}, *messages]}).request
    told = "prompt is too long: 400 tokens > 200 maximum"
    assert repair_for(told, request) is None
    repair = repair_for(told, request, truncates=True)
    assert repair is not None
    name, shorter = repair
    assert (name, shorter.system) == ("oldest_turns_left_out", request.system)
    assert shorter.messages == request.messages[-3:]
    assert repair_for("prompt is too long: 400 tokens > 1 maximum", request, truncates=True) is None
    assert repair_for("prompt is too long: 200 tokens > 199 maximum", shorter, truncates=True) is not None
    assert repair_for("something else", request, truncates=True) is None
