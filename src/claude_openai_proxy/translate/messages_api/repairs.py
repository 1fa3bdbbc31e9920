"""Remedies for what upstream refuses with 400 although the translation could not know it."""

from collections.abc import Callable

from msgspec import UNSET
from msgspec.structs import replace

from claude_openai_proxy.protocols.anthropic import (
    MessagesRequest,
    OutputConfig,
    TextBlockParam,
    ThinkingConfigEnabled,
    ToolChoiceTool,
    ToolParam,
    WebSearchTool,
)
from claude_openai_proxy.translate.messages_api.instructions import schema_in_words
from claude_openai_proxy.translate.messages_api.kept_turns import thinks, without_thinking
from claude_openai_proxy.translate.messages_api.truncation import TRUNCATED, truncated

Remedy = Callable[[MessagesRequest], MessagesRequest]


def without_strict(request: MessagesRequest) -> MessagesRequest:
    """The same request with no strict tool; the schemas stay."""
    if request.tools is UNSET:
        return request
    return replace(
        request,
        tools=[replace(tool, strict=UNSET) if isinstance(tool, ToolParam) else tool for tool in request.tools],
    )


def without_format(request: MessagesRequest) -> MessagesRequest:
    """The same request with the answer's schema told in words."""
    config = request.output_config
    if config is UNSET or config.format is UNSET:
        return request
    block = TextBlockParam(schema_in_words(bytes(config.format.schema)))
    rest = replace(config, format=UNSET)
    return replace(
        request,
        output_config=UNSET if rest == OutputConfig() else rest,
        system=[*(request.system or ()), block],
    )


def without_thinking_blocks(request: MessagesRequest) -> MessagesRequest:
    """The same request with no thinking of earlier turns, and so without a budget, which would demand the last one's.

    A turn that had nothing else is left out.
    """
    kept = [without_thinking(turn) if turn.role == "assistant" else turn for turn in request.messages]
    kept = [turn for turn in kept if not (turn.role == "assistant" and thinks(turn.content))]
    if kept == request.messages:
        return request
    budget = isinstance(request.thinking, ThinkingConfigEnabled)
    return replace(request, messages=kept, thinking=UNSET if budget else request.thinking)


def without_web_search(request: MessagesRequest) -> MessagesRequest:
    """The same request without Claude's own search, which an organisation may not have; the others stay."""
    if request.tools is UNSET:
        return request
    searches = [tool.name for tool in request.tools if isinstance(tool, WebSearchTool)]
    if not searches:
        return request
    tools = [tool for tool in request.tools if not isinstance(tool, WebSearchTool)]
    chosen = isinstance(request.tool_choice, ToolChoiceTool) and request.tool_choice.name in searches
    choice = UNSET if chosen or not tools else request.tool_choice
    return replace(request, tools=tools or UNSET, tool_choice=choice)


_REMEDIES: tuple[tuple[tuple[str, ...], str, Remedy], ...] = (
    (("grammar", "too large"), "strict_left_out", without_strict),
    (("grammar", "too large"), "response_format_emulated", without_format),
    (("schema", "too complex"), "strict_left_out", without_strict),
    (("schema", "too complex"), "response_format_emulated", without_format),
    (("too many", "optional parameters"), "strict_left_out", without_strict),
    (("too many", "optional parameters"), "response_format_emulated", without_format),
    (("too many", "strict"), "strict_left_out", without_strict),
    (("bound to a different conversation",), "thinking_blocks_left_out", without_thinking_blocks),
    (("invalid", "signature", "thinking"), "thinking_blocks_left_out", without_thinking_blocks),
    (("web search", "not enabled"), "web_search_left_out", without_web_search),
    (("web_search", "not enabled"), "web_search_left_out", without_web_search),
    (("web search", "not available"), "web_search_left_out", without_web_search),
    (("web_search", "not available"), "web_search_left_out", without_web_search),
    (("web_search", "not supported"), "web_search_left_out", without_web_search),
    (("tool use concurrency",), "thinking_blocks_left_out", without_thinking_blocks),
)
"""Words of the error message, in lower case, that all stand in it; the record's word; the remedy.

The first remedy that changes anything is taken.
"""


def repair_for(
    error_message: str, request: MessagesRequest, *, truncates: bool = False
) -> tuple[str, MessagesRequest] | None:
    """The record's word and the request to send instead, where the refusal has a remedy that changes anything.

    `truncates`: the client would rather lose the oldest turns than have an error.
    """
    if truncates and (shorter := truncated(request, error_message)):
        return TRUNCATED, shorter
    message = error_message.lower()
    for words, name, remedy in _REMEDIES:
        if all(word in message for word in words):
            repaired = remedy(request)
            if repaired != request:
                return name, repaired
    return None
