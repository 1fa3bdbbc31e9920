"""Small pieces from which the shape of a request is put together, complaining in the API's words."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from claude_openai_proxy.simulator.loose_json import is_integer, is_number

Kind: TypeAlias = Literal["missing", "type", "value", "extra", "tag"]


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something about the shape of a request; `text` begins with the place."""

    kind: Kind
    text: str


Shape: TypeAlias = Callable[[object, str], Iterator[Complaint]]


def anything(value: object, path: str) -> Iterator[Complaint]:  # noqa: ARG001 - a Shape
    """No complaint."""
    return iter(())


def boolean(value: object, path: str) -> Iterator[Complaint]:
    """True or false."""
    if not isinstance(value, bool):
        yield Complaint("type", f"{path}: Input should be a valid boolean")


def mapping(value: object, path: str) -> Iterator[Complaint]:
    """Any object."""
    if not isinstance(value, dict):
        yield Complaint("type", f"{path}: Input should be a valid dictionary")


def text(*, pattern: str = "", longest: int = 0, shortest: int = 0) -> Shape:
    """A string."""

    def shape(value: object, path: str) -> Iterator[Complaint]:
        if not isinstance(value, str):
            yield Complaint("type", f"{path}: Input should be a valid string")
        elif len(value) < shortest:
            yield Complaint("value", f"{path}: String should have at least {shortest} character")
        elif longest and len(value) > longest:
            yield Complaint("value", f"{path}: String should have at most {longest} characters")
        elif pattern and not re.search(pattern, value):
            yield Complaint("value", f"{path}: String should match pattern '{pattern}'")

    return shape


def number(*, least: float, most: float | None = None, whole: bool = False) -> Shape:
    """A number between two bounds."""

    def shape(value: object, path: str) -> Iterator[Complaint]:
        if not (is_integer(value) if whole else is_number(value)):
            yield Complaint("type", f"{path}: Input should be a valid {'integer' if whole else 'number'}")
        elif isinstance(value, (int, float)) and value < least:
            yield Complaint("value", f"{path}: Input should be greater than or equal to {least:g}")
        elif isinstance(value, (int, float)) and most is not None and value > most:
            yield Complaint("value", f"{path}: Input should be less than or equal to {most:g}")

    return shape


def one_of(*values: str) -> Shape:
    """One of these words."""
    named = " or ".join(filter(None, [", ".join(f"'{value}'" for value in values[:-1]), f"'{values[-1]}'"]))

    def shape(value: object, path: str) -> Iterator[Complaint]:
        if value not in values:
            yield Complaint("value", f"{path}: Input should be {named}")

    return shape


def nullable(inner: Shape) -> Shape:
    """null, or `inner`."""
    return lambda value, path: iter(()) if value is None else inner(value, path)


def list_of(item: Shape, *, least: int = 0) -> Shape:
    """A list."""

    def shape(value: object, path: str) -> Iterator[Complaint]:
        if not isinstance(value, list):
            yield Complaint("type", f"{path}: Input should be a valid list")
            return
        if len(value) < least:
            yield Complaint("value", f"{path}: List should have at least {least} item after validation, not 0")
        for index, entry in enumerate(value):
            yield from item(entry, f"{path}.{index}")

    return shape


def text_or(blocks: Shape) -> Shape:
    """A string, or a list of blocks."""
    return lambda value, path: iter(()) if isinstance(value, str) else blocks(value, path)


def object_with(required: Mapping[str, Shape], optional: Mapping[str, Shape]) -> Shape:
    """An object with these fields and no others."""
    fields = {**required, **optional}

    def shape(value: object, path: str) -> Iterator[Complaint]:
        if not isinstance(value, dict):
            kind = "Input should be an object" if path else "Input should be a valid dictionary"
            yield Complaint("type", f"{path}: {kind}".removeprefix(": "))
            return
        place = f"{path}." if path else ""
        for name in required:
            if name not in value:
                yield Complaint("missing", f"{place}{name}: Field required")
        for name, entry in value.items():
            if name not in fields:
                yield Complaint("extra", f"{place}{name}: Extra inputs are not permitted")
            else:
                yield from fields[name](entry, f"{place}{name}")

    return shape


def tagged(shapes: Mapping[str, Shape], *, default: str | None = None, others: Shape | None = None) -> Shape:
    """An object whose `type` says which shape it has; the type becomes part of the path."""
    known = ", ".join(f"'{tag}'" for tag in shapes)

    def shape(value: object, path: str) -> Iterator[Complaint]:
        if not isinstance(value, dict):
            yield Complaint("type", f"{path}: Input should be an object")
            return
        tag = value.get("type", default)
        if tag is None and default is None:
            yield Complaint("missing", f"{path}.type: Field required")
        elif (isinstance(tag, str) and tag in shapes) or (tag is None and default in shapes):
            yield from shapes[tag or default or ""](value, f"{path}.{tag or default}")
        elif others is not None and isinstance(tag, str):
            yield from others(value, f"{path}.{tag}")
        else:
            found = f"Input tag '{tag}' found using 'type' does not match any of the expected tags"
            yield Complaint("tag", f"{path}: {found}: {known}")

    return shape
