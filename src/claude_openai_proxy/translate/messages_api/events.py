"""From the bytes of a stream to its events: server-sent events (sans-IO), then Messages API stream events.

Framing: https://html.spec.whatwg.org/multipage/server-sent-events.html. Events:
https://docs.anthropic.com/en/docs/build-with-claude/streaming.
"""

import re
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

MAX_EVENT_BYTES: Final = 32 * 1024 * 1024
"""Larger than any event of the API: a whole web page in a search result stays far below."""

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


_TOO_DEEP: Final = "Claude's stream holds an event that is nested too deeply"
_one_line_events: Final = re.compile(rb"\ndata: ?(.+)\n(?=\n)").findall

_decode_known: Callable[[bytes], StreamEvent] = msgspec.json.Decoder(_KnownEvent).decode
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


class EventStreamDecoder:
    r"""Cuts a stream of bytes into the `data` of its server-sent events, however the bytes are split.

    Lines end with `\n` or `\r\n` and nothing else: a text may hold U+2028, U+2029 and U+0085. Names, ids and comments
    are dropped, since every Messages API event repeats its type in its data.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._unfinished = bytearray()
        """The line that has not ended yet."""
        self._data: list[bytes] = []
        self._data_bytes = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take bytes as they come; return the data of each event that they complete.

        Raises `UpstreamProtocolError` when one event grows beyond `max_event_bytes`.
        """
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            self._unfinished += chunk
            self._limit(len(self._unfinished))
            return []
        whole = chunk[:cut]
        if self._unfinished:
            whole = bytes(self._unfinished) + whole
            self._unfinished.clear()
        self._unfinished += chunk[cut:]
        return self._events(whole)

    def _limit(self, size: int) -> None:
        if self._data_bytes + size > self._max_event_bytes:
            raise UpstreamProtocolError(
                f"Claude's side sent an event of more than {self._max_event_bytes} bytes; it was not read further"
            )

    def _events(self, whole: bytes) -> list[bytes]:
        if b"\r\n" in whole:
            whole = whole.replace(b"\r\n", b"\n")
        events = _one_line_events(whole)
        if self._data or len(events) != whole.count(b"\ndata:") or whole.startswith(b"data:"):
            events = self._events_by_line(whole)
        self._limit(len(self._unfinished))
        return events

    def _events_by_line(self, whole: bytes) -> list[bytes]:
        """Where the plain form, in which the API writes all of its events, is not what came."""
        events: list[bytes] = []
        data, size = self._data, self._data_bytes
        for line in whole[:-1].split(b"\n"):
            if line[:5] == b"data:":
                data.append(line[6:] if line[5:6] == b" " else line[5:])
                size += len(line)
            elif data and not line:
                events.append(data[0] if len(data) == 1 else b"\n".join(data))
                data.clear()
                size = 0
        self._data_bytes = size
        return [event for event in events if event]
