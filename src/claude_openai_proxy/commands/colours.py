"""Colours for a terminal; none into a pipe or a file, none where `NO_COLOR` is set (https://no-color.org)."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

_RESET: Final = "\x1b[0m"
_COLOURS: Final = {"ok": "\x1b[32m", "warning": "\x1b[33m", "problem": "\x1b[31m", "skipped": "\x1b[2m"}
_LEVEL: Final = re.compile(r"^(ok|warning|problem|skipped)\b|^Warning(?=:)")


def coloured(lines: Sequence[str], stream: TextIO | None, environment: Mapping[str, str]) -> list[str]:
    """The lines with the level at the beginning of each in its colour, where somebody sees it."""
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb" or stream is None or not stream.isatty():
        return list(lines)
    return [_LEVEL.sub(lambda level: f"{_COLOURS[level[0].lower()]}{level[0]}{_RESET}", line) for line in lines]
