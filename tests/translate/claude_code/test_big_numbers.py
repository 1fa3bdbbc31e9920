"""Integers that JavaScript would round go as text, in what the model said before, and nothing else changes."""

import msgspec
import pytest
from msgspec import Raw

from claude_openai_proxy.protocols.anthropic import MessageParam, MessagesRequest, TextBlockParam, ToolUseBlockParam
from claude_openai_proxy.translate.claude_code.big_numbers import with_exact_numbers


def after_a_call(arguments: str) -> MessagesRequest:
    call = ToolUseBlockParam(id="toolu_1", name="find", input=Raw(arguments.encode()))
    said = MessageParam(role="assistant", content=[TextBlockParam(text="Looking."), call])
    asked = MessageParam(role="user", content=[TextBlockParam(text="9007199254740993")])
    return MessagesRequest(model="claude-opus-5-5", max_tokens=10, messages=[asked, said])


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ('{"id":9007199254740993}', {"id": "9007199254740993"}),
        ('{"ids":[1,-9007199254740993]}', {"ids": [1, "-9007199254740993"]}),
        ('{"in":{"id":18446744073709551616}}', {"in": {"id": "18446744073709551616"}}),
    ],
)
def test_an_integer_that_would_be_rounded_goes_as_text(arguments: str, sent: object) -> None:
    exact = with_exact_numbers(after_a_call(arguments))
    call = exact.messages[1].content[1]
    assert isinstance(call, ToolUseBlockParam)
    assert msgspec.json.decode(call.input) == sent
    assert exact.messages[0] == after_a_call(arguments).messages[0]


@pytest.mark.parametrize(
    "arguments",
    [
        '{"id":9007199254740992}',
        '{"id":-9007199254740992}',
        '{"text":"9007199254740993"}',
        '{"share":0.12345678901234567890}',
        '{"flag":true}',
        "{}",
    ],
)
def test_what_javascript_keeps_is_not_touched(arguments: str) -> None:
    request = after_a_call(arguments)
    assert with_exact_numbers(request) is request
