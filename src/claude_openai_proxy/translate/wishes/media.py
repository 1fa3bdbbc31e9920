"""Images and files: where their bytes are, and what they really are."""

import binascii
from base64 import b64decode
from urllib.parse import unquote

from msgspec import UNSET

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import (
    Base64Source,
    DocumentBlockParam,
    ImageBlockParam,
    PlainTextSource,
    URLSource,
)
from claude_openai_proxy.translate.messages_api.conversation import Mark

IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
IMAGE_SUFFIXES = ("png", "jpg", "jpeg", "gif", "webp")
PDF = "application/pdf"

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF", PDF),
)
_SYNONYMS = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
_HEAD = 24
"""Base64 characters that are enough to tell what the bytes are."""

_TO_STANDARD = str.maketrans("-_", "+/", " \t\r\n")


def image_block(url: str, place: str, mark: Mark = UNSET) -> ImageBlockParam | DocumentBlockParam:
    """An image (or a PDF sent as one) from an http(s) URL, a `data:` URL or bare base64.

    Raises `InvalidRequestError` at `place` for anything else.
    """
    if (source := web_source(url)) is not None:
        if _web_suffix(url) == "pdf":
            return DocumentBlockParam(source=source, cache_control=mark)
        return ImageBlockParam(source=source, cache_control=mark)
    declared, data = _data_url(url, place)
    return image_of_bytes(declared, data, place, mark)


def web_source(url: str) -> URLSource | None:
    """Something that Claude's side fetches; None for any other URL."""
    scheme, _, rest = url[:9].partition("://")
    if scheme.lower() not in {"http", "https"} or not rest:
        return None
    return URLSource(scheme.lower() + url[len(scheme) :])


def _web_suffix(url: str) -> str:
    """What the name of a file on the web ends in, in small letters."""
    path = url.partition("#")[0].partition("?")[0]
    return path.rpartition("/")[2].rpartition(".")[2].lower()


def image_of_bytes(declared: str, data: str, place: str, mark: Mark = UNSET) -> ImageBlockParam | DocumentBlockParam:
    """An image from base64, with the media type that its bytes show. Raises `InvalidRequestError` where it is none."""
    data = _clean(data)
    media_type = _sniffed(data, place) or _SYNONYMS.get(declared, declared)
    if media_type == PDF:
        return DocumentBlockParam(source=Base64Source(PDF, data), cache_control=mark)
    if media_type not in IMAGE_TYPES or not data:
        raise InvalidRequestError("The image must be a PNG, JPEG, GIF or WebP in base64, or a URL.", param=place)
    return ImageBlockParam(source=Base64Source(media_type, data), cache_control=mark)


def file_block(
    file_data: str, filename: str | None, place: str, mark: Mark = UNSET
) -> ImageBlockParam | DocumentBlockParam:
    """A PDF, an image or plain text that came with the request, as base64 or a `data:` URL; or an http(s) URL.

    Raises `InvalidRequestError` at `place` for anything else.
    """
    if (on_the_web := web_source(file_data)) is not None:
        if _web_suffix(file_data) in IMAGE_SUFFIXES:
            return ImageBlockParam(source=on_the_web, cache_control=mark)
        return DocumentBlockParam(source=on_the_web, title=filename or UNSET, cache_control=mark)
    declared, data = _data_url(file_data, place)
    if (media_type := _sniffed(_clean(data), place)) in IMAGE_TYPES:
        return ImageBlockParam(source=Base64Source(media_type, _clean(data)), cache_control=mark)
    source = document_source(declared, data, place)
    return DocumentBlockParam(source=source, title=filename or UNSET, cache_control=mark)


def document_source(declared: str, data: str, place: str) -> Base64Source | PlainTextSource:
    """A PDF or plain text from base64, as its bytes show. Raises `InvalidRequestError` where it is neither."""
    data = _clean(data)
    if _sniffed(data, place) == PDF or declared == PDF:
        return Base64Source(PDF, data)
    return PlainTextSource(_text(data, place))


def _data_url(url: str, place: str) -> tuple[str, str]:
    """Declared media type (may be empty) and base64 of a `data:` URL or of bare base64."""
    if url[:5].lower() != "data:":
        if ":" in url[:32]:
            raise InvalidRequestError("The URL must be http(s) or data: with base64.", param=place)
        return "", url
    head, comma, data = url[5:].partition(",")
    media_type, *parameters = head.lower().split(";")
    if not comma or "base64" not in [parameter.strip() for parameter in parameters]:
        raise InvalidRequestError("A data: URL must have the form data:MEDIA_TYPE;base64,DATA.", param=place)
    return media_type.strip(), data


def _clean(data: str) -> str:
    """Standard base64 with padding; line breaks, percent escapes and the URL alphabet are other spellings of it."""
    if "%" in data:
        data = unquote(data)
    if any(character in data for character in "-_ \t\r\n"):
        data = data.translate(_TO_STANDARD)
    return data + "=" * (-len(data) % 4)


def _sniffed(data: str, place: str) -> str | None:
    try:
        head = binascii.a2b_base64(data[:_HEAD], strict_mode=True)
    except ValueError:
        raise InvalidRequestError("The data is not base64.", param=place) from None
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return next((media_type for magic, media_type in _MAGIC if head.startswith(magic)), None)


def _text(data: str, place: str) -> str:
    try:
        text = b64decode(data, validate=True).decode("utf-8-sig")
    except ValueError:
        text = ""
    if not text.strip() or "\0" in text:
        raise InvalidRequestError("A file must be a PDF, an image or UTF-8 text that is not empty.", param=place)
    return text
