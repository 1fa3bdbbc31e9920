"""The simulator judges schemas by rules of its own, and as the metaschema does."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError
from jsonschema_specifications import REGISTRY

from claude_openai_proxy.simulator.complaints.metaschema import CHECKS, SCHEMAS_IN, is_schema

_REGEX = FormatChecker(("regex",))
_VOCABULARIES = ("core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "content")
_DRAFT = "https://json-schema.org/draft/2020-12"


def keywords() -> set[str]:
    """All that the metaschema speaks of."""
    documents = [REGISTRY[f"{_DRAFT}/{part}"].contents for part in ("schema", *(f"meta/{v}" for v in _VOCABULARIES))]
    return {name for document in documents for name in document["properties"]}


KEYWORDS = sorted(keywords())
TEXTS = ("", "a", "string", "object", "^a$", "[", "^(?i)x", "#", "a#b", "a b", "x:y", "[[a]")
PLAIN = (None, True, False, -1, 0, 1, 0.5, -1.5, 2.0, 1e300, *TEXTS)
NESTED: tuple[object, ...] = (
    ["string", "null"],
    ["a", "b"],
    ["a", "a"],
    [{}, True],
    [{"type": "text"}],
    {"a": ["x", "x"]},
    {"a": ["x", "y"]},
    {"a": {"type": "text"}},
    {"[": {}},
    {"^a$": {}},
    {"type": "text"},
    {"type": "string"},
)
LEAVES = st.sampled_from(PLAIN)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*KEYWORDS, "a", "["]), inner, max_size=3)
        | inner.map(lambda value: [value, value])
    ),
    max_leaves=12,
)
SCHEMAS = st.dictionaries(st.sampled_from([*KEYWORDS, "a"]), VALUES, max_size=3)


def by_the_validator(schema: object) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            Draft202012Validator.check_schema(schema, format_checker=_REGEX)
    except SchemaError:
        return False
    return True


def test_every_keyword_that_takes_not_everything_has_a_row() -> None:
    assert CHECKS.keys() | SCHEMAS_IN.keys() | {"const", "default"} == keywords()


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_a_keyword_takes_what_the_metaschema_lets_it_take(keyword: str) -> None:
    for value in (*PLAIN, *([value] for value in PLAIN), *({"a": value} for value in PLAIN), *NESTED):
        schema = {keyword: value}
        assert is_schema(schema) == by_the_validator(schema), schema


@given(VALUES | SCHEMAS)
def test_a_schema_is_judged_as_the_metaschema_does(schema: object) -> None:
    assert is_schema(schema) == by_the_validator(schema)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "string", "anyOf": []},
        {"type": ["string", "string"]},
        {"type": "string", "minLength": -1},
        {"type": "number", "multipleOf": 0},
        {"type": "string", "examples": "x"},
        {"type": "array", "items": {}, "uniqueItems": "true"},
        {"type": "string", "readOnly": "true"},
        {"type": "string", "deprecated": "use b"},
        {"type": "string", "$id": "#a b"},
        {"type": "array", "minContains": -1},
        {"type": "string", "pattern": "^(?i)x"},
        {"type": "number", "exclusiveMinimum": True},
        {"items": [{}]},
    ],
)
def test_what_clients_get_wrong_is_refused(part: dict[str, object]) -> None:
    assert not is_schema({"type": "object", "properties": {"a": part}})


def test_a_schema_may_be_deep() -> None:
    schema: object = {}
    for _ in range(5000):
        schema = {"not": schema}
    assert is_schema(schema)
