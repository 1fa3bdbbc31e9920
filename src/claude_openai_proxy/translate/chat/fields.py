"""The fields of a chat request beside its messages, as wishes."""

from collections.abc import Sequence

from claude_openai_proxy.protocols.openai_chat_request import (
    ChatCompletionRequest,
    ResponseFormatJSONObject,
    ResponseFormatJSONSchema,
)
from claude_openai_proxy.translate.chat.cache_marks import cache_marks
from claude_openai_proxy.translate.chat.reasoning import read_reasoning
from claude_openai_proxy.translate.chat.tool_choice import read_tool_choice
from claude_openai_proxy.translate.chat.tools import read_tools
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.wishes.answer_format import FormatWish
from claude_openai_proxy.translate.wishes.end_user import EndUser
from claude_openai_proxy.translate.wishes.sampling import NO_SAMPLING, SamplingWish
from claude_openai_proxy.translate.wishes.service_tier import to_claude_tier
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
        thinking=read_reasoning(request),
        answer_format=_answer_format(request),
        verbosity=request.verbosity,
        sampling=_sampling(request),
        max_tokens=request.max_completion_tokens or request.max_tokens,
        stops=_stops(request),
        end_user=_end_user(request, notes) if request.user or request.safety_identifier else None,
        service_tier=to_claude_tier(request.service_tier),
        cache=cache,
    )


def _answer_format(request: ChatCompletionRequest) -> FormatWish | None:
    wanted = request.response_format
    if isinstance(wanted, ResponseFormatJSONSchema):
        asked = wanted.json_schema
        return FormatWish(asked.schema, asked.description, "response_format.json_schema.schema")
    if wanted is None and request.output_config is not None and request.output_config.format is not None:
        return FormatWish(request.output_config.format.schema, place="output_config.format.schema")
    if not isinstance(wanted, ResponseFormatJSONObject):
        return None
    has_schema = bytes(wanted.schema) not in {b"", b"null"}
    return FormatWish(wanted.schema, place="response_format.schema") if has_schema else FormatWish()


def _sampling(request: ChatCompletionRequest) -> SamplingWish:
    temperature, top_p, top_k = request.temperature, request.top_p, request.top_k
    if temperature is None and top_p is None and top_k is None:
        return NO_SAMPLING
    return SamplingWish(temperature, top_p, top_k)


def _stops(request: ChatCompletionRequest) -> Sequence[str]:
    stop = request.stop or ()
    return (*((stop,) if isinstance(stop, str) else stop), *(request.stop_sequences or ()))


def _end_user(request: ChatCompletionRequest, notes: Notes) -> EndUser | None:
    """OpenAI's newer field before its older; an id that is a number is one, too."""
    ids: dict[str, str] = {}
    for name in ("safety_identifier", "user"):
        value = getattr(request, name)
        if isinstance(value, str) or type(value) is int:
            ids |= {name: str(value)} if value else {}
        elif value:
            notes.decline(name, "an id is text")
    return EndUser(next(iter(ids.values())), tuple(ids)) if ids else None
