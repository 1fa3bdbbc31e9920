"""When models go, as data.

https://docs.anthropic.com/en/docs/about-claude/model-deprecations; state of November 2026.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

RETIREMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "claude-opus-4-5": "2027-01-22",
        "claude-sonnet-4-5": "2026-11-30",
        "claude-mythos-preview": "2026-06-30",
        "claude-opus-4": "2026-06-15",
        "claude-sonnet-4": "2026-06-15",
        "claude-3-7-sonnet": "2026-02-19",
        "claude-3-5-haiku": "2026-02-19",
        "claude-3-opus": "2026-01-05",
        "claude-3-5-sonnet": "2025-10-28",
        "claude-3-sonnet": "2025-07-21",
        "claude-2.1": "2025-07-21",
        "claude-2.0": "2025-07-21",
    }
)
"""By the id without its date: the day on which the model answers no more (ISO 8601)."""

_VERSION: Final = re.compile(r"-(\d{8}|0|latest)$")


def retires(model_id: str) -> str | None:
    """The day on which the model goes or went (ISO 8601); None where none is set."""
    return RETIREMENTS.get(model_id) or RETIREMENTS.get(_VERSION.sub("", model_id))
