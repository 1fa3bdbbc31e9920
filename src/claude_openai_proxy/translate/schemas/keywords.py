"""The keywords of JSON Schema 2020-12: what each must look like, and what a value that does not is mended to.

One table of the metaschema's rules (https://json-schema.org/draft/2020-12/schema). What stands in no row is no keyword
and may be anything.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from claude_openai_proxy.translate.schemas.patterns import equal_pattern

OF_NAMES: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
"""Their values are schemas by name."""
OF_LISTS: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
"""Their values are lists of schemas, never empty."""
OF_ONE: Final = frozenset(
    {"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedItems"}
    | {"unevaluatedProperties", "contentSchema"}
)
"""Their values are schemas."""
OF_DOCUMENTS: Final = frozenset({"$schema", "$id", "$vocabulary", "$anchor", "$dynamicAnchor", "$recursiveAnchor"})
"""They say nothing of values; what refers to them is made to refer by path."""

ABSENT: Final = object()
"""The value says nothing: its keyword goes."""
LOST: Final = object()
"""The value says something that its keyword cannot: it goes, and is told in words."""


def _text(value: object) -> object:
    return value if isinstance(value, str) else LOST


def _pattern(value: object) -> object:
    equal = equal_pattern(value) if isinstance(value, str) else None
    return LOST if equal is None else equal


def _flag(value: object) -> object:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower(), LOST)
    return bool(value) if isinstance(value, bool | int) and value in {0, 1} else LOST


def _number(value: object) -> object:
    if isinstance(value, str):
        try:
            value = float(value) if set(value) & set(".eE") else int(value)
        except ValueError:
            return LOST
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and (not isinstance(value, float) or math.isfinite(value)) else LOST


def _positive(value: object) -> object:
    number = _number(value)
    return number if isinstance(number, int | float) and number > 0 else LOST


def _most(value: object) -> object:
    number = _number(value)
    if not isinstance(number, int | float) or number < 0 or number != int(number):
        return LOST
    return int(number)


def _least(value: object) -> object:
    number = _number(value)
    return ABSENT if isinstance(number, int | float) and number < 0 else _most(value)


def _names(value: object) -> object:
    listed = [value] if isinstance(value, str) else value
    if listed == {}:
        return ABSENT
    if not isinstance(listed, list) or any(
        isinstance(name, bool) or not isinstance(name, str | int) for name in listed
    ):
        return LOST
    return list(dict.fromkeys(map(str, listed)))


def _names_by_name(value: object) -> object:
    if value == []:
        return ABSENT
    if not isinstance(value, dict):
        return LOST
    by_name = {name: _names(names) for name, names in value.items()}
    return LOST if LOST in by_name.values() else {name: names for name, names in by_name.items() if names is not ABSENT}


def _choices(value: object) -> object:
    if value == []:
        return ABSENT
    return value if isinstance(value, list) else LOST


def _examples(value: object) -> object:
    return value if isinstance(value, list) else [value]


RULES: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    dict.fromkeys(("title", "description", "$comment", "format", "contentEncoding", "contentMediaType"), _text)
    | dict.fromkeys(("uniqueItems", "readOnly", "writeOnly", "deprecated"), _flag)
    | dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _number)
    | dict.fromkeys(("minLength", "minItems", "minProperties", "minContains"), _least)
    | dict.fromkeys(("maxLength", "maxItems", "maxProperties", "maxContains"), _most)
    | {"pattern": _pattern, "multipleOf": _positive, "required": _names, "dependentRequired": _names_by_name}
    | {"enum": _choices, "examples": _examples, "dependencies": lambda _: LOST}
)
"""Keyword -> what its value becomes (`None` is not asked: it is absence everywhere)."""


# `dependencies` that are an object were said with the newer keywords before.


def mended(key: str, value: object) -> object:
    """The value that 2020-12 takes for this keyword of no subschemas, or `ABSENT`, or `LOST`."""
    rule = RULES.get(key)
    if rule is None:
        return value
    return ABSENT if value is None else rule(value)
