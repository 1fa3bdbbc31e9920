"""A body of the Responses API on the chat route, as Cursor sends it, through the whole proxy."""

import json

import pytest

from claude_openai_proxy.simulator import Script
from robustness.whole_proxy import WholeProxy
from web.direct import call

BODY: dict[str, object] = {
    "model": "custom-claude-4-opus",
    "input": [
        {"role": "system", "content": "You are a coding assistant."},
        {"role": "user", "content": [{"type": "input_text", "text": "Read a.py"}]},
    ],
    "tools": [{"type": "function", "name": "read_file", "parameters": {"type": "object", "properties": {}}}],
    "reasoning": {"effort": "medium", "summary": "auto"},
    "text": {"verbosity": "low"},
    "include": ["reasoning.encrypted_content"],
    "store": False,
}


@pytest.mark.parametrize("stream", [True, False])
async def test_it_is_answered_as_the_chat_request_that_it_means(proxy: WholeProxy, *, stream: bool) -> None:
    proxy.simulator.play(Script.tool_calls([("read_file", {"path": "a.py"})]))
    answer = await call(proxy.app, body=json.dumps(BODY | {"stream": stream}).encode())
    assert answer.status == 200
    expected = "chat.completion.chunk" if stream else "chat.completion"
    assert f'"object":"{expected}"'.encode() in answer.body
    assert b'"name":"read_file"' in answer.body
    assert answer.headers["x-ignored-parameters"] == "include"
    sent = proxy.simulator.requests[-1].json
    assert "You are a coding assistant." in json.dumps(sent["system"])
    assert sent["output_config"] == {"effort": "medium"}
