"""The content of messages: text, images, files, and Claude's own parts. Text that is empty or blank never leaves."""

from collections.abc import Sequence
from typing import TypeVar

from msgspec import UNSET, Struct
from msgspec.structs import replace

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import (
    Base64Source,
    CitationsConfig,
    DocumentBlockParam,
    PlainTextSource,
    TextBlockParam,
    URLSource,
)
from claude_openai_proxy.protocols.openai_chat_request import (
    Base64Source as AskedBase64,
)
from claude_openai_proxy.protocols.openai_chat_request import (
    CacheControl,
    Content,
    ContentPart,
    DocumentPart,
    FilePart,
    ImagePart,
    ImageURL,
    ImageURLPart,
    InputAudioPart,
    RefusalPart,
    TextPart,
    TextSource,
)
from claude_openai_proxy.translate.chat.cache_marks import mark_of, mark_of_part
from claude_openai_proxy.translate.messages_api.conversation import Mark, text_blocks
from claude_openai_proxy.translate.messages_api.open_calls import ResultContent, SeenBlock
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.wishes.cache_marks import CacheMarks
from claude_openai_proxy.translate.wishes.media import (
    document_source,
    file_block,
    image_block,
    image_of_bytes,
    web_source,
)

Block = TypeVar("Block", bound=Struct)


class ContentReader(Struct, frozen=True):
    """Reads parts. `citations`: documents may be cited (not together with a JSON schema for the answer)."""

    marks: CacheMarks
    notes: Notes
    citations: bool = True

    def seen(self, content: Content, place: str, message_mark: CacheControl | None = None) -> Sequence[SeenBlock]:
        """Blocks of a user turn. Raises `InvalidRequestError` at a part that cannot stand there."""
        if isinstance(content, str):
            return self.plain(content, message_mark)
        blocks: list[SeenBlock] = []
        for index, part in enumerate(content or ()):
            block = self.part(part, f"{place}.content[{index}]")
            if block is not None:
                blocks.append(block)
        return self.with_message_mark(blocks, message_mark)

    def text(self, content: Content, place: str, message_mark: CacheControl | None = None) -> list[TextBlockParam]:
        """Blocks of a system message. Raises `InvalidRequestError` at a part that is no text."""
        if isinstance(content, str):
            return self.plain(content, message_mark)
        blocks: list[TextBlockParam] = []
        for index, part in enumerate(content or ()):
            blocks += self.said(part, f"{place}.content[{index}]")
        return self.with_message_mark(blocks, message_mark)

    def plain(self, text: str, mark: CacheControl | None) -> list[TextBlockParam]:
        """Text that is a message's whole content: at most one block."""
        if mark is None or _is_blank(text):
            return text_blocks(text)
        return text_blocks(text, mark_of(mark, self.marks))

    def said(self, part: ContentPart, place: str) -> list[TextBlockParam]:
        """The text of a part, at most one block. Raises `InvalidRequestError` where it is no text."""
        text = _text_of(part)
        if text is None:
            raise InvalidRequestError("Only text can stand here.", param=f"{place}.type")
        return [] if _is_blank(text) else [TextBlockParam(text, mark_of_part(part, self.marks))]

    def part(self, part: ContentPart, place: str) -> SeenBlock | None:
        """One block; None for blank text. Raises `InvalidRequestError` for what cannot stand there."""
        if isinstance(part, TextPart):
            return None if _is_blank(part.text) else TextBlockParam(part.text, mark_of_part(part, self.marks))
        if isinstance(part, RefusalPart):
            return None if _is_blank(part.refusal) else TextBlockParam(part.refusal, mark_of_part(part, self.marks))
        return self._medium(part, place)

    def result(self, content: Content, place: str) -> ResultContent:
        """What a tool returned (`read_result`). The marks of its parts become one mark of the result.

        Raises `InvalidRequestError` for a part that cannot stand there.
        """
        if isinstance(content, str):
            return content
        unmarked = ContentReader(CacheMarks(), self.notes, citations=self.citations)
        blocks = unmarked.seen(content, place)
        return [_without_mark(block) for block in blocks] or UNSET

    def result_mark(self, content: Content, mark: CacheControl | None) -> Mark:
        """The mark of a result: its own, or that of its last marked part."""
        if mark is not None:
            return mark_of(mark, self.marks)
        for part in reversed(content if isinstance(content, list) else []):
            if part.cache_control is not None or part.prompt_cache_breakpoint is not None:
                return mark_of_part(part, self.marks)
        return UNSET

    # ---- media --------------------------------------------------------------------------------------------------

    def _medium(self, part: ContentPart, place: str) -> SeenBlock:
        if isinstance(part, ImageURLPart):
            return self._image_url(part, place)
        if isinstance(part, FilePart):
            return self._file(part, f"{place}.file")
        if isinstance(part, ImagePart):
            return self._claude_image(part, place)
        if isinstance(part, DocumentPart):
            return self._claude_document(part, f"{place}.source")
        if isinstance(part, InputAudioPart):
            raise InvalidRequestError("Claude does not hear: input_audio is not supported.", param=place)
        raise InvalidRequestError("A part of this type cannot stand here.", param=f"{place}.type")

    def _image_url(self, part: ImageURLPart, place: str) -> SeenBlock:
        image, place = part.image_url, f"{place}.image_url"
        if isinstance(image, ImageURL):
            if image.detail not in {None, "auto"}:
                self.notes.decline("image_url.detail")
            image, place = image.url, f"{place}.url"
        return image_block(image, place, mark_of_part(part, self.marks))

    def _file(self, part: FilePart, place: str) -> SeenBlock:
        file, mark = part.file, mark_of_part(part, self.marks)
        if file.file_data is not None:
            return file_block(file.file_data, file.filename, f"{place}.file_data", mark)
        for name, url in (("file_url", file.file_url), ("file_id", file.file_id)):
            if url is not None and web_source(url) is not None:
                return file_block(url, file.filename, f"{place}.{name}", mark)
        raise InvalidRequestError(
            "Send the file itself or its URL in file_data; messages of the user and of tools can name an uploaded one.",
            param=f"{place}.file_id" if file.file_id is not None else place,
        )

    def _claude_image(self, part: ImagePart, place: str) -> SeenBlock:
        mark, source = mark_of_part(part, self.marks), part.source
        if isinstance(source, AskedBase64):
            return image_of_bytes(source.media_type, source.data, f"{place}.source.data", mark)
        if source is not None:
            return image_block(source.url, f"{place}.source.url", mark)
        if part.data is None:
            raise InvalidRequestError("The image has no source.", param=f"{place}.source")
        return image_of_bytes(part.mime_type, part.data, f"{place}.data", mark)

    def _claude_document(self, part: DocumentPart, place: str) -> SeenBlock:
        cited = part.citations is not None and part.citations.enabled
        if cited and not self.citations:
            self.notes.decline("citations", "an answer with a JSON schema has none")
        return DocumentBlockParam(
            source=_document_source(part, place),
            title=part.title or UNSET,
            context=part.context or UNSET,
            citations=CitationsConfig(enabled=True) if cited and self.citations else UNSET,
            cache_control=mark_of_part(part, self.marks),
        )

    # ---- marks --------------------------------------------------------------------------------------------------

    def with_message_mark(self, blocks: list[Block], mark: CacheControl | None) -> list[Block]:
        """A mark on a whole message is one on its last block."""
        if mark is not None and blocks and getattr(blocks[-1], "cache_control", None) is UNSET:
            blocks[-1] = replace(blocks[-1], cache_control=mark_of(mark, self.marks))
        return blocks


def _text_of(part: ContentPart) -> str | None:
    if isinstance(part, TextPart):
        return part.text
    return part.refusal if isinstance(part, RefusalPart) else None


def _is_blank(text: str) -> bool:
    return not text or text.isspace()


def _document_source(part: DocumentPart, place: str) -> Base64Source | URLSource | PlainTextSource:
    source = part.source
    if isinstance(source, TextSource):
        if _is_blank(source.data):
            raise InvalidRequestError("The document is empty.", param=f"{place}.data")
        return PlainTextSource(source.data)
    if isinstance(source, AskedBase64):
        return document_source(source.media_type, source.data, f"{place}.data")
    if (on_the_web := web_source(source.url)) is None:
        raise InvalidRequestError("The URL must be http(s).", param=f"{place}.url")
    return on_the_web


def _without_mark(block: SeenBlock) -> SeenBlock:
    return block if block.cache_control is UNSET else replace(block, cache_control=UNSET)
