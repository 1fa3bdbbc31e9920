"""Regular expressions of schemas: their equal that both ECMAScript's `u` mode and Python take.

JSON Schema means ECMA-262 (https://json-schema.org/draft/2020-12/json-schema-core#section-6.4); who judges a schema
may compile its patterns with either. One pass, nothing is compiled here.
"""

import re
from typing import Final

LONGEST_PATTERN: Final = 4096
"""Characters of a pattern that is read."""
_MOST_GROUPS: Final = 50
"""Groups in one another that are read."""

_SYNTAX: Final = frozenset("^$\\.*+?()[]{}|/")
_ONE_CHARACTER: Final = re.compile(r"\\(?:[tnvfr0](?![0-9])|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})")
_CLASS_ESCAPE: Final = re.compile(r"\\[dDsSwW]")
_BACK: Final = re.compile(r"\\([1-9][0-9]?)")
_REPEAT: Final = re.compile(r"\{([0-9]{1,9})(?:(,)([0-9]{1,9})?)?\}")
_GROUP: Final = re.compile(r"\((?:\?(?::|=|!|<=|<!|P?<[A-Za-z_][A-Za-z0-9_]*>))?")
_CONTROLS: Final = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "0": 0}
_ENDS: Final = {"A": "^", "Z": "$", "z": "$"}


def pattern_of_name(name: str) -> str:
    """Matches this name and no other."""
    return "^" + "".join(f"\\{char}" if char in _SYNTAX else char for char in name) + "$"


def equal_pattern(pattern: str) -> str | None:
    """The same in words that both take; None where there are none, or nobody can tell."""
    if len(pattern) > LONGEST_PATTERN:
        return None
    try:
        return _Reading(pattern).whole()
    except _NoPatternError:
        return None


class _NoPatternError(Exception):
    """Not to be said so that both take it."""


class _Reading:
    """`_open` are the groups around the place, outermost first; `_ready` the numbers of groups that are closed."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._out: list[str] = []
        self._open: list[tuple[str, int]] = []
        self._groups = 0
        self._ready: set[int] = set()
        self._repeatable = False

    def whole(self) -> str:
        while self._at < len(self._text):
            self._term(self._text[self._at])
        if self._open:
            raise _NoPatternError
        return "".join(self._out)

    def _term(self, char: str) -> None:
        if char in "*+?{":
            self._quantifier(char)
        elif char == "(":
            self._group()
        elif char == ")":
            self._close()
        elif char == "[":
            self._class()
        elif char == "\\":
            self._escape()
        elif char in "]}":
            self._take(1, "\\" + char)
        else:
            self._take(1, char, repeatable=char not in "^$|")
            if char == "|":
                self._refuse_in_lookbehind()

    def _take(self, length: int, out: str, *, repeatable: bool = True) -> None:
        self._at += length
        self._out.append(out)
        self._repeatable = repeatable

    def _refuse_in_lookbehind(self) -> None:
        """Python looks behind for a fixed width only."""
        if any(kind.startswith("(?<") for kind, _ in self._open):
            raise _NoPatternError

    def _quantifier(self, char: str) -> None:
        found = _REPEAT.match(self._text, self._at) if char == "{" else None
        if char == "{" and found is None:
            if re.match(r"\{[0-9,]*\}", self._text[self._at : self._at + 24]):
                raise _NoPatternError
            self._take(1, "\\{")
            return
        if not self._repeatable or (found and found[3] and int(found[3]) < int(found[1])):
            raise _NoPatternError
        self._refuse_in_lookbehind()
        self._take(len(found[0]) if found else 1, found[0] if found else char, repeatable=False)
        if self._text[self._at : self._at + 1] == "?":
            self._take(1, "?", repeatable=False)

    def _group(self) -> None:
        found = _GROUP.match(self._text, self._at)
        kind = found[0] if found else ""
        named = kind.endswith(">")
        if not found or len(self._open) >= _MOST_GROUPS or self._text.startswith("?", found.end()):
            raise _NoPatternError
        captures = kind == "(" or named
        self._groups += captures
        self._open.append(("(" if named else kind, self._groups if captures else 0))
        self._take(len(kind), "(" if named else kind, repeatable=False)

    def _close(self) -> None:
        if not self._open:
            raise _NoPatternError
        kind, number = self._open.pop()
        self._ready.add(number)
        self._take(1, ")", repeatable=kind in {"(", "(?:"})

    def _escape(self) -> None:
        if found := _ONE_CHARACTER.match(self._text, self._at) or _CLASS_ESCAPE.match(self._text, self._at):
            self._take(len(found[0]), found[0])
        elif found := _BACK.match(self._text, self._at):
            if int(found[1]) not in self._ready or self._text[found.end() : found.end() + 1].isdecimal():
                raise _NoPatternError
            self._refuse_in_lookbehind()
            self._take(len(found[0]), found[0])
        else:
            char = self._text[self._at + 1 : self._at + 2]
            if char in {"b", "B"}:
                self._take(2, "\\" + char, repeatable=False)
            elif char in _ENDS:
                self._take(2, _ENDS[char], repeatable=False)
            else:
                self._take(2, _literal(char, _SYNTAX))

    # ---- [a-z] -----------------------------------------------------------------------------------------------------

    def _class(self) -> None:
        negated = self._text.startswith("^", self._at + 1)
        self._take(1 + negated, "[^" if negated else "[")
        first = True
        while (char := self._text[self._at : self._at + 1]) != "]" or first:
            if not char or (first and char == "]"):
                raise _NoPatternError
            low = self._member()
            if self._text.startswith("-", self._at) and not self._text.startswith("-]", self._at):
                self._take(1, "-")
                high = self._member()
                if low is None or high is None or low > high:
                    raise _NoPatternError
            first = False
        self._take(1, "]")

    def _member(self) -> int | None:
        """One member is copied; its code point, None where it stands for several."""
        char = self._text[self._at : self._at + 1]
        if char == "\\":
            return self._escaped_member()
        if not char:
            raise _NoPatternError
        self._take(1, f"\\{char}" if char in "[-" else char)
        return ord(char)

    def _escaped_member(self) -> int | None:
        if found := _CLASS_ESCAPE.match(self._text, self._at):
            self._take(2, found[0])
            return None
        if found := _ONE_CHARACTER.match(self._text, self._at):
            self._take(len(found[0]), found[0])
            return _CONTROLS[found[0][1]] if len(found[0]) == 2 else int(found[0], 0)
        char = self._text[self._at + 1 : self._at + 2]
        self._take(2, "\\b" if char == "b" else _literal(char, _SYNTAX | {"-"}))
        return 8 if char == "b" else ord(char)


def _literal(char: str, escaped: frozenset[str]) -> str:
    """An escaped character that stands for itself; what it means with a letter is another one's dialect."""
    if not char or char.isalnum() or char == "_":
        raise _NoPatternError
    return f"\\{char}" if char in escaped else char
