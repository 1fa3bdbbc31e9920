"""The way back: events that stay as they are, and the message that they make."""

import json
from typing import Any

import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import ParsedMessage
from hypothesis import given

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic import MessageDelta, MessageDeltaBody, RefusalStopDetails, Usage
from claude_openai_proxy.translate.messages.answer import MessageBuilder, PassedAnswer, event_json
from claude_openai_proxy.translate.messages_api.events import decode_answer
from properties.event_scripts import Event, decoded, messages
from translate.message_events import Events, block, ended, message, start, text, tool_use

JSONObject = dict[str, Any]


def built(events: Events) -> JSONObject:
    builder = MessageBuilder()
    for event in events:
        builder.feed(event)
    document: JSONObject = json.loads(builder.json())
    return document


def by_the_sdk(events: list[Event]) -> JSONObject:
    """What the official SDK puts together of the same events."""
    snapshot: ParsedMessage[None] | None = None
    buffers: dict[int, bytes] = {}
    for event in events:
        if event["type"] != "ping":
            given: Any = event
            snapshot = accumulate_event(event=given, current_snapshot=snapshot, json_bufs=buffers)
    assert snapshot is not None
    made: JSONObject = without_nulls(snapshot.to_dict())
    return made


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


@given(messages(only_known=True))
def test_a_message_put_together_is_what_the_official_sdk_makes_of_its_events(events: list[Event]) -> None:
    assert without_nulls(built([decoded(event) for event in events])) == by_the_sdk(events)


def test_members_and_blocks_that_nobody_knows_stay() -> None:
    unknown = block(0, {"type": "hologram", "light": [1, 2.50]})
    call = block(1, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}, "caller": {"type": "direct"}})
    document = built(message(unknown, call))
    assert document["content"] == [
        {"type": "hologram", "light": [1, 2.5]},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}, "caller": {"type": "direct"}},
    ]


def test_a_call_that_ran_out_of_tokens_has_no_input() -> None:
    document = built([start(), *tool_use(0, "toolu_1", "f", '{"a"'), *ended("max_tokens")])
    assert (document["stop_reason"], document["content"][0]["input"]) == ("max_tokens", {})


def test_no_message_is_an_error() -> None:
    with pytest.raises(UpstreamProtocolError):
        built([])


def test_an_event_that_the_proxy_made_up_looks_like_the_apis() -> None:
    details = RefusalStopDetails("cyber", "Not this.")
    event = MessageDelta(MessageDeltaBody("refusal", stop_details=details), Usage(output_tokens=3))
    assert json.loads(event_json(event)) == {
        "type": "message_delta",
        "delta": {
            "stop_reason": "refusal",
            "stop_sequence": None,
            "stop_details": {"type": "refusal", "category": "cyber", "explanation": "Not this."},
        },
        "usage": {"output_tokens": 3},
    }


def test_what_the_record_wants_is_found_in_passing() -> None:
    events = message(text(0, "Hi"))
    passed = PassedAnswer()
    assert [one for event in events for one in passed.feed(event)] == events
    assert (passed.usage.input_tokens, passed.usage.output_tokens, passed.finish_reason) == (10, 20, "end_turn")


def test_the_same_of_an_answer_that_is_no_stream() -> None:
    passed = PassedAnswer()
    passed.feed(decode_answer(b'{"stop_reason":"max_tokens","usage":{"input_tokens":4,"output_tokens":2},"x":1}'))
    assert (passed.usage.input_tokens, passed.usage.output_tokens, passed.finish_reason) == (4, 2, "max_tokens")


def test_a_count_of_tokens_uses_none() -> None:
    passed = PassedAnswer()
    passed.feed(decode_answer(b'{"input_tokens":2095}'))
    assert (passed.usage, passed.finish_reason) == (Usage(), None)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"usage": 1}', b"\xff", b"[" * 10_000])
def test_what_is_no_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(UpstreamProtocolError):
        decode_answer(body)
