"""The response before anything is said: what it repeats of its request."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, Raw

from claude_openai_proxy.protocols import openai_responses as published
from claude_openai_proxy.protocols.openai_responses_request import Reasoning, ResponsesRequest, Text
from claude_openai_proxy.translate.responses.opened import LeftOut

_ABSENT: Final = {"description": None, "parameters": None, "strict": None}
"""Members of a function that are always said again."""
_encode: Final = msgspec.json.Encoder().encode


def draft_of(
    request: ResponsesRequest,
    *,
    id_: str,
    created: int,
    model: str,
    store: bool,
    left_out: Sequence[LeftOut] = (),
) -> published.Response:
    """`model` as it was asked for; `created` in seconds since 1970; `store`: whether the response will be kept."""
    return published.Response(
        id=id_,
        created_at=created,
        status="queued" if request.background else "in_progress",
        background=bool(request.background),
        instructions=request.instructions,
        max_output_tokens=request.max_output_tokens,
        max_tool_calls=request.max_tool_calls,
        metadata=request.metadata or {},
        model=model,
        parallel_tool_calls=request.parallel_tool_calls is not False,
        previous_response_id=request.previous_response_id,
        prompt_cache_key=request.prompt_cache_key,
        reasoning=_reasoning(request.reasoning or Reasoning()),
        safety_identifier=_text(request.safety_identifier),
        store=store,
        temperature=1.0 if request.temperature is None else request.temperature,
        text=_text_settings(request.text),
        tool_choice=request.tool_choice if _is_said(request.tool_choice) else Raw(b'"auto"'),
        tools=[_tool(tool) for tool in request.tools or ()],
        top_p=1.0 if request.top_p is None else request.top_p,
        truncation=request.truncation or "disabled",
        user=_text(request.user),
        conversation=published.ConversationReference(request.conversation_id) if request.conversation_id else UNSET,
        input_transformations=list(left_out) or UNSET,
    )


def _reasoning(asked: Reasoning) -> published.ReasoningSettings:
    return published.ReasoningSettings(asked.effort, asked.summary or asked.generate_summary, asked.context or UNSET)


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)


def _is_said(value: Raw) -> bool:
    return bool(value) and bytes(value) != b"null"


def _text_settings(text: Text | None) -> published.TextSettings:
    verbosity = text.verbosity if text and text.verbosity else "medium"
    format_ = text.format if text else None
    if format_ is None or format_.type == "text":
        return published.TextSettings(verbosity=verbosity)
    members: dict[str, object] = {"type": format_.type}
    if format_.type == "json_schema":
        members |= {
            "name": format_.name or "",
            "description": format_.description,
            "schema": format_.schema,
            "strict": bool(format_.strict),
        }
    return published.TextSettings(Raw(_encode(members)), verbosity)


def _tool(tool: Raw) -> Raw:
    """As it was declared, be it a tool or not: a refused request has a draft too; a flat function with all members."""
    members: object = msgspec.json.decode(tool)
    if not isinstance(members, dict) or members.get("type", "function") != "function" or "function" in members:
        return tool
    return Raw(_encode({"type": "function", **_ABSENT, **members}))
