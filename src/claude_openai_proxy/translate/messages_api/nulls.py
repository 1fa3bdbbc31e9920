"""Members that a gateway wrote as null although the API has none there: null is absence."""

from typing import Final

import msgspec
from msgspec import Raw

_STRUCTURES: Final = frozenset(
    {"message", "usage", "delta", "content_block", "error", "stop_details", "output_tokens_details"}
)
"""Members that are looked into; the model's own values, such as a call's input, are not."""
_EMPTY: Final = {
    "text": Raw(b'""'),
    "thinking": Raw(b'""'),
    "partial_json": Raw(b'""'),
    "signature": Raw(b'""'),
    "usage": Raw(b"{}"),
}
"""What stands for null where the member must be there."""

_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


def without_nulls(event: bytes) -> bytes:
    """The event's JSON without them. Raises `msgspec.DecodeError` where it is no object."""
    members: dict[str, Raw] = {}
    for name, value in _decode_members(event).items():
        text = bytes(value)
        if text == b"null":
            if name in _EMPTY:
                members[name] = _EMPTY[name]
        else:
            members[name] = Raw(without_nulls(text)) if name in _STRUCTURES and text[:1] == b"{" else value
    return _encode(members)
