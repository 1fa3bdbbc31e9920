"""Another model in a request's body, of which no other byte changes."""

import re
from typing import Final

import msgspec
from msgspec import Raw

_NAME: Final = re.compile(rb'[\s,]*("(?:[^"\\]|\\.)*")\s*:\s*')

_decode_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_name: Final = msgspec.json.Decoder(str).decode
_encode: Final = msgspec.json.Encoder().encode


def with_model(body: bytes, model: str) -> bytes:
    """`body`, a valid JSON object, with `model` as its model.

    Where a member comes twice, each is written once, as the last one says: so every reader sees the same model.
    """
    members = _decode_members(body)
    value = _encode(model)
    if "model" not in members:
        start = body.index(b"{") + 1
        return body[:start] + b'"model":' + value + (b"," if members else b"") + body[start:]
    place = _place_of_model(body, members)
    if place is None:
        return _encode(members | {"model": Raw(value)})
    start, end = place
    return body[:start] + value + body[end:]


def _place_of_model(body: bytes, members: dict[str, Raw]) -> tuple[int, int] | None:
    """From where to where; None where members come twice, which a walk from one to the next would not survive."""
    at = body.index(b"{") + 1
    place = None
    for name, value in members.items():
        found = _NAME.match(body, at)
        if found is None or _decode_name(found[1]) != name:
            return None
        text = memoryview(value)
        at = found.end() + len(text)
        if memoryview(body)[found.end() : at] != text:
            return None
        if name == "model":
            place = (found.end(), at)
    return place if body[at:].strip() == b"}" else None
