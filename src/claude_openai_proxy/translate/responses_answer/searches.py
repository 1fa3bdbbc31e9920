"""Searches that Claude makes itself. It may call for several before it hears of the first: their items wait in line.

| state of a search | what happens |
|---|---|
| called for, none is open | its item opens |
| called for, another is open | it waits until that one is over |
| found something, or was refused | its item is closed; both of its blocks can be carried |
| something else is said before that | its item is closed as failed; nothing of it is carried |
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from claude_openai_proxy.protocols import openai_responses as published
from claude_openai_proxy.protocols.openai_responses import ItemStatus, OutputItem, ResponseEvent
from claude_openai_proxy.translate.responses_answer.manner import Included
from claude_openai_proxy.translate.responses_answer.open_items import Place


@dataclass(slots=True, eq=False)
class Search:
    """One of them. `use` gives Claude's call of it, once that is whole."""

    id: str
    use: Callable[[], Raw]
    found: Raw | None = None
    """What Claude got: results, or an error object."""


class Searches:
    """Of one answer."""

    def __init__(self) -> None:
        self._waiting: deque[Search] = deque()
        self._unanswered: dict[str, Search] = {}
        self._blocks: list[tuple[Search, Callable[[], Raw]]] = []
        """In Claude's order."""

    def call(self, id_: str, use: Callable[[], Raw]) -> None:
        """One more, at the end of the line."""
        search = self._unanswered[id_] = Search(id_, use)
        self._waiting.append(search)
        self._blocks.append((search, use))

    def find(self, id_: str, content: Raw, block: Callable[[], Raw]) -> None:
        """What one got. Nobody waits for it where its item is closed."""
        if search := self._unanswered.pop(id_, None):
            search.found = content
            self._blocks.append((search, block))

    def next(self) -> Search | None:
        """Who has waited longest."""
        return self._waiting.popleft() if self._waiting else None

    def carried(self) -> list[Raw]:
        """The blocks of those that found something, each once. None may be open any more, nor was its call cut."""
        assert not self._waiting, "every search is over"
        blocks, self._blocks = self._blocks, []
        self._unanswered.clear()
        return [block() for search, block in blocks if search.found is not None and _is_whole(search.use())]


class OpenSearch:
    """The item of a search."""

    def __init__(self, place: Place, search: Search, included: Included) -> None:
        self._place = place
        self._search = search
        self._included = included

    @property
    def over(self) -> bool:
        """Claude knows what was found."""
        return self._search.found is not None

    def begin(self) -> list[ResponseEvent]:
        """The item, and that it searches."""
        place = self._place
        item = published.WebSearchCall(place.id, "in_progress")
        return [
            published.OutputItemAdded(place.number(), place.index, item),
            published.WebSearchInProgress(place.number(), place.id, place.index),
            published.WebSearchSearching(place.number(), place.id, place.index),
        ]

    def close(self, status: ItemStatus) -> tuple[list[ResponseEvent], OutputItem]:  # noqa: ARG002 - the protocol's
        """See `OpenItem.close`. A search without results that can be read has failed."""
        place, found = self._place, _pages(self._search.found)
        action = _action(self._search.use())
        if found is not None and self._included.sources:
            action = msgspec.structs.replace(action, sources=[published.WebSearchSource(page.url) for page in found])
        results: list[published.WebSearchResult] | UnsetType = UNSET
        if found is not None and self._included.results:
            results = found
        item = published.WebSearchCall(place.id, "failed" if found is None else "completed", action, results)
        events: list[ResponseEvent] = [
            published.WebSearchCompleted(place.number(), place.id, place.index),
            published.OutputItemDone(place.number(), place.index, item),
        ]
        return events, item


class _SearchInput(Struct, frozen=True):
    query: str = ""


class _SearchUse(Struct, frozen=True):
    """A `server_tool_use` block."""

    input: Raw = Raw(b"{}")


_decode_use: Final = msgspec.json.Decoder(_SearchUse).decode
_results: Final = msgspec.json.Decoder(list[published.WebSearchResult]).decode


def _is_whole(use: Raw) -> bool:
    try:
        _decode_use(use)
    except msgspec.DecodeError:
        return False
    return True


def _pages(found: Raw | None) -> list[published.WebSearchResult] | None:
    """None where there are none to be read: an error is no list."""
    if found is None:
        return None
    try:
        return _results(found)
    except msgspec.DecodeError:
        return None


def _action(use: Raw) -> published.WebSearchAction:
    try:
        query = msgspec.json.decode(_decode_use(use).input, type=_SearchInput).query
    except msgspec.DecodeError:
        query = ""
    return published.WebSearchAction(query, [query] if query else [])
