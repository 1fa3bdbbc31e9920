"""A value that fits a JSON schema, made from what the prompt says where it says something that fits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from claude_openai_proxy.simulator.harmless import harmless_value
from claude_openai_proxy.simulator.loose_json import JSONObject, list_in, object_in, text_in

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
DAY = re.compile(r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b")
FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "hostname": "example.com",
    "uri": "https://example.com/",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Prompt:
    """What was said, and the names in it that may be the value of a string (`things`)."""

    said: str
    things: Sequence[str] = ()
    careful: bool = False
    """Whether somebody may carry out what is made: then nothing that was said becomes a command, a path or the like."""


def json_instance(schema: JSONObject, prompt: Prompt) -> object:
    """An instance of `schema`: required properties, and optional ones that the prompt names a value for."""
    return _value(schema, schema, prompt, "value", 0)


def _value(schema: JSONObject, root: JSONObject, prompt: Prompt, name: str, depth: int) -> object:
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if isinstance(schema.get("enum"), list):
        return _choice(list_in(schema["enum"]), prompt)
    match _type(schema):
        case "object":
            return _object(schema, root, prompt, depth)
        case "array":
            return _list(object_in(schema.get("items")), root, prompt, name, depth)
        case "integer" | "number" as kind:
            return _number(schema, prompt, whole=kind == "integer")
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _text(schema, prompt, name)


def _resolved(schema: JSONObject, root: JSONObject) -> JSONObject:
    """Follows `$ref`, and takes the first alternative that is not null."""
    for _ in range(DEEPEST):
        if isinstance(schema.get("$ref"), str):
            part: object = root
            for step in text_in(schema["$ref"]).split("/")[1:]:
                part = object_in(part).get(step)
            schema = object_in(part)
            continue
        alternatives = list_in(schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"))
        if not alternatives:
            break
        filled = [object_in(part) for part in alternatives if object_in(part).get("type") != "null"]
        schema = filled[0] if filled else {"type": "null"}
    return schema


def _type(schema: JSONObject) -> str:
    named = schema.get("type")
    if isinstance(named, list):
        return next((kind for kind in named if kind != "null"), "null")
    return text_in(named) or ("object" if "properties" in schema else "string")


def _object(schema: JSONObject, root: JSONObject, prompt: Prompt, depth: int) -> JSONObject:
    required = list_in(schema.get("required"))
    made: JSONObject = {}
    left = prompt
    for name, part in object_in(schema.get("properties")).items():
        wanted = name in required or (depth == 0 and _named(object_in(part), prompt))
        if wanted and depth < DEEPEST:
            listed = _type(_resolved(object_in(part), root)) == "array"
            made[name] = _value(object_in(part), root, prompt if listed else left, name, depth + 1)
            if made[name] in left.things[:1] and len(left.things) > 1:
                left = Prompt(left.said, left.things[1:], left.careful)
    return made


def _list(items: JSONObject, root: JSONObject, prompt: Prompt, name: str, depth: int) -> list[object]:
    """One item; of plain strings one for each thing that was named."""
    if depth >= DEEPEST or not items:
        return []
    if prompt.careful and (harmless := harmless_value(name, items)) is not None and _type(items) == "string":
        return [harmless]
    plain = items.keys() <= {"type", "description", "title"} and items.get("type") == "string"
    if plain and prompt.things:
        return list(prompt.things)
    return [_value(items, root, prompt, name, depth + 1)]


def _named(schema: JSONObject, prompt: Prompt) -> bool:
    said = prompt.said.lower()
    return any(isinstance(value, str) and value.lower() in said for value in list_in(schema.get("enum")))


def _choice(values: list[object], prompt: Prompt) -> object:
    said = prompt.said.lower()
    mentioned = [value for value in values if isinstance(value, str) and value and value.lower() in said]
    return mentioned[0] if mentioned else values[0]


def _number(schema: JSONObject, prompt: Prompt, *, whole: bool) -> float:
    found = NUMBER.findall(prompt.said)
    if found:
        return round(float(found[0])) if whole else float(found[0])
    least = schema.get("minimum", 1)
    return least if isinstance(least, (int, float)) else 1


def _text(schema: JSONObject, prompt: Prompt, name: str) -> str:
    if prompt.careful and (harmless := harmless_value(name, schema)) is not None:
        return harmless
    form = text_in(schema.get("format"))
    if form in FORMATS:
        return FORMATS[form]
    if "day" in name.lower() and (day := DAY.search(prompt.said)):
        return day.group()
    if isinstance(schema.get("default"), str):
        return text_in(schema["default"])
    return prompt.things[0] if prompt.things else (prompt.said.strip() or f"simulated {name}")
