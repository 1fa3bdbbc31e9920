"""A finished answer against the JSON schema that the client gave: Claude may have got a rewritten one, or none."""

from typing import Final

import msgspec

from claude_openai_proxy.protocols.openai_chat_response import Choice
from claude_openai_proxy.translate.answer_plan import AnswerPlan
from claude_openai_proxy.translate.schema_check import fits

CONTENT_OFF_SCHEMA: Final = "content_off_schema"


def check_answer(choice: Choice, plan: AnswerPlan) -> list[str]:
    """Words for the record where a complete answer breaks the schema; the answer itself is never touched."""
    if plan.schema is None or choice.finish_reason != "stop":
        return []
    schema: object = msgspec.json.decode(plan.schema)
    return [] if _fits(choice.message.content or "", schema) else [CONTENT_OFF_SCHEMA]


def _fits(text: str, schema: object) -> bool:
    try:
        value: object = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return fits(value, schema)
