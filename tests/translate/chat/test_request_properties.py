"""Any request that can be decoded: refused with a place, or translated into one that the simulated API takes."""

from collections.abc import Iterator

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.translate.chat.request import to_messages_request
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.models.facts import facts_for
from translate.translated import EVERY_MODEL, JSONObject, goes_out, refusal, request_of, sent

PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="
TEXTS = st.sampled_from(["", " ", "\n", "x", "Hello ", "你好 👋", "a\u2028b"]) | st.text(max_size=6)
IDS = st.sampled_from(["call_1", "call_2", "call:3", "", "ü"])
NAMES = st.sampled_from(["f", "g", "get weather", "get_weather", "web_search", "工具", "", "x" * 130])
ARGUMENTS = st.sampled_from(["{}", "", '{"a": 1}', "{bad", "[1]", '"{\\"a\\":1}"', "null", "NaN", '{"a":"\n"}', "7"])
MARKS = st.none() | st.fixed_dictionaries(
    {"type": st.just("ephemeral")}, optional={"ttl": st.sampled_from(["5m", "1h"])}
)


def with_type(name: str, /, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[JSONObject]:
    return st.fixed_dictionaries({"type": st.just(name), **fields}, optional={"cache_control": MARKS})


SEEN_PARTS = st.one_of(
    with_type("text", text=TEXTS),
    with_type("image_url", image_url=st.sampled_from([PNG, {"url": PNG, "detail": "high"}, {"url": "https://x.y/z"}])),
    with_type("file", file=st.sampled_from([{"file_data": "aGk="}, {"file_data": "JVBERi0xLjQ="}, {"file_id": "f"}])),
)
RESULT_PARTS = with_type(
    "tool_result", tool_use_id=IDS, content=TEXTS | st.lists(SEEN_PARTS, max_size=2), is_error=st.booleans()
)
SAID_PARTS = st.one_of(
    with_type("text", text=TEXTS),
    with_type("refusal", refusal=TEXTS),
    with_type("tool_use", id=IDS, name=NAMES, input=st.sampled_from([{}, {"a": [1]}])),
    with_type("thinking", thinking=TEXTS, signature=st.sampled_from([None, "", "sig"])),
)
CONTENT = TEXTS | st.none()
CALLS = st.fixed_dictionaries(
    {"id": IDS | st.none(), "function": st.fixed_dictionaries({"name": NAMES, "arguments": ARGUMENTS})}
) | st.fixed_dictionaries({"id": IDS, "custom": st.fixed_dictionaries({"name": NAMES, "input": TEXTS})})


def message(role: str, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[JSONObject]:
    return st.fixed_dictionaries({"role": st.just(role)}, optional={"cache_control": MARKS, **fields})


MESSAGES = st.one_of(
    message("system", content=CONTENT | st.lists(with_type("text", text=TEXTS), max_size=2)),
    message("developer", content=CONTENT),
    message("user", content=CONTENT | st.lists(SEEN_PARTS | RESULT_PARTS, max_size=3), name=NAMES),
    message(
        "assistant",
        content=CONTENT | st.lists(SAID_PARTS, max_size=3),
        tool_calls=st.lists(CALLS, max_size=3),
        function_call=st.fixed_dictionaries({"name": NAMES, "arguments": ARGUMENTS}),
        refusal=TEXTS,
    ),
    st.fixed_dictionaries({"role": st.just("tool"), "tool_call_id": IDS, "content": CONTENT | st.lists(SEEN_PARTS)}),
    st.fixed_dictionaries({"role": st.just("function"), "name": NAMES, "content": CONTENT}),
)
NODES: st.SearchStrategy[object] = st.recursive(
    st.sampled_from(
        [
            {},
            True,
            {"type": "string", "format": "uri", "minLength": 2},
            {"type": ["integer", "null"], "exclusiveMinimum": True, "minimum": 3},
            {"enum": ["a", 1, None]},
            {"$ref": "#/$defs/A"},
            {"const": "x"},
            {"type": "array", "items": [{"type": "string"}], "minItems": 2},
        ]
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"properties": st.dictionaries(st.sampled_from(["a", "b c", "d.e", ""]), inner, max_size=3)},
            optional={
                "type": st.sampled_from(["object", ["object", "null"]]),
                "required": st.just(["a"]),
                "additionalProperties": inner,
                "$defs": st.fixed_dictionaries({"A": inner}),
            },
        ),
        st.fixed_dictionaries({"anyOf": st.lists(inner, max_size=2)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, max_size=2), "description": TEXTS}),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
    ),
    max_leaves=6,
)
FUNCTIONS = st.fixed_dictionaries(
    {"name": NAMES}, optional={"parameters": NODES | st.none(), "strict": st.booleans(), "description": TEXTS}
)
TOOLS = st.one_of(
    st.fixed_dictionaries({"type": st.just("function"), "function": FUNCTIONS}),
    st.fixed_dictionaries({"type": st.just("custom"), "custom": st.fixed_dictionaries({"name": NAMES})}),
    st.fixed_dictionaries({"name": NAMES, "input_schema": NODES}),
)
CHOICES = st.sampled_from(["none", "auto", "required", None]) | st.one_of(
    st.fixed_dictionaries({"type": st.just("function"), "function": st.fixed_dictionaries({"name": NAMES})}),
    st.fixed_dictionaries({"type": st.just("tool"), "name": NAMES}),
)
FORMATS = st.sampled_from([{"type": "text"}, {"type": "json_object"}]) | st.fixed_dictionaries(
    {"type": st.just("json_schema"), "json_schema": st.fixed_dictionaries({"name": st.just("n"), "schema": NODES})}
)
BODIES = st.fixed_dictionaries(
    {"messages": st.lists(MESSAGES, min_size=1, max_size=6)},
    optional={
        "tools": st.lists(TOOLS, max_size=3),
        "functions": st.lists(FUNCTIONS, max_size=2),
        "tool_choice": CHOICES,
        "parallel_tool_calls": st.booleans(),
        "response_format": FORMATS,
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "top_k": st.integers(0, 9),
        "max_tokens": st.sampled_from([1, 1024, 2000, 5000, 10**30]),
        "reasoning_effort": st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
        "thinking": st.sampled_from(
            [
                {"type": "disabled"},
                {"type": "adaptive"},
                {"type": "enabled", "budget_tokens": 1500},
                {"type": "enabled"},
            ]
        ),
        "stop": TEXTS | st.lists(TEXTS, max_size=4),
        "user": st.sampled_from(["a@b.example", "+49 123 4567890"]),
        "web_search_options": st.just({}),
        "verbosity": st.sampled_from(["low", "medium", "high"]),
        "prompt_cache_retention": st.just("24h"),
        "service_tier": st.sampled_from(["auto", "flex"]),
    },
)


def translated(body: JSONObject, model: str) -> Translation | None:
    try:
        request = request_of(body)
        return to_messages_request(request, facts=facts_for(model, None), capabilities=Capabilities())
    except msgspec.ValidationError:
        return None
    except InvalidRequestError as error:
        if not error.param:
            raise
        return None


def texts_in(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from texts_in(item)
    elif isinstance(value, dict):
        if value.get("type") == "text":
            yield str(value.get("text", value.get("data")))
        for item in value.values():
            yield from texts_in(item)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=BODIES, model=st.sampled_from(EVERY_MODEL))
@example(body={"messages": [{"role": "system"}]}, model="claude-opus-5-5")
def test_whatever_is_translated_is_taken_by_the_simulated_api(body: JSONObject, model: str) -> None:
    translation = translated(body, model)
    if translation is not None:
        assert refusal(goes_out(translation)) is None
        assert translation.retry is None or refusal(translation.retry) is None


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=BODIES, model=st.sampled_from(EVERY_MODEL))
def test_the_same_request_is_translated_the_same_way(body: JSONObject, model: str) -> None:
    first, second = translated(body, model), translated(body, model)
    if first is not None and second is not None:
        assert sent(first) == sent(second)
        assert (first.plan, first.ignored, first.repairs) == (second.plan, second.ignored, second.repairs)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=BODIES, model=st.sampled_from(EVERY_MODEL))
def test_no_text_block_is_blank(body: JSONObject, model: str) -> None:
    translation = translated(body, model)
    if translation is not None:
        request = sent(translation)
        assert all(text.strip() for text in texts_in([request["messages"], request.get("system")]))
