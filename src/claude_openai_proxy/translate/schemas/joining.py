"""Schemas that all hold at once (`allOf`, and what stands beside a `$ref`) as one schema, in linear time.

The schemas are those of `modern`: valid 2020-12, whose references lead into `$defs` or `definitions` of the document.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from claude_openai_proxy.translate.schemas.allowance import Allowance
from claude_openai_proxy.translate.schemas.document import Document, Schema
from claude_openai_proxy.translate.schemas.modern import with_words
from claude_openai_proxy.translate.schemas.types import TYPES, types_named

SchemasByName = dict[str, dict[bytes, object]]

DEFINITIONS: Final = ("$defs", "definitions")
_BY_NAME: Final = ("properties", "patternProperties")
_LEAST: Final = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_MOST: Final = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})


def parts_of(schema: Schema, document: Document, allowance: Allowance) -> Iterator[tuple[str | None, Schema]]:
    """The schemas that hold at once, without `$ref`, `allOf` and definitions, each with the reference that led there.

    What refers to itself adds nothing: each reference is followed once.
    """
    followed: set[str] = set()
    waiting: list[tuple[str | None, object]] = [(None, schema)]
    while waiting:
        via, part = waiting.pop()
        if not isinstance(part, dict):
            if part is False:
                yield via, {"not": {}}
            continue
        allowance.spend(characters=8 * len(part))
        yield via, {key: value for key, value in part.items() if key not in {"$ref", "allOf", *DEFINITIONS}}
        all_of = part.get("allOf")
        waiting.extend((via, one) for one in reversed(all_of if isinstance(all_of, list) else []))
        if isinstance(ref := part.get("$ref"), str) and ref not in followed:
            followed.add(ref)
            waiting.append((ref, document.target(ref)))


class Joined:
    """`add` each of them in turn: the first one's words come first, bounds are the tighter ones.

    A property that two of them describe is held to both.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._plain: Schema = {}
        self._by_name: dict[str, SchemasByName] = {}
        self._required: dict[str, None] = {}
        self._texts: dict[str, None] = {}
        self._lost: list[Schema] = []

    def add(self, part: Mapping[str, object]) -> None:
        """One more that holds."""
        lost: Schema = {}
        for key, value in part.items():
            if key in _BY_NAME and isinstance(value, dict):
                for name, schema in value.items():
                    add_once(self._by_name.setdefault(key, {}), name, schema, self._allowance)
            elif key == "required" and isinstance(value, list):
                self._required.update(dict.fromkeys(map(str, value)))
            elif key == "description" and isinstance(value, str):
                self._texts[value] = None
            elif key not in self._plain:
                self._plain[key] = value
            elif self._plain[key] != value and key not in {"title", "default", "examples", "$comment"}:
                self._tighten(key, value, lost)
        if lost:
            self._lost.append(lost)

    def _tighten(self, key: str, value: object, lost: Schema) -> None:
        there = self._plain[key]
        if key in _LEAST | _MOST and isinstance(there, int | float) and isinstance(value, int | float):
            self._plain[key] = max(there, value) if key in _LEAST else min(there, value)
        elif key == "type" and (both := _both(there, value)):
            self._plain[key] = both[0] if len(both) == 1 else both
        else:
            lost[key] = value

    @property
    def reduced(self) -> bool:
        """Something that one of them says is there in words only."""
        return bool(self._lost)

    def schema(self) -> Schema:
        """All of them as one."""
        out = dict(self._plain)
        for key, names in self._by_name.items():
            out[key] = {name: _all_of(list(schemas.values())) for name, schemas in names.items()}
        if self._required:
            out["required"] = list(self._required)
        if self._texts:
            out["description"] = " ".join(filter(None, self._texts))
        return with_words(out, {"allOf": self._lost} if self._lost else {})


def add_once(by_name: SchemasByName, name: str, schema: object, allowance: Allowance) -> None:
    """One more schema of this name, where it has no equal there."""
    text = msgspec.json.encode(schema)
    allowance.spend(0, characters=len(name) + len(text))
    by_name.setdefault(name, {})[text] = schema


def _all_of(schemas: list[object]) -> object:
    return schemas[0] if len(schemas) == 1 else {"allOf": schemas}


def _both(one: object, other: object) -> list[str]:
    """The types that both let through; an integer is a number."""
    first, second = types_named(one) or [], types_named(other) or []
    wide = {*second, *(["integer"] if "number" in second else [])}
    narrow = [type_ for type_ in first if type_ in wide]
    if "number" in first and "integer" in second:
        narrow.append("integer")
    return [type_ for type_ in dict.fromkeys(narrow) if type_ in TYPES]
