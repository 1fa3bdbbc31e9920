"""Translation is linear: twice as much of anything is twice the work, and references buy no more than their bytes."""

from collections.abc import Callable
from functools import partial

import msgspec
import pytest

from claude_openai_proxy.errors import InvalidRequestError
from translate.shape import assistant, call, function, result, user
from translate.translated import JSONObject, translate
from work import lines_run

OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}}


def talk(*messages: JSONObject, **fields: object) -> JSONObject:
    return {"messages": [user("x"), *messages], **fields}


def schema(**members: object) -> JSONObject:
    return {"tools": [function("f", {"type": "object", "properties": {}, **members})]}


def strict(parameters: object) -> JSONObject:
    return function("f", parameters, strict=True)


def legacy_result(content: str) -> JSONObject:
    return {"role": "function", "name": "f", "content": content}


def legacy_turns(n: int) -> list[JSONObject]:
    said = {"function_call": {"name": "f", "arguments": "{}"}}
    return [turn for i in range(n) for turn in (assistant(**said), legacy_result(f"{i}"))]


def without_ids(n: int) -> list[JSONObject]:
    return [turn for i in range(n) for turn in (assistant(tool_calls=[call("")]), result("", f"{i}"))]


def tails(n: int) -> list[str]:
    return [f"{'x' * 120}{i:08}" for i in range(n)]


MANY: dict[str, Callable[[int], JSONObject]] = {
    "tools of one name": lambda n: {"tools": [function("f")] * n},
    "tools of one foreign name": lambda n: {"tools": [function("a b")] * n},
    "long names that end alike when they are cut": lambda n: {"tools": [function(name) for name in tails(n) * 2]},
    "turns with calls of one id": lambda n: talk(
        *(turn for i in range(n) for turn in (assistant(tool_calls=[call("a")]), result("a", f"{i}")))
    ),
    "calls of one id that wait": lambda n: talk(
        *(turn for _ in range(n) for turn in (assistant(tool_calls=[call("a")]), user("y")))
    ),
    "one turn with calls of one id": lambda n: talk(
        assistant(tool_calls=[call("a")] * n), *(result("a", f"{i}") for i in range(n))
    ),
    "results of one call": lambda n: talk(assistant(tool_calls=[call("a")]), *(result("a", f"{i}") for i in range(n))),
    "results of many calls of one id": lambda n: talk(
        assistant(tool_calls=[call("a")] * n), *(result("a", f"{i}") for i in range(3 * n))
    ),
    "legacy turns": lambda n: talk(*legacy_turns(n)),
    "legacy results without calls": lambda n: talk(
        assistant(tool_calls=[call("a")] * n), *(legacy_result(f"{i}") for i in range(n))
    ),
    "calls without ids": lambda n: talk(*without_ids(n)),
    "one turn of calls without ids": lambda n: talk(
        assistant(tool_calls=[call("")] * n), *(result("", f"{i}") for i in range(n))
    ),
    "results without calls": lambda n: talk(*(result("a", f"{i}") for i in range(n))),
    "parts of an allOf": lambda n: schema(
        allOf=[{"properties": {f"p{i}": {}}, "required": [f"p{i}"]} for i in range(n)]
    ),
    "variants of an anyOf": lambda n: schema(anyOf=[{"properties": {f"p{i}": {}}} for i in range(n)]),
    "references to one of many definitions": lambda n: schema(
        allOf=[{"$ref": "#/$defs/d0"}] * n, **{"$defs": {f"d{i}": OBJECT for i in range(n)}}
    ),
    "parts of a strict allOf": lambda n: {
        "tools": [
            strict({"type": "object", "allOf": [{"properties": {f"p{i}": {"type": "string"}}} for i in range(n)]})
        ]
    },
    "stop texts": lambda n: {"stop": [f"{i % 4}" for i in range(4)], "messages": [user("x")] * n},
}


@pytest.mark.parametrize("kind", MANY)
def test_twice_as_much_is_twice_the_work(kind: str) -> None:
    body = MANY[kind]
    translate(body(4))  # What is done once, at the first request, counts for none.
    some, twice = (lines_run(partial(translate, body(n))) for n in (200, 400))
    assert twice < 2.2 * some, (some, twice)


def place_of_what_is_too_large(body: JSONObject) -> str | None:
    with pytest.raises(InvalidRequestError, match="too large once its references are resolved") as refused:
        translate(body)
    return refused.value.param


def doubling(levels: int, leaf: object) -> JSONObject:
    """A schema in which each definition uses the next one twice."""
    steps = {
        f"d{i}": {
            "type": "object",
            "properties": {"a": {"$ref": f"#/$defs/d{i + 1}"}, "b": {"$ref": f"#/$defs/d{i + 1}"}},
        }
        for i in range(levels)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**steps, f"d{levels}": leaf}}


WIDE = {"type": "object", "properties": {f"p{i}": {"type": "string"} for i in range(1000)}}
LONG = {"type": "string", "description": "x" * 50_000}
HUGE: dict[str, JSONObject] = {
    "doubling references": doubling(30, {"type": "string"}),
    "a long text many times": {
        "type": "object",
        "properties": {f"p{i}": {"$ref": "#/$defs/long"} for i in range(1000)},
        "$defs": {"long": LONG},
    },
    "many values many times": {
        "type": "object",
        "properties": {f"p{i}": {"$ref": "#/$defs/one"} for i in range(1000)},
        "$defs": {"one": {"type": "string", "enum": [f"{i:06}" for i in range(10_000)]}},
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", HUGE)
def test_references_buy_no_more_work_than_their_bytes(kind: str) -> None:
    asked = {"type": "json_schema", "json_schema": {"name": "x", "schema": HUGE[kind]}}
    bodies: dict[str, JSONObject] = {
        "tools[1].function.parameters": {"tools": [function("a"), strict(HUGE[kind])]},
        "response_format.json_schema.schema": {"response_format": asked},
    }
    for place, body in bodies.items():
        assert place_of_what_is_too_large(body) == place
        size = len(msgspec.json.encode(body))
        assert lines_run(partial(place_of_what_is_too_large, body)) < 50 * (20_000 + size / 4)


def test_a_wide_part_many_times_is_looked_at_once() -> None:
    parts = [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}] * 500
    body: JSONObject = {
        "tools": [strict({"type": "object", "allOf": parts, "$defs": {"a": WIDE, "b": WIDE}})],
    }
    size = len(msgspec.json.encode(body))
    assert lines_run(partial(translate, body)) < 50 * (20_000 + size / 4)


def test_all_schemas_of_a_request_share_what_they_may_cost() -> None:
    """Each of them alone is taken."""
    one = strict(doubling(10, {"type": "string"}))
    translate({"tools": [one]})
    with pytest.raises(InvalidRequestError) as refused:
        translate({"tools": [one] * 20})
    assert refused.value.param is not None
    assert refused.value.param.startswith("tools[")
    assert refused.value.param.endswith("].function.parameters")
