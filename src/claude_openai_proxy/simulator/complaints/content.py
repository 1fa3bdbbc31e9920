"""Media, cache marks, stop sequences, metadata."""

import base64
import binascii
import re
from collections.abc import Iterator

from claude_openai_proxy.simulator.complaints.asked import Asked
from claude_openai_proxy.simulator.loose_json import JSONObject, object_in, objects_in, text_in
from claude_openai_proxy.simulator.loose_json import list_in as items_in

LARGEST_BODY = 32 * 1024 * 1024
LARGEST_IMAGE = 5 * 1024 * 1024
CACHE_MARKS = 4
MAGIC = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
PHONE = re.compile(r"^\+?[\d\s().-]{7,20}$")


def too_large(asked: Asked) -> str | None:
    """More bytes than the API reads."""
    return "Request exceeds the maximum size" if asked.size > LARGEST_BODY else None


def bad_base64(asked: Asked) -> str | None:
    """Data that is no base64."""
    for path, source in _base64_sources(asked, "image", "document"):
        if _decoded(source) is None:
            return f"{path}.base64: invalid base64 data"
    return None


def image_type(asked: Asked) -> str | None:
    """Bytes of another kind than the media type says."""
    for path, source in _base64_sources(asked, "image"):
        said, found = source.get("media_type"), _kind_of(_decoded(source) or b"")
        if found is not None and found != said:
            mismatch = f"using the {said} media type, but the image appears to be a {found} image"
            return f"{path}.base64: The image was specified {mismatch}"
    return None


def no_image(asked: Asked) -> str | None:
    """Bytes that are no image at all."""
    for path, source in _base64_sources(asked, "image"):
        if _kind_of(_decoded(source) or b"") is None:
            return f"{path}.base64.data: Could not process image"
    return None


def large_image(asked: Asked) -> str | None:
    """An image above 5 MB."""
    for path, source in _base64_sources(asked, "image"):
        size = len(text_in(source.get("data")))
        if size > LARGEST_IMAGE:
            return f"{path}.base64: image exceeds 5 MB maximum: {size} bytes > {LARGEST_IMAGE} bytes"
    return None


def no_pdf(asked: Asked) -> str | None:
    """A document that is no PDF."""
    for path, source in _base64_sources(asked, "document"):
        if not (_decoded(source) or b"").startswith(b"%PDF"):
            return f"{path}.base64.data: The PDF specified was not valid."
    return None


def url_scheme(asked: Asked) -> str | None:
    """A URL that the API does not fetch."""
    for path, block in asked.all_blocks():
        source = object_in(block.get("source"))
        if source.get("type") == "url" and not text_in(source.get("url")).startswith(("https://", "http://")):
            return f"{path}.{block.get('type')}.source.url.url: Only HTTP and HTTPS URLs are supported."
    return None


def too_many_marks(asked: Asked) -> str | None:
    """More than four cache marks; the automatic one of the top level counts."""
    count = len(list(_marks(asked))) + bool(asked.body.get("cache_control"))
    text = f"A maximum of {CACHE_MARKS} blocks with cache_control may be provided. Found {count}."
    return text if count > CACHE_MARKS else None


def mark_order(asked: Asked) -> str | None:
    """A mark that lasts an hour after one that lasts five minutes."""
    shorter = False
    for path, mark in _marks(asked):
        if mark.get("ttl") != "1h":
            shorter = True
        elif shorter:
            rule = "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block."
            order = "Note that blocks are processed in the following order: `tools`, `system`, `messages`."
            return f"{path}.cache_control.ttl: {rule} {order}"
    return None


def mark_on_empty_text(asked: Asked) -> str | None:
    """A cache mark on a blank text block."""
    for path, block in asked.all_blocks():
        blank = block.get("type") == "text" and not text_in(block.get("text")).strip()
        if blank and block.get("cache_control"):
            return f"{path}.text: cache_control cannot be set for empty text blocks"
    return None


def blank_stop(asked: Asked) -> str | None:
    """A stop sequence of white space only."""
    blank = any(not text_in(stop).strip() for stop in items_in(asked.body.get("stop_sequences")))
    return "stop_sequences: each stop sequence must contain non-whitespace" if blank else None


def user_id_is_email(asked: Asked) -> str | None:
    """The end user's id looks like an e-mail address."""
    found = EMAIL.search(text_in(object_in(asked.body.get("metadata")).get("user_id")))
    return "metadata.user_id: user_id appears to contain an email address" if found else None


def user_id_is_phone(asked: Asked) -> str | None:
    """The end user's id looks like a phone number."""
    found = PHONE.match(text_in(object_in(asked.body.get("metadata")).get("user_id")))
    return "metadata.user_id: user_id appears to contain a phone number" if found else None


def _base64_sources(asked: Asked, *kinds: str) -> Iterator[tuple[str, JSONObject]]:
    for path, block in asked.all_blocks():
        source = object_in(block.get("source"))
        if block.get("type") in kinds and source.get("type") == "base64":
            yield f"{path}.{block['type']}.source", source


def _decoded(source: JSONObject) -> bytes | None:
    try:
        return base64.b64decode(text_in(source.get("data")), validate=True)
    except (binascii.Error, ValueError):
        return None


def _kind_of(data: bytes) -> str | None:
    return next((kind for kind, starts in MAGIC.items() if data.startswith(starts)), None)


def _marks(asked: Asked) -> Iterator[tuple[str, JSONObject]]:
    system = [(f"system.{index}", block) for index, block in enumerate(objects_in(asked.body.get("system")))]
    tools = [(f"tools.{index}", tool) for index, tool in enumerate(asked.tools)]
    for path, block in [*tools, *system, *asked.all_blocks()]:
        if isinstance(block.get("cache_control"), dict):
            yield path, object_in(block["cache_control"])
