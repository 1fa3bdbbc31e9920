"""The fields of a Responses request beside its input, as wishes."""

from collections.abc import Iterable
from typing import Literal

from msgspec.structs import replace

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols import openai_responses_request as published
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.responses.items import Placed
from claude_openai_proxy.translate.responses.tool_choice import read_tool_choice
from claude_openai_proxy.translate.responses.tools import OfferedTools
from claude_openai_proxy.translate.wishes.answer_format import FormatWish
from claude_openai_proxy.translate.wishes.cache_marks import CacheMarks
from claude_openai_proxy.translate.wishes.end_user import EndUser
from claude_openai_proxy.translate.wishes.sampling import SamplingWish
from claude_openai_proxy.translate.wishes.service_tier import to_claude_tier
from claude_openai_proxy.translate.wishes.thinking import ThinkingWish
from claude_openai_proxy.translate.wishes.tools import WEB_SEARCH
from claude_openai_proxy.translate.wishes.wishes import Wishes


def offered_tools(request: published.ResponsesRequest, items: Iterable[Placed], notes: Notes) -> OfferedTools:
    """All that are declared, wherever. Raises `InvalidRequestError` for one that is none."""
    tools = OfferedTools(notes)
    tools.add(request.tools or (), "tools", max_uses=request.max_tool_calls)
    found = [placed for placed in items if isinstance(placed.item, published.ToolSearchOutput)]
    for placed in (*(one for one in items if isinstance(one.item, published.AdditionalTools)), *found):
        tools.add(placed.item.tools, f"{placed.place}.tools", max_uses=request.max_tool_calls)
    return tools


def as_configured(request: published.ResponsesRequest, items: Iterable[Placed]) -> published.ResponsesRequest:
    """With what items say of reasoning and format: the last word counts."""
    for placed in items:
        if isinstance(update := placed.item, published.ConfigurationUpdate):
            if update.reasoning is not None and update.reasoning.effort is not None:
                reasoning = request.reasoning or published.Reasoning()
                request = replace(request, reasoning=replace(reasoning, effort=update.reasoning.effort))
            if update.text is not None and update.text.format is not None:
                text = request.text or published.Text()
                request = replace(request, text=replace(text, format=update.text.format))
    return request


def read_fields(request: published.ResponsesRequest, tools: OfferedTools) -> Wishes:
    """Every field that means something to Claude. Raises `InvalidRequestError` at a choice or a format that is none."""
    choice = read_tool_choice(request, tools)
    searches = choice.allowed is None or WEB_SEARCH in choice.allowed
    return Wishes(
        tools=tools.declared,
        web_search=tools.web_search if searches else None,
        tool_choice=choice,
        thinking=read_reasoning(request),
        answer_format=_answer_format(request.text),
        verbosity=request.text.verbosity if request.text else None,
        sampling=SamplingWish(request.temperature, request.top_p, request.top_k),
        max_tokens=request.max_output_tokens,
        stops=request.stop_sequences or (),
        end_user=_end_user(request),
        service_tier=to_claude_tier(request.service_tier),
        cache=_cache_marks(request),
    )


def read_reasoning(request: published.ResponsesRequest) -> ThinkingWish:
    """Effort, and whether a summary is shown; Claude's own `thinking` as it is.

    A summary that is wanted shows what is thought, and does not ask for more thought.
    """
    asked, thinking = request.reasoning or published.Reasoning(), request.thinking
    shown = asked.summary is not None or asked.generate_summary is not None
    display: Literal["summarized", "omitted"] = "summarized" if shown else "omitted"
    fields = ("reasoning",) if asked.effort not in {None, "none"} else ()
    if thinking is None:
        return ThinkingWish(asked.effort, display=display if asked.effort or shown else None, fields=fields)
    return ThinkingWish(
        asked.effort, thinking.type, thinking.budget_tokens, thinking.display or display, (*fields, "thinking")
    )


def _answer_format(text: published.Text | None) -> FormatWish | None:
    format_ = text.format if text else None
    if format_ is None or format_.type == "text":
        return None
    if format_.type == "json_object":
        return FormatWish()
    if not format_.schema or bytes(format_.schema) == b"null":
        raise InvalidRequestError(
            "Missing required parameter: 'text.format.schema'.",
            param="text.format.schema",
            code="missing_required_parameter",
        )
    return FormatWish(format_.schema, format_.description, "text.format.schema")


def _end_user(request: published.ResponsesRequest) -> EndUser | None:
    """The newer field before the older."""
    ids = {name: str(value) for name in ("safety_identifier", "user") if (value := getattr(request, name))}
    return EndUser(next(iter(ids.values())), tuple(ids)) if ids else None


def _cache_marks(request: published.ResponsesRequest) -> CacheMarks:
    options = request.prompt_cache_options or published.PromptCacheOptions()
    long = request.prompt_cache_retention == "24h" or options.ttl is not None
    return CacheMarks(long=long, own_only=options.mode == "explicit")
