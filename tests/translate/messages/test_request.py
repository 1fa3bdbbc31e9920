"""What Claude Code is given of a native request, and what is told of the rest."""

import json

import msgspec
import pytest

from claude_openai_proxy.errors import InvalidRequestError, NotOfferedError, UnsupportedParameterError
from claude_openai_proxy.protocols.anthropic import MessagesRequest
from claude_openai_proxy.translate.claude_code.request import extra_body, system_text, tool_names
from claude_openai_proxy.translate.messages.asked import AskedMessage
from claude_openai_proxy.translate.messages.translation import to_translation
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.messages_api.translation import Translation

CLAUDE_CODE = Capabilities(metadata=False)
HELLO: dict[str, object] = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}


def translate(body: dict[str, object], *headers: tuple[str, str], reject: bool = False) -> Translation:
    asked = AskedMessage(body=json.dumps(body).encode(), model="m", headers=headers)
    return to_translation(asked, "claude-opus-5-5", CLAUDE_CODE, reject_unsupported=reject)


def sent(request: MessagesRequest) -> dict[str, object]:
    """The fields that go to the process."""
    fields: dict[str, object] = json.loads(msgspec.json.encode(extra_body(request)))
    return fields


def test_what_the_process_can_be_given_gets_there() -> None:
    body = HELLO | {
        "system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}],
        "stop_sequences": ["END"],
        "temperature": 1.0,
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "high"},
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "service_tier": "standard_only",
        "stream": True,
    }
    translation = translate(body)
    assert translation.ignored == ()
    assert system_text(translation.request) == "Be brief.\n\nBe kind."
    kept = {name: value for name, value in body.items() if name not in ("model", "system", "stream", "messages")}
    assert sent(translation.request) == kept | {
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    }


def test_blocks_and_tools_get_there_as_they_are() -> None:
    content: list[dict[str, object]] = [
        {"type": "thinking", "thinking": "", "signature": "abc"},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1.0}, "new_member": True},
        {"type": "block_of_tomorrow", "x": [1]},
        {"type": "text", "text": "cited", "citations": []},
    ]
    tools: list[dict[str, object]] = [
        {"name": "look", "input_schema": {"type": "object"}, "eager_input_streaming": True},
        {"type": "bash_20250124", "name": "bash"},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
    ]
    request = translate(HELLO | {"messages": [{"role": "assistant", "content": content}], "tools": tools}).request
    assert sent(request)["messages"] == [{"role": "assistant", "content": content}]
    assert sent(request)["tools"] == tools
    assert tool_names(request) == ("look", "bash")


def test_marks_in_blocks_that_are_not_read_count_too() -> None:
    marked = {"type": "image", "source": {"type": "url", "url": "http://x"}, "cache_control": {"type": "ephemeral"}}
    request = translate(HELLO | {"messages": [{"role": "user", "content": [marked] * 3}]}).request
    assert sent(request)["messages"] == [{"role": "user", "content": [marked] * 3}]


def test_what_claude_code_owns_is_told_of() -> None:
    body = HELLO | {
        "metadata": {"user_id": "me"},
        "context_management": {"edits": []},
        "container": None,
        "thinking": {"type": "adaptive", "block_binding": {}},
        "tools": [{"name": "look", "input_schema": {"type": "object"}, "defer_loading": True}],
    }
    headers = (("anthropic-version", "2026-10-21"), ("anthropic-beta", "x-2026-01-01"))
    told = ("metadata", "context_management", "anthropic-version", "anthropic-beta", "tools[0].defer_loading", "thinking.block_binding")  # fmt: skip  # noqa: E501
    assert translate(body, *headers).ignored == told
    assert translate(body, ("anthropic-version", "2023-06-01")).ignored == tuple(
        n for n in told if "anthropic" not in n
    )
    with pytest.raises(UnsupportedParameterError, match="metadata is not supported"):
        translate(body, reject=True)
    assert translate(HELLO, *headers, reject=True).ignored == ()


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "messages[0].content[0]"),
        ({"system": 1}, "system"),
        ({"system": [{"type": "image"}]}, "system[0]"),
        ({"tools": [{"type": "mcp_toolset", "mcp_server_name": "x"}]}, "tools[0]"),
        ({"tools": [{"name": "x", "input_schema": {}, "strict": 1}]}, "tools[0]"),
        ({"tool_choice": {"type": "some"}}, "tool_choice"),
        ({"thinking": {"type": "enabled"}}, "thinking"),
        ({"stop_sequences": "END"}, "stop_sequences"),
        ({"cache_control": {"type": "persistent"}}, "cache_control"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_place(change: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        translate(HELLO | change)
    assert caught.value.param == param
    assert caught.value.message.startswith(param)


def test_tokens_are_not_counted_there() -> None:
    asked = AskedMessage(body=b"{}", counting=True)
    with pytest.raises(NotOfferedError, match="API key"):
        to_translation(asked, "claude-opus-5-5", CLAUDE_CODE, reject_unsupported=False)
