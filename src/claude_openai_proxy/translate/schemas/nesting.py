"""How deeply a JSON text is nested: in linear time, and in steps of C code between which other threads may run."""

from array import array
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

DEEPEST = 100
"""Levels of arrays and objects in one another that are read."""

_PIECE = 16_384
_SLICE = 128
"""Brackets that are looked at together; about half of them open, so that in most texts no slice can lead too deep."""

_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_STEPS: Final = bytes.maketrans(b"[]", b"\x01\xff")
_NO_MARKS: Final = bytes(set(range(256)) - set(b'[]{}"'))


def is_deeper(text: bytes, levels: int) -> bool:
    """Whether over so many arrays and objects stand in one another. `text` is valid JSON; what is not may fool it."""
    if len(text) <= levels or text.count(b"[") + text.count(b"{") <= levels:
        return False
    depth = 0
    for brackets in _brackets(text):
        opening = brackets.count(b"[")
        if depth + opening > levels and depth + max(accumulate(array("b", brackets.translate(_STEPS)))) > levels:
            return True
        depth += 2 * opening - len(brackets)
    return False


def _brackets(text: bytes) -> Iterator[bytes]:
    """The brackets of `text` that stand outside of strings, all of one kind, a slice at a time."""
    marks = _marks(text)
    inside = False
    for start in range(0, len(marks), _PIECE):
        parts = marks[start : start + _PIECE].split(b'"')
        brackets = b"".join(parts[inside::2])
        yield from (brackets[at : at + _SLICE] for at in range(0, len(brackets), _SLICE))
        inside ^= len(parts) % 2 == 0


def _marks(text: bytes) -> bytes:
    """Quotes and brackets. Two quotes with nothing between them change nothing for the brackets around them."""
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return text.translate(_ONE_KIND, _NO_MARKS).replace(b'""', b"")
