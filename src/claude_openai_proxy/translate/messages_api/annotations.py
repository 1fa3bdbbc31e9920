"""Citations of Claude's text blocks (https://docs.anthropic.com/en/docs/build-with-claude/citations) as annotations."""

from collections.abc import Iterable

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.openai_chat_response import Annotation, AnnotationURLCitation


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


class AnnotationList:
    """The annotations of one answer. A cited block is cited as a whole: its range of characters is the annotation's."""

    def __init__(self) -> None:
        self._finished: list[Annotation] = []
        self._open: list[_Citation] = []
        self._start = 0

    def open(self, offset: int, citations: Iterable[Raw]) -> None:
        """A text block starts at this character of the content."""
        self._start = offset
        for citation in citations:
            self.add(citation)

    def add(self, citation: Raw) -> None:
        """The open block has this source."""
        self._open.append(_decode(citation))

    def close(self, offset: int) -> None:
        """The text block ends before this character."""
        start = min(self._start, offset)
        for citation in self._open:
            if (annotation := _to_annotation(citation, start, offset)) is not None:
                self._finished.append(annotation)
        self._open.clear()

    def take(self) -> list[Annotation]:
        """All that are finished, in their order."""
        finished, self._finished = self._finished, []
        return finished


def _decode(citation: Raw) -> _Citation:
    try:
        return msgspec.json.decode(citation, type=_Citation)
    except msgspec.DecodeError as error:
        raise UpstreamProtocolError(f"Claude sent a citation that cannot be read: {error}") from error


def _to_annotation(citation: _Citation, start: int, end: int) -> Annotation | None:
    url = citation.url or citation.source or _document_url(citation)
    if url is None:
        return None
    title = citation.title or citation.document_title or url
    return Annotation(AnnotationURLCitation(start_index=start, end_index=end, title=title, url=url))


def _document_url(citation: _Citation) -> str | None:
    """OpenAI's form demands an address: the document's number in the request, with the fragment of RFC 3778 or 5147."""
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
