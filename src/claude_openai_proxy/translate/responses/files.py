"""Files that a request names by id, in messages and in what tools returned."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw

FILE_ID: Final = b'"file_id"'
_LISTS: Final = ("content", "output")
"""Members of items that hold parts."""

File = tuple[str, str]
"""Base64 of its bytes, and its name."""


def named_files(items: Sequence[Raw]) -> list[tuple[str, str, bool]]:
    """Id, place, and whether a tool returned it, of each file that is named."""
    named: list[tuple[str, str, bool]] = []

    def note(part: dict[str, Any], place: str, *, returned: bool) -> None:
        named.append((part["file_id"], place, returned))

    _walk(items, note)
    return named


def with_files(items: Sequence[Raw], files: Mapping[str, File]) -> list[Raw]:
    """With those in place that there are; a part whose file is not among them stays as it is."""

    def put(part: dict[str, Any], place: str, *, returned: bool) -> None:  # noqa: ARG001 - the walk's signature
        if (file := files.get(part["file_id"])) is None:
            return
        data, name = file
        del part["file_id"]
        if part.get("type") == "input_image":
            part["image_url"] = data
        else:
            part |= {"file_data": data, "filename": part.get("filename") or name}

    return _walk(items, put)


def _walk(items: Sequence[Raw], visit: Callable[..., None]) -> list[Raw]:
    """Each part with an id is shown once; the items with what became of them."""
    walked: list[Raw] = []
    for number, raw in enumerate(items):
        if FILE_ID not in bytes(raw):
            walked.append(raw)
            continue
        item = msgspec.json.decode(raw)
        for member in _LISTS:
            parts = item.get(member) if isinstance(item, dict) else None
            for index, part in enumerate(parts if isinstance(parts, list) else ()):
                if isinstance(part, dict) and isinstance(part.get("file_id"), str):
                    visit(part, f"input[{number}].{member}[{index}].file_id", returned=member == "output")
        walked.append(Raw(msgspec.json.encode(item)))
    return walked
