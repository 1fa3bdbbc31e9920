"""The subset of JSON schema of structured outputs and strict tools (structured outputs page)."""

from collections.abc import Iterator

from claude_openai_proxy.simulator.complaints.asked import Asked
from claude_openai_proxy.simulator.loose_json import JSONObject, compact, list_in, object_in, objects_in, text_in

BOUNDS = {
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength"),
    "array": ("maxItems", "uniqueItems", "contains", "prefixItems", "minContains", "maxContains"),
    "object": ("minProperties", "maxProperties", "patternProperties", "propertyNames", "dependentRequired"),
}
REFUSED = ("oneOf", "not", "if", "then", "else", "unevaluatedProperties", "dependentSchemas", "$dynamicRef")
FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid", "text")
STRICT_TOOLS = 20
OPTIONAL_PARAMETERS = 24
GRAMMAR_SIZE = 40_000
Place = tuple[str, JSONObject]


def schemas_to_compile(asked: Asked) -> list[Place]:
    """The schemas that become a grammar, with their paths."""
    strict = [
        (path, object_in(tool.get("input_schema"))) for path, tool in asked.custom_tools if tool.get("strict") is True
    ]
    answer = object_in(object_in(asked.body.get("output_config")).get("format")).get("schema")
    return [*strict, *([("output_config.format.schema", answer)] if isinstance(answer, dict) else [])]


def open_object(asked: Asked) -> str | None:
    """An object that does not say `additionalProperties: false`."""
    for path, schema in _all_parts(asked):
        if _types(schema) & {"object"} and schema.get("additionalProperties") is not False:
            return f"{path}: For 'object' type, 'additionalProperties' must be explicitly set to false"
    return None


def bounds(asked: Asked) -> str | None:
    """A numeric or length bound, or another keyword that no grammar is made for."""
    for path, schema in _all_parts(asked):
        for kind in sorted(_types(schema)):
            found = [name for name in BOUNDS.get(kind, ()) if name in schema]
            if found:
                return f"{path}: For '{kind}' type, properties {', '.join(found)} are not supported"
    return None


def min_items(asked: Asked) -> str | None:
    """At least so many items, more than one."""
    for path, schema in _all_parts(asked):
        if schema.get("minItems", 0) not in {0, 1}:
            return f"{path}: For 'array' type, 'minItems' values other than 0 or 1 are not supported"
    return None


def refused_keyword(asked: Asked) -> str | None:
    """A keyword that structured outputs do not know."""
    for path, schema in _all_parts(asked):
        found = next((name for name in REFUSED if name in schema), None)
        if found:
            return f"{path}: Schema keyword '{found}' is not supported"
    return None


def string_format(asked: Asked) -> str | None:
    """A string format that structured outputs do not know."""
    for path, schema in _all_parts(asked):
        if "string" in _types(schema) and schema.get("format", "text") not in FORMATS:
            return f"{path}: For 'string' type, format '{schema['format']}' is not supported"
    return None


def untyped(asked: Asked) -> str | None:
    """A part of a schema that says nothing about its values."""
    saying = {"type", "anyOf", "allOf", "enum", "const", "$ref", *REFUSED}
    for path, schema in _all_parts(asked):
        if not saying & schema.keys():
            return f"{path}: Schema type is missing. Supply 'type', 'anyOf', 'allOf', 'enum', 'const' or '$ref'"
    return None


def reference(asked: Asked) -> str | None:
    """A reference out of the schema, or to nothing."""
    for root_path, root in schemas_to_compile(asked):
        for path, schema in _parts(root_path, root):
            if "$ref" in schema and _referred(root, text_in(schema["$ref"])) is None:
                return f"{path}: Unable to resolve $ref '{schema['$ref']}'"
    return None


def recursion(asked: Asked) -> str | None:
    """A schema that contains itself."""
    for path, root in schemas_to_compile(asked):
        if _recursive(root, root, ()):
            return f"{path}: Recursive schemas are not supported"
    return None


def too_many_strict_tools(asked: Asked) -> str | None:
    """More strict tools than are compiled."""
    count = sum(1 for _, tool in asked.custom_tools if tool.get("strict") is True)
    advice = f"The maximum number of strict tools supported is {STRICT_TOOLS}."
    return f"Too many strict tools ({count}). {advice}" if count > STRICT_TOOLS else None


def too_many_optional(asked: Asked) -> str | None:
    """More optional properties than are compiled."""
    count = 0
    for _, schema in _all_parts(asked):
        count += len(object_in(schema.get("properties")).keys() - set(map(str, list_in(schema.get("required")))))
    if count <= OPTIONAL_PARAMETERS:
        return None
    found = f"Schemas contains too many optional parameters ({count})"
    advice = f"Reduce the number of optional parameters in your tool schemas (limit: {OPTIONAL_PARAMETERS})."
    return f"{found}, which would make grammar compilation inefficient. {advice}"


def grammar_too_large(asked: Asked) -> str | None:
    """All schemas together make too large a grammar; here by their length, the real measure is not published."""
    size = sum(len(compact(schema)) for _, schema in schemas_to_compile(asked))
    advice = "Simplify your tool schemas or reduce the number of strict tools."
    found = "The compiled grammar is too large, which would cause performance issues."
    return f"{found} {advice}" if size > GRAMMAR_SIZE else None


def _all_parts(asked: Asked) -> Iterator[Place]:
    for path, schema in schemas_to_compile(asked):
        yield from _parts(path, schema)


def _parts(path: str, schema: JSONObject) -> Iterator[Place]:
    """The schema and all schemas in it."""
    yield path, schema
    for keyword in ("properties", "$defs", "definitions"):
        for name, part in object_in(schema.get(keyword)).items():
            yield from _parts(f"{path}.{keyword}.{name}", object_in(part))
    if isinstance(schema.get("items"), dict):
        yield from _parts(f"{path}.items", object_in(schema["items"]))
    for keyword in ("anyOf", "allOf", "oneOf"):
        for index, part in enumerate(objects_in(schema.get(keyword))):
            yield from _parts(f"{path}.{keyword}.{index}", part)


def _types(schema: JSONObject) -> set[str]:
    named = schema.get("type")
    return {named} if isinstance(named, str) else {text_in(name) for name in list_in(named)}


def _referred(root: JSONObject, name: str) -> JSONObject | None:
    part: object = root
    if not name.startswith("#"):
        return None
    for step in name.split("/")[1:]:
        part = object_in(part).get(step)
    return part if isinstance(part, dict) else None


def _recursive(root: JSONObject, schema: JSONObject, inside: tuple[str, ...]) -> bool:
    for _, part in _parts("", schema):
        name = part.get("$ref")
        if not isinstance(name, str):
            continue
        target = _referred(root, name)
        if name in inside or (target is not None and _recursive(root, target, (*inside, name))):
            return True
    return False
