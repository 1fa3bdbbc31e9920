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
