"""Whether a JSON value fits a JSON schema: the keywords of https://json-schema.org/draft/2020-12 that SDKs write.

Unknown keywords, `format` and `pattern` (the expression comes from the client and runs on what the model wrote: it
may take for ever) are not looked at.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

Json = object
_STEPS: Final = 100_000
"""References can double the work with every level; what is not found out in so many steps is not found out."""
_DEPTH: Final = 100
"""Deeper than any decodable answer: beyond it a schema refers to itself and proves nothing."""


def fits(value: Json, schema: Json) -> bool:
    """Whether `value` satisfies `schema`, with `$ref` to the schema's own definitions."""
    return _Checker(schema).fits(value, schema, _DEPTH)


class _Checker:
    def __init__(self, root: Json) -> None:
        self._root = root
        self._left = _STEPS

    def fits(self, value: Json, schema: Json, depth: int) -> bool:
        if isinstance(schema, bool):
            return schema
        self._left -= 1
        if not isinstance(schema, dict) or depth == 0 or self._left < 0:
            return True
        return (
            _has_type(value, schema)
            and _is_allowed(value, schema)
            and _in_bounds(value, schema)
            and self._combined(value, schema, depth - 1)
            and self._members(value, schema, depth - 1)
            and self._items(value, schema, depth - 1)
        )

    def _combined(self, value: Json, schema: Mapping[str, Json], depth: int) -> bool:
        if isinstance(ref := schema.get("$ref"), str) and not self.fits(value, self._at(ref), depth):
            return False
        if "not" in schema and self.fits(value, schema["not"], depth):
            return False
        if not all(self.fits(value, part, depth) for part in _list(schema, "allOf")):
            return False
        if (parts := _list(schema, "anyOf")) and not any(self.fits(value, part, depth) for part in parts):
            return False
        parts = _list(schema, "oneOf")
        return not parts or sum(self.fits(value, part, depth) for part in parts) == 1

    def _members(self, value: Json, schema: Mapping[str, Json], depth: int) -> bool:
        if not isinstance(value, dict):
            return True
        if any(isinstance(name, str) and name not in value for name in _list(schema, "required")):
            return False
        properties = schema.get("properties")
        known = properties if isinstance(properties, dict) else {}
        others = schema.get("additionalProperties", True)
        return all(self.fits(member, known.get(name, others), depth) for name, member in value.items())

    def _items(self, value: Json, schema: Mapping[str, Json], depth: int) -> bool:
        if not isinstance(value, list):
            return True
        first = _list(schema, "prefixItems")
        rest = schema.get("items", True)
        return all(self.fits(item, part, depth) for item, part in zip(value, first, strict=False)) and all(
            self.fits(item, rest, depth) for item in value[len(first) :]
        )

    def _at(self, ref: str) -> Json:
        """The schema at a JSON pointer of this document; anything else is not looked at."""
        place = self._root
        for step in ref.removeprefix("#").strip("/").split("/") if ref.startswith("#") and ref != "#" else ():
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(place, dict) or name not in place:
                return True
            place = place[name]
        return place if ref.startswith("#") else True


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Json) -> bool:
    """`1.0` is an integer for JSON schema."""
    return _is_number(value) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


_TYPES: Final[Mapping[str, Callable[[Json], bool]]] = MappingProxyType(
    {
        "null": lambda value: value is None,
        "boolean": lambda value: isinstance(value, bool),
        "integer": _is_integer,
        "number": _is_number,
        "string": lambda value: isinstance(value, str),
        "array": lambda value: isinstance(value, list),
        "object": lambda value: isinstance(value, dict),
    }
)


def _has_type(value: Json, schema: Mapping[str, Json]) -> bool:
    names = schema.get("type")
    wanted = names if isinstance(names, list) else [names] if isinstance(names, str) else []
    return not wanted or any(isinstance(name, str) and name in _TYPES and _TYPES[name](value) for name in wanted)


def _is_allowed(value: Json, schema: Mapping[str, Json]) -> bool:
    if "const" in schema and not _same(value, schema["const"]):
        return False
    return "enum" not in schema or any(_same(value, choice) for choice in _list(schema, "enum"))


def _same(a: Json, b: Json) -> bool:
    """Equal as JSON, where `true` is no 1."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _in_bounds(value: Json, schema: Mapping[str, Json]) -> bool:
    if isinstance(value, str):
        return _between(len(value), schema, "minLength", "maxLength")
    if isinstance(value, list):
        return _between(len(value), schema, "minItems", "maxItems")
    if isinstance(value, dict):
        return _between(len(value), schema, "minProperties", "maxProperties")
    if not isinstance(value, int | float) or isinstance(value, bool):
        return True
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    return (
        _between(value, schema, "minimum", "maximum")
        and (not isinstance(above, int | float) or value > above)
        and (not isinstance(below, int | float) or value < below)
    )


def _between(number: float, schema: Mapping[str, Json], least: str, most: str) -> bool:
    low, high = schema.get(least), schema.get(most)
    return (not isinstance(low, int | float) or number >= low) and (not isinstance(high, int | float) or number <= high)


def _list(schema: Mapping[str, Json], keyword: str) -> list[Json]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []
