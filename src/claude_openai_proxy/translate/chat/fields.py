"""The fields of a chat request beside its messages, as wishes."""

from collections.abc import Sequence

from claude_openai_proxy.protocols.openai_chat_request import (
    ChatCompletionRequest,
    ResponseFormatJSONObject,
    ResponseFormatJSONSchema,
)
from claude_openai_proxy.translate.chat.cache_marks import cache_marks
from claude_openai_proxy.translate.chat.tool_choice import read_tool_choice
from claude_openai_proxy.translate.chat.tools import read_tools
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.wishes.answer_format import FormatWish
from claude_openai_proxy.translate.wishes.end_user import EndUser
from claude_openai_proxy.translate.wishes.sampling import NO_SAMPLING, SamplingWish
from claude_openai_proxy.translate.wishes.service_tier import to_claude_tier
from claude_openai_proxy.translate.wishes.thinking import NO_THINKING_WISH, ThinkingWish
from claude_openai_proxy.translate.wishes.wishes import Wishes


def is_legacy(request: ChatCompletionRequest) -> bool:
    """The client sent `functions`, from before tools: its answers hold one call, as `function_call`."""
    return bool(request.functions and not request.tools)


def read_fields(request: ChatCompletionRequest, notes: Notes) -> Wishes:
    """Every field that means something to Claude. Raises `InvalidRequestError` at a tool or a choice that is none."""
    cache = cache_marks(request)
    legacy = is_legacy(request)
    tools, web_search = read_tools(request, cache, notes)
    return Wishes(
        tools=tools,
        web_search=web_search,
        tool_choice=read_tool_choice(request, single_call=legacy),
        single_call=legacy,
        thinking=_thinking(request),
        answer_format=_answer_format(request),
        verbosity=request.verbosity,
        sampling=_sampling(request),
        max_tokens=request.max_completion_tokens or request.max_tokens,
        stops=_stops(request),
        end_user=_end_user(request),
        service_tier=to_claude_tier(request.service_tier),
        cache=cache,
    )


def _thinking(request: ChatCompletionRequest) -> ThinkingWish:
    effort, thinking = request.reasoning_effort, request.thinking
    if effort is None and thinking is None:
        return NO_THINKING_WISH
    asked = (("reasoning_effort", effort not in {None, "none"}), ("thinking", thinking is not None))
    fields = tuple(name for name, is_asked in asked if is_asked)
    if thinking is None:
        return ThinkingWish(effort, fields=fields)
    return ThinkingWish(effort, thinking.type, thinking.budget_tokens, thinking.display, fields)


def _answer_format(request: ChatCompletionRequest) -> FormatWish | None:
    wanted = request.response_format
    if isinstance(wanted, ResponseFormatJSONSchema):
        asked = wanted.json_schema
        return FormatWish(asked.schema, asked.description, "response_format.json_schema.schema")
    return FormatWish() if isinstance(wanted, ResponseFormatJSONObject) else None


def _sampling(request: ChatCompletionRequest) -> SamplingWish:
    temperature, top_p, top_k = request.temperature, request.top_p, request.top_k
    if temperature is None and top_p is None and top_k is None:
        return NO_SAMPLING
    return SamplingWish(temperature, top_p, top_k)


def _stops(request: ChatCompletionRequest) -> Sequence[str]:
    if not request.stop:
        return ()
    return (request.stop,) if isinstance(request.stop, str) else request.stop


def _end_user(request: ChatCompletionRequest) -> EndUser | None:
    if not request.safety_identifier and not request.user:
        return None
    fields = tuple(name for name in ("safety_identifier", "user") if getattr(request, name))
    return EndUser(request.safety_identifier or request.user or "", fields)
