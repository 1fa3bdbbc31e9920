"""Whether a schema is JSON Schema 2020-12 (https://json-schema.org/draft/2020-12/schema), one row a keyword.

`CHECKS` has what a keyword takes, in the order of the metaschema's vocabularies, `SCHEMAS_IN` where schemas stand in
a schema. A keyword without a row takes anything. Regular expressions are those that Python compiles.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from claude_openai_proxy.simulator.complaints.asked import Asked
from claude_openai_proxy.simulator.loose_json import is_number, list_in, object_in

TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
ID = "^[^#]*#?$"
ANCHOR = "^[A-Za-z_][-A-Za-z0-9._]*$"

Check = Callable[[object], bool]
"""Whether a value is what its keyword takes; the schemas in it are looked at by themselves."""


def invalid_schema(asked: Asked) -> str | None:
    """A schema, of a tool or of the answer, that the metaschema refuses."""
    tools = [(f"{path}.input_schema", tool.get("input_schema")) for path, tool in asked.custom_tools]
    answer = object_in(object_in(asked.body.get("output_config")).get("format")).get("schema")
    for path, schema in [*tools, *([("output_config.format.schema", answer)] if answer is not None else [])]:
        if not is_schema(schema):
            draft = "It must match JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12)."
            return f"{path}: JSON schema is invalid. {draft}"
    return None


def is_schema(schema: object) -> bool:
    """Whether the metaschema takes it, and all schemas in it."""
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, bool):
            continue
        if not isinstance(one, dict) or not all(CHECKS[name](one[name]) for name in CHECKS.keys() & one.keys()):
            return False
        for name in SCHEMAS_IN.keys() & one.keys():
            waiting.extend(SCHEMAS_IN[name](one[name]))
    return True


# ---- what a keyword takes --------------------------------------------------------------------------------------------


def _text(value: object, pattern: str = "") -> bool:
    return isinstance(value, str) and re.search(pattern, value) is not None


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _flags(value: object) -> bool:
    return isinstance(value, dict) and all(map(_flag, value.values()))


def _object(value: object) -> bool:
    return isinstance(value, dict)


def _list(value: object) -> bool:
    return isinstance(value, list)


def _filled_list(value: object) -> bool:
    return isinstance(value, list) and bool(value)


def _size(value: object) -> bool:
    """A whole number, as 2.0 is one too, that is not negative."""
    return is_number(value) and value >= 0 and value % 1 == 0  # type: ignore[operator]  # a number


def _positive(value: object) -> bool:
    return is_number(value) and value > 0  # type: ignore[operator]  # a number


def _names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value) and len(set(value)) == len(value)


def _lists_of_names(value: object) -> bool:
    return isinstance(value, dict) and all(map(_names, value.values()))


def _dependencies(value: object) -> bool:
    """Of drafts before: names, or a schema."""
    return isinstance(value, dict) and all(_names(part) for part in value.values() if not isinstance(part, dict | bool))


def _type(value: object) -> bool:
    return value in TYPES or (_names(value) and bool(value) and all(name in TYPES for name in list_in(value)))


def _regex(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of sets that may mean more one day
            re.compile(value)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _regexes(value: object) -> bool:
    return isinstance(value, dict) and all(map(_regex, value))


CHECKS: Mapping[str, Check] = {
    # core
    "$id": partial(_text, pattern=ID),
    "$schema": _text,
    "$ref": _text,
    "$anchor": partial(_text, pattern=ANCHOR),
    "$dynamicRef": _text,
    "$dynamicAnchor": partial(_text, pattern=ANCHOR),
    "$vocabulary": _flags,
    "$comment": _text,
    "$defs": _object,
    # applicator
    "prefixItems": _filled_list,
    "properties": _object,
    "patternProperties": _regexes,
    "dependentSchemas": _object,
    "allOf": _filled_list,
    "anyOf": _filled_list,
    "oneOf": _filled_list,
    # validation
    "type": _type,
    "enum": _list,
    "multipleOf": _positive,
    "maximum": is_number,
    "exclusiveMaximum": is_number,
    "minimum": is_number,
    "exclusiveMinimum": is_number,
    "maxLength": _size,
    "minLength": _size,
    "pattern": _regex,
    "maxItems": _size,
    "minItems": _size,
    "uniqueItems": _flag,
    "maxContains": _size,
    "minContains": _size,
    "maxProperties": _size,
    "minProperties": _size,
    "required": _names,
    "dependentRequired": _lists_of_names,
    # meta-data, format, content
    "title": _text,
    "description": _text,
    "deprecated": _flag,
    "readOnly": _flag,
    "writeOnly": _flag,
    "examples": _list,
    "format": _text,
    "contentEncoding": _text,
    "contentMediaType": _text,
    # of drafts before
    "definitions": _object,
    "dependencies": _dependencies,
    "$recursiveAnchor": partial(_text, pattern=ANCHOR),
    "$recursiveRef": _text,
}


# ---- where schemas stand ---------------------------------------------------------------------------------------------


def _itself(value: object) -> Iterable[object]:
    return (value,)


def _all(value: object) -> Iterable[object]:
    return object_in(value).values() or list_in(value)


def _that_are_no_names(value: object) -> Iterable[object]:
    return (part for part in object_in(value).values() if not isinstance(part, list))


SCHEMAS_IN: Mapping[str, Callable[[object], Iterable[object]]] = {
    **dict.fromkeys(
        (
            "items",
            "contains",
            "additionalProperties",
            "propertyNames",
            "if",
            "then",
            "else",
            "not",
            "unevaluatedItems",
            "unevaluatedProperties",
            "contentSchema",
        ),
        _itself,
    ),
    **dict.fromkeys(
        ("$defs", "definitions", "properties", "patternProperties", "dependentSchemas", "prefixItems"), _all
    ),
    **dict.fromkeys(("allOf", "anyOf", "oneOf"), _all),
    "dependencies": _that_are_no_names,
}
