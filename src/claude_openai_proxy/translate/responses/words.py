"""Items that Claude has no form for, told in words: what is readable in them is not lost."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import Raw

_MOST_SAID: Final = 4_000
"""Characters of one such text."""
_NEVER_TOLD: Final = frozenset({"mcp_list_tools"})
_ASSISTANTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "web_search_call": "searched the web for",
        "file_search_call": "searched the files for",
        "code_interpreter_call": "ran this code:",
        "image_generation_call": "made an image of",
        "computer_call": "used the computer:",
        "mcp_call": "called the tool",
        "mcp_approval_request": "asked for leave to call the tool",
        "program": "wrote this program:",
    }
)
"""What the assistant did, and the words for it."""
_READABLE: Final = (
    "queries", "query", "code", "prompt", "revised_prompt", "name", "arguments", "action", "text", "message",
    "content", "output", "logs", "outputs", "error", "reason", "approve", "url",
)  # fmt: skip
"""Members that say something to a reader."""


def is_told(type_: str) -> bool:
    """Whether anything is made of such an item."""
    return type_ not in _NEVER_TOLD


def is_assistants(type_: str) -> bool:
    """Whether it is something that the assistant did; all else was told to it."""
    return type_ in _ASSISTANTS


def told(type_: str, raw: Raw) -> str:
    """A line about the item; "" where nothing in it is readable."""
    members: dict[str, Any] = msgspec.json.decode(raw)
    said = "; ".join(dict.fromkeys(text for name in _READABLE for text in _texts(members.get(name))))[:_MOST_SAID]
    if type_ in _ASSISTANTS:
        return f"({_ASSISTANTS[type_]} {said})" if said else ""
    return f"({type_[:60]}: {said})" if said else ""


def _texts(value: Any) -> Iterator[str]:
    """Every text in it, however deep: what nests deeper than any client does was refused with the body."""
    if isinstance(value, str):
        if value.strip() and not value.startswith("data:"):
            yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in {"type", "id", "status"}:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
