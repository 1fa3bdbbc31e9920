"""Events of the Messages API as server-sent events (https://docs.anthropic.com/en/api/messages-streaming)."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import Struct

from claude_openai_proxy.protocols.anthropic import (
    ContentBlockDelta,
    ContentBlockStart,
    ContentBlockStop,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    StreamEvent,
)
from claude_openai_proxy.translate.messages.answer import event_json

PING: Final = b'event: ping\ndata: {"type": "ping"}\n\n'
"""The sign of life that clients of this API know."""

_NAMES: Final[Mapping[type, bytes]] = MappingProxyType(
    {
        MessageStart: b"message_start",
        ContentBlockStart: b"content_block_start",
        ContentBlockDelta: b"content_block_delta",
        ContentBlockStop: b"content_block_stop",
        MessageDelta: b"message_delta",
        MessageStop: b"message_stop",
        Ping: b"ping",
    }
)


class _Typed(Struct, frozen=True):
    type: str


_decode_type: Final = msgspec.json.Decoder(_Typed).decode


def encode_events(events: Iterable[StreamEvent]) -> bytes:
    """Each with its name, which the official SDK reads, and its JSON as it came."""
    return b"".join(b"event: %b\ndata: %b\n\n" % (_name(event), _lines(event_json(event))) for event in events)


def _name(event: StreamEvent) -> bytes:
    """Of a kind that nobody knows here, as it names itself."""
    return _NAMES.get(type(event)) or _decode_type(event.sent).type.encode()


def _lines(data: bytes) -> bytes:
    """JSON may have line breaks between its parts; each line of data has its own name."""
    return data.replace(b"\n", b"\ndata: ") if b"\n" in data else data
