"""Schemas as the SDKs make them, in the subset that Claude compiles."""

from enum import Enum
from typing import Literal

import msgspec
import pytest
from msgspec import Raw
from openai.lib._pydantic import to_strict_json_schema
from pydantic import BaseModel, Field

from claude_openai_proxy.translate.schemas.allowance import Allowance, SchemaError, SchemaTooLargeError
from claude_openai_proxy.translate.schemas.document import decoded
from claude_openai_proxy.translate.schemas.output_schema import LooseSchemaError
from claude_openai_proxy.translate.schemas.output_schema import strict_schema as _strict_schema
from translate.translated import JSONObject, refusal, translate


def strict_schema(schema: JSONObject) -> JSONObject:
    return _strict_schema(schema, Allowance())


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Step(BaseModel):
    explanation: str = Field(description="Why", min_length=3)
    weight: float = Field(ge=0, le=1)


class Answer(BaseModel):
    """The whole."""

    steps: list[Step] = Field(min_length=2)
    colour: Colour
    kind: Literal["a", "b"]
    maybe: Step | None = None
    either: int | str
    day: str = Field(json_schema_extra={"format": "date"})


ZOD: JSONObject = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "email": {"type": "string", "format": "email", "maxLength": 50},
        "url": {"type": "string", "format": "uri"},
        "id": {"type": "string", "format": "cuid"},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
        "age": {"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "null"}]},
        "shape": {"oneOf": [{"type": "object", "properties": {"r": {"type": "number"}}, "required": ["r"]}]},
    },
    "required": ["email", "tags"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "schema", [Answer.model_json_schema(), to_strict_json_schema(Answer), ZOD], ids=["pydantic", "parse", "zod"]
)
def test_schemas_of_the_sdks_go_upstream(schema: JSONObject) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
    translation = translate({"response_format": wanted})
    assert "response_format_emulated" not in translation.repairs
    assert refusal(translation.request) is None


@pytest.mark.parametrize(
    ("schema", "accepted"),
    [
        ({"type": "string", "format": "email"}, {"type": "string", "format": "email"}),
        ({"type": "string", "format": "cuid"}, {"type": "string", "description": '(format: "cuid")'}),
        (
            {"type": "array", "items": {"type": "null"}, "minItems": 1},
            {"type": "array", "items": {"type": "null"}, "minItems": 1},
        ),
        (
            {"type": "array", "items": {"type": "null"}, "minItems": 4},
            {"type": "array", "items": {"type": "null"}, "description": "(minItems: 4)"},
        ),
        ({"type": ["string", "null"]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"const": "x", "type": "string"}, {"const": "x"}),
        ({"enum": ["a", None], "title": "T"}, {"enum": ["a", None], "title": "T"}),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (
            {"type": "object", "allOf": [{"properties": {"a": {"type": "null"}}, "required": ["a"]}]},
            {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"], "additionalProperties": False},
        ),
        (
            {"$ref": "#/$defs/A~1B", "$defs": {"A/B": {"type": "string"}}, "description": "Here"},
            {"type": "string", "description": "Here"},
        ),
        (
            {"properties": {"a": {"type": "boolean"}}, "required": ["a", "gone"]},
            {
                "type": "object",
                "properties": {"a": {"type": "boolean"}},
                "required": ["a"],
                "additionalProperties": False,
            },
        ),
    ],
)
def test_a_schema_becomes_one_of_the_subset(schema: JSONObject, accepted: JSONObject) -> None:
    assert strict_schema(schema) == accepted


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "array"},
        {"type": "array", "items": [{"type": "string"}]},
        {"type": "object", "properties": {"a": {}}},
        {"type": "object", "properties": {"a": True}},
        {"type": "object", "properties": {"a": {"type": "null"}}, "patternProperties": {"^x": {"type": "null"}}},
    ],
)
def test_what_the_subset_would_narrow_is_not_forced_into_it(schema: JSONObject) -> None:
    with pytest.raises(LooseSchemaError):
        strict_schema(schema)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "object", "properties": {"a": {"$ref": "#"}}}, "is recursive"),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"allOf": [{"$ref": "#/$defs/A"}]}}}, "is recursive"),
        ({"$ref": "#/$defs/A"}, "any value"),
        ({"$ref": "https://example.com/schema"}, "any value"),
        ({"type": "object", "properties": {"a": 5}}, "any value"),
    ],
)
def test_what_cannot_be_is_said(schema: JSONObject, words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        strict_schema(schema)


def test_references_that_double_themselves_are_stopped() -> None:
    defs: JSONObject = {f"D{n}": {"anyOf": [{"$ref": f"#/$defs/D{n + 1}"}] * 9} for n in range(12)}
    defs["D12"] = {"type": "null"}
    with pytest.raises(SchemaTooLargeError):
        strict_schema({"$ref": "#/$defs/D0", "$defs": defs})


def test_deep_nesting_is_stopped() -> None:
    schema: JSONObject = {"type": "null"}
    for _ in range(150):
        schema = {"type": "array", "items": schema}
    with pytest.raises(SchemaError, match="deeply"):
        strict_schema(schema)


def test_the_clients_schema_is_not_changed() -> None:
    before = msgspec.json.encode(ZOD)
    strict_schema(ZOD)
    assert msgspec.json.encode(ZOD) == before


@pytest.mark.parametrize("raw", ["[1]", "5", "null", "true", '"x"', "{"])
def test_only_an_object_is_a_schema(raw: str) -> None:
    with pytest.raises(SchemaError):
        decoded(Raw(raw))
