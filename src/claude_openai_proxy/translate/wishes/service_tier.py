"""Service tiers: OpenAI's names, which several dialects share, and Claude's."""

from types import MappingProxyType
from typing import Final, Literal

from msgspec import UNSET, UnsetType

_STANDARD: Final = frozenset({"default", "flex"})
_ANSWERED: Final = MappingProxyType({"standard": "default", "priority": "priority", "batch": "flex"})


def to_claude_tier(asked: str | None) -> Literal["auto", "standard_only"] | UnsetType:
    """Claude has no cheaper tier than the standard one; any other name may be served with priority."""
    if asked is None:
        return UNSET
    return "standard_only" if asked in _STANDARD else "auto"


def to_openai_tier(answered: str | None) -> str | None:
    """OpenAI's name of the tier that answered; None where Claude did not say, or said something new."""
    return _ANSWERED.get(answered) if answered else None
