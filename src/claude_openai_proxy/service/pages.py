"""Pages of lists, as OpenAI's API counts them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from msgspec import Raw

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.openai_stored import ObjectList

MOST_ON_A_PAGE: Final = 100
ON_A_PAGE: Final = 20
"""Where the client does not say how many."""


@dataclass(frozen=True, slots=True)
class PageAsked:
    """What a client asks for: so many behind the one with the id `after`."""

    order: Literal["asc", "desc"]
    limit: int = ON_A_PAGE
    after: str | None = None

    @property
    def descending(self) -> bool:
        """The youngest first."""
        return self.order == "desc"


def page_of(found: Sequence[tuple[str, Raw]], asked: PageAsked) -> ObjectList:
    """What was found, one more than was asked for where there is more."""
    rows = found[: asked.limit]
    return ObjectList(
        data=[row for _, row in rows],
        first_id=rows[0][0] if rows else None,
        last_id=rows[-1][0] if rows else None,
        has_more=len(found) > asked.limit,
    )


def not_in_list(after: str) -> InvalidRequestError:
    """The 400 for an `after` that leads nowhere."""
    return InvalidRequestError(f"after: there is nothing with the id {after[:200]!r} in this list.", param="after")
