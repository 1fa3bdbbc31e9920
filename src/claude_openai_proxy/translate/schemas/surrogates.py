"""Half a character outside of the first 65,536, as clients write it that cut texts between its two escapes."""

import re
from typing import Final

# Runs of backslashes that escape each other are taken together: what comes after them is an escape only if one is left.
_ESCAPES: Final = re.compile(
    rb"(?:\\\\)+"
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}(?:\\u[dD][c-fC-F][0-9a-fA-F]{2})?"
    rb"|\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_ANY: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_HALF: Final = 6
"""Bytes of one escape."""


def may_be_cut(text: bytes) -> bool:
    """Whether there is anything like a half; it may be half of a pair."""
    return b"\\" in text and _ANY.search(text) is not None


def with_whole_characters(text: bytes) -> bytes:
    """JSON in which U+FFFD stands for each half of a pair without the other (RFC 8259, 8.2). In linear time."""
    return _ESCAPES.sub(_whole, text) if may_be_cut(text) else text


def _whole(found: re.Match[bytes]) -> bytes:
    escape = found[0]
    return b"\\ufffd" if len(escape) == _HALF and escape[1:2] == b"u" else escape
