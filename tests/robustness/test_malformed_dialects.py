"""Whatever is sent to the routes beside chat completions: an answer, or a 4xx in the words of its API."""
# ruff: noqa: E501

import copy
import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_openai_proxy.errors import InvalidRequestError, NotOfferedError
from claude_openai_proxy.translate.claude_code.request import turn_frames
from claude_openai_proxy.translate.messages.translation import to_translation
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.web.messages.decode import decode_asked
from robustness.requests import (
    MARK,
    ODD_VALUES,
    RAW_BYTES,
    SCHEMA,
    JSONObject,
    Path,
    at,
    beside,
    double,
    drop,
    encoded,
    places,
    put,
)
from robustness.whole_proxy import WholeProxy
from web.direct import call

NATIVE: JSONObject = {
    "model": "claude-opus-4-6",
    "max_tokens": 2000,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image", "source": {"type": "url", "url": "https://x"}}]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
            {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": [1, None]}},
        ]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x", "is_error": False}]},
    ],
    "tools": [
        {"name": "look", "description": "Looks.", "input_schema": SCHEMA, "strict": True, "defer_loading": True},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
        {"type": "bash_20250124", "name": "bash"},
    ],
    "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
    "stop_sequences": ["END"],
    "temperature": 1.0,
    "top_k": 5,
    "service_tier": "auto",
    "metadata": {"user_id": "u"},
    "cache_control": {"type": "ephemeral"},
    "stream": True,
}  # fmt: skip
LEGACY: JSONObject = {
    "model": "claude-haiku-4-5",
    "prompt": ["Once upon", "a"],
    "max_tokens": 20,
    "n": 2,
    "best_of": 2,
    "echo": True,
    "suffix": "end",
    "stop": ["x", "\n"],
    "logprobs": 0,
    "logit_bias": {"1": 2},
    "seed": 1,
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 0.5,
    "top_p": 0.5,
    "user": "u",
}
RESPONSES: JSONObject = {
    "model": "claude-opus-4-8",
    "instructions": "Be brief.",
    "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}, {"type": "input_image", "image_url": "https://x"}]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "write", "input": "raw"},
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "x"}]},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "y"},
        {"role": "user", "content": "Go on."},
    ],
    "tools": [
        {"type": "function", "name": "look", "parameters": SCHEMA},
        {"type": "custom", "name": "write", "format": {"type": "grammar", "syntax": "lark", "definition": "a"}},
        {"type": "web_search"},
    ],
    "tool_choice": {"type": "function", "name": "look"},
    "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}},
    "reasoning": {"effort": "low", "summary": "auto"},
    "max_output_tokens": 500,
    "stream": True,
}  # fmt: skip

Change = Callable[[object, str | int], None]
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.sampled_from(ODD_VALUES).map(put), st.sampled_from(ODD_VALUES).map(beside), st.just(drop), st.just(double)
)


def changed(document: JSONObject, path: Path, change: Change) -> JSONObject:
    copied = copy.deepcopy(document)
    change(at(copied, path[:-1]), path[-1])
    return copied


def bodies(document: JSONObject) -> st.SearchStrategy[bytes]:
    """Of one request: a value changed, or raw bytes in the place of one."""
    paths = st.sampled_from(places(document))
    mended = st.builds(changed, st.just(document), paths, CHANGES).map(encoded)
    mark = json.dumps(MARK, ensure_ascii=False).encode()
    marked = st.builds(changed, st.just(document), paths, st.just(put(MARK))).map(encoded)
    return mended | st.builds(lambda body, raw: body.replace(mark, raw), marked, st.sampled_from(RAW_BYTES))


BOUNDS = settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
JSON = {"content-type": "application/json"}


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@BOUNDS
@given(body=bodies(NATIVE), path=st.sampled_from(["/v1/messages", "/v1/messages/count_tokens"]))
async def test_no_body_makes_the_native_route_fail(proxy: WholeProxy, body: bytes, path: str) -> None:
    answer = await call(proxy.app, path=path, body=body, headers=JSON)
    assert 200 <= answer.status < 500, answer.body
    if answer.status != 200:
        error = json.loads(answer.body)
        assert (error["type"], bool(error["error"]["message"])) == ("error", True)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@BOUNDS
@given(body=bodies(NATIVE))
def test_no_body_makes_the_codec_of_claude_code_fail(body: bytes) -> None:
    translation = None
    with suppress(InvalidRequestError, NotOfferedError):
        asked = decode_asked(body, (("anthropic-version", "2026-10-21"),), counting=False)
        translation = to_translation(asked, "claude-opus-4-6", Capabilities(metadata=False), reject_unsupported=False)
    if translation is None:
        return
    for line in turn_frames(translation.request).splitlines():
        json.loads(line)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@BOUNDS
@given(body=bodies(LEGACY))
async def test_no_body_makes_legacy_completions_fail(proxy: WholeProxy, body: bytes) -> None:
    answer = await call(proxy.app, path="/v1/completions", body=body, headers=JSON)
    assert 200 <= answer.status < 500, answer.body
    if answer.status == 200:
        assert b'{"error":' not in answer.body
    else:
        assert answer.error.message


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@BOUNDS
@given(body=bodies(RESPONSES))
async def test_no_body_in_the_shape_of_responses_makes_chat_fail(proxy: WholeProxy, body: bytes) -> None:
    answer = await call(proxy.app, body=body, headers=JSON)
    assert 200 <= answer.status < 500, answer.body
    if answer.status == 200:
        assert b'{"error":' not in answer.body
    else:
        assert answer.error.message


@pytest.mark.parametrize(
    ("path", "document"),
    [("/v1/messages", NATIVE | {"tools": [], "tool_choice": {"type": "auto"}, "messages": [{"role": "user", "content": "Hi"}]}), ("/v1/completions", LEGACY), ("/v1/chat/completions", RESPONSES)],
)  # fmt: skip
async def test_what_is_broken_here_is_answered_when_it_is_whole(
    proxy: WholeProxy, path: str, document: JSONObject
) -> None:
    answer = await call(proxy.app, path=path, body=encoded(document))
    assert answer.status in (200, 400), answer.body
