"""A finished answer against the JSON schemas that the client gave: Claude may have got rewritten ones, or none."""

from typing import Final

import msgspec

from claude_openai_proxy.protocols.openai_chat_response import Choice, FunctionToolCall
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.schemas.schema_check import fits

CONTENT_OFF_SCHEMA: Final = "content_off_schema"
ARGUMENTS_OFF_SCHEMA: Final = "arguments_off_schema"


def check_answer(choice: Choice, plan: AnswerPlan) -> list[str]:
    """Words for the record where a complete answer breaks a schema; the answer itself is never touched."""
    notes: list[str] = []
    if plan.schema is not None and choice.finish_reason == "stop" and not _fits(choice.message.content, plan.schema):
        notes.append(CONTENT_OFF_SCHEMA)
    if choice.finish_reason == "tool_calls" and not all(_call_fits(call, plan) for call in _function_calls(choice)):
        notes.append(ARGUMENTS_OFF_SCHEMA)
    return notes


def _function_calls(choice: Choice) -> list[FunctionToolCall]:
    return [call for call in choice.message.tool_calls or () if isinstance(call, FunctionToolCall)]


def _call_fits(call: FunctionToolCall, plan: AnswerPlan) -> bool:
    schema = plan.strict_schemas.get(call.function.name)
    return not schema or _fits(call.function.arguments, schema)


def _fits(text: str | None, schema: bytes) -> bool:
    try:
        value: object = msgspec.json.decode(text or "")
    except msgspec.DecodeError:
        return False
    wanted: object = msgspec.json.decode(schema)
    return fits(value, wanted)
