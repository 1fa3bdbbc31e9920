"""What is held back comes out whole, and what is recorded is what the official SDK puts together."""

import json

import msgspec
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.parsed_message import ParsedMessage
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from claude_openai_proxy.protocols.anthropic import ContentBlockStart, StreamEvent, ToolUseBlock
from claude_openai_proxy.translate.messages_api.continuation import TurnRecorder
from claude_openai_proxy.translate.messages_api.forced_tool import ForcedToolGate
from properties.event_scripts import Event, decoded, messages

SDK_EVENT: TypeAdapter[RawMessageStreamEvent] = TypeAdapter(RawMessageStreamEvent)


def starts_call(event: StreamEvent) -> bool:
    return isinstance(event, ContentBlockStart) and isinstance(event.content_block, ToolUseBlock)


@given(messages(), st.data())
def test_the_gate_loses_nothing_and_opens_with_the_first_call(script: list[Event], data: st.DataObject) -> None:
    events = [decoded(event) for event in script]
    gate = ForcedToolGate()
    out: list[StreamEvent] = []
    while events:
        size = data.draw(st.integers(1, len(events)))
        batch, events = events[:size], events[size:]
        released = gate.feed(batch)
        out += released
        assert bool(released) == gate.called
        assert gate.called == any(starts_call(event) for event in out)

    assert out + gate.end() == [decoded(event) for event in script]


@given(messages("pause_turn", only_known=True))
def test_the_recorded_turn_is_what_anthropics_sdk_puts_together(script: list[Event]) -> None:
    recorder = TurnRecorder()
    snapshot: ParsedMessage[None] | None = None
    json_texts: dict[int, bytes] = {}
    for event in script:
        recorder.feed(decoded(event))
        if event["type"] != "ping":
            snapshot = accumulate_event(
                event=SDK_EVENT.validate_python(event), current_snapshot=snapshot, json_bufs=json_texts
            )

    assert isinstance(snapshot, Message)
    handed_back: list[Event] = json.loads(msgspec.json.encode(recorder.content()))
    assert [without_nulls(block) for block in handed_back] == [
        without_nulls(block.to_dict(mode="json")) for block in snapshot.content if block.type != "text" or block.text
    ]


def without_nulls(block: Event) -> Event:
    return {name: member for name, member in block.items() if member is not None}
