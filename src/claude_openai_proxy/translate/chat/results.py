"""What tools returned, as clients send it: text, parts, a list of texts, or any other JSON, which becomes its text."""

import json
from typing import Final, get_args

import msgspec

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.openai_chat_request import Content, ContentPart, JSONValue, TextPart

_PARTS: Final[frozenset[object]] = frozenset(part.__struct_config__.tag for part in get_args(ContentPart))
"""The types of parts that are known."""


def read_result(content: JSONValue, place: str) -> Content:
    """As the content of a message. Raises `InvalidRequestError` for a part of a known type that is not one."""
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(item, str) or _is_part(item) for item in content):
        return [_part(item, f"{place}.content[{index}]") for index, item in enumerate(content)]
    return json.dumps(content, ensure_ascii=False)


def _is_part(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("type"), str) and item["type"] in _PARTS


def _part(item: object, place: str) -> ContentPart:
    if isinstance(item, str):
        return TextPart(text=item)
    try:
        part: ContentPart = msgspec.convert(item, ContentPart)
    except msgspec.ValidationError as error:
        sentence, _, inside = str(error).partition(" - at `$")
        raise InvalidRequestError(f"{sentence}.", param=f"{place}{inside.rstrip('`')}") from None
    return part
