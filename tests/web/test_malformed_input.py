"""Whatever is sent, the answer is an answer or an error that says what is wrong; never a 5xx."""

import json
import random
from collections.abc import Callable

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from web.direct import Answer, ErrorBody, call
from web.wired import Wired

VALID = {
    "model": "custom-claude-4-opus",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "name": "Ann", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}},
        ]},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{\"x\": 1}"}},
        ]},
        {"role": "tool", "tool_call_id": "call_1", "content": "ok"},
    ],
    "tools": [{"type": "function", "function": {"name": "look", "strict": True, "parameters": {"type": "object"}}}],
    "tool_choice": {"type": "function", "function": {"name": "look"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
    "stream": False,
    "stream_options": {"include_usage": True},
    "temperature": 0.5,
    "max_tokens": 100,
    "stop": ["END"],
    "metadata": {"a": "b"},
    "logit_bias": {"50256": -100},
    "user": "u",
}  # fmt: skip

ODD_VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, 10**30, -(10**400), "", "text", "\u2028\x00\u0085", "漢字🎉", [], [[]], {},
    [None], {"type": None}, {"type": "text"}, {"role": "user"}, {"": {}}, [1, "a", {}], {"a": [{"b": [{"c": None}]}]},
)  # fmt: skip

ODD_BYTES = (
    b"\xff", b"\x00", b"\xed\xa0\x80", b"NaN", b"-Infinity", b"1e999", b"\\ud800", b"[" * 200, b'{"a":' * 200, b'"',
    b"\\", b",", b"}", b"]", b"/*x*/", b"\xef\xbb\xbf", b"0" * 5000,
)  # fmt: skip


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Paths to everything inside `value`."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += places(inner, (*path, index))
    return found


PLACES = places(VALID)


def changed(path: tuple[str | int, ...], change: Callable[[object, str | int], None]) -> bytes:
    """The valid request after `change(container, key)` at `path`."""
    document: object = json.loads(json.dumps(VALID))
    container = document
    for step in path[:-1]:
        container = container[step]  # type: ignore[index]
    change(container, path[-1])
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def put(value: object) -> Callable[[object, str | int], None]:
    def change(container: object, key: str | int) -> None:
        container[key] = value  # type: ignore[index]

    return change


def drop(container: object, key: str | int) -> None:
    del container[key]  # type: ignore[attr-defined]


def with_bytes(at: float, odd: bytes, cut: int) -> bytes:
    """The valid request with `odd` in place of `cut` of its bytes."""
    body = json.dumps(VALID).encode()
    index = int(at * len(body))
    return body[:index] + odd + body[index + cut :]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
BODIES = st.one_of(
    st.builds(changed, st.sampled_from(PLACES), st.sampled_from(ODD_VALUES).map(put)),
    st.builds(changed, st.sampled_from(PLACES), JSON_VALUES.map(put)),
    st.builds(changed, st.sampled_from(PLACES), st.just(drop)),
    st.builds(with_bytes, st.floats(0, 1), st.sampled_from(ODD_BYTES), st.integers(0, 20)),
    st.builds(with_bytes, st.floats(0, 1), st.binary(max_size=8), st.integers(0, 20)),
    st.binary(max_size=50),
)


def check(answer: Answer) -> None:
    """An answer, or a 4xx with OpenAI's error body."""
    assert answer.status == 200 or 400 <= answer.status < 500
    if answer.status != 200:
        error = msgspec.json.decode(answer.body, type=ErrorBody).error
        assert error.type == "invalid_request_error"
        assert error.message.endswith((".", ")", "…"))


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BODIES)
async def test_no_body_makes_it_fail(body: bytes) -> None:
    check(await call(Wired().app(), body=body, headers={"content-type": "application/json"}))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(
    st.sampled_from(["content-type", "content-encoding", "content-length", "authorization", "x-api-key", "x-request-id",
                     "origin", "host", "user-agent", "access-control-request-headers"]),
    st.text(st.characters(max_codepoint=255), max_size=20),
), st.sampled_from(["GET", "POST", "OPTIONS", "HEAD", "PUT"]), st.text(max_size=10))  # fmt: skip
async def test_no_head_makes_it_fail(headers: dict[str, str], method: str, tail: str) -> None:
    wired = Wired(keys={"k": "n"}, allowed_origins=("*",), allowed_hosts=("*",))
    for path in ("/v1/chat/completions", f"/v1/models/{tail}", f"/{tail}", f"/health?{tail}"):
        answer = await call(wired.app(), method, path, b'{"messages":[]}', headers=headers)
        assert 200 <= answer.status < 500
        assert all("\r" not in value and "\n" not in value for value in answer.headers.values())


async def test_the_server_is_healthy_after_a_thousand_broken_requests() -> None:
    app = Wired().app()
    chance = random.Random(7)
    for _ in range(1000):
        check(await call(app, body=with_bytes(chance.random(), chance.choice(ODD_BYTES), chance.randrange(20))))
    assert (await call(app, "GET", "/health")).status == 200
    assert (await call(app, body=json.dumps(VALID).encode())).status == 200
