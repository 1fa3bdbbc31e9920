"""Citations of Claude's text blocks (https://docs.anthropic.com/en/docs/build-with-claude/citations): who said what."""

from collections.abc import Iterable

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.translate.messages_api.answer_events import Annotation


class _Citation(Struct, frozen=True):
    """The members that any kind of citation may have."""

    url: str | None = None
    source: str | None = None
    title: str | None = None
    document_index: int | None = None
    document_title: str | None = None
    start_page_number: int | None = None
    start_char_index: int | None = None
    end_char_index: int | None = None
    start_block_index: int | None = None


class OpenCitations:
    """Those of the open text block. It is cited as a whole: its range of characters is the annotation's."""

    def __init__(self) -> None:
        self._open: list[_Citation] = []
        self._start = 0

    def open(self, offset: int, citations: Iterable[Raw]) -> None:
        """A text block starts at this character of the answer. Raises `UpstreamProtocolError`, as `add` does."""
        self._start = offset
        for citation in citations:
            self.add(citation)

    def add(self, citation: Raw) -> None:
        """The open block has this source. Raises `UpstreamProtocolError` where it cannot be read."""
        self._open.append(_decode(citation))

    def close(self, offset: int) -> list[Annotation]:
        """The text block ends before this character."""
        if not self._open:
            return []
        start = min(self._start, offset)
        found = [_to_annotation(citation, start, offset) for citation in self._open]
        self._open.clear()
        return [annotation for annotation in found if annotation is not None]


def _decode(citation: Raw) -> _Citation:
    try:
        return msgspec.json.decode(citation, type=_Citation)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamProtocolError(f"Claude sent a citation that cannot be read: {error}") from error


def _to_annotation(citation: _Citation, start: int, end: int) -> Annotation | None:
    url = citation.url or citation.source or _document_url(citation)
    if url is None:
        return None
    title = citation.title or citation.document_title or url
    return Annotation(start, end, title, url)


def _document_url(citation: _Citation) -> str | None:
    """Clients' forms demand an address: the document's number in the request, with the fragment of RFC 3778 or 5147."""
    if citation.document_index is None:
        return None
    url = f"document:{citation.document_index}"
    if citation.start_page_number is not None:
        return f"{url}#page={citation.start_page_number}"
    if citation.start_char_index is not None:
        return f"{url}#char={citation.start_char_index},{citation.end_char_index}"
    if citation.start_block_index is not None:
        return f"{url}#block={citation.start_block_index}"
    return url
