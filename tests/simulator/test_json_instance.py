"""What is made for a schema fits the schema."""

import pytest

from claude_openai_proxy.simulator.json_instance import Prompt, json_instance
from claude_openai_proxy.simulator.loose_json import JSONObject

NODE: JSONObject = {"type": "object", "properties": {"child": {"$ref": "#/$defs/node"}}, "required": ["child"]}


@pytest.mark.parametrize(
    ("schema", "instance"),
    [
        ({"const": 7}, 7),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": "string", "default": "fallback"}, "fallback"),
        ({"type": "integer"}, 42),
        ({"type": "number"}, 42.0),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"]}, 42),
        ({"type": "array", "items": {"type": "integer"}}, [42]),
        ({"type": "array"}, []),
        ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, True),
        ({"anyOf": [{"type": "null"}]}, None),
        ({"properties": {"a": {"$ref": "#/$defs/b"}}, "required": ["a"], "$defs": {"b": {"const": 1}}}, {"a": 1}),
        ({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}, {}),
    ],
)
def test_an_instance_fits_its_schema(schema: JSONObject, instance: object) -> None:
    assert json_instance(schema, Prompt("It is 42")) == instance


def test_names_go_to_the_properties_in_their_order() -> None:
    properties = {"origin": {"type": "string"}, "target": {"type": "string"}}
    schema: JSONObject = {"type": "object", "properties": properties, "required": ["origin", "target"]}
    made = json_instance(schema, Prompt("From Paris to Rome", ["Paris", "Rome"]))
    assert made == {"origin": "Paris", "target": "Rome"}


def test_a_schema_that_contains_itself_comes_to_an_end() -> None:
    schema: JSONObject = {"$ref": "#/$defs/node", "$defs": {"node": NODE}}
    assert isinstance(json_instance(schema, Prompt("x")), dict)
