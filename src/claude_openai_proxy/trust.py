"""Whose word counts how far, and the form of what a login consists of: said once for settings and logins."""

import re
from enum import IntEnum
from typing import Final, Literal

UpstreamName = Literal["auto", "api", "claude-code"]
"""The way to Claude that a user prefers."""

ANTHROPIC_URL: Final = "https://api.anthropic.com"


class Trust(IntEnum):
    """Whose word counts more. A `.env` of the working directory may come with a project that somebody else wrote."""

    DOTENV = 1
    CONFIRMED = 2
    """A `.env` of the working directory whose own credential is the one in use: it opens nobody else's door."""
    CLAUDE_SETTINGS = 3
    ENVIRONMENT = 4
    """The environment, a file that `--env-file` names, and the one in the user's own configuration folder."""
    BUILT_IN = 5


def header_text(text: str) -> str:
    """`text` if it can stand in a header: visible ASCII without blanks. Raises ValueError."""
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValueError
    return text
