"""The one string property `input` of an emulated custom tool, decoded while its JSON text streams in."""

import re
from typing import Final

import msgspec
from msgspec import Struct

CUSTOM_INPUT: Final = "input"
"""The one property of a free-form tool."""

_HEAD: Final = re.compile(rf'\s*\{{\s*"{CUSTOM_INPUT}"\s*:\s*"')
_PLAIN: Final = re.compile(r'[^"\\]+')
_ESCAPE: Final = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_SIMPLE: Final = str.maketrans("bfnrt", "\b\f\n\r\t")
_HALF_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


class _Wrapped(Struct, frozen=True):
    input: str


class CustomInputDecoder:
    """JSON text of `{"input": "..."}` in, the string out, piece by piece; splits may fall inside an escape.

    JSON of any other form is held back and handed over as it is at the end, so that nothing is lost.
    """

    def __init__(self) -> None:
        self._held = ""
        self._inside = False
        self._over = False
        self._high: int | None = None
        """The first half of a surrogate pair whose second half has not come yet."""

    def feed(self, json_text: str) -> str:
        """The piece of the input that is certain by now, possibly empty."""
        if self._over:
            return ""
        self._held += json_text
        if not self._inside:
            head = _HEAD.match(self._held)
            if head is None:
                return ""
            self._inside = True
            self._held = self._held[head.end() :]
        return self._decode()

    def end(self, *, cut: bool) -> str:
        """The rest. `cut`: the call broke off; half an escape, or half a beginning, stands for nothing then."""
        if self._inside:
            return _REPLACEMENT if self._high is not None and not cut else ""
        return "" if cut and _may_begin(self._held) else _unwrapped(self._held)

    def _decode(self) -> str:
        pieces: list[str] = []
        at = 0
        while at < len(self._held):
            if self._held[at] == '"':
                self._over = True
                break
            token = _PLAIN.match(self._held, at) or _ESCAPE.match(self._held, at)
            if token is None:
                if _HALF_ESCAPE.match(self._held, at):
                    break
                # No JSON escape: the backslash stands for itself.
                pieces.append(self._settled("\\"))
                at += 1
                continue
            pieces.append(self._character(token))
            at = token.end()
        self._held = self._held[at:]
        if self._over:
            pieces.append(self._settled(""))
        return "".join(pieces)

    def _character(self, token: "re.Match[str]") -> str:
        if token.re is _PLAIN:
            return self._settled(token[0])
        if token[2] is not None:
            return self._settled(token[2].translate(_SIMPLE))
        return self._unit(int(token[1], 16))

    def _unit(self, unit: int) -> str:
        """One UTF-16 unit. Half a pair cannot be sent as UTF-8 and becomes U+FFFD, as decoders do."""
        if 0xDC00 <= unit < 0xE000 and self._high is not None:
            high, self._high = self._high, None
            return chr(0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00))
        before = self._settled("")
        if 0xD800 <= unit < 0xDC00:
            self._high = unit
            return before
        return before + (_REPLACEMENT if 0xDC00 <= unit < 0xE000 else chr(unit))

    def _settled(self, text: str) -> str:
        """`text`, after the lone half of a pair that waited for its other half."""
        if self._high is None:
            return text
        self._high = None
        return _REPLACEMENT + text


def _may_begin(text: str) -> bool:
    """Whether `text` may be the beginning of `{"input": "`."""
    return f'{{"{CUSTOM_INPUT}":"'.startswith("".join(text.split()))


def _unwrapped(text: str) -> str:
    try:
        return msgspec.json.decode(text, type=_Wrapped).input
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text if text.strip() != "{}" else ""
