"""What the types of the request say by themselves, and where."""

import msgspec
import pytest

from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest


def decode(body: str) -> ChatCompletionRequest:
    return msgspec.json.decode(body, type=ChatCompletionRequest)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ('{"messages": "x"}', "$.messages"),
        ('{"messages": [{"content": "x"}]}', "$.messages[0]"),
        ('{"messages": [{"role": "robot"}]}', "$.messages[0].role"),
        ('{"messages": [{"role": null}]}', "$.messages[0].role"),
        ('{"messages": [{"role": "user", "content": 5}]}', "$.messages[0].content"),
        ('{"messages": [{"role": "user", "content": [{"type": "text"}]}]}', "$.messages[0].content[0]"),
        ('{"messages": [{"role": "user", "content": [{"type": "video"}]}]}', "$.messages[0].content[0].type"),
        ('{"messages": [{"role": "assistant", "tool_calls": {}}]}', "$.messages[0].tool_calls"),
        ('{"messages": [], "temperature": 2.1}', "$.temperature"),
        ('{"messages": [], "temperature": "hot"}', "$.temperature"),
        ('{"messages": [], "top_p": -0.1}', "$.top_p"),
        ('{"messages": [], "n": 9}', "$.n"),
        ('{"messages": [], "n": 0}', "$.n"),
        ('{"messages": [], "max_tokens": 0}', "$.max_tokens"),
        ('{"messages": [], "max_completion_tokens": 1.5}', "$.max_completion_tokens"),
        (f'{{"messages": [], "stop": {["a"] * 65}}}'.replace("'", '"'), "$.stop"),
        ('{"messages": [], "stop_sequences": "a"}', "$.stop_sequences"),
        ('{"messages": [{"role": "user"}]}', "$.messages[0]"),
        ('{"messages": [{"role": "system"}]}', "$.messages[0]"),
        ('{"messages": [], "tools": [{"function": {"name": ""}}]}', "$.tools[0].function.name"),
        ('{"messages": [], "tools": [{"name": ""}]}', "$.tools[0].name"),
        ('{"messages": [], "tools": [{"custom": {"name": ""}}]}', "$.tools[0].custom.name"),
        ('{"messages": [], "functions": [{"name": ""}]}', "$.functions[0].name"),
        ('{"messages": [], "reasoning": {"effort": "extreme"}}', "$.reasoning.effort"),
        ('{"messages": [], "stop": [1]}', "$.stop[0]"),
        ('{"messages": [], "tool_choice": "maybe"}', "$.tool_choice"),
        ('{"messages": [], "reasoning_effort": "extreme"}', "$.reasoning_effort"),
        ('{"messages": [], "response_format": {"type": "xml"}}', "$.response_format.type"),
        ('{"messages": [], "stream": "yes"}', "$.stream"),
        ('{"messages": [], "service_tier": "gold"}', "$.service_tier"),
        ('{"messages": [], "modalities": ["smell"]}', "$.modalities[0]"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(body: str, place: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        decode(body)
    assert str(refused.value).endswith(f" - at `{place}`")


def test_null_is_taken_for_every_field_but_the_messages() -> None:
    names = [name for name in ChatCompletionRequest.__struct_fields__ if name != "messages"]
    body = ", ".join(f'"{name}": null' for name in names)
    request = decode(f'{{"messages": [], {body}}}')
    assert all(getattr(request, name) in (None, msgspec.Raw(b"null")) for name in names)


def test_huge_numbers_are_numbers() -> None:
    request = decode(f'{{"messages": [], "seed": {10**40}, "max_tokens": {10**40}}}')
    assert request.max_tokens == 10**40
