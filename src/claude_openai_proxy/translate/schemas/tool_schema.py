"""JSON schemas of tools: left as they came where Claude takes them, otherwise rewritten to an accepted equal.

Claude wants `type: "object"` at the top, no anyOf, oneOf, allOf or $ref there, property names of a small alphabet,
and valid JSON Schema 2020-12 (https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/implement-tool-use).
"""

import re
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.translate.schemas.allowance import Allowance, SchemaError
from claude_openai_proxy.translate.schemas.document import Document, Schema, decoded
from claude_openai_proxy.translate.schemas.joining import DEFINITIONS, Joined, SchemasByName, add_once, parts_of
from claude_openai_proxy.translate.schemas.modern import modern_schema
from claude_openai_proxy.translate.schemas.patterns import pattern_of_name
from claude_openai_proxy.translate.schemas.types import types_named

LONGEST_KEPT: Final = 16_384
"""Bytes of a schema whose rewriting is remembered."""
SCHEMAS_KEPT: Final = 256

NO_PARAMETERS: Final = Raw(b'{"type":"object","properties":{}}')

_UNIONS: Final = ("anyOf", "oneOf")
_COMBINED: Final = ("$ref", "allOf", *_UNIONS)
_SHOWN = 200
"""Characters of a reference in a message."""

_is_plain_name = re.compile(r"[a-zA-Z0-9_.-]{1,64}").fullmatch


class AcceptedSchema(Struct, frozen=True):
    """`reduced`: something of the client's schema is told in words only. `spent` is the work it was."""

    schema: Raw
    reduced: bool = False
    spent: int = 0


def tool_schema(raw: Raw, allowance: Allowance) -> AcceptedSchema:
    """An accepted schema for a tool's arguments, none being one without parameters.

    Raises `SchemaError` where there is no accepted equal.
    """
    text = bytes(raw)
    if text in {b"", b"null"}:
        return AcceptedSchema(NO_PARAMETERS)
    if len(text) > LONGEST_KEPT:
        return _accepted(text, allowance)
    known = _remembered(text)
    allowance.spend(known.spent)
    return known


def _accepted(text: bytes, allowance: Allowance) -> AcceptedSchema:
    asked = decoded(Raw(text))
    before = allowance.left
    schema, reduced = accepted_schema(asked, allowance)
    rewritten = msgspec.json.encode(schema)
    unchanged = rewritten == msgspec.json.encode(asked)
    return AcceptedSchema(Raw(text if unchanged else rewritten), reduced, before - allowance.left)


@lru_cache(maxsize=SCHEMAS_KEPT)
def _remembered(text: bytes) -> AcceptedSchema:
    """Agents send the same tools with every request; what became of a schema once is true for ever."""
    return _accepted(text, Allowance.for_bytes(len(text)))


def accepted_schema(asked: Schema, allowance: Allowance) -> tuple[Schema, bool]:
    """The same schema as Claude takes it at the top level, and valid below; whether something is told in words only."""
    modern = modern_schema(asked, allowance)
    if "$ref" in asked and (asked["$ref"] == "#" or "$ref" not in modern.schema):
        raise SchemaError(f"refers to {repr(asked['$ref'])[:_SHOWN]}, which is no other schema in it")
    schema, reduced = _one_object(modern.schema, allowance)
    return _with_plain_names(schema), reduced or modern.reduced


def _one_object(root: Schema, allowance: Allowance) -> tuple[Schema, bool]:
    """Without `$ref` and `allOf`. Of anyOf and oneOf the properties join it, and the choice is told in words."""
    document = Document(root, allowance)
    joined = Joined(allowance)
    variants: list[object] = []
    told: list[str] = []
    for _, part in parts_of(root, document, allowance):
        _refuse_other_types(part)
        joined.add({key: value for key, value in part.items() if key not in _UNIONS})
        for key in _UNIONS:
            if isinstance(listed := part.get(key), list):
                variants += listed
                told += _choice(key, listed)
    schema = joined.schema() if any(key in root for key in _COMBINED) else dict(root)
    schema.update({key: root[key] for key in DEFINITIONS if key in root})
    schema["type"] = "object"
    _add_optional(schema, _properties(variants, document, allowance))
    if told:
        schema["description"] = " ".join(filter(None, [str(schema.get("description", "")), *told]))
    return schema, bool(told) or joined.reduced


def _refuse_other_types(part: Schema) -> None:
    types = types_named(part.get("type"))
    if types and "object" not in types:
        raise SchemaError('must have the type "object"')


def _choice(key: str, variants: list[object]) -> list[str]:
    """The variants that ask for anything, as JSON."""
    words = "at least one" if key == "anyOf" else "exactly one"
    asking = any(variant not in ({}, True) for variant in variants)
    return [f"The arguments fit {words} of: {msgspec.json.encode(variants).decode()}"] if asking else []


def _properties(variants: list[object], document: Document, allowance: Allowance) -> SchemasByName:
    """What the variants call their properties, however they are put together."""
    found: SchemasByName = {}
    followed: set[str] = set()
    waiting = variants[::-1]
    while waiting:
        variant = waiting.pop()
        if not isinstance(variant, dict):
            continue
        allowance.spend(characters=8 * len(variant))
        properties = variant.get("properties")
        for name, schema in properties.items() if isinstance(properties, dict) else ():
            add_once(found, name, schema, allowance)
        for key in ("allOf", *_UNIONS):
            listed = variant.get(key)
            waiting += reversed(listed) if isinstance(listed, list) else ()
        if isinstance(ref := variant.get("$ref"), str) and ref not in followed:
            followed.add(ref)
            waiting.append(document.target(ref))
    return found


def _add_optional(schema: Schema, found: SchemasByName) -> None:
    """A property that several variants describe fits any of them."""
    properties = schema.get("properties")
    named = dict(properties) if isinstance(properties, dict) else {}
    for name, schemas in found.items():
        listed = list(schemas.values())
        named.setdefault(name, listed[0] if len(listed) == 1 else {"anyOf": listed})
    schema["properties"] = named


def _with_plain_names(schema: Schema) -> Schema:
    """A property whose name Claude refuses is declared by a pattern that only this name matches."""
    properties = schema.get("properties")
    named = properties if isinstance(properties, dict) else {}
    foreign = {name: value for name, value in named.items() if not _is_plain_name(name)}
    if foreign:
        schema["properties"] = {name: value for name, value in named.items() if name not in foreign}
        patterns = schema.get("patternProperties")
        schema["patternProperties"] = {
            **(patterns if isinstance(patterns, dict) else {}),
            **{pattern_of_name(name): value for name, value in foreign.items()},
        }
    return schema
