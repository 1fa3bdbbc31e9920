"""Events of a response as server-sent events: `event` and `data`, each event whole, and all of a batch in one write.

No line of it can be cut in two by a reader: some clients break lines at characters that JSON lets stand as they are.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from claude_openai_proxy.protocols.openai_responses import OutputTextDelta, ResponseEvent
from claude_openai_proxy.web.chunk_encoder import without_line_breaks

_encode: Final = msgspec.json.Encoder().encode
_TEXT: Final = b"event: response.output_text.delta\ndata: %b\n\n"


def encode_events(events: Iterable[ResponseEvent]) -> bytes:
    """Their bytes."""
    data = b"".join(map(_event, events))
    return data if data.isascii() else without_line_breaks(data)


def _event(event: ResponseEvent) -> bytes:
    if type(event) is OutputTextDelta:  # Most of a stream.
        return _TEXT % _encode(event)
    tag = type(event).__struct_config__.tag
    return b"event: %b\ndata: %b\n\n" % (str(tag).encode(), _encode(event))


class _Typed(msgspec.Struct):
    """An event's name."""

    type: str


_typed: Final = msgspec.json.Decoder(_Typed).decode


def encode_kept(events: Iterable[bytes]) -> bytes:
    """The bytes of events that were kept as JSON."""
    data = b"".join(b"event: %b\ndata: %b\n\n" % (_typed(event).type.encode(), event) for event in events)
    return data if data.isascii() else without_line_breaks(data)
