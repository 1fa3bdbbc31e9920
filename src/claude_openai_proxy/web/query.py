"""What a query string asks of a list or an object, in OpenAI's spellings."""

import re
from typing import Final, Literal
from urllib.parse import parse_qsl

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.service.pages import MOST_ON_A_PAGE, ON_A_PAGE, PageAsked
from claude_openai_proxy.service.stored_items import INCLUDABLE

_METADATA: Final = re.compile(r"metadata\[(?P<key>.*)\]", re.DOTALL)
_MOST_DIGITS: Final = 15


class Query:
    """The last value counts where a name stands twice, but for lists, which are all of them."""

    def __init__(self, query: bytes) -> None:
        self._pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        self._asked = dict(self._pairs)

    def text(self, name: str) -> str | None:
        """A value; None where it is absent or empty."""
        return self._asked.get(name) or None

    def flag(self, name: str) -> bool:
        """Raises `InvalidRequestError` for what is neither true nor false."""
        value = self._asked.get(name, "false").lower()
        if value not in ("true", "false", "1", "0"):
            raise InvalidRequestError(f"{name} must be true or false.", param=name, code="invalid_value")
        return value in ("true", "1")

    def number(self, name: str) -> int | None:
        """A whole number from 0 on. Raises `InvalidRequestError`."""
        value = self.text(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS):
            raise InvalidRequestError(f"{name} must be a whole number from 0 on.", param=name, code="invalid_value")
        return int(value)

    def page(self, order: Literal["asc", "desc"]) -> PageAsked:
        """`limit`, `order` (the given one, where none is asked for) and `after`. Raises `InvalidRequestError`."""
        limit = self.number("limit")
        if limit is not None and not 1 <= limit <= MOST_ON_A_PAGE:
            raise InvalidRequestError(
                f"limit must be a number from 1 to {MOST_ON_A_PAGE}.", param="limit", code="invalid_value"
            )
        asked = self.text("order") or order
        if asked not in ("asc", "desc"):
            raise InvalidRequestError("order must be asc or desc.", param="order", code="invalid_value")
        return PageAsked("desc" if asked == "desc" else "asc", limit or ON_A_PAGE, self.text("after"))

    def include(self) -> frozenset[str]:
        """Raises `InvalidRequestError` at a name that is none."""
        names = [value for name, value in self._pairs if name in ("include", "include[]")]
        for number, name in enumerate(names):
            if name not in INCLUDABLE:
                supported = f"{', '.join(map(repr, INCLUDABLE[:-1]))} and {INCLUDABLE[-1]!r}"
                raise InvalidRequestError(
                    f"Invalid value: {name[:200]!r}. Supported values are: {supported}.",
                    param=f"include[{number}]",
                    code="invalid_value",
                )
        return frozenset(names)

    def metadata(self) -> dict[str, str]:
        """The pairs that stand as `metadata[key]=value`."""
        return {found["key"]: value for name, value in self._pairs if (found := _METADATA.fullmatch(name))}
