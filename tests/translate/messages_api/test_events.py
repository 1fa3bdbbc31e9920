"""Bytes to events: framing that survives any split, and decoding that is total."""

import itertools
import json
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic import (
    CitationsDelta,
    ContentBlockDelta,
    ContentBlockStart,
    ContentBlockStop,
    ErrorEvent,
    InputJSONDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    OutputTokensDetails,
    Ping,
    RedactedThinkingBlock,
    RefusalStopDetails,
    ServerToolUseBlock,
    SignatureDelta,
    StreamEvent,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownEvent,
    Usage,
    WebSearchToolResultBlock,
)
from claude_openai_proxy.translate.messages_api.events import decode_event, decode_lone_delta, decode_together
from claude_openai_proxy.translate.messages_api.framing import EventCutter, payloads_of


def block_start(block: bytes) -> ContentBlockStart:
    event = decode_event(b'{"type":"content_block_start","index":0,"content_block":' + block + b"}")
    assert isinstance(event, ContentBlockStart)
    return event


def delta(data: bytes) -> StreamEvent:
    return decode_event(b'{"type":"content_block_delta","index":3,"delta":' + data + b"}")


def test_message_start_carries_id_model_and_usage() -> None:
    event = decode_event(
        b'{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],'
        b'"model":"claude-opus-5-5","stop_reason":null,"stop_sequence":null,'
        b'"usage":{"input_tokens":12,"cache_read_input_tokens":7,"output_tokens":1}}}'
    )
    assert isinstance(event, MessageStart)
    assert (event.message.id, event.message.model) == ("msg_1", "claude-opus-5-5")
    assert event.message.usage == Usage(input_tokens=12, cache_read_input_tokens=7, output_tokens=1)


def test_message_delta_carries_stop_reason_and_cumulative_usage() -> None:
    event = decode_event(
        b'{"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null,'
        b'"stop_details":{"type":"refusal","category":"cyber","explanation":null}},'
        b'"usage":{"output_tokens":9,"output_tokens_details":{"thinking_tokens":4}}}'
    )
    assert isinstance(event, MessageDelta)
    assert event.delta.stop_reason == "refusal"
    assert event.delta.stop_details == RefusalStopDetails(category="cyber")
    assert event.usage == Usage(output_tokens=9, output_tokens_details=OutputTokensDetails(thinking_tokens=4))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"type":"text_delta","text":"h\\u00e9\xe2\x80\xa8"}', TextDelta("h\u00e9\u2028")),
        (b'{"type":"input_json_delta","partial_json":"{\\"a\\""}', InputJSONDelta('{"a"')),
        (b'{"type":"thinking_delta","thinking":"hm"}', ThinkingDelta("hm")),
        (b'{"type":"signature_delta","signature":"sig"}', SignatureDelta("sig")),
        (b'{"type":"citations_delta","citation":{"u":1}}', CitationsDelta(msgspec.Raw(b'{"u":1}'))),
    ],
)
def test_every_known_delta_is_decoded(data: bytes, expected: object) -> None:
    assert delta(data) == ContentBlockDelta(index=3, delta=expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"type":"text","text":""}', TextBlock("")),
        (b'{"type":"thinking","thinking":"","signature":""}', ThinkingBlock()),
        (b'{"type":"redacted_thinking","data":"x"}', RedactedThinkingBlock("x")),
        (b'{"type":"tool_use","id":"t","name":"n","input":{}}', ToolUseBlock("t", "n", msgspec.Raw(b"{}"))),
        (b'{"type":"server_tool_use","id":"t","name":"n","input":{}}', ServerToolUseBlock("t", "n")),
        (
            b'{"type":"web_search_tool_result","tool_use_id":"t","content":[1]}',
            WebSearchToolResultBlock("t", msgspec.Raw(b"[1]")),
        ),
    ],
)
def test_every_known_block_is_decoded(data: bytes, expected: object) -> None:
    assert block_start(data).content_block == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"type":"content_block_stop","index":2}', ContentBlockStop(2)),
        (b'{"type": "message_stop"      }', MessageStop()),
        (b'{"type":"ping"}', Ping()),
        (b'{"later":1,"type":"ping","more":{"a":[]}}', Ping()),
    ],
)
def test_short_events_are_decoded_whatever_else_they_hold(data: bytes, expected: StreamEvent) -> None:
    assert decode_event(data) == expected


def test_an_error_event_keeps_type_message_and_request_id() -> None:
    event = decode_event(b'{"type":"error","error":{"type":"overloaded_error","message":"busy"},"request_id":"req_1"}')
    assert isinstance(event, ErrorEvent)
    assert (event.error.type, event.error.message, event.request_id) == ("overloaded_error", "busy", "req_1")


def test_an_unknown_event_is_named_and_not_an_error() -> None:
    assert decode_event(b'{"type":"message_thought","x":[1]}') == UnknownEvent("message_thought")


def test_an_unknown_delta_is_named_and_not_an_error() -> None:
    assert delta(b'{"type":"compaction_delta","content":"x"}') == UnknownEvent("compaction_delta")


def test_a_block_keeps_its_bytes() -> None:
    known = b'{"type":"server_tool_use","id":"s","name":"web_search","input":{}, "caller":{"type":"direct"}}'
    unknown = b'{"type":"mcp_tool_use","id":"m","input":{"a": 1}}'
    assert [bytes(block_start(block).sent_block) for block in (known, unknown)] == [known, unknown]


def test_an_unknown_block_is_named_and_not_an_error() -> None:
    assert block_start(b'{"type":"mcp_tool_use","id":"m"}').content_block == UnknownBlock("mcp_tool_use")


def test_a_block_that_is_really_called_unknown_is_an_unknown_block() -> None:
    assert block_start(b'{"type":"unknown"}').content_block == UnknownBlock("unknown")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[DONE]",
        b"[]",
        b'"ping"',
        b"{}",
        b'{"type":7}',
        b'{"type":"ping"',
        b'{"type":"ping"} x',
        b'{"type":"content_block_stop"}',
        b'{"type":"content_block_stop","index":"0"}',
        b'{"type":"message_start","message":{"id":"m"}}',
        b'{"type":"content_block_delta","index":0}',
        b'{"type":"content_block_delta","index":0,"delta":{}}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta"}}',
        b'{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t"}}',
        b'{"type":"content_block_start","index":0,"content_block":"text"}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\xff"}}',
    ],
)
def test_a_malformed_event_is_an_upstream_error(data: bytes) -> None:
    with pytest.raises(UpstreamProtocolError):
        decode_event(data)


@pytest.mark.parametrize(
    ("data", "same"),
    [
        (
            b'{"type":"message_start","message":{"id":"m","model":"c","content":null,"stop_reason":null,"usage":null}}',
            b'{"type":"message_start","message":{"id":"m","model":"c","usage":{}}}',
        ),
        (
            b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":null,"citations":null}}',
            b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
        ),
        (
            b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":null}}',
            b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}',
        ),
        (
            b'{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":null}}',
            b'{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":""}}',
        ),
        (
            b'{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_details":null},"usage":null}',
            b'{"type":"message_delta","delta":{"stop_reason":"end_turn"}}',
        ),
        (
            b'{"type":"message_delta","delta":{"stop_reason":"x"},"usage":{"output_tokens":3,"input_tokens":null}}',
            b'{"type":"message_delta","delta":{"stop_reason":"x"},"usage":{"output_tokens":3}}',
        ),
        (
            b'{"type":"error","error":{"type":null,"message":"m"},"request_id":null}',
            b'{"type":"error","error":{"message":"m"}}',
        ),
    ],
)
def test_null_is_absence(data: bytes, same: bytes) -> None:
    assert decode_event(data) == decode_event(same)


def test_a_block_with_nulls_keeps_what_the_model_said() -> None:
    block = b'{"type":"text","text":null,"citations":[{"a":null}]}'
    assert bytes(block_start(block).sent_block) == b'{"type":"text","text":"","citations":[{"a":null}]}'


@pytest.mark.parametrize(
    ("data", "type_", "message"),
    [
        (
            b'{"error":{"message":"Overloaded","type":"server_error","param":null,"code":null}}',
            "server_error",
            "Overloaded",
        ),
        (b'{"error":{"message":"No more","code":"insufficient_quota"}}', "insufficient_quota", "No more"),
        (b'{"type":null,"error":{"message":"Slow","code":429}}', "rate_limit_error", "Slow"),
        (b'{"error":"plain words"}', "", "plain words"),
    ],
)
def test_an_error_in_another_apis_shape_is_an_error(data: bytes, type_: str, message: str) -> None:
    event = decode_event(data)
    assert isinstance(event, ErrorEvent)
    assert (event.error.type, event.error.message) == (type_, message)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"type":"new","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"type":"ping","x":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
        b'{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":'
        + b"[" * 100_000
        + b"]" * 100_000
        + b"}}",
        b'{"error":{"message":' + b"[" * 100_000,
    ],
)
def test_deep_nesting_is_an_upstream_error(data: bytes) -> None:
    with pytest.raises(UpstreamProtocolError):
        decode_event(data)


def test_the_error_names_the_event_and_the_place_but_not_the_text() -> None:
    with pytest.raises(
        UpstreamProtocolError, match=r"malformed content_block_delta event: .*\$\.delta\.text"
    ) as caught:
        delta(b'{"type":"text_delta","text":["secret words"]}')
    assert "secret" not in caught.value.message


# ---- framing -------------------------------------------------------------------------------------------------------


def feed_all(cutter: EventCutter, chunks: Iterable[bytes]) -> list[bytes]:
    return [data for chunk in chunks for data in payloads_of(cutter.feed(chunk))]


def feed(*chunks: bytes) -> list[bytes]:
    return feed_all(EventCutter(), chunks)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ((b"event: ping\ndata: {}\n\n",), [b"{}"]),
        ((b"data:{}\n\n",), [b"{}"]),
        ((b"data:  x\n\n",), [b" x"]),
        ((b"data: a\ndata: b\n\n",), [b"a\nb"]),
        ((b": comment\n\ndata: a\n: more\nid: 3\nretry: 9\n\n",), [b"a"]),
        ((b"data: a\r\n\r\ndata: b\r\n\r\n",), [b"a", b"b"]),
        ((b"data: a\r", b"\n\r", b"\n"), [b"a"]),
        ((b"da", b"ta: a", b"\n", b"\n"), [b"a"]),
        ((b"data: a\n\n\n\n\ndata: b\n\n",), [b"a", b"b"]),
        ((b"data: a \xe2\x80\xa8 \xc2\x85 \r b\n\n",), [b"a \xe2\x80\xa8 \xc2\x85 \r b"]),
        ((b"data: \n\n",), []),
        ((b"data: cut off\n",), []),
        ((b"",), []),
        ((b"dataset: a\n\n",), []),
    ],
)
def test_events_are_cut_out_of_the_bytes(chunks: tuple[bytes, ...], expected: list[bytes]) -> None:
    assert feed(*chunks) == expected


line_text = st.text(st.characters(codec="utf-8", exclude_characters="\r\n")).map(str.encode)


@given(
    payloads=st.lists(st.lists(line_text, min_size=1, max_size=3), max_size=6),
    line_end=st.sampled_from([b"\n", b"\r\n"]),
    cuts=st.lists(st.integers(0, 400)),
)
def test_any_split_of_the_bytes_gives_the_same_events(
    payloads: list[list[bytes]], line_end: bytes, cuts: list[int]
) -> None:
    stream = b"".join(
        b"event: x" + line_end + b"".join(b"data: " + line + line_end for line in lines) + b": c" + line_end + line_end
        for lines in payloads
    )
    borders = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[start:end] for start, end in itertools.pairwise(borders)]
    expected = [b"\n".join(lines) for lines in payloads]
    assert feed(*chunks) == [payload for payload in expected if payload]
    assert feed(*(bytes([byte]) for byte in stream)) == feed(stream)


@pytest.mark.parametrize(
    "chunks",
    [
        [b"data: 0123456789"] * 9,
        [b"data: 0123456789\n"] * 9,
        [b"x" * 101],
    ],
)
def test_an_event_that_grows_beyond_the_limit_is_refused(chunks: list[bytes]) -> None:
    cutter = EventCutter(max_event_bytes=100)
    with pytest.raises(UpstreamProtocolError, match="more than 100 bytes"):
        feed_all(cutter, chunks)


def test_many_small_events_may_exceed_the_limit_together() -> None:
    cutter = EventCutter(max_event_bytes=20)
    assert payloads_of(cutter.feed(b"data: 12345\n\n" * 50)) == [b"12345"] * 50


@pytest.mark.parametrize(
    "data",
    [
        b'{"type": "message_stop", "sent": 5}',
        b'{"type":"message_mood","mood":1.50}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"mood_delta"}}',
        b'{"type":"content_block_start","index":0,"content_block":{"type":"mood"}}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"},"usage":null}',
        b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":null}',
    ],
)
def test_an_event_keeps_its_bytes_and_is_not_judged_by_them(data: bytes) -> None:
    event = decode_event(data)
    assert event.sent == data
    assert event == decode_event(data + b" ")
    assert b"sent" not in msgspec.json.encode(MessageStop())


# ---- many at once --------------------------------------------------------------------------------------------------

START = b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"","mood":"new"}}'
TEXT = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a \\n\\ndata: {"}   }'
STOP = b'{"type":"content_block_stop","index":0}'
END = b'{"type":"message_stop"}'
PING = b'{"type":"ping"}'


def named(*payloads: bytes) -> bytes:
    names = (json.loads(payload)["type"].encode() for payload in payloads)
    return b"".join(b"event: %b\ndata: %b\n\n" % row for row in zip(names, payloads, strict=True))


@given(st.lists(st.sampled_from([START, TEXT, TEXT, TEXT, STOP, PING]), min_size=1, max_size=12), st.booleans())
def test_many_events_at_once_are_the_same_as_one_by_one(payloads: list[bytes], ends: bool) -> None:
    whole = named(*payloads, *([END] if ends else []))
    one_by_one = [decode_event(payload) for payload in payloads_of(whole)]
    assert decode_together(whole) == one_by_one
    assert len(one_by_one) == len(payloads) + ends


@pytest.mark.parametrize(
    "whole",
    [
        named(TEXT) + b": comment\n\n" + named(TEXT),
        named(TEXT) + b"event: nothing\n\n" + named(TEXT),
        named(TEXT).replace(b"data: {", b"data: \ndata: {"),
        named(TEXT) + b"data: " + TEXT + b"\n\n",
        named(TEXT) + TEXT + b"\n\n",
        named(TEXT)[:-2] + TEXT + b"\n\n",
        named(TEXT, TEXT).replace(b"\n", b"\r\n"),
        named(TEXT) + b"id: 3\n" + named(TEXT),
        named(TEXT) + b'event: x\ndata: {"type":"mood"}\n\n',
        named(TEXT) + b"event: x\ndata: {\n\n",
        named(TEXT, END, TEXT),
        named(TEXT, END, PING),
        b"event: x\n\n",
    ],
)
def test_what_comes_in_another_form_than_the_apis_is_left_to_a_closer_look(whole: bytes) -> None:
    assert decode_together(whole) == []


DELTAS = [
    b'{"type":"content_block_delta","index":0,"delta":{"type":%b}}' % delta
    for delta in (
        b'"text_delta","text":"a \\u00e4\xc2\x85\xe2\x80\xa8 \\n\\ndata: {"',
        b'"thinking_delta","thinking":"Hm"',
        b'"signature_delta","signature":"abc"',
        b'"input_json_delta","partial_json":"{\\"a"',
        b'"citations_delta","citation":{"type":"page_location","new":1}',
    )
]


@pytest.mark.parametrize("delta", DELTAS)
def test_one_delta_by_itself_is_the_same_in_the_short_way(delta: bytes) -> None:
    short, general = decode_lone_delta(named(delta)), [decode_event(payload) for payload in payloads_of(named(delta))]
    assert short == general
    assert [event.sent for event in short] == [event.sent for event in general] == [delta]


@pytest.mark.parametrize(
    "whole",
    [
        *(named(other) for other in (START, STOP, END, PING)),
        named(TEXT, TEXT),
        named(TEXT, STOP),
        named(TEXT) + b": comment\n\n",
        b": comment\n\n" + named(TEXT),
        b": comment\n\n",
        b"\n" + named(TEXT),
        named(TEXT).replace(b"\n", b"\r\n"),
        named(TEXT)[:-1] + b"\r\n",
        named(TEXT).replace(b"data: {", b"data:{"),
        named(TEXT).replace(b"data: {", b"data: \ndata: {"),
        named(TEXT).replace(b"   }", b"\n}"),
        named(TEXT).replace(b"}\n\n", b"}\r\n\n"),
        named(TEXT)[:-1] + b"id: 3\n\n",
        b"data: %b\n\n" % TEXT,
        b"event: content_block_delta\n\n",
        b"event: content_block_delta\ndata: {\n\n",
        b"event: content_block_delta\ndata: \xff\n\n",
        b"event: content_block_delta\ndata: %b\n\n" % END,
        b"event: message_stop\ndata: %b\n\n" % TEXT,
        named(TEXT).replace(b"text_delta", b"mood_delta"),
        named(TEXT).replace(b'"index":0', b'"index":null'),
    ],
)
def test_what_is_not_one_plain_delta_is_left_to_a_closer_look(whole: bytes) -> None:
    assert decode_lone_delta(whole) == []
