"""Whatever a client calls a schema: what goes upstream is one, by the metaschema's own judgement."""

import re
import warnings

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from msgspec import Raw

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.translate.schemas.allowance import ALWAYS, Allowance, SchemaError, SchemaTooLargeError
from claude_openai_proxy.translate.schemas.output_schema import strict_schema
from claude_openai_proxy.translate.schemas.tool_schema import AcceptedSchema, tool_schema
from translate.shape import function
from translate.translated import JSONObject, refusal, translate

Json = object
_FORMATS = FormatChecker(("regex",))


def _words(text: str) -> list[str]:
    return text.split()


WORDS = st.sampled_from(
    _words(
        "object array string integer number boolean null OBJECT STRING int float dict list str any x a b ^a$ "
        "^(?i)x \\- [ ] (?<n>a) \\p{L} #/$defs/a #/definitions/b #/properties/a # #a x#/properties "
        "https://example.com/s true "
    )
)
KEYS = st.sampled_from(
    _words(
        "type properties required items anyOf oneOf allOf $ref $defs definitions enum const pattern "
        "patternProperties additionalProperties minLength maxLength minimum exclusiveMinimum multipleOf "
        "minItems uniqueItems format default examples title description nullable readOnly deprecated "
        "dependentRequired dependencies minContains contains not if then else prefixItems additionalItems "
        "propertyNames $id id $anchor $dynamicRef $recursiveRef $schema $dynamicAnchor $recursiveAnchor "
        "$vocabulary dependentSchemas unevaluatedProperties contentSchema $comment contentEncoding "
        "divisibleBy maxContains a b é "
    )
)
LEAVES = st.none() | st.booleans() | st.integers(-2, 5) | st.floats(allow_nan=False, allow_infinity=False) | WORDS
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5) | inner.map(lambda v: [v, v]),
    max_leaves=25,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=6)


def check(schema: Json) -> None:
    """Valid 2020-12, patterns included, every reference leading to a schema. Raises what says otherwise."""
    assert isinstance(schema, dict)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Python's re, of patterns like [[]
        Draft202012Validator.check_schema(schema, format_checker=_FORMATS)
        for pattern in schema.get("patternProperties", ()):
            re.compile(pattern)
    assert schema["type"] == "object"
    assert isinstance(schema["properties"], dict)
    assert not {"anyOf", "oneOf", "allOf", "$ref"} & schema.keys()


def accepted(schema: Json, allowance: Allowance | None = None) -> AcceptedSchema:
    return tool_schema(Raw(msgspec.json.encode(schema)), allowance or Allowance())


@given(OBJECTS)
@settings(max_examples=300)
def test_what_goes_out_is_valid_whatever_came_in(schema: JSONObject) -> None:
    try:
        one = accepted(schema)
    except SchemaError:
        return
    check(msgspec.json.decode(one.schema))
    assert accepted(schema) == one
    again = tool_schema(one.schema, Allowance())
    assert (bytes(again.schema), again.reduced) == (bytes(one.schema), False)


@given(OBJECTS)
@settings(max_examples=150)
def test_any_tool_and_any_format_is_taken_by_the_simulator_or_refused_here(schema: JSONObject) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    for body in ({"tools": [function("f", schema, strict=True)]}, {"response_format": wanted}):
        try:
            request = translate(body).request
        except InvalidRequestError:
            continue
        assert refusal(request) is None


PROPERTIES: dict[str, tuple[str, Json, bool]] = {
    "required twice": ('{"a":{"type":"string"}},"required":["a","a"]', {"type": "string"}, False),
    "no variants": ('{"a":{"type":"string","anyOf":[]}}', {"type": "string"}, False),
    "a type twice": ('{"a":{"type":["string","string"]}}', {"type": "string"}, False),
    "a bound that says nothing": ('{"a":{"type":"string","minLength":-1}}', {"type": "string"}, False),
    "a factor of nothing": (
        '{"a":{"type":"number","multipleOf":0}}',
        {"type": "number", "description": "(multipleOf: 0)"},
        True,
    ),
    "one example": ('{"a":{"type":"string","examples":"x"}}', {"type": "string", "examples": ["x"]}, False),
    "a flag as text": (
        '{"a":{"type":"array","items":{},"uniqueItems":"true"}}',
        {"type": "array", "items": {}, "uniqueItems": True},
        False,
    ),
    "words for a flag": (
        '{"a":{"type":"string","deprecated":"use b"}}',
        {"type": "string", "description": '(deprecated: "use b")'},
        True,
    ),
    "an id": ('{"a":{"type":"string","$id":"#a b"}}', {"type": "string"}, False),
    "PHP's empty object": ('{"a":{"type":"string"}},"dependentRequired":[]', {"type": "string"}, False),
    "a count below zero": ('{"a":{"type":"array","minContains":-1}}', {"type": "array"}, False),
    "another dialect's pattern": (
        '{"a":{"type":"string","description":"A.","pattern":"^(?i)x"}}',
        {"type": "string", "description": 'A. (pattern: "^(?i)x")'},
        True,
    ),
    "a pattern with needless escapes": (
        r'{"a":{"pattern":"^[\\w\\.\\@\\-]+\\ \\-$"}}',
        {"pattern": r"^[\w\.@\-]+ -$"},
        False,
    ),
    "capitals": ('{"a":{"type":"STRING"}}', {"type": "string"}, False),
    "int": ('{"a":{"type":"int"}}', {"type": "integer"}, False),
    "float": ('{"a":{"type":"float"}}', {"type": "number"}, False),
    "dict": ('{"a":{"type":"dict"}}', {"type": "object"}, False),
    "any": ('{"a":{"type":"any"}}', {}, False),
    "a bare word": ('{"a":"object"}', {"type": "object"}, False),
    "bare words": ('{"a":"the name"}', {"description": "the name"}, False),
    "an unknown type": ('{"a":{"type":"file"}}', {"description": '(type: "file")'}, True),
    "OpenAPI's null": (
        '{"a":{"type":"string","nullable":true}}',
        {"type": ["string", "null"], "nullable": True},
        False,
    ),
    "a bound as text": ('{"a":{"type":"integer","minimum":"3"}}', {"type": "integer", "minimum": 3}, False),
}


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_slip_is_mended_or_told_in_words_and_reported(name: str) -> None:
    text, a, reduced = PROPERTIES[name]
    one = tool_schema(Raw(b'{"type":"object","properties":%b}' % text.encode()), Allowance())
    written = msgspec.json.decode(one.schema)
    check(written)
    assert written["properties"]["a"] == a
    assert one.reduced is reduced


@pytest.mark.parametrize("schema", [[], {}, {"type": "OBJECT"}, {"type": "object", "properties": []}, {"type": "dict"}])
def test_no_parameters_in_many_ways(schema: Json) -> None:
    one = accepted(schema)
    assert (msgspec.json.decode(one.schema), one.reduced) == ({"type": "object", "properties": {}}, False)


# ---- references ----------------------------------------------------------------------------------------------------


def test_references_to_places_lead_to_definitions() -> None:
    day = {"type": "object", "properties": {"day": {"type": "string"}}}
    schema = {
        "type": "object",
        "properties": {
            "from": day,
            "till": {"$ref": "#/properties/from"},
            "children": {"type": "array", "items": {"$ref": "#"}},
            "named": {"$ref": "#n"},
        },
        "$defs": {"N": {"$anchor": "n", "type": "null"}},
    }
    written = msgspec.json.decode(accepted(schema).schema)
    check(written)
    properties, defs = written["properties"], written["$defs"]
    assert properties["till"] == {"$ref": "#/$defs/from"}
    assert defs["from"] == day
    assert properties["children"]["items"] == {"$ref": "#/$defs/whole"}
    assert defs["whole"]["properties"] == properties
    assert properties["named"] == {"$ref": "#/$defs/n"}
    assert defs["n"] == {"type": "null"}
    assert not accepted(schema).reduced


def test_variants_that_differ_in_one_property_leave_all_its_values() -> None:
    variants = [{"type": "object", "properties": {"kind": {"const": kind}}, "required": ["kind"]} for kind in "ab"]
    one = accepted({"type": "object", "oneOf": variants})
    written = msgspec.json.decode(one.schema)
    check(written)
    assert written["properties"] == {"kind": {"anyOf": [{"const": "a"}, {"const": "b"}]}}
    assert "exactly one of" in written["description"]
    assert one.reduced


def test_parts_that_all_hold_are_joined_however_deep() -> None:
    schema = {
        "allOf": [
            {"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}]},
            {"properties": {"a": {"maxLength": 3}, "b": {"type": "null"}}, "minProperties": 2},
            {"minProperties": 1},
        ]
    }
    one = accepted(schema)
    assert msgspec.json.decode(one.schema) == {
        "type": "object",
        "properties": {"a": {"allOf": [{"type": "string"}, {"maxLength": 3}]}, "b": {"type": "null"}},
        "required": ["a"],
        "minProperties": 2,
    }
    assert not one.reduced


# ---- work ----------------------------------------------------------------------------------------------------------


def _parts(count: int) -> JSONObject:
    return {"type": "object", "allOf": [{"properties": {f"p{n}": {"type": "string"}}} for n in range(count)]}


def _doubling(levels: int) -> JSONObject:
    defs: JSONObject = {
        f"D{n}": {"type": "object", "properties": {key: {"$ref": f"#/$defs/D{n + 1}"} for key in "ab"}}
        for n in range(levels)
    }
    defs[f"D{levels}"] = {"type": "string"}
    return {"type": "object", "properties": {"a": {"$ref": "#/$defs/D0"}}, "$defs": defs}


@pytest.mark.parametrize("schema", [_parts, _doubling])
def test_the_work_grows_with_the_schema_and_no_faster(schema: object) -> None:
    assert callable(schema)
    works = []
    for size in (40, 80):
        allowance = Allowance()
        accepted(schema(size), allowance)
        works.append(ALWAYS - allowance.left)
    assert works[1] < 2.2 * works[0]


def test_sixteen_thousand_parts_are_one_object() -> None:
    raw = Raw(msgspec.json.encode(_parts(16_000)))
    written = msgspec.json.decode(tool_schema(raw, Allowance.for_bytes(len(bytes(raw)))).schema)
    assert len(written["properties"]) == 16_000


def test_literals_that_references_repeat_are_within_the_allowance_too() -> None:
    defs = {"Big": {"type": "string", "default": "x" * 200_000}}
    schema: JSONObject = {"type": "object", "properties": {f"p{n}": {"$ref": "#/$defs/Big"} for n in range(4000)}}
    with pytest.raises(SchemaTooLargeError):
        strict_schema({**schema, "$defs": defs}, Allowance())


def test_doubling_references_of_many_strict_tools_are_refused_with_their_place() -> None:
    tools = [function(f"f{n}", _doubling(10), strict=True) for n in range(20)]
    with pytest.raises(InvalidRequestError, match=r"tool 'f[0-9]+' is too large") as refused:
        translate({"tools": tools})
    assert re.fullmatch(r"tools\[[0-9]+\].function.parameters", str(refused.value.param))


def test_what_is_reduced_is_reported_for_each_tool() -> None:
    bad = {"type": "object", "properties": {"a": {"type": "file"}}}
    translation = translate({"tools": [function("good"), function("a.b", bad), function("c", bad)]})
    assert translation.repairs == ("tool_schema_reduced:a_b", "tool_schema_reduced:c")


def test_of_many_reduced_tools_a_few_are_named() -> None:
    bad = {"type": "object", "properties": {"a": {"type": "file"}}}
    translation = translate({"tools": [function(f"f{n}", bad) for n in range(12)]})
    assert translation.repairs == (*(f"tool_schema_reduced:f{n}" for n in range(8)), "tool_schema_reduced")
