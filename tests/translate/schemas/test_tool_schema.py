"""Schemas of tools: untouched where they can be, otherwise an accepted equal."""

import msgspec
import pytest
from msgspec import Raw

from claude_openai_proxy.translate.schemas.allowance import Allowance
from claude_openai_proxy.translate.schemas.output_schema import SchemaError
from claude_openai_proxy.translate.schemas.tool_schema import LONGEST_KEPT, tool_schema
from translate.translated import JSONObject

NOTHING = {"type": "object", "properties": {}}


def accepted(schema: object) -> object:
    return msgspec.json.decode(tool_schema(Raw(msgspec.json.encode(schema)), Allowance()))


@pytest.mark.parametrize("text", ['{"type":"object", "properties" : {"a":{"type":["string","null"],"default":null}}}'])
def test_an_accepted_schema_keeps_every_byte(text: str) -> None:
    assert bytes(tool_schema(Raw(text), Allowance())) == text.encode()


@pytest.mark.parametrize("length", [10, LONGEST_KEPT])
def test_a_schema_is_judged_the_same_every_time_however_long_it_is(length: int) -> None:
    description = "a" * length
    good = {"type": "object", "properties": {}, "description": description}
    old = {"type": "object", "properties": {}, "description": description, "required": True}

    assert [accepted(good) for _ in range(2)] == [good, good]
    assert [accepted(old) for _ in range(2)] == [good, good]


@pytest.mark.parametrize("raw", ["", "null", "{}"])
def test_no_schema_is_no_parameters(raw: str) -> None:
    assert msgspec.json.decode(tool_schema(Raw(raw), Allowance())) == NOTHING


@pytest.mark.parametrize(
    ("schema", "equal"),
    [
        ({"type": "object"}, NOTHING),
        ({"type": ["object", "null"]}, NOTHING),
        ({"type": "object", "properties": None, "required": None}, NOTHING),
        ({"type": "object", "properties": {"a": {"type": "any"}}}, {"type": "object", "properties": {"a": {}}}),
        (
            {"type": "object", "properties": {"a": {"type": "string", "required": True}}},
            {"type": "object", "properties": {"a": {"type": "string"}}},
        ),
        (
            {"type": "object", "properties": {"a": {"type": "integer", "maximum": 9, "exclusiveMaximum": True}}},
            {"type": "object", "properties": {"a": {"type": "integer", "exclusiveMaximum": 9}}},
        ),
        (
            {"type": "object", "properties": {"a": {"anyOf": []}, "b": {"enum": "x"}}},
            {"type": "object", "properties": {"a": {}, "b": {}}},
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


@pytest.mark.parametrize(
    ("given", "mended"),
    [
        ({"type": "string", "anyOf": []}, {"type": "string"}),
        ({"type": "string", "enum": []}, {"type": "string"}),
        ({"type": ["string", "string"]}, {"type": "string"}),
        ({"type": "string", "minLength": -1}, {"type": "string"}),
        ({"type": "number", "multipleOf": 0}, {"type": "number"}),
        ({"type": "string", "examples": "x"}, {"type": "string"}),
        ({"type": "array", "items": {}, "uniqueItems": "true"}, {"type": "array", "items": {}}),
        ({"type": "string", "readOnly": "true"}, {"type": "string"}),
        ({"type": "string", "deprecated": "use b"}, {"type": "string"}),
        ({"type": "string", "$id": "#a b"}, {"type": "string"}),
        ({"type": "array", "minContains": -1}, {"type": "array"}),
        ({"type": "string", "pattern": "^(?i)x"}, {"type": "string"}),
        ({"type": "object", "patternProperties": {"(": {}}}, {"type": "object", "patternProperties": {}}),
        ({"type": "object", "required": ["b", "b"]}, {"type": "object", "required": ["b"]}),
        ({"type": "object", "dependentRequired": []}, {"type": "object"}),
        ({"type": "object", "not": 3}, {"type": "object"}),
        ({"type": "object", "not": {"type": "foo"}}, {"type": "object"}),
        (
            {"type": "object", "dependencies": {"a": ["b"], "c": {"required": ["d"]}}},
            {
                "type": "object",
                "dependentRequired": {"a": ["b"]},
                "dependentSchemas": {"c": {"required": ["d"]}},
            },
        ),
    ],
)
def test_a_keyword_that_is_not_valid_is_mended_or_left_out_alone(given: JSONObject, mended: JSONObject) -> None:
    assert accepted({"type": "object", "properties": {"a": given}}) == {"type": "object", "properties": {"a": mended}}


@pytest.mark.parametrize("pattern", [r"^(?<year>\d{4})-\k<year>$", r"^\p{L}+$", r"^a\/b$", r"(?i:x)|[\w-]"])
def test_a_pattern_of_ecmascript_stays(pattern: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}

    assert accepted(schema) == schema


def test_types_by_other_names_are_types() -> None:
    named = {"a": {"type": "STRING"}, "b": {"type": "int"}, "c": {"type": "dict"}, "d": "object", "e": {"type": "any"}}

    assert accepted({"type": "OBJECT", "properties": named}) == {
        "type": "object",
        "properties": {
            "a": {"type": "string"},
            "b": {"type": "integer"},
            "c": {"type": "object"},
            "d": {"type": "object"},
            "e": {},
        },
    }
