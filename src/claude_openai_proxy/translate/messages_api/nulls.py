"""Members that a gateway wrote as null although the API has none there: null is absence."""

from typing import Final

import msgspec
from msgspec import Raw

_STRUCTURES: Final = frozenset(
    {"message", "usage", "capabilities", "delta", "content_block", "error", "stop_details", "output_tokens_details"}
)
"""Members that are looked into; the model's own values, such as a call's input, are not."""
_ROWS: Final = frozenset({"data"})
"""Members that are lists of such structures."""
_EMPTY: Final = {
    "text": Raw(b'""'),
    "thinking": Raw(b'""'),
    "partial_json": Raw(b'""'),
    "signature": Raw(b'""'),
    "usage": Raw(b"{}"),
}
"""What stands for null where the member must be there."""

_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_rows = msgspec.json.Decoder(list[Raw]).decode
_encode = msgspec.json.Encoder().encode


def without_nulls(document: bytes) -> bytes:
    """The JSON of an event or a list of models without them. Raises `msgspec.DecodeError` where it is no object."""
    members: dict[str, Raw] = {}
    for name, value in _decode_members(document).items():
        text = bytes(value)
        if text == b"null":
            if name in _EMPTY:
                members[name] = _EMPTY[name]
        else:
            members[name] = _within(name, text)
    return _encode(members)


def _within(name: str, value: bytes) -> Raw:
    if name in _STRUCTURES and value[:1] == b"{":
        return Raw(without_nulls(value))
    if name in _ROWS and value[:1] == b"[":
        return Raw(_encode([Raw(without_nulls(bytes(row))) for row in _decode_rows(value)]))
    return Raw(value)
