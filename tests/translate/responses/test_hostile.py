"""Whatever a client sends is translated, or refused as the client's mistake: never an error of ours."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_openai_proxy.errors import InvalidRequestError
from translate.responses.asked import read, sent

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(["", "x", "function", "user", "auto", "data:image/png;base64,iVBORw0KGgo=", "toolu_1", "{}"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
ITEM_TYPES = st.sampled_from(
    [
        "message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output", "reasoning",
        "local_shell_call", "local_shell_call_output", "shell_call", "shell_call_output", "apply_patch_call",
        "apply_patch_call_output", "tool_search_call", "tool_search_output", "additional_tools", "web_search_call",
        "compaction", "configuration_update", "mcp_call", "mcp_list_tools", "computer_call_output",
        "image_generation_call", "code_interpreter_call", "program", "agent_message", "of_tomorrow",
    ]
)  # fmt: skip
MEMBERS = st.sampled_from(
    [
        "id", "role", "content", "call_id", "name", "namespace", "arguments", "input", "output", "status", "summary",
        "encrypted_content", "action", "operation", "tools", "execution", "phase", "result", "queries", "reasoning",
    ]
)  # fmt: skip
PARTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["input_text", "output_text", "refusal", "input_image", "input_file", "input_audio", "x"]
        )
    },
    optional=dict.fromkeys(("text", "refusal", "image_url", "file_id", "file_data", "file_url", "filename"), VALUES),
)
NAMED = st.fixed_dictionaries({"type": ITEM_TYPES}).flatmap(
    lambda typed: st.dictionaries(MEMBERS, VALUES | st.lists(PARTS, max_size=2), max_size=5).map(
        lambda members: {**members, **typed}
    )
)
TOOL_TYPES = st.sampled_from(
    ["function", "custom", "namespace", "local_shell", "shell", "apply_patch", "tool_search", "web_search", "mcp", "x"]
)
TOOLS = st.fixed_dictionaries({"type": TOOL_TYPES}).flatmap(
    lambda typed: st.dictionaries(
        st.sampled_from(
            ["name", "description", "parameters", "strict", "format", "tools", "execution", "environment", "filters"]
        ),
        VALUES,
        max_size=4,
    ).map(lambda members: {**members, **typed})
)
BODIES = st.fixed_dictionaries(
    {"input": st.just("Hello") | st.lists(NAMED, max_size=3) | VALUES},
    optional={
        "tools": st.lists(TOOLS | VALUES, max_size=3) | VALUES,
        "tool_choice": VALUES | st.fixed_dictionaries({"type": TOOL_TYPES | st.just("allowed_tools")}),
        "text": VALUES,
        "reasoning": VALUES,
        "instructions": VALUES,
        "metadata": VALUES,
        "include": VALUES,
        "max_output_tokens": VALUES,
        "previous_response_id": VALUES,
    },
)


HOSTILE: list[dict[str, object]] = [
    {"tools": [{"type": "shell", "environment": 5}]},
    {"tools": [{"type": "shell", "environment": []}]},
    {"tools": [{"type": 5}]},
    {"tools": [{"name": 5}]},
    {"tools": [{"type": "function", "name": "x", "parameters": 5}]},
    {"tools": [{"type": "web_search", "filters": {"allowed_domains": ["a"], "blocked_domains": ["b"]}}]},
    {"text": {"format": {"type": "json_schema", "schema": 5}}},
    {"input": [{"type": "additional_tools", "tools": [None]}]},
    {"input": [{"type": "local_shell_call", "action": {"command": "ls"}}]},
    {"input": [{"type": "tool_search_output", "tools": [5]}]},
    {"input": [{"type": "function_call", "call_id": "x", "name": 5}]},
]
ODD: list[dict[str, object]] = [
    {"input": [{"type": "tool_search_output", "tools": [{"type": "mcp", "name": 5}]}]},
    {"input": [{"type": "tool_search_output", "tools": [{"type": "mcp", "tools": 5}]}]},
    {"input": [{"type": "computer_call_output", "output": 5}]},
    {"input": [{"type": "image_generation_call", "result": {}}]},
    {"input": [{"type": "image_generation_call", "result": "no base64!"}]},
    {"input": [{"type": "function_call_output", "call_id": "x", "output": [1, 2]}]},
    {"input": [{"type": "function_call_output", "call_id": "x", "output": [{"type": "input_text"}]}]},
    {"input": [{"type": "function_call", "name": "", "arguments": "{}"}]},
    {"tools": [{"type": "custom", "name": "x", "format": {"type": "grammar"}}]},
    {"tools": [{"type": "web_search"}, {"type": "function", "name": "web_search"}]},
    {"tools": [{"type": "namespace", "name": "a" * 500, "tools": [{"type": "function", "name": "b" * 500}]}]},
]


@pytest.mark.parametrize("body", HOSTILE, ids=str)
def test_what_is_none_of_its_type_is_refused_at_its_place(body: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read(body)
    assert refused.value.param
    assert refused.value.param.startswith(next(iter(body)))


@pytest.mark.parametrize("body", ODD, ids=str)
def test_what_is_odd_goes_upstream_all_the_same(body: dict[str, object]) -> None:
    assert sent(read(body))["messages"]


@given(BODIES)
@settings(max_examples=300)
def test_no_request_is_an_error_of_ours(body: dict[str, object]) -> None:
    with contextlib.suppress(InvalidRequestError):
        read(json.loads(json.dumps(body)))


@given(st.lists(NAMED, max_size=5), st.lists(TOOLS, max_size=3))
@settings(max_examples=300)
def test_no_stored_history_is_an_error_of_ours(items: list[dict[str, object]], tools: list[dict[str, object]]) -> None:
    with contextlib.suppress(InvalidRequestError):
        read({"input": "Go on", "tools": tools}, before=items)
