"""The parts of messages and of what tools returned. Text that is empty or blank never leaves."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols import openai_responses_request as published
from claude_openai_proxy.protocols.anthropic import TextBlockParam
from claude_openai_proxy.translate.messages_api.conversation import Mark, text_blocks
from claude_openai_proxy.translate.messages_api.open_calls import ResultContent, SeenBlock
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.responses.items import decode, wrong
from claude_openai_proxy.translate.schemas.tolerant import TolerantDecoder
from claude_openai_proxy.translate.wishes.cache_marks import CacheMarks
from claude_openai_proxy.translate.wishes.media import file_block, image_block, web_source

_decoders: Final[Mapping[str, TolerantDecoder[Any]]] = MappingProxyType(
    {
        type_: TolerantDecoder(kind)
        for kind, types in (
            (published.TextPart, ("input_text", "output_text", "text")),
            (published.RefusalPart, ("refusal",)),
            (published.ImagePart, ("input_image", "computer_screenshot")),
            (published.FilePart, ("input_file",)),
        )
        for type_ in types
    }
)
_THOUGHT: Final = frozenset({"reasoning_text", "summary_text"})
"""Thinking without its signature: Claude takes none."""
_DEAF: Final = frozenset({"input_audio", "input_video"})


class _Typed(Struct, frozen=True):
    type: str = ""


_type_of: Final = msgspec.json.Decoder(_Typed).decode
_decode_list: Final = msgspec.json.Decoder(list[Raw]).decode
_decode_text: Final = msgspec.json.Decoder(str).decode


class ContentReader(Struct, frozen=True):
    """Reads parts; counts the client's cache marks."""

    marks: CacheMarks
    notes: Notes

    def seen(self, content: str | Sequence[Raw] | None, place: str) -> list[SeenBlock]:
        """Blocks of a user turn. Raises `InvalidRequestError` at a part that cannot stand there."""
        if content is None or isinstance(content, str):
            return [*text_blocks(content or "")]
        blocks = [self._part(part, f"{place}.content[{number}]") for number, part in enumerate(content)]
        return [block for block in blocks if block is not None]

    def text(self, content: str | Sequence[Raw] | None, place: str) -> list[TextBlockParam]:
        """Blocks of instructions or of an answer. Raises `InvalidRequestError` at a part that is no text."""
        texts: list[TextBlockParam] = []
        for number, block in enumerate(self.seen(content, place)):
            if not isinstance(block, TextBlockParam):
                raise InvalidRequestError("Only text can stand here.", param=f"{place}.content[{number}].type")
            texts.append(block)
        return texts

    def result(self, output: Raw, place: str) -> ResultContent:
        """What a tool returned: text, parts, or any other JSON, which becomes its text.

        Nothing in it fails the request: a client sends it again with every turn. A part that Claude cannot take is
        told in words. Its marks are not the client's to place: a result has one of its own at most.
        """
        opening = bytes(memoryview(output)[:1])
        if opening == b'"':
            return _decode_text(output)
        if opening == b"[":
            parts = _decode_list(output)
            if all(map(_is_part, parts)):
                reader = ContentReader(CacheMarks(), self.notes)
                return [block for part in parts if (block := reader.returned(part, place)) is not None] or UNSET
        if not output or bytes(output) == b"null":
            return UNSET
        return json.dumps(json.loads(bytes(output)), ensure_ascii=False)

    def returned(self, part: Raw, place: str) -> SeenBlock | None:
        """One part of what a tool returned."""
        try:
            return _without_mark(self._part(part, place))
        except InvalidRequestError as error:
            kind = kind_of_part(part, place)
            self.notes.decline(f"input[].output[].{kind[:40]}", error.message.rstrip("."))
            return TextBlockParam(f"({kind[:40]}: {error.message})")

    def _part(self, raw: Raw, place: str) -> SeenBlock | None:
        """None for blank text and for what is left out."""
        kind = kind_of_part(raw, place)
        if kind in _THOUGHT:
            self.notes.repair("thinking_without_signature_left_out")
            return None
        if kind in _DEAF:
            raise InvalidRequestError(f"Claude neither hears nor watches: {kind} is not supported.", param=place)
        decoder = _decoders.get(kind)
        if decoder is None:
            raise InvalidRequestError(f"A part of the type {kind[:40]!r} is not known here.", param=f"{place}.type")
        part = decode(decoder, raw, place, self.notes)
        match part:
            case published.TextPart(text=text) | published.RefusalPart(refusal=text):
                return next(iter(text_blocks(text, self._mark(part))), None)
            case published.ImagePart():
                return self._image(part, place)
            case published.FilePart():
                return self._file(part, place)
        raise AssertionError(kind)

    def _image(self, part: published.ImagePart, place: str) -> SeenBlock:
        if part.image_url is None:
            raise _no_file(place)
        return image_block(part.image_url, f"{place}.image_url", self._mark(part))

    def _file(self, part: published.FilePart, place: str) -> SeenBlock:
        if part.file_data is not None:
            return file_block(part.file_data, part.filename, f"{place}.file_data", self._mark(part))
        if part.file_url is None:
            raise _no_file(place)
        if web_source(part.file_url) is None:
            raise InvalidRequestError("The URL must be http(s).", param=f"{place}.file_url")
        return file_block(part.file_url, part.filename, f"{place}.file_url", self._mark(part))

    def _mark(self, part: published.Part) -> Mark:
        """OpenAI's lives are 30 minutes at least, and Claude's next longer one is an hour."""
        return UNSET if part.prompt_cache_breakpoint is None else self.marks.mark(long=True)


def kind_of_part(part: Raw, place: str) -> str:
    """A part's type. Raises `InvalidRequestError` where it has none."""
    try:
        return _type_of(part).type
    except msgspec.DecodeError as error:
        raise wrong(error, place) from None


def _is_part(value: Raw) -> bool:
    try:
        return bool(_type_of(value).type)
    except msgspec.DecodeError:
        return False


def _no_file(place: str) -> InvalidRequestError:
    return InvalidRequestError(
        "Send the file itself or its URL, or the id of one that was uploaded with POST /v1/files.",
        param=f"{place}.file_id",
    )


def _without_mark(block: SeenBlock | None) -> SeenBlock | None:
    return (
        block if block is None or block.cache_control is UNSET else msgspec.structs.replace(block, cache_control=UNSET)
    )
