"""What is wrong with a request is a 400 that names the place."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.translate.schemas.nesting import is_deeper
from claude_openai_proxy.web.chat.decode import decode_chat_request

START = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]'


def refused(body: bytes) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        decode_chat_request(body)
    return caught.value


def test_a_request_without_unknown_fields() -> None:
    decoded = decode_chat_request(START + b',"temperature":0.5}')
    assert (decoded.request.model, decoded.request.temperature, decoded.unknown) == ("m", 0.5, ())


def test_unknown_fields_are_named_in_their_order_and_the_rest_is_decoded() -> None:
    decoded = decode_chat_request(START + b',"zz":{"a":[1]},"top_k":7,"aa":null}')
    assert (decoded.request.top_k, decoded.unknown) == (7, ("zz", "aa"))


def test_what_is_copied_from_answers_is_normal_inside_messages_and_the_rest_is_named() -> None:
    hello = b'{"role":"user","content":"Hi","audio":{"id":"a"},"x":null}'
    thought = b'{"role":"assistant","content":"Ho","reasoning_content":"Hm","x":{"y":1}}'
    assert decode_chat_request(b'{"messages":[%b]}' % hello).unknown == ()
    decoded = decode_chat_request(b'{"messages":[%b,%b]}' % (hello, thought))
    assert decoded.unknown == ("messages[].x",)
    assert [message.content for message in decoded.request.messages] == ["Hi", "Ho"]


def test_of_a_field_given_twice_the_last_counts() -> None:
    request = decode_chat_request(START + b',"model":"n"}').request
    assert request.model == "n"


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        (START + b',"temperature":3}', "temperature", "<= 2"),
        (START + b',"temperature":"hot"}', "temperature", "got `string`"),
        (START + b',"n":1.5}', "n", "got `number`"),
        (START + b',"stream":1}', "stream", "got `integer`"),
        (START + b',"stop":[' + b'"a",' * 64 + b'"a"]}', "stop", "length <= 64"),
        (b'{"messages":[{"role":"user"}]}', "messages[0].content", "Missing required parameter"),
        (START + b',"tools":[{"function":{"name":""}}]}', "tools[0].function.name", "length >= 1"),
        (START + b',"n":1' + b"0" * 400 + b"}", "n", "<= 8"),
        (START + b',"top_k":-1' + b"0" * 400 + b"}", "top_k", ">= 0"),
        (START + b',"temperature":1e999}', "temperature", "out of range"),
        (START + b',"verbosity":"loud"}', "verbosity", "'loud'"),
        (b'{"messages":[{"role":"user","content":[{"type":"text"}]}]}', "messages[0].content[0].text", "Missing"),
        (b'{"messages":[{"role":"wizard","content":"x"}]}', "messages[0].role", "'wizard'"),
        (b'{"messages":[{"role":null}]}', "messages[0].role", "expected `string`"),
        (b'{"messages":[{"content":"x"}]}', "messages[0].role", "Missing"),
        (b'{"messages":[1]}', "messages[0]", "got `integer`"),
        (b'{"messages":{}}', "messages", "Expected `array`".lower()),
        (b'{"model":"m"}', "messages", "Missing required parameter: 'messages'"),
        (START + b',"unknown":1,"top_p":2}', "top_p", "<= 1"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(body: bytes, param: str, words: str) -> None:
    error = refused(body)
    assert error.param == param
    assert words in error.message
    assert repr(param) in error.message


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_a_body_that_is_no_object_is_told_so(body: bytes) -> None:
    error = refused(body)
    assert "must be a JSON object" in error.message
    assert error.param is None


@pytest.mark.parametrize("body", [b"", b"  \r\n"])
def test_no_body_is_told_so(body: bytes) -> None:
    assert "no body" in refused(body).message


@pytest.mark.parametrize(
    "body",
    [
        START,
        START + b"} x",
        START + b',"seed":NaN}',
        START + b',"seed":Infinity}',
        START + b',"seed":01}',
        START + b",}",
        b"{'model':'m'}",
        b'{"model":"a\x00b"}',
        b'{"model":"\\q"}',
        (START + b"}").decode().encode("utf-16"),
    ],
)
def test_what_is_not_json_is_told_so(body: bytes) -> None:
    message = refused(body).message
    assert "not valid JSON" in message or "not valid UTF-8" in message


@pytest.mark.parametrize("place", [b'"model":"%b"', b'"unknown":"%b"', b'"%b":1', b'"tools":[{"parameters":"%b"}]'])
@pytest.mark.parametrize("bytes_", [b"\xff", b"\xed\xa0\x80", b"\xc3", b"\xf5\x80\x80\x80"])
def test_what_is_not_utf_8_is_told_so_wherever_it_stands(place: bytes, bytes_: bytes) -> None:
    assert "UTF-8" in refused(b"{" + place % bytes_ + b"}").message


@pytest.mark.parametrize(
    ("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]"), (b'{"a":[', b"]}")]
)
@pytest.mark.parametrize("levels", [101, 5_000, 1_000_000])
@pytest.mark.parametrize("place", [b'"unknown"', b'"metadata"', b'"messages"', b'"tools"'])
def test_deep_nesting_is_refused(opening: bytes, closing: bytes, levels: int, place: bytes) -> None:
    nested = opening * levels + b"1" + closing * levels
    assert "nested over 100 levels" in refused(b"{" + place + b":" + nested + b"}").message


def test_nesting_that_is_not_closed_is_refused() -> None:
    assert "nested over 100 levels" in refused(b'{"a":' * 1_000_000).message


def test_brackets_in_strings_are_no_nesting() -> None:
    text = b"]" * 200 + b"[" * 200 + b'\\"}}}}}}}}}'
    request = decode_chat_request(b'{"messages":[{"role":"user","content":"' + text + b'"}]}').request
    assert len(request.messages) == 1


def test_a_hundred_levels_are_taken() -> None:
    nested = b"[" * 99 + b"]" * 99
    unknown = decode_chat_request(START + b',"unknown":' + nested + b"}").unknown
    assert unknown == ("unknown",)


DEEP_PLACES = (
    b'"unknown":%b',
    b'"prediction":{"type":"content","content":%b}',
    b'"tools":[{"type":"function","function":{"name":"f","parameters":{"a":%b}}}]',
    b'"tools":[{"name":"f","input_schema":{"a":%b}}]',
    b'"functions":[{"name":"f","parameters":{"a":%b}}]',
    b'"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"a":%b}}}',
    b'"messages":[{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":{"a":%b}}}]}]',
    b'"messages":[{"role":"assistant","function_call":{"name":"f","arguments":[%b]}}]',
    b'"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":{"a":%b}}]}]',
    b'"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":%b}]}]',
)
"""Each may hold JSON of any shape."""


def wrapped(place: bytes, levels: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    """A request that is nested so deep in all."""
    outside = place.split(b"%b")[0]
    already = 1 + outside.count(b"[") + outside.count(b"{") - outside.count(b"]") - outside.count(b"}")
    count = levels - already
    return START + b"," + place.replace(b"%b", opening * count + b"1" + closing * count) + b"}"


@pytest.mark.parametrize("place", DEEP_PLACES)
@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        (b"[", b"]"),
        (b" [\n\t", b"\r\n ] "),
        (b'{"a]":', b"}"),
        (b'["[[",', b',"]","\\"]"]'),
        (b'{"\\\\":0,"b":', b',"c":"\\\\\\"}}]]"}'),
    ],
)
def test_a_hundred_levels_are_taken_and_one_more_is_not_whatever_stands_between(
    place: bytes, opening: bytes, closing: bytes
) -> None:
    decode_chat_request(wrapped(place, 100, opening, closing))
    assert "nested over 100 levels" in refused(wrapped(place, 101, opening, closing)).message


VALUES = st.recursive(
    st.sampled_from(["[[", "}", "\\", '\\"]', '"', "", 1, None]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "[", '"{', "\\"]), inner, max_size=4)
    ),
)


@given(VALUES, st.integers(0, 8))
def test_nesting_is_what_the_parsed_value_has(value: object, levels: int) -> None:
    assert is_deeper(json.dumps(value).encode(), levels) == (depth(value) > levels)


def depth(value: object) -> int:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(depth, inner), default=0)
    return 0


@pytest.mark.parametrize("count", [0, 1, 120, 130, 20_000])
def test_depth_is_carried_over_from_slice_to_slice(count: int) -> None:
    beside = b"[]," * count + b'"[",' * count
    nested = (b"[" + beside) * 3 + b"[]" + b"]" * 3
    assert is_deeper(nested, 3)
    assert not is_deeper(nested, 4)


def test_a_byte_order_mark_is_skipped() -> None:
    request = decode_chat_request(b"\xef\xbb\xbf" + START + b"}").request
    assert request.model == "m"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb"cut \ud83d here", "cut \ufffd here"),
        (rb"\ude00", "\ufffd"),
        (rb"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (rb"\uD83D\uDE00", "\U0001f600"),
        (rb"\\ud83d\\\ud83d", "\\ud83d\\\ufffd"),
        (rb"\ud83d\\ude00", "\ufffd\\ude00"),
        (rb"\ud7ff\ue000", "\ud7ff\ue000"),
    ],
)
def test_half_a_character_is_the_sign_for_one_wherever_it_stands(written: bytes, read: str) -> None:
    body = (
        b'{"messages":[{"role":"user","content":"%b"},{"role":"tool","content":[{"type":"text","text":"%b"}]}],'
        b'"metadata":{"a":"%b"},"tools":[{"name":"f","parameters":{"description":"%b"}}]}' % ((written,) * 4)
    )
    decoded = decode_chat_request(body)
    request = decoded.request
    assert decoded.repairs == (("half_characters_replaced",) if "\ufffd" in read else ())
    assert request.messages[0].content == read
    assert request.messages[1].content == [{"type": "text", "text": read}]
    assert request.tools is not None
    for raw in (request.metadata, request.tools[0].parameters):
        assert list(msgspec.json.decode(raw, type=dict[str, str]).values()) == [read]


@pytest.mark.parametrize(
    "fields",
    [
        b'"metadata":{"files":null,"n":1}',
        b'"metadata":[]',
        b'"logit_bias":[]',
        b'"logit_bias":{"1":1000}',
        b'"prediction":[]',
        b'"audio":"x"',
        b'"seed":"7"',
        b'"frequency_penalty":9',
        b'"user":{"id":1}',
        b'"safety_identifier":[1]',
        b'"prompt_cache_key":7',
    ],
)
def test_what_means_nothing_to_claude_is_not_judged(fields: bytes) -> None:
    decode_chat_request(START + b"," + fields + b"}")


@pytest.mark.parametrize(
    "field", ["metadata", "user", "seed", "prompt_cache_key", "output_config.format.schema", "messages.content"]
)
def test_no_free_value_may_be_too_deep(field: str) -> None:
    value: object = []
    for _ in range(120):
        value = [value]
    if field == "messages.content":
        body: object = {"messages": [{"role": "tool", "content": value}]}
    elif "." in field:
        body = {"messages": [], "output_config": {"format": {"type": "json_schema", "schema": value}}}
    else:
        body = {"messages": [], field: value}
    assert "levels deep" in refused(msgspec.json.encode(body)).message
