"""JSON schemas for structured output and strict tools: rewritten into the subset that Claude compiles to a grammar.

https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs. What the subset cannot say moves into the
description, where the model reads it; the client's own schema judges the finished answer.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from claude_openai_proxy.translate.schemas.allowance import Allowance, SchemaError
from claude_openai_proxy.translate.schemas.document import DEEPEST, Document, Schema
from claude_openai_proxy.translate.schemas.joining import Joined, parts_of
from claude_openai_proxy.translate.schemas.modern import modern_schema, with_words
from claude_openai_proxy.translate.schemas.types import TYPES

FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
"""String formats that the grammar knows."""

_SHARED: Final = ("properties", "required")
_UNCOMPILED: Final = ("type", "nullable", "discriminator")
"""Said otherwise, or not by values."""


class LooseSchemaError(SchemaError):
    """The subset has no schema that lets through everything that this one does (maps, tuples, recursion, any value)."""


def strict_schema(asked: Schema, allowance: Allowance) -> Schema:
    """The same schema in Claude's subset, its references resolved.

    Raises `LooseSchemaError` where that would shut out what the schema is for, `SchemaError` where it is nested too
    deeply, and `SchemaTooLargeError`.
    """
    root = modern_schema(asked, allowance).schema
    return _Rewriting(root, allowance).node(root, ())


class _Rewriting:
    """References are put in where they are used; `path` holds those that are open, so a recursion shows."""

    def __init__(self, root: Schema, allowance: Allowance) -> None:
        self._document = Document(root, allowance)
        self._allowance = allowance
        self._depth = 0

    def node(self, schema: object, path: tuple[str, ...]) -> Schema:
        if not isinstance(schema, dict):
            raise LooseSchemaError("has a place that takes any value, or none")
        if self._depth > DEEPEST:
            raise LooseSchemaError("is nested too deeply once its references are resolved")
        self._allowance.spend(2)
        joined = Joined(self._allowance)
        for via, part in parts_of(schema, self._document, self._allowance):
            if via is not None and via in path:
                raise LooseSchemaError(f"is recursive ({via}), which Claude's structured output does not take")
            path = path if via is None else (*path, via)
            joined.add(part)
        self._depth += 1
        written = self._plain(joined.schema(), path)
        self._depth -= 1
        return written

    def _plain(self, rest: Schema, path: tuple[str, ...]) -> Schema:
        rest.pop("$comment", None)
        out: Schema = {}
        _literals(rest, out)
        types = _types(rest)
        if variants := self._variants(rest, path):
            out["anyOf"] = variants
        elif len(types) > 1 and not ({"enum", "const"} & out.keys()):
            out["anyOf"] = [self._plain({**_shared(rest, type_), "type": type_}, path) for type_ in types]
            rest = {key: rest[key] for key in ("description", "title", "default") if key in rest}
        elif types and not ({"enum", "const"} & out.keys()):
            self._typed(types[0], rest, out, path)
        elif not types and not out:
            raise LooseSchemaError("has a place that takes any value")
        return self._described(rest, out)

    def _variants(self, rest: Schema, path: tuple[str, ...]) -> list[Schema]:
        """anyOf and oneOf; what stands beside them holds for each."""
        for key in ("anyOf", "oneOf"):
            variants = rest.pop(key, None)
            if isinstance(variants, list) and variants:
                shared: Schema = {name: rest.pop(name) for name in _SHARED if name in rest}
                return [self.node(_joined(shared, variant), path) for variant in variants]
        return []

    def _typed(self, type_: str, rest: Schema, out: Schema, path: tuple[str, ...]) -> None:
        out["type"] = type_
        rest.pop("type", None)
        if type_ == "object":
            self._object(rest, out, path)
        elif type_ == "array":
            out["items"] = self.node(rest.pop("items", True), path)
            if rest.get("minItems") in {0, 1}:
                out["minItems"] = rest.pop("minItems")
        elif type_ == "string" and rest.get("format") in FORMATS:
            out["format"] = rest.pop("format")

    def _object(self, rest: Schema, out: Schema, path: tuple[str, ...]) -> None:
        properties = rest.pop("properties", None)
        properties = properties if isinstance(properties, dict) else {}
        others = rest.get("additionalProperties")
        if "patternProperties" in rest or isinstance(others, dict) or not (properties or others is False):
            raise LooseSchemaError("has an object with properties of any name")
        self._allowance.spend(0, characters=sum(map(len, properties)))
        out["properties"] = {name: self.node(value, path) for name, value in properties.items()}
        required = rest.pop("required", None)
        if isinstance(required, list):
            out["required"] = [name for name in required if name in properties]
        rest.pop("additionalProperties", None)
        out["additionalProperties"] = False

    def _described(self, rest: Schema, out: Schema) -> Schema:
        """Title and description stay; every other word that the subset lacks joins the description."""
        self._allowance.spend(0, characters=len(msgspec.json.encode([rest, out.get("enum"), out.get("const")])))
        for key in ("title", "description"):
            if isinstance(text := rest.pop(key, None), str) and text:
                out[key] = text
        return with_words(out, {key: value for key, value in rest.items() if key not in _UNCOMPILED})


def _joined(shared: Schema, variant: object) -> object:
    return {"allOf": [variant, {"type": "object", **shared}]} if shared else variant


def _shared(rest: Schema, type_: str) -> Schema:
    """What of a schema with several types belongs to this one."""
    belongs = {
        "object": ("properties", "required", "additionalProperties", "patternProperties"),
        "array": ("items", "minItems", "maxItems", "prefixItems"),
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
