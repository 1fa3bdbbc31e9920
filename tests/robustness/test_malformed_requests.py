"""Whatever is sent to the whole proxy: an answer, or a 4xx that says what is wrong and where; and it is well after."""

import gzip
import json
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from robustness.requests import BODIES, CONVERSATION, MARK, RAW_BYTES, VALID, changed, encoded, nested, put, with_raw
from robustness.whole_proxy import WholeProxy
from web.direct import HELLO, Answer, call
from web.raw_client import connected
from web.serving import served

NO_PLACE = ("not valid JSON", "not valid UTF-8", "nested over 100 levels", "must be a JSON object", "no body")
PARAMETERS = (0, ("tools", 0, "function", "parameters", "properties"))
FREE_PLACES = (
    PARAMETERS,
    (2, ("tools", 0, "input_schema", "properties")),
    (3, ("functions", 0, "parameters", "properties")),
    (1, ("response_format", "json_schema", "schema", "properties", "a")),
    (1, ("prediction", "content")),
    (2, ("messages", 1, "content", 2, "input")),
    (3, ("messages", 1, "function_call", "arguments")),
)


def check(answer: Answer) -> None:
    """An answer without a failure in it, or OpenAI's error body with the place where there is one."""
    if answer.status == 200:
        assert b'{"error":' not in answer.body
        return
    assert 400 <= answer.status < 500
    error = answer.error
    assert error.type == "invalid_request_error"
    assert len(error.message) < 10_000
    # Messages with upstream's request id are upstream's own words, which name the place themselves.
    assert error.param or "upstream request id" in error.message or any(words in error.message for words in NO_PLACE)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(max_examples=2500, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(body=BODIES)
async def test_no_body_makes_it_fail(proxy: WholeProxy, body: bytes) -> None:
    check(await call(proxy.app, body=body, headers={"content-type": "application/json"}))


async def test_a_few_hundred_broken_requests_over_one_socket_leave_it_well(proxy: WholeProxy) -> None:
    async with served(proxy.app) as url, connected(url) as client:
        for raw in RAW_BYTES:
            for place in FREE_PLACES:
                await client.send("POST", "/v1/chat/completions", with_raw(place, raw))
                status, headers = await client.head()
                assert 200 <= status < 500
                await (client.sized_body(headers) if "content-length" in headers else client.rest())
        await client.send("POST", "/v1/chat/completions", HELLO)
        assert (await client.head())[0] == 200


@pytest.mark.parametrize("valid", VALID, ids=["conversation", "fields", "claude-shaped", "old-shaped"])
async def test_what_is_broken_here_is_answered_when_it_is_whole(proxy: WholeProxy, valid: dict[str, object]) -> None:
    answer = await call(proxy.app, body=encoded(valid))
    assert answer.status == 200, answer.body
    check(answer)


@pytest.mark.parametrize("place", FREE_PLACES)
@pytest.mark.parametrize("levels", [101, 500, 1000, 5000])
@pytest.mark.parametrize(
    ("opening", "closing"),
    [(b"[", b"]"), (b" [ ", b"\n] "), (b'{"properties":', b',"a":1}'), (b'{"items":', b"}"), (b'{"anyOf":[', b"]}")],
)
async def test_deep_nesting_is_refused_wherever_it_stands(
    proxy: WholeProxy, place: tuple[int, tuple[str | int, ...]], levels: int, opening: bytes, closing: bytes
) -> None:
    answer = await call(proxy.app, body=with_raw(place, nested(levels, opening, closing, b"1")))
    assert (answer.status, "nested over 100 levels" in answer.error.message) == (400, True)


@pytest.mark.parametrize("levels", [10, 101, 500, 5000])
async def test_deep_nesting_inside_the_text_of_arguments_is_no_failure(proxy: WholeProxy, levels: int) -> None:
    place = (0, ("messages", 3, "tool_calls", 0, "function", "arguments"))
    text = nested(levels, b'{"a":', b"}", b"1").decode()
    assert (await call(proxy.app, body=encoded(changed(place, put(text))))).status == 200


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"1" + b"0" * 400, b"1" + b"0" * 5000])
@pytest.mark.parametrize("place", FREE_PLACES)
async def test_huge_numbers_are_no_failure(
    proxy: WholeProxy, place: tuple[int, tuple[str | int, ...]], number: bytes
) -> None:
    for raw in (number, b'{"a":%b}' % number, b'{"type":"integer","minimum":%b}' % number):
        check(await call(proxy.app, body=with_raw(place, raw)))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "required": [["a"], {"b": 1}, None, 1]},
        {"type": "object", "properties": {"a": {"type": [["string"], {"b": 1}]}}},
        {"type": [["object"]], "properties": {"a": {"required": [{}]}}, "required": [{}]},
        {"type": "object", "properties": {"type": {"type": {"type": "base64"}}}},
        {"type": "object", "properties": {"a": {"$ref": "#/a/" + "a/" * 10_000}}},
        {"type": "object", "enum": [{}, []], "const": {}},
    ],
)
@pytest.mark.parametrize("strict", [True, False, None])
async def test_schemas_that_are_none_are_no_failure(
    proxy: WholeProxy, schema: dict[str, object], strict: bool | None
) -> None:
    function = {"name": "look", "parameters": schema, "strict": strict}
    format_ = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": strict}}
    hello = {"model": "custom-claude-4-opus", "messages": [{"role": "user", "content": "Look: a is x"}]}
    for more in (
        {"tools": [{"type": "function", "function": function}], "tool_choice": "required"},
        {"tools": [{"type": "function", "function": {"name": "look", "strict": strict}}], "tool_choice": "required"},
        {"response_format": format_},
    ):
        check(await call(proxy.app, body=encoded({**hello, **more})))


async def test_the_name_of_a_model_may_be_as_long_as_a_book(proxy: WholeProxy) -> None:
    answer = await call(proxy.app, body=encoded({**CONVERSATION, "model": "a" * 300_000}))
    assert (answer.status, answer.error.code) == (404, "model_not_found")
    check(answer)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_another_content_type_is_refused(proxy: WholeProxy, content_type: str) -> None:
    answer = await call(proxy.app, body=HELLO, headers={"content-type": content_type})
    assert answer.status == 415
    assert answer.error.type == "invalid_request_error"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity", "x" * 5000])
@pytest.mark.parametrize("cut", [0, 1, 10])
async def test_a_compressed_body_is_read_or_refused(proxy: WholeProxy, encoding: str, cut: int) -> None:
    packed = gzip.compress(HELLO) if "gzip" in encoding else zlib.compress(HELLO) if encoding == "deflate" else HELLO
    answer = await call(proxy.app, body=packed[: len(packed) - cut], headers={"content-encoding": encoding})
    readable = encoding in ("gzip", "deflate", "identity")
    assert answer.status == ((400 if cut else 200) if readable else 415)


async def test_a_small_body_that_unpacks_to_more_than_the_limit_is_refused(proxy: WholeProxy) -> None:
    bomb = gzip.compress(b" " * 64 * 1024 * 1024, compresslevel=1)
    assert (await call(proxy.app, body=bomb, headers={"content-encoding": "gzip"})).status == 413


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(keep=st.floats(0, 0.999), number=st.integers(0, len(VALID) - 1))
async def test_a_body_that_ends_early_is_told_so(proxy: WholeProxy, keep: float, number: int) -> None:
    whole = encoded(VALID[number])
    answer = await call(proxy.app, body=whole[: int(keep * len(whole))], headers={"content-type": "application/json"})
    assert answer.status == 400
    check(answer)


async def test_of_keys_given_twice_the_last_counts_at_any_depth(proxy: WholeProxy) -> None:
    body = encoded({"model": "nothing", "messages": MARK}).replace(
        json.dumps(MARK, ensure_ascii=False).encode(),
        b'[],"model":"custom-claude-4-opus","messages":[{"role":"user","content":[],"content":"Hi"}]',
    )
    assert (await call(proxy.app, body=body)).status == 200
