"""JSON schemas for structured output and strict tools: rewritten into the subset that Claude compiles to a grammar.

https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs. What the subset cannot say moves into the
description, where the model reads it; the client's own schema judges the finished answer.
"""

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

import msgspec
from msgspec import Raw

from claude_openai_proxy.translate.schemas.allowance import Allowance
from claude_openai_proxy.translate.schemas.allowance import SchemaError as SchemaError

Schema = dict[str, object]

FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
"""String formats that the grammar knows."""

TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})

DEEPEST = 100
"""Schemas nested deeper than this are refused."""


_SHOWN = 200
"""Characters of a reference in a message."""


class LooseSchemaError(SchemaError):
    """The subset has no schema that lets through everything that this one does (maps, tuples, any value)."""


def decoded(raw: Raw) -> Schema:
    """The schema as a dict. Raises `SchemaError`."""
    try:
        schema = msgspec.json.decode(raw, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        raise SchemaError("is not a JSON schema object") from None
    return schema


def strict_schema(root: Schema, allowance: Allowance) -> Schema:
    """The same schema in Claude's subset, its references resolved.

    Raises `LooseSchemaError` where that would shut out what the schema is for, and `SchemaError`.
    """
    return _Rewriting(root, allowance).node(root, ())


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

    def __init__(self, root: Schema, allowance: Allowance) -> None:
        self._root = root
        self._allowance = allowance

    def node(self, schema: object, path: tuple[str, ...], depth: int = 0) -> Schema:
        if depth > DEEPEST:
            raise SchemaError("is nested too deeply")
        self._allowance.spend()
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
        self._allowance.spend(len(target) if isinstance(target, dict) else 0, characters=len(str(ref)))
        beside = {key: value for key, value in schema.items() if key not in {"$ref", "$defs", "definitions"}}
        merged = {**target, **beside} if isinstance(target, dict) else target
        return self.node(merged, (*path, str(ref)), depth + 1)

    def _plain(self, rest: Schema, path: tuple[str, ...], depth: int) -> Schema:
        for key in ("$schema", "$id", "$defs", "definitions", "$comment"):
            rest.pop(key, None)
        out: Schema = {}
        _literals(rest, out)
        self._allowance.spend(0, characters=len(msgspec.json.encode(out)) if out else 0)
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
        return _described(rest, out, self._allowance)

    def _variants(self, rest: Schema, types: list[str], path: tuple[str, ...], depth: int) -> list[Schema]:
        """anyOf and oneOf; allOf is merged into what stands beside it."""
        if isinstance(all_of := rest.pop("allOf", None), list):
            parts = self._parts(all_of, path, depth)
            rest.update(merged_schemas([dict(rest), *parts], self._allowance))
            types[:] = _types(rest) or types
        for key in ("anyOf", "oneOf"):
            variants = rest.pop(key, None)
            if isinstance(variants, list) and variants:
                shared: Schema = {name: rest.pop(name) for name in ("properties", "required") if name in rest}
                types.clear()
                joined = (_joined(shared, variant, self._allowance) for variant in variants)
                return [self.node(variant, path, depth) for variant in joined]
        return []

    def _parts(self, schemas: list[object], path: tuple[str, ...], depth: int) -> Iterator[Schema]:
        """The parts of an allOf, their own references resolved."""
        for schema in schemas:
            part, steps = schema, depth
            while isinstance(part, dict) and "$ref" in part and steps < DEEPEST:
                ref = part["$ref"]
                if str(ref) in path:
                    raise SchemaError(f"is recursive ({ref}), which Claude's structured output does not take")
                self._allowance.spend(characters=len(str(ref)))
                part, steps = pointed_at(self._root, ref), steps + 1
            if isinstance(part, dict):
                yield part

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
        self._allowance.spend(0, characters=sum(map(len, properties)))
        out["properties"] = {name: self.node(value, path, depth) for name, value in properties.items()}
        required = rest.pop("required", None)
        if isinstance(required, list):
            names = dict.fromkeys(name for name in required if isinstance(name, str))
            out["required"] = [name for name in names if name in properties]
        rest.pop("additionalProperties", None)
        out["additionalProperties"] = False


def merged_schemas(schemas: Iterable[Mapping[str, object]], allowance: Allowance) -> Schema:
    """All at once: properties and required names of all together, otherwise the first one's words win.

    In linear time: what is gathered is copied once, not for each schema. Raises `SchemaTooLargeError`.
    """
    merged: Schema = {}
    gathered: dict[str, dict[str, object]] = {}
    for schema in schemas:
        allowance.spend(len(schema))
        for key, value in schema.items():
            known = merged.setdefault(key, value)
            members = _members(key, value) if known is not value else None
            if members is None or (so_far := gathered.get(key) or _members(key, known)) is None:
                continue
            allowance.spend(len(members) + (0 if key in gathered else len(so_far)))
            gathered[key] = so_far if key in gathered else dict(so_far)
            for name, member in members.items():
                gathered[key].setdefault(name, member)
            merged[key] = gathered[key]
    if "required" in gathered:
        merged["required"] = list(gathered["required"])
    return merged


def _members(key: str, value: object) -> dict[str, object] | None:
    """What can be gathered: schemas by name, and required names."""
    if key in {"properties", "$defs", "definitions"} and isinstance(value, dict):
        return value
    if key == "required" and isinstance(value, list):
        return dict.fromkeys(name for name in value if isinstance(name, str))
    return None


def _joined(shared: Schema, variant: object, allowance: Allowance) -> object:
    if not shared or not isinstance(variant, dict) or "$ref" in variant:
        return variant
    return merged_schemas([variant, {"type": "object", **shared}], allowance)


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


def _described(rest: Schema, out: Schema, allowance: Allowance) -> Schema:
    """Title and description stay; every other word that the subset lacks joins the description."""
    description = rest.pop("description", None)
    title = rest.pop("title", None)
    if isinstance(title, str):
        out["title"] = title
    for key in ("type", "nullable", "discriminator"):
        rest.pop(key, None)
    lost = ", ".join(f"{key}: {msgspec.json.encode(value).decode()}" for key, value in rest.items())
    words = [description] if isinstance(description, str) and description else []
    if lost:
        words.append(f"({lost})")
    if words:
        out["description"] = " ".join(words)
    allowance.spend(0, characters=sum(map(len, words)) + len(str(title)))
    return out
