"""Valid requests of every shape, and what can be broken in them."""
# ruff: noqa: E501

import json
from collections.abc import Callable

from hypothesis import strategies as st

JSONObject = dict[str, object]
Path = tuple[str | int, ...]

PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="
SCHEMA: JSONObject = {
    "type": "object",
    "properties": {"a": {"type": "string", "enum": ["x", "y"]}, "b": {"type": "array", "items": {"$ref": "#/$defs/N"}}},
    "required": ["a"],
    "additionalProperties": False,
    "$defs": {"N": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]}},
}
CONVERSATION: JSONObject = {
    "model": "custom-claude-4-opus",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}]},
        {"role": "user", "name": "Ann", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
        ]},
        {"role": "assistant", "content": None, "refusal": None, "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{\"a\": \"x\"}"}},
            {"id": "call_2", "type": "custom", "custom": {"name": "write", "input": "text"}},
        ]},
        {"role": "tool", "tool_call_id": "call_1", "content": "ok"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "done"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Well."}, {"type": "refusal", "refusal": "No."}]},
        {"role": "user", "content": "Go on."},
    ],
    "tools": [
        {"type": "function", "function": {"name": "look", "description": "Looks.", "strict": True, "parameters": SCHEMA}},
        {"type": "custom", "custom": {"name": "write", "format": {"type": "grammar", "grammar": {
            "syntax": "regex", "definition": "a+"}}}},
    ],
    "tool_choice": {"type": "function", "function": {"name": "look"}},
    "parallel_tool_calls": False,
    "max_completion_tokens": 100,
}  # fmt: skip
FIELDS: JSONObject = {
    "model": "custom-claude-4-sonnet",
    "messages": [{"role": "user", "content": "Hi"}],
    "audio": {"voice": "alloy", "format": "wav"},
    "frequency_penalty": 0.5,
    "logit_bias": {"50256": -100},
    "logprobs": False,
    "max_tokens": 100,
    "metadata": {"a": "b"},
    "modalities": ["text"],
    "n": 2,
    "prediction": {"type": "content", "content": "Hi"},
    "presence_penalty": -0.5,
    "prompt_cache_key": "k",
    "reasoning_effort": "low",
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": SCHEMA}},
    "safety_identifier": "s",
    "seed": 1,
    "service_tier": "auto",
    "stop": ["END", "\n"],
    "store": True,
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 0.5,
    "top_logprobs": 2,
    "top_p": 0.9,
    "top_k": 5,
    "user": "u",
    "verbosity": "low",
    "web_search_options": {"search_context_size": "low", "user_location": {
        "type": "approximate", "approximate": {"city": "Paris", "country": "FR"}}},
}  # fmt: skip
CLAUDE_SHAPED: JSONObject = {
    "model": "claude-opus-5-5",
    "messages": [
        {"role": "user", "content": [
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
            {"type": "document", "source": {"type": "text", "data": "Words."}, "title": "T", "citations": {"enabled": True}},
            {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
        ]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "ZGF0YQ=="},
            {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": [1, {"b": None}]}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": True, "content": [{"type": "text", "text": "x"}]},
            {"type": "text", "text": "Again.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ]},
    ],
    "tools": [{"name": "look", "description": "Looks.", "input_schema": SCHEMA}],
    "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": True},
    "thinking": {"type": "adaptive", "display": "summarized"},
    "max_tokens": 5000,
}  # fmt: skip
OLD_SHAPED: JSONObject = {
    "model": "custom-claude-4-opus",
    "messages": [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": {"city": "Paris"}}},
        {"role": "function", "name": "weather", "content": "18"},
        {"role": "assistant", "content": "It is"},
    ],
    "functions": [{"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}],
    "function_call": {"name": "weather"},
    "tool_choice": "auto",
    "response_format": {"type": "json_object"},
    "stream": True,
}
VALID = (CONVERSATION, FIELDS, CLAUDE_SHAPED, OLD_SHAPED)

MARK = "\x7fput here\x7f"
"""Stands where raw bytes are put, once the rest is encoded."""


def nested(levels: int, opening: bytes = b"[", closing: bytes = b"]", middle: bytes = b"") -> bytes:
    return opening * levels + middle + closing * levels


RAW_BYTES = (
    b"1e999", b"-1e999", b"1e-999", b"1" + b"0" * 400, b"-1" + b"0" * 400, b"1" + b"0" * 5000, b"9223372036854775808",
    b"18446744073709551616", b"1.7976931348623157e308", b"0.1" + b"1" * 5000, b"-0", b"-0.0", b"01", b"+1", b"1.", b".5",
    b"NaN", b"Infinity", b"-Infinity", b"nul", b"undefined", b"''", b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud83d\\ude00"',
    b'"\xff"', b'"\xed\xa0\x80"', b'"\xc3"', b'"\x00"', b'"\\u0000"', b'"\n"', b'"\\x"', b'"' + b"a" * 300_000 + b'"',
    '"漢字🎉\u2028\u0085"'.encode(), b"/* */ 1", b"1,", b"", b",", b"]", b"}", b'{"a":1,"a":[]}', b'{"":{"":{"":[]}}}',
    nested(60), nested(99), nested(101), nested(500), nested(5000), nested(101, b" [ ", b"\n]\n"),
    nested(101, b'{"a":', b',"b":1}', b"1"), nested(5000, b'{"properties":', b"}", b"1"), nested(90, b'{"items":', b"}", b"{}"),
    nested(90, b'{"anyOf":[', b"]}", b"{}"), b"[" * 100_000, b'{"$ref":"#"}', b'{"allOf":[{"$ref":"#"},{"$ref":"#"}]}',
    b'{"type":"object","properties":{"a":{"$ref":"#"},"b":{"$ref":"#"}}}', b'"{\\"a\\":"', b'"' + b"[" * 5000 + b'"',
    b'"{\\"a\\":1e999}"', b'"{\\"a\\":1' + b"0" * 5000 + b'}"', b'"' + nested(5000, b'{\\"a\\":', b"}", b"1") + b'"',
    b'"' + nested(150, b'{\\"a\\":', b"}", b"1") + b'"', b'"NaN"', b'"\\"\\\\ud800\\""', b'"{\\"a\\":\\"\\\\ud800\\"}"',
)  # fmt: skip

ODD_VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 1, 1.5, 1e308, "", " ", "text", "\u2028\x00\u0085", [], [[]], {}, [None], [""], [{}],
    {"type": None}, {"type": "text"}, {"role": "user"}, {"": {}}, [1, "a", {}], {"a": [{"b": [{"c": None}]}]},
    "data:image/png;base64,", "data:,", "data:application/pdf;base64,@@@", "https://", "file:///etc/passwd", "a" * 3000,
    "auto", "none", "required", "tool", "function", "custom", "json_schema", "any", "ephemeral", "enabled",
)  # fmt: skip


def places(value: object, path: Path = ()) -> list[Path]:
    """Paths to everything inside `value`."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in inner:
        found += places(member, (*path, key))
    return found


PLACES = [(number, path) for number, document in enumerate(VALID) for path in places(document)]


def at(document: object, path: Path) -> object:
    for step in path:
        document = document[step]  # type: ignore[index]
    return document


def changed(place: tuple[int, Path], change: Callable[[object, str | int], None]) -> JSONObject:
    """The valid request after `change(container, key)` at `place`."""
    number, path = place
    document: JSONObject = json.loads(json.dumps(VALID[number]))
    change(at(document, path[:-1]), path[-1])
    return document


def put(value: object) -> Callable[[object, str | int], None]:
    def change(container: object, key: str | int) -> None:
        container[key] = value  # type: ignore[index]

    return change


def drop(container: object, key: str | int) -> None:
    del container[key]  # type: ignore[attr-defined]


def double(container: object, key: str | int) -> None:
    """A list's member twice, an object's member wrapped in a list."""
    value = container[key]  # type: ignore[index]
    if isinstance(container, list):
        container.append(value)
    else:
        container[key] = [value]  # type: ignore[index]


def beside(value: object) -> Callable[[object, str | int], None]:
    """One more member."""

    def change(container: object, _: str | int) -> None:
        if isinstance(container, dict):
            container["extra"] = value
        elif isinstance(container, list):
            container.insert(0, value)

    return change


def encoded(document: JSONObject) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def with_raw(place: tuple[int, Path], raw: bytes) -> bytes:
    """The valid request with these bytes in the place of a value."""
    return encoded(changed(place, put(MARK))).replace(json.dumps(MARK, ensure_ascii=False).encode(), raw)


def with_bytes(number: int, at_: float, odd: bytes, cut: int) -> bytes:
    """The valid request with `odd` in place of `cut` of its bytes."""
    body = encoded(VALID[number])
    index = int(at_ * len(body))
    return body[:index] + odd + body[index + cut :]


def transplanted(place: tuple[int, Path], other: tuple[int, Path]) -> JSONObject:
    """The valid request with a piece of another one in it."""
    return changed(place, put(at(VALID[other[0]], other[1])))


ANY_PLACE = st.sampled_from(PLACES)
ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
CHANGES = st.one_of(
    st.sampled_from(ODD_VALUES).map(put), ANY_VALUE.map(put), st.just(drop), st.just(double), ANY_VALUE.map(beside)
)
BODIES = st.one_of(
    st.builds(changed, ANY_PLACE, CHANGES).map(encoded),
    st.builds(transplanted, ANY_PLACE, ANY_PLACE).map(encoded),
    st.builds(with_raw, ANY_PLACE, st.sampled_from(RAW_BYTES)),
    st.builds(with_bytes, st.integers(0, len(VALID) - 1), st.floats(0, 1), st.binary(max_size=8), st.integers(0, 5000)),
)
