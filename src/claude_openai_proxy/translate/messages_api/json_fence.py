"""A code fence around an answer that was to be bare JSON, taken off while the answer streams.

| state | text so far | what is held |
|---|---|---|
| undecided | blank, or the beginning of a fence | all of it |
| fenced | begins with a fence | all of it: only the end tells whether the fence is around the whole |
| open | anything else, or what was given up | nothing, text goes through as it comes |

Invariant: what goes out is either everything that came in, or the one JSON value that stood between the two fences.
"""

import re
from typing import Final

import msgspec

_MARK: Final = "```"
_OPENING: Final = re.compile(r"(?P<mark>`{3,})[ \t]*(?:[A-Za-z]\w*)?")


class JSONFence:
    """Of one answer's text. Text is split anywhere."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._begun = ""
        """What is held without the blanks before it, until it is decided."""
        self._fenced = False
        self.open = False
        """Text goes through as it comes from now on."""
        self.held = 0
        """Characters held back for now."""
        self.removed = False
        """A fence has been taken off."""

    def feed(self, text: str) -> str:
        """What may go out now."""
        if self.open:
            return text
        self._pieces.append(text)
        self.held += len(text)
        if self._fenced:
            return ""
        self._begun = (self._begun + text).lstrip()
        self._fenced = self._begun.startswith(_MARK)
        return "" if self._fenced or _MARK.startswith(self._begun) else self.give_up()

    def give_up(self) -> str:
        """What is held, as it came: it turned out to be no fence, or something points into it."""
        held = "".join(self._pieces)
        self._pieces.clear()
        self.open, self.held = True, 0
        return held

    def end(self) -> str:
        """The text ends here: what is held, without the fence if it is one around one JSON value."""
        held = self.give_up()
        inside = _inside(held.strip())
        if not _is_json(inside):
            return held
        self.removed = True
        return inside


def _inside(text: str) -> str:
    """What stands between two fences of one length, "" where there is no such thing; the first may name a language."""
    opening = _OPENING.match(text)
    if opening is None or not text.endswith(mark := opening["mark"]):
        return ""
    return text[opening.end() : -len(mark)].strip()


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True
