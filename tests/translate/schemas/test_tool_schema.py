"""Schemas of tools: untouched where they can be, otherwise an accepted equal."""

import msgspec
import pytest
from msgspec import Raw

from claude_openai_proxy.translate.schemas.allowance import Allowance, SchemaError
from claude_openai_proxy.translate.schemas.tool_schema import LONGEST_KEPT, tool_schema
from translate.translated import JSONObject

NOTHING = {"type": "object", "properties": {}}


def accepted(schema: object) -> object:
    return msgspec.json.decode(tool_schema(Raw(msgspec.json.encode(schema)), Allowance()).schema)


@pytest.mark.parametrize("text", ['{"type":"object", "properties" : {"a":{"type":["string","null"],"default":null}}}'])
def test_an_accepted_schema_keeps_every_byte(text: str) -> None:
    assert bytes(tool_schema(Raw(text), Allowance()).schema) == text.encode()


@pytest.mark.parametrize("length", [10, LONGEST_KEPT])
def test_a_schema_is_judged_the_same_every_time_however_long_it_is(length: int) -> None:
    description = "a" * length
    good = {"type": "object", "properties": {}, "description": description}
    old = {"type": "object", "properties": {}, "description": description, "required": True}

    assert [accepted(good) for _ in range(2)] == [good, good]
    assert [accepted(old) for _ in range(2)] == [good, good]


@pytest.mark.parametrize("raw", ["", "null", "{}"])
def test_no_schema_is_no_parameters(raw: str) -> None:
    assert msgspec.json.decode(tool_schema(Raw(raw), Allowance()).schema) == NOTHING


@pytest.mark.parametrize(
    ("schema", "equal"),
    [
        ({"type": "object"}, NOTHING),
        ({"type": ["object", "null"]}, NOTHING),
        ({"type": "object", "properties": None, "required": None}, NOTHING),
        ({"type": "object", "properties": {"a": {"type": "any"}}}, {"type": "object", "properties": {"a": {}}}),
        (
            {"type": "object", "properties": {"a": {"type": "string", "required": True}}},
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        ),
        (
            {"type": "object", "properties": {"a": {"type": "integer", "maximum": 9, "exclusiveMaximum": True}}},
            {"type": "object", "properties": {"a": {"type": "integer", "exclusiveMaximum": 9}}},
        ),
        (
            {"type": "object", "properties": {"a": {"anyOf": []}, "b": {"enum": "x"}}},
            {"type": "object", "properties": {"a": {}, "b": {"description": '(enum: "x")'}}},
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"$ref": "#/definitions/A"}},
                "definitions": {"A": {"type": "null"}},
            },
            {
                "type": "object",
                "properties": {"a": {"$ref": "#/definitions/A"}},
                "definitions": {"A": {"type": "null"}},
            },
        ),
        (
            {"type": "object", "properties": {"é": {"type": "null"}}, "patternProperties": {"^x": True}},
            {"type": "object", "properties": {}, "patternProperties": {"^x": True, "^é$": {"type": "null"}}},
        ),
    ],
)
def test_another_schema_becomes_an_equal(schema: JSONObject, equal: JSONObject) -> None:
    assert accepted(schema) == equal


@pytest.mark.parametrize(
    "schema", [{"type": "string"}, {"type": ["array", "null"]}, [1], True, {"$ref": "#/$defs/Gone"}, {"$ref": "#"}]
)
def test_what_is_no_object_is_refused(schema: object) -> None:
    with pytest.raises(SchemaError):
        accepted(schema)


def test_a_recursive_schema_stays_recursive() -> None:
    node: JSONObject = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    schema = {"type": "object", "properties": {"node": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}}
    assert accepted(schema) == schema
