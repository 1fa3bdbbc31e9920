"""Whether a field that means nothing to Claude was set to anything at all."""

from typing import Final

import msgspec
from msgspec import Raw

LONGEST_WITHOUT_EFFECT: Final = 64
"""Bytes: what is longer is not nothing."""


def has_effect(value: Raw) -> bool:
    """Whether it is anything but null, zero, false or empty. What is wrong about it is not judged."""
    if len(value) > LONGEST_WITHOUT_EFFECT:
        return True
    try:
        return bool(msgspec.json.decode(value))
    except msgspec.DecodeError:  # a number that fits into none of ours
        return True
