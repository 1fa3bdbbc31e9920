"""Which values the keywords of JSON Schema 2020-12 may have (https://json-schema.org/draft/2020-12/schema)."""

import re
from collections.abc import Callable, Mapping
from typing import Final

TYPES_BY_OTHER_NAMES: Final = {
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "str": "string",
    "text": "string",
    "bool": "boolean",
    "dict": "object",
    "map": "object",
    "list": "array",
    "tuple": "array",
    "none": "null",
}
"""What languages and other APIs call the types, in small letters."""

_FLAGS = re.compile(r"(?<!\\)\(\?[a-zA-Z-]+\)")
_ONLY_ECMASCRIPT = (
    (re.compile(r"\(\?<(?=[a-zA-Z_])"), "(?P<"),
    (re.compile(r"\\k<(\w+)>"), r"(?P=\1)"),
    (re.compile(r"\\[pP]\{[^{}]*\}|\\u\{[0-9a-fA-F]+\}|\\c[a-zA-Z]"), r"\\w"),
)


def is_pattern(value: object) -> bool:
    """A regular expression of ECMAScript, as far as one can tell without its grammar."""
    if not isinstance(value, str) or _FLAGS.search(value):
        return False
    for theirs, ours in _ONLY_ECMASCRIPT:
        value = theirs.sub(ours, value)
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def drop_invalid(schema: dict[str, object]) -> None:
    """Leave out the keywords of one level whose values are none of theirs; doubles in a set go alone."""
    required = schema.get("required")
    if isinstance(required, list) and _is_texts(required):
        schema["required"] = list(dict.fromkeys(required))
    for key in [key for key, value in schema.items() if key in _RULES and not _RULES[key](value)]:
        del schema[key]


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_above_zero(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_filled_list(value: object) -> bool:
    return isinstance(value, list) and bool(value)


def _is_map_of_sets(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(each, list) and _is_texts(each) and len(set(each)) == len(each) for each in value.values()
    )


def _is_identifier(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[^#\s]+#?", value) is not None


def _is_anchor(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z_][-A-Za-z0-9._]*", value) is not None


def _rules(rule: Callable[[object], bool], *keys: str) -> dict[str, Callable[[object], bool]]:
    return dict.fromkeys(keys, rule)


_RULES: Final = {
    **_rules(_is_texts, "required"),
    **_rules(_is_filled_list, "enum"),
    **_rules(_is_list, "examples"),
    **_rules(_is_number, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    **_rules(_is_above_zero, "multipleOf"),
    **_rules(_is_count, "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
    **_rules(_is_count, "minContains", "maxContains"),
    **_rules(_is_flag, "uniqueItems", "readOnly", "writeOnly", "deprecated"),
    **_rules(_is_text, "description", "title", "format", "$comment", "contentEncoding", "contentMediaType"),
    **_rules(is_pattern, "pattern"),
    **_rules(_is_map_of_sets, "dependentRequired"),
    **_rules(_is_identifier, "$id"),
    **_rules(_is_anchor, "$anchor", "$dynamicAnchor"),
}
