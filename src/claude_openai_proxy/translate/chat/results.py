"""What tools returned, as clients send it: text, parts, a list of texts, or any other JSON, which becomes its text."""

import json
from collections.abc import Sequence
from typing import Final, get_args

import msgspec

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.openai_chat_request import Content, ContentPart, JSONValue, TextPart
from claude_openai_proxy.translate.chat.declined import unmet
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.schemas.tolerant import TolerantDecoder

_PARTS: Final[frozenset[object]] = frozenset(part.__struct_config__.tag for part in get_args(ContentPart))
"""The types of parts that are known."""

_decoder: Final[TolerantDecoder[ContentPart]] = TolerantDecoder(ContentPart)


def read_result(content: JSONValue, place: str, notes: Notes) -> Content:
    """As the content of a message; members of parts that have no type are declined.

    Raises `InvalidRequestError` for a part of a known type that is not one.
    """
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list) and is_of_parts(content):
        return [_part(item, f"{place}.content[{index}]", notes) for index, item in enumerate(content)]
    return json.dumps(content, ensure_ascii=False)


def is_of_parts(content: Sequence[object]) -> bool:
    """Whether these are parts and texts, not just any JSON."""
    return all(isinstance(item, str) or _is_part(item) for item in content)


def _is_part(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("type"), str) and item["type"] in _PARTS


def _part(item: object, place: str, notes: Notes) -> ContentPart:
    if isinstance(item, str):
        return TextPart(text=item)
    try:
        part, unknown = _decoder.decode(msgspec.json.encode(item))
    except msgspec.ValidationError as error:
        sentence, _, inside = str(error).partition(" - at `$")
        raise InvalidRequestError(f"{sentence}.", param=f"{place}{inside.rstrip('`')}") from None
    notes.decline_all(tuple(unmet({f"messages[].content[].{name}": values for name, values in unknown.items()})))
    return part
