"""How earlier drafts of JSON Schema, and OpenAPI 3.0, say what 2020-12 says with other keywords."""

from claude_openai_proxy.translate.schemas.document import Schema
from claude_openai_proxy.translate.schemas.types import types_named


def modern_spelling(schema: Schema) -> Schema:
    """One level with 2020-12's keywords; values that no draft knows stay for the table of keywords."""
    out = dict(schema)
    _tuples(out)
    _bounds(out)
    _dependencies(out)
    _nullable(out)
    for key in ("$dynamicRef", "$recursiveRef"):
        if key in out:
            ref = out.pop(key)
            out.setdefault("$ref", ref)
    if isinstance(out.get("required"), bool) or out.get("required") in ("true", "false"):
        del out["required"]
    return out


def lifted_required(schema: Schema, out: Schema) -> Schema:
    """`required: true` in a property (draft 3) is the object's word that it must be there."""
    properties = schema.get("properties")
    if isinstance(properties, dict):
        names = [
            name for name, value in properties.items() if isinstance(value, dict) and value.get("required") is True
        ]
        if names:
            already = out.get("required")
            out["required"] = list(dict.fromkeys([*(already if isinstance(already, list) else []), *names]))
    return out


def _tuples(out: Schema) -> None:
    """Until 2019-09 a list of `items` was a tuple."""
    items = out.get("items")
    if isinstance(items, list) and "prefixItems" not in out:
        del out["items"]
        if items:
            out["prefixItems"] = items
            if "additionalItems" in out:
                out["items"] = out.pop("additionalItems")


def _bounds(out: Schema) -> None:
    """Draft 4 said `exclusiveMinimum: true` beside `minimum`."""
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        flag = out.get(exclusive)
        if isinstance(flag, bool):
            del out[exclusive]
            if flag and inclusive in out:
                out[exclusive] = out.pop(inclusive)
    if "divisibleBy" in out:
        factor = out.pop("divisibleBy")
        out.setdefault("multipleOf", factor)


def _dependencies(out: Schema) -> None:
    """Until draft 7 one keyword was for names and for schemas."""
    both = out.get("dependencies")
    if not isinstance(both, dict):
        if both is None or both == []:
            out.pop("dependencies", None)
        return
    del out["dependencies"]
    for key, wanted in (("dependentRequired", True), ("dependentSchemas", False)):
        found = {name: value for name, value in both.items() if isinstance(value, list | str) is wanted}
        there = out.get(key)
        if found:
            out[key] = {**found, **there} if isinstance(there, dict) else found


def _nullable(out: Schema) -> None:
    """OpenAPI 3.0's `nullable`."""
    if out.get("nullable") is not True:
        return
    if (types := types_named(out.get("type"))) and "null" not in types:
        out["type"] = [*types, "null"]
        if isinstance(values := out.get("enum"), list) and None not in values:
            out["enum"] = [*values, None]
