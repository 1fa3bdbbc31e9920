"""JSON schemas for structured output and strict tools: rewritten into the subset that Claude compiles to a grammar.

https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs. What the subset cannot say moves into the
description, where the model reads it; the client's own schema judges the finished answer.
"""

from collections.abc import Mapping
from urllib.parse import unquote

import msgspec
from msgspec import Raw

Schema = dict[str, object]

FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
"""String formats that the grammar knows."""

TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})

DEEPEST = 100
"""Schemas nested deeper than this are refused."""


_SHOWN = 200
"""Characters of a reference in a message."""


class SchemaError(ValueError):
    """No accepted schema says the same; the message says why, as the end of a sentence."""


class LooseSchemaError(SchemaError):
    """The subset has no schema that lets through everything that this one does (maps, tuples, any value)."""


def decoded(raw: Raw) -> Schema:
    """The schema as a dict. Raises `SchemaError`."""
    try:
        schema = msgspec.json.decode(raw, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        raise SchemaError("is not a JSON schema object") from None
    return schema


def strict_schema(root: Schema) -> Schema:
    """The same schema in Claude's subset, its references resolved.

    Raises `LooseSchemaError` where that would shut out what the schema is for, and `SchemaError`.
    """
    return _Rewriting(root).node(root, ())


def pointed_at(root: Mapping[str, object], ref: object) -> object:
    """What a reference inside the document points at. Raises `SchemaError`."""
    shown = repr(ref)[:_SHOWN]
    if not isinstance(ref, str) or not ref.startswith("#"):
        raise SchemaError(f"refers to {shown}, which is outside of it")
    target: object = root
    for step in ref[1:].split("/")[1:]:
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(target, list) and key.isdigit() and int(key) < len(target):
            target = target[int(key)]
        elif isinstance(target, dict) and key in target:
            target = target[key]
        else:
            raise SchemaError(f"refers to {shown}, which is not there")
    return target


class _Rewriting:
    """References are put in where they are used; `path` holds those that are open, so a recursion shows."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._left = 20_000

    def node(self, schema: object, path: tuple[str, ...], depth: int = 0) -> Schema:
        if depth > DEEPEST:
            raise SchemaError("is nested too deeply")
        self._left -= 1
        if self._left < 0:
            raise SchemaError("is too large once its references are resolved")
        if schema is True:
            schema = {}
        if not isinstance(schema, dict):
            raise SchemaError("has a place where no schema stands")
        if "$ref" in schema:
            return self._reference(schema, path, depth)
        return self._plain(dict(schema), path, depth + 1)

    def _reference(self, schema: Schema, path: tuple[str, ...], depth: int) -> Schema:
        ref = schema["$ref"]
        target = pointed_at(self._root, ref)
        if str(ref) in path:
            raise SchemaError(f"is recursive ({ref}), which Claude's structured output does not take")
        beside = {key: value for key, value in schema.items() if key not in {"$ref", "$defs", "definitions"}}
        merged = {**target, **beside} if isinstance(target, dict) else target
        return self.node(merged, (*path, str(ref)), depth + 1)

    def _plain(self, rest: Schema, path: tuple[str, ...], depth: int) -> Schema:
        for key in ("$schema", "$id", "$defs", "definitions", "$comment"):
            rest.pop(key, None)
        out: Schema = {}
        _literals(rest, out)
        types = _types(rest)
        if variants := self._variants(rest, types, path, depth):
            out["anyOf"] = variants
        elif len(types) > 1:
            out["anyOf"] = [self._plain({**_shared(rest, type_), "type": type_}, path, depth) for type_ in types]
            rest = {key: rest[key] for key in ("description", "title", "default") if key in rest}
        elif types and not ({"enum", "const"} & out.keys()):
            self._typed(types[0], rest, out, path, depth)
        elif not types and not out:
            raise LooseSchemaError("has a place that takes any value")
        return _described(rest, out)

    def _variants(self, rest: Schema, types: list[str], path: tuple[str, ...], depth: int) -> list[Schema]:
        """anyOf and oneOf; allOf is merged into what stands beside it."""
        if isinstance(all_of := rest.pop("allOf", None), list):
            self._merge_all(all_of, rest, path, depth)
            types[:] = _types(rest) or types
        for key in ("anyOf", "oneOf"):
            variants = rest.pop(key, None)
            if isinstance(variants, list) and variants:
                shared: Schema = {name: rest.pop(name) for name in ("properties", "required") if name in rest}
                types.clear()
                return [self.node(_joined(shared, variant), path, depth) for variant in variants]
        return []

    def _merge_all(self, schemas: list[object], rest: Schema, path: tuple[str, ...], depth: int) -> None:
        for schema in schemas:
            part = schema
            while isinstance(part, dict) and "$ref" in part and depth < DEEPEST:
                ref = part["$ref"]
                if str(ref) in path:
                    raise SchemaError(f"is recursive ({ref}), which Claude's structured output does not take")
                part, depth = pointed_at(self._root, ref), depth + 1
            if isinstance(part, dict):
                rest.update(merged_schemas(rest, part))

    def _typed(self, type_: str, rest: Schema, out: Schema, path: tuple[str, ...], depth: int) -> None:
        out["type"] = type_
        rest.pop("type", None)
        if type_ == "object":
            self._object(rest, out, path, depth)
        elif type_ == "array":
            items = rest.pop("items", None)
            out["items"] = self.node(items if isinstance(items, dict) else {}, path, depth)
            if rest.get("minItems") in {0, 1}:
                out["minItems"] = rest.pop("minItems")
        elif type_ == "string" and rest.get("format") in FORMATS:
            out["format"] = rest.pop("format")

    def _object(self, rest: Schema, out: Schema, path: tuple[str, ...], depth: int) -> None:
        properties = rest.pop("properties", None)
        properties = properties if isinstance(properties, dict) else {}
        others = rest.get("additionalProperties")
        if "patternProperties" in rest or isinstance(others, dict) or not (properties or others is False):
            raise LooseSchemaError("has an object with properties of any name")
        out["properties"] = {name: self.node(value, path, depth) for name, value in properties.items()}
        required = rest.pop("required", None)
        if isinstance(required, list):
            names = dict.fromkeys(name for name in required if isinstance(name, str))
            out["required"] = [name for name in names if name in properties]
        rest.pop("additionalProperties", None)
        out["additionalProperties"] = False


def merged_schemas(one: Mapping[str, object], other: Mapping[str, object]) -> Schema:
    """Both at once: properties and required names of the two together, otherwise the first one's words win."""
    merged: Schema = {**other, **one}
    for key in ("properties", "$defs", "definitions"):
        first, second = one.get(key), other.get(key)
        if isinstance(first, dict) and isinstance(second, dict):
            merged[key] = {**second, **first}
    first, second = one.get("required"), other.get("required")
    if isinstance(first, list) and isinstance(second, list):
        merged["required"] = list(dict.fromkeys([*first, *second]))
    return merged


def _joined(shared: Schema, variant: object) -> object:
    if not shared or not isinstance(variant, dict) or "$ref" in variant:
        return variant
    return merged_schemas(variant, {"type": "object", **shared})


def _shared(rest: Schema, type_: str) -> Schema:
    """What of a schema with several types belongs to this one."""
    belongs = {
        "object": ("properties", "required", "additionalProperties"),
        "array": ("items", "minItems", "maxItems"),
        "string": ("format", "minLength", "maxLength", "pattern"),
        "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    }
    return {key: rest[key] for key in belongs.get(type_, ()) if key in rest}


def _types(schema: Mapping[str, object]) -> list[str]:
    """The known types, one guessed from what is there where none is named."""
    named = schema.get("type")
    listed = named if isinstance(named, list) else [named]
    types = [type_ for type_ in listed if isinstance(type_, str) and type_ in TYPES]
    if types or "type" in schema:
        return types
    if "properties" in schema:
        return ["object"]
    return ["array"] if "items" in schema else []


def _literals(rest: Schema, out: Schema) -> None:
    enum = rest.get("enum")
    if isinstance(enum, list) and enum and all(_is_primitive(value) for value in enum):
        out["enum"] = rest.pop("enum")
    if "const" in rest and _is_primitive(rest["const"]):
        out["const"] = rest.pop("const")


def _is_primitive(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _described(rest: Schema, out: Schema) -> Schema:
    """Title and description stay; every other word that the subset lacks joins the description."""
    description = rest.pop("description", None)
    if isinstance(title := rest.pop("title", None), str):
        out["title"] = title
    for key in ("type", "nullable", "discriminator"):
        rest.pop(key, None)
    lost = ", ".join(f"{key}: {msgspec.json.encode(value).decode()}" for key, value in rest.items())
    words = [description] if isinstance(description, str) and description else []
    if lost:
        words.append(f"({lost})")
    if words:
        out["description"] = " ".join(words)
    return out
