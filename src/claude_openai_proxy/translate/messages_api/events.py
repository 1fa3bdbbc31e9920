"""From the data of server-sent events to Messages API stream events.

https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic import (
    ContentBlockDelta,
    ContentBlockStart,
    ContentBlockStop,
    ErrorEvent,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    StreamEvent,
    UnknownBlock,
    UnknownEvent,
    Usage,
    WholeAnswer,
)
from claude_openai_proxy.translate.messages_api.error_status import decode_error
from claude_openai_proxy.translate.messages_api.nulls import without_nulls

_KnownEvent = (
    MessageStart
    | ContentBlockStart
    | ContentBlockDelta
    | ContentBlockStop
    | MessageDelta
    | MessageStop
    | Ping
    | ErrorEvent
)
_EVENT_TYPES: Final = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
        "error",
    }
)
_BLOCK_TYPES: Final = frozenset(
    {"text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "web_search_tool_result"}
)
_DELTA_TYPES: Final = frozenset(
    {"text_delta", "input_json_delta", "thinking_delta", "signature_delta", "citations_delta"}
)


class _Typed(Struct, frozen=True):
    type: str


class _AnyBlockStart(Struct, frozen=True):
    index: int
    content_block: Raw


class _AnyBlockDelta(Struct, frozen=True):
    index: int
    delta: _Typed


class _AnyAnswer(Struct, frozen=True):
    """Of a message, or of a count of tokens, which has neither."""

    stop_reason: str | None = None
    usage: Usage | None = None


LAST_EVENTS: Final = frozenset({MessageStop, ErrorEvent})
"""Nothing that follows one of them belongs to the answer."""

_TOO_DEEP: Final = "Claude's stream holds an event that is nested too deeply"
_DELTA_LINE: Final = b"event: content_block_delta"
_NEXT_DELTA: Final = b"\n\n%b\ndata: " % _DELTA_LINE

_known = msgspec.json.Decoder(_KnownEvent)
_decode_known: Callable[[bytes], StreamEvent] = _known.decode
_decode_known_lines: Callable[[bytes], list[StreamEvent]] = _known.decode_lines
_decode_delta = msgspec.json.Decoder(ContentBlockDelta).decode
_decode_type = msgspec.json.Decoder(_Typed).decode
_decode_block_start = msgspec.json.Decoder(_AnyBlockStart).decode
_decode_block_delta = msgspec.json.Decoder(_AnyBlockDelta).decode
_decode_any_answer = msgspec.json.Decoder(_AnyAnswer).decode


def decode_event(data: bytes) -> StreamEvent:
    """Decode the JSON text of one event, which the event keeps as `sent`.

    A kind of event or delta that this version does not know becomes `UnknownEvent`, an unknown kind of block an
    `UnknownBlock`; null is absence; an error in another API's shape is an `ErrorEvent`. Raises `UpstreamProtocolError`
    for anything else that has not the published shape.
    """
    try:
        event = _decode_known(data)
        if type(event) is ContentBlockStart:
            event = _with_sent_block(event, data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        event = _decode_other(data, error)
    except RecursionError as error:
        raise UpstreamProtocolError(_TOO_DEEP) from error
    event.__dict__["sent"] = data
    return event


def decode_lone_delta(whole: bytes) -> list[StreamEvent]:
    """The delta that this is by itself, as most come, in the API's form; none where it is anything else.

    The same as `payloads_of` and `decode_event` make of it.
    """
    name, _, data = whole.partition(b"\ndata: ")
    if name != _DELTA_LINE or data.find(b"\n") != len(data) - 2 or not data.endswith(b"}\n\n"):
        return []
    data = data[:-2]
    try:
        event = _decode_delta(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    event.__dict__["sent"] = data
    return [event]


def decode_together(whole: bytes) -> list[StreamEvent]:
    """The events of many server-sent events in one go, without their bytes; none where what came wants a closer look.

    The API writes a name and one line of JSON for each. A delta behind another event becomes only a line here, so that
    a run of them is cut and read in C. Each line must be one event, and what ends an answer the last; the rest is left
    to `payloads_of` and `decode_event`.
    """
    lines = whole.replace(_NEXT_DELTA, b"\n")
    blocks = lines.split(b"\n\nevent: ")
    count = len(blocks) + (len(whole) - len(lines)) // (len(_NEXT_DELTA) - 1)
    events: list[StreamEvent] = []
    try:
        for block in blocks:
            data = block.partition(b"\ndata: ")[2]
            more = _decode_known_lines(data)
            if not more or (type(more[0]) in LAST_EVENTS and (len(more) > 1 or block is not blocks[-1])):
                return []
            if type(more[0]) is ContentBlockStart:
                more[0] = _with_sent_block(more[0], data.partition(b"\n")[0])
            events += more
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    return events if len(events) == count else []


def decode_answer(data: bytes) -> WholeAnswer:
    """Decode an answer that is no stream, which keeps its JSON as `sent`. Raises `UpstreamProtocolError`."""
    try:
        answer = _decode_any_answer(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamProtocolError(f"Claude's side answered with something else than a message: {error}") from error
    event = WholeAnswer(answer.stop_reason, answer.usage or Usage())
    event.__dict__["sent"] = data
    return event


def _with_sent_block(event: ContentBlockStart, data: bytes) -> ContentBlockStart:
    return ContentBlockStart(event.index, event.content_block, _sent(_decode_block_start(data)))


def _decode_other(data: bytes, error: Exception) -> StreamEvent:
    try:
        return _decode_unknown(data) or _decode_without_nulls(without_nulls(data))
    except RecursionError as worse:
        raise UpstreamProtocolError(_TOO_DEEP) from worse
    except (msgspec.DecodeError, UnicodeDecodeError) as worse:
        if told := decode_error(data):
            return told
        raise UpstreamProtocolError(_sentence(data, error)) from worse


def _decode_without_nulls(data: bytes) -> StreamEvent:
    event = _decode_known(data)
    return _with_sent_block(event, data) if isinstance(event, ContentBlockStart) else event


def _sentence(data: bytes, error: Exception) -> str:
    try:
        return f"Claude's stream holds a malformed {_decode_type(data).type} event: {error}"
    except (msgspec.DecodeError, UnicodeDecodeError) as worse:
        return f"Claude's stream holds an event that cannot be read: {worse}"


def _decode_unknown(data: bytes) -> StreamEvent | None:
    """The event, where its kind or its part's is new; None where both are known, so that it must be malformed."""
    kind = _decode_type(data).type
    return _unknown_part(kind, data) if kind in _EVENT_TYPES else UnknownEvent(type=kind)


def _unknown_part(kind: str, data: bytes) -> StreamEvent | None:
    if kind == "content_block_delta":
        delta = _decode_block_delta(data).delta
        return None if delta.type in _DELTA_TYPES else UnknownEvent(type=delta.type)
    if kind == "content_block_start":
        start = _decode_block_start(data)
        block = _decode_type(start.content_block)
        if block.type not in _BLOCK_TYPES:
            return ContentBlockStart(start.index, UnknownBlock(kind=block.type), _sent(start))
    return None


def _sent(start: _AnyBlockStart) -> Raw:
    """A copy: what the decoder lends would keep the whole event alive."""
    return Raw(bytes(start.content_block))
