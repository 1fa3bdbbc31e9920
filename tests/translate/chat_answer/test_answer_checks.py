import json

import pytest

from claude_openai_proxy.protocols.openai_chat_response import (
    ChatCompletionMessage,
    Choice,
    CustomToolCall,
    CustomToolCallBody,
    FinishReason,
    FunctionCall,
    FunctionToolCall,
    ToolCall,
)
from claude_openai_proxy.translate.chat_answer.answer_checks import check_answer
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.schemas.schema_check import fits

PERSON: dict[str, object] = {
    "type": "object",
    "properties": {"name": {"type": "string", "minLength": 2}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name"],
    "additionalProperties": False,
}
PLAN = AnswerPlan(schema=json.dumps(PERSON).encode(), strict_schemas={"save": json.dumps(PERSON).encode()})


def answer(content: str | None, finish_reason: FinishReason = "stop", *, refusal: str | None = None) -> Choice:
    message = ChatCompletionMessage(role="assistant", content=content, refusal=refusal, annotations=[])
    return Choice(index=0, message=message, finish_reason=finish_reason)


def call(name: str, arguments: str) -> Choice:
    calls: list[ToolCall] = [
        CustomToolCall("toolu_0", CustomToolCallBody("free_form", "x")),
        FunctionToolCall("toolu_1", FunctionCall(name, arguments)),
    ]
    message = ChatCompletionMessage(role="assistant", content="", refusal=None, annotations=[], tool_calls=calls)
    return Choice(index=0, message=message, finish_reason="tool_calls")


def test_an_answer_of_the_schema_gets_no_note() -> None:
    assert check_answer(answer('{"name": "Ada", "age": 36}'), PLAN) == []


@pytest.mark.parametrize(
    "content", ['{"name": "A"}', '{"age": 1}', "no JSON", '```json\n{"name": "Ada"}\n```', "", None]
)
def test_an_answer_off_the_schema_is_noted(content: str | None) -> None:
    assert check_answer(answer(content), PLAN) == ["content_off_schema"]


@pytest.mark.parametrize("finish_reason", ["length", "content_filter", "tool_calls"])
def test_an_answer_that_is_not_complete_is_not_judged(finish_reason: FinishReason) -> None:
    assert check_answer(answer('{"na', finish_reason), PLAN) == []


def test_without_a_schema_there_is_nothing_to_check() -> None:
    assert check_answer(answer("Hello"), AnswerPlan()) == []


def test_arguments_of_a_strict_tool_are_checked() -> None:
    assert check_answer(call("save", '{"name": "Ada"}'), PLAN) == []
    assert check_answer(call("save", '{"name": 7}'), PLAN) == ["arguments_off_schema"]
    assert check_answer(call("other", '{"name": 7}'), PLAN) == []


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (True, [1, None], []),
        (False, [], [1, None]),
        ({"type": "integer"}, [1, 1.0, -3], [1.5, "1", True, None]),
        ({"type": "number"}, [1, 1.5, 1e400], ["1", True]),
        ({"type": ["string", "null"]}, ["a", None], [1]),
        ({"type": "boolean"}, [True], [1, 0]),
        ({"enum": ["a", 1]}, ["a", 1], ["b", True]),
        ({"const": None}, [None], [0, False]),
        ({"minimum": 1, "maximum": 2}, [1, 2, "any"], [0, 3]),
        ({"exclusiveMinimum": 1, "exclusiveMaximum": 2}, [1.5], [1, 2]),
        ({"minLength": 1, "maxLength": 2}, ["a", "日本", 5], ["", "abc"]),
        ({"minItems": 1, "maxItems": 2}, [[1]], [[], [1, 2, 3]]),
        ({"minProperties": 1}, [{"a": 1}], [{}]),
        ({"items": {"type": "string"}}, [[], ["a"]], [["a", 1]]),
        ({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}, [["a", 1], []], [["a", "b"], [1]]),
        ({"additionalProperties": {"type": "integer"}}, [{"a": 1}], [{"a": "b"}]),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, ["a", None], [1]),
        ({"oneOf": [{"minimum": 1}, {"maximum": 3}]}, [0, 5], [2]),
        ({"allOf": [{"minimum": 1}, {"maximum": 3}]}, [2], [0, 4]),
        ({"not": {"type": "string"}}, [1], ["a"]),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "string"}}}, ["a"], [1]),
        (
            {"properties": {"next": {"$ref": "#"}}, "required": ["id"]},
            [{"id": 1, "next": {"id": 2}}],
            [{"id": 1, "next": {}}],
        ),
        ({"$ref": "#"}, [1, "a"], []),
        ({"$ref": "https://elsewhere.example/schema"}, [1], []),
        ({"$ref": "#/$defs/missing"}, [1], []),
        ({"pattern": "^(a+)+$", "format": "email"}, ["anything"], []),
    ],
)
def test_a_value_is_judged_by_the_keywords_of_its_schema(schema: object, good: list[object], bad: list[object]) -> None:
    assert [value for value in good if not fits(value, schema)] == []
    assert [value for value in bad if fits(value, schema)] == []
