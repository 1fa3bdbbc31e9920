"""JSON schemas of tools: left as they came where Claude takes them, otherwise rewritten to an accepted equal.

Claude wants `type: "object"` at the top, no anyOf, oneOf, allOf or $ref there, property names of a small alphabet,
and valid JSON Schema 2020-12 (https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/implement-tool-use).
"""

import re
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from claude_openai_proxy.translate.schemas.allowance import Allowance
from claude_openai_proxy.translate.schemas.keywords import TYPES_BY_OTHER_NAMES, drop_invalid, is_pattern
from claude_openai_proxy.translate.schemas.output_schema import (
    DEEPEST,
    TYPES,
    Schema,
    SchemaError,
    decoded,
    merged_schemas,
    pointed_at,
)

LONGEST_KEPT = 8192
"""Bytes of a schema whose judgement is remembered."""
SCHEMAS_KEPT = 512

NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')

_is_plain_name = re.compile(r"[a-zA-Z0-9_.-]{1,64}").fullmatch
_Type = Literal["object", "array", "string", "integer", "number", "boolean", "null"]
_Count = Annotated[int, Meta(ge=0)]
_Reference = Annotated[str, Meta(pattern=r"^#/(\$defs|definitions)/")]


class _Node(Struct, frozen=True, kw_only=True):
    """A schema that needs no change: decoding into this says so at the speed of C."""

    type: _Type | list[_Type] | UnsetType = UNSET
    ref: _Reference | UnsetType = msgspec.field(default=UNSET, name="$ref")
    properties: "dict[str, _Node | bool] | UnsetType" = UNSET
    pattern_properties: "dict[str, _Node | bool] | UnsetType" = msgspec.field(default=UNSET, name="patternProperties")
    required: list[str] | UnsetType = UNSET
    additional_properties: "_Node | bool | UnsetType" = msgspec.field(default=UNSET, name="additionalProperties")
    items: "_Node | bool | UnsetType" = UNSET
    prefix_items: "Annotated[list[_Node | bool], Meta(min_length=1)] | UnsetType" = msgspec.field(
        default=UNSET, name="prefixItems"
    )
    any_of: "Annotated[list[_Node | bool], Meta(min_length=1)] | UnsetType" = msgspec.field(default=UNSET, name="anyOf")
    one_of: "Annotated[list[_Node | bool], Meta(min_length=1)] | UnsetType" = msgspec.field(default=UNSET, name="oneOf")
    all_of: "Annotated[list[_Node | bool], Meta(min_length=1)] | UnsetType" = msgspec.field(default=UNSET, name="allOf")
    defs: "dict[str, _Node | bool] | UnsetType" = msgspec.field(default=UNSET, name="$defs")
    definitions: "dict[str, _Node | bool] | UnsetType" = UNSET
    enum: Annotated[list[object], Meta(min_length=1)] | UnsetType = UNSET
    description: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    schema: str | UnsetType = msgspec.field(default=UNSET, name="$schema")
    comment: str | UnsetType = msgspec.field(default=UNSET, name="$comment")
    format: str | UnsetType = UNSET
    pattern: str | UnsetType = UNSET
    minimum: float | UnsetType = UNSET
    maximum: float | UnsetType = UNSET
    exclusive_minimum: float | UnsetType = msgspec.field(default=UNSET, name="exclusiveMinimum")
    exclusive_maximum: float | UnsetType = msgspec.field(default=UNSET, name="exclusiveMaximum")
    min_length: _Count | UnsetType = msgspec.field(default=UNSET, name="minLength")
    max_length: _Count | UnsetType = msgspec.field(default=UNSET, name="maxLength")
    min_items: _Count | UnsetType = msgspec.field(default=UNSET, name="minItems")
    max_items: _Count | UnsetType = msgspec.field(default=UNSET, name="maxItems")

    def __post_init__(self) -> None:
        """What types cannot say. Raises `ValueError`, which decoding tells as its own error."""
        for doubled in (self.type, self.required):
            if isinstance(doubled, list) and len(set(doubled)) < len(doubled):
                raise ValueError("says the same twice")
        patterns = [] if self.pattern_properties is UNSET else [*self.pattern_properties]
        if not all(map(is_pattern, patterns if self.pattern is UNSET else [*patterns, self.pattern])):
            raise ValueError("has a pattern that is none")


_RARE = tuple(
    b'"%b"' % key
    for key in (
        *(
            b"$ref",
            b"$dynamicRef",
            b"$id",
            b"$anchor",
            b"$dynamicAnchor",
            b"$vocabulary",
        ),
        *(b"multipleOf", b"examples", b"uniqueItems", b"readOnly", b"writeOnly", b"deprecated"),
        *(b"minContains", b"maxContains", b"minProperties", b"maxProperties", b"contentEncoding", b"contentMediaType"),
        *(b"dependentRequired", b"dependentSchemas", b"dependencies", b"contentSchema"),
        *(b"not", b"if", b"then", b"else", b"contains", b"propertyNames"),
        *(b"unevaluatedItems", b"unevaluatedProperties"),
    )
)
"""Keywords that `_Node` does not judge."""

_nodes = msgspec.json.Decoder(_Node)


def tool_schema(raw: Raw, allowance: Allowance) -> Raw:
    """An accepted schema for a tool's arguments. Raises `SchemaError` where there is no accepted equal."""
    text = bytes(raw)
    if _was_accepted(text) if len(text) <= LONGEST_KEPT else _is_accepted(text):
        return raw
    if text in {b"", b"null", b"[]"}:
        return NO_PARAMETERS
    return Raw(msgspec.json.encode(accepted_schema(decoded(raw), allowance)))


def _is_accepted(text: bytes) -> bool:
    """Needs no change; where a reference leads, and keywords that are rare, take a closer look."""
    if any(key in text for key in _RARE):
        return False
    try:
        root = _nodes.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    if root.type != "object" or root.ref is not UNSET or root.properties is UNSET:
        return False
    if not (root.any_of is UNSET and root.one_of is UNSET and root.all_of is UNSET):
        return False
    return all(map(_is_plain_name, root.properties))


_was_accepted = lru_cache(maxsize=SCHEMAS_KEPT)(_is_accepted)
"""Agents send the same tools with every request; what was said of a schema is true for ever."""


def accepted_schema(schema: Schema, allowance: Allowance) -> Schema:
    """The same schema as Claude takes it at the top level, and valid below."""
    schema = _resolved(schema, allowance)
    types = schema.get("type")
    if types is not None and "object" not in map(_type, types if isinstance(types, list) else [types]):
        raise SchemaError('must have the type "object"')
    schema = _without_top_level_variants({**schema, "type": "object"}, allowance)
    return _with_plain_names(_valid_object(schema, schema))


def _resolved(schema: Schema, allowance: Allowance) -> Schema:
    """The top level's own reference is put in; its definitions stay for the references below."""
    seen: set[str] = set()
    root = schema
    while "$ref" in schema:
        ref = str(schema["$ref"])
        if ref in seen:
            raise SchemaError(f"refers to itself ({ref})")
        seen.add(ref)
        target = pointed_at(root, schema["$ref"])
        if not isinstance(target, dict):
            raise SchemaError(f"refers to {ref!r}, which is no schema")
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = merged_schemas([beside, target], allowance)
    return schema


def _without_top_level_variants(schema: Schema, allowance: Allowance) -> Schema:
    """allOf joins the object. Of anyOf and oneOf the properties join it, and the choice is told in words."""
    told: list[str] = []
    for key in ("allOf", "anyOf", "oneOf"):
        variants = schema.pop(key, None)
        variants = variants if isinstance(variants, list) else []
        objects = [_resolved_variant(schema, variant, allowance) for variant in variants]
        parts = objects if key == "allOf" else [{"properties": each.get("properties", {})} for each in objects]
        schema = merged_schemas([schema, *parts], allowance)
        if key != "allOf" and (choice := _choice(key, objects, allowance)):
            told.append(choice)
    for key in ("allOf", "anyOf", "oneOf"):
        schema.pop(key, None)
    if told:
        schema["description"] = " ".join([*([str(schema["description"])] if "description" in schema else []), *told])
    return schema


def _resolved_variant(root: Schema, variant: object, allowance: Allowance) -> Schema:
    if not isinstance(variant, dict):
        return {}
    return _resolved({**{key: root[key] for key in _DEFINITIONS if key in root}, **variant}, allowance)


def _choice(key: str, variants: list[Schema], allowance: Allowance) -> str:
    """The variants that ask for anything, as JSON."""
    shown: list[str] = []
    for variant in variants:
        own = {name: value for name, value in variant.items() if name not in _DEFINITIONS}
        shown.append(msgspec.json.encode(own).decode())
        allowance.spend(0, characters=len(shown[-1]))
    words = "at least one" if key == "anyOf" else "exactly one"
    return f"The arguments fit {words} of: [{','.join(shown)}]" if any(text != "{}" for text in shown) else ""


_DEFINITIONS = ("$defs", "definitions")
_OF_NAMES = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_OF_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_OF_ONE = (
    *("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "contentSchema"),
    *("unevaluatedItems", "unevaluatedProperties"),
)


def _valid(schema: object, root: Schema, depth: int) -> object:
    """JSON Schema 2020-12 with the meaning of the older drafts' spellings; what is no schema allows anything."""
    if isinstance(schema, dict):
        return _valid_object(schema, root, depth)
    if isinstance(schema, str) and (type_ := _type(schema)):
        return {"type": type_}
    return schema if isinstance(schema, bool) else {}


def _valid_object(schema: Schema, root: Schema, depth: int = 0) -> Schema:
    if depth > DEEPEST:
        raise SchemaError("is nested too deeply")
    out = _modern({key: value for key, value in schema.items() if key not in {"$schema", "$id", "id"} or depth}, root)
    for key in _OF_NAMES:
        if key in out:
            children = out[key]
            named = children.items() if isinstance(children, dict) else ()
            out[key] = {
                name: _valid(child, root, depth + 1)
                for name, child in named
                if key != "patternProperties" or is_pattern(name)
            }
    for key in _OF_LISTS:
        children = out.get(key)
        if isinstance(children, list) and children:
            out[key] = [_valid(child, root, depth + 1) for child in children]
        else:
            out.pop(key, None)
    for key in _OF_ONE:
        if key in out:
            out[key] = _valid(given := out[key], root, depth + 1)
            if out[key] == {} != given:
                del out[key]
    return out


def _modern(schema: Schema, root: Schema) -> Schema:
    """One level, without what 2020-12 does not take."""
    _modern_types(schema)
    _modern_bounds(schema)
    if isinstance(schema.get("items"), list):
        schema["prefixItems"] = schema.pop("items")
        if "additionalItems" in schema:
            schema["items"] = schema.pop("additionalItems")
    if "$ref" in schema and not _leads_somewhere(schema["$ref"], root):
        del schema["$ref"]
    _modern_dependencies(schema)
    for key in ("$schema", "$vocabulary", "$dynamicRef"):
        schema.pop(key, None)
    drop_invalid(schema)
    return schema


def _leads_somewhere(ref: object, root: Schema) -> bool:
    try:
        pointed_at(root, ref)
    except SchemaError:
        return False
    return str(ref).startswith(("#/$defs/", "#/definitions/"))


def _modern_dependencies(schema: Schema) -> None:
    """Draft 7 had one keyword for names and for schemas that one name asks for."""
    dependencies = schema.pop("dependencies", None)
    for name, asked in dependencies.items() if isinstance(dependencies, dict) else ():
        key = "dependentRequired" if isinstance(asked, list) else "dependentSchemas"
        there = schema.get(key)
        schema[key] = {name: asked, **(there if isinstance(there, dict) else {})}


def _type(named: object) -> str | None:
    """The type of that name in JSON Schema, None where there is none."""
    if not isinstance(named, str):
        return None
    name = named.lower()
    return name if name in TYPES else TYPES_BY_OTHER_NAMES.get(name)


def _modern_types(schema: Schema) -> None:
    named = schema.get("type")
    listed = named if isinstance(named, list) else [named]
    known = list(dict.fromkeys(type_ for each in listed if (type_ := _type(each))))
    if known and schema.get("nullable") is True and "null" not in known:
        known.append("null")
    if known:
        schema["type"] = known[0] if len(known) == 1 else known
    else:
        schema.pop("type", None)


def _modern_bounds(schema: Schema) -> None:
    """Draft 4 said `exclusiveMinimum: true` beside `minimum`."""
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(exclusive) is True and inclusive in schema:
            schema[exclusive] = schema.pop(inclusive)


def _with_plain_names(schema: Schema) -> Schema:
    """A property whose name Claude refuses is declared by a pattern that only this name matches."""
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    foreign = {name: value for name, value in properties.items() if not _is_plain_name(name)}
    schema["properties"] = {name: value for name, value in properties.items() if name not in foreign}
    if foreign:
        patterns = schema.get("patternProperties")
        schema["patternProperties"] = {
            **(patterns if isinstance(patterns, dict) else {}),
            **{f"^{re.escape(name)}$": value for name, value in foreign.items()},
        }
    return schema
