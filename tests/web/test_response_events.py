"""Events of a response on the wire, and what a silent stream of them says."""

import json

import pytest

from claude_openai_proxy.protocols.openai_responses import (
    ArgumentsDelta,
    ContentPartAdded,
    ErrorBody,
    ErrorEvent,
    Keepalive,
    OutputText,
    OutputTextDelta,
    OutputTextDone,
    ResponseEvent,
)
from claude_openai_proxy.web.responses.event_encoder import encode_events

EVENTS: list[ResponseEvent] = [
    ContentPartAdded(3, "msg_1", 0, 0, OutputText("")),
    OutputTextDelta(4, "msg_1", 0, 0, "Hi \U0001f389\n"),
    OutputTextDone(5, "msg_1", 0, 0, "Hi \U0001f389\n"),
    ErrorEvent(6, ErrorBody("server_error", "server_error", "Cut."), "server_error", "Cut."),
    Keepalive(7),
]


def test_each_event_is_its_name_and_one_line_of_data_and_ends_with_a_blank_line() -> None:
    blocks = encode_events(EVENTS).decode().split("\n\n")
    assert blocks.pop() == ""
    names, lines = zip(*(block.split("\n") for block in blocks), strict=True)
    data = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert [name.removeprefix("event: ") for name in names] == [event["type"] for event in data]
    assert [event["sequence_number"] for event in data] == [3, 4, 5, 6, 7]
    assert data[1] == {
        "type": "response.output_text.delta",
        "sequence_number": 4,
        "item_id": "msg_1",
        "output_index": 0,
        "content_index": 0,
        "delta": "Hi \U0001f389\n",
        "logprobs": [],
    }


def test_an_error_has_its_members_nested_and_flat() -> None:
    (_, line) = encode_events([EVENTS[3]]).decode().strip().split("\n")
    nested = {"type": "server_error", "code": "server_error", "message": "Cut.", "param": None}
    assert json.loads(line.removeprefix("data: ")) == {
        "type": "error", "sequence_number": 6, "error": nested, "code": "server_error", "message": "Cut.",
        "param": None,
    }  # fmt: skip


def test_a_sign_of_life_has_nothing_but_its_number() -> None:
    assert encode_events([Keepalive(7)]) == b'event: keepalive\ndata: {"type":"keepalive","sequence_number":7}\n\n'


@pytest.mark.parametrize("kind", [OutputTextDelta, ArgumentsDelta])
def test_no_reader_can_break_a_line_where_none_ends(kind: type[OutputTextDelta] | type[ArgumentsDelta]) -> None:
    text = "a\u2028b\u2029c\u0085d\r\ne é 漢字"
    event = OutputTextDelta(1, "msg_1", 0, 0, text) if kind is OutputTextDelta else ArgumentsDelta(1, "fc_1", 0, text)
    written = encode_events([event]).decode()
    assert len(written.splitlines()) == 3
    assert json.loads(written.splitlines()[1].removeprefix("data: "))["delta"] == text


def test_nothing_is_nothing() -> None:
    assert encode_events([]) == b""
