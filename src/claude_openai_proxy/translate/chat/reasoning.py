"""Reasoning in every form in which clients of the chat API ask for it. What it means: `wishes.thinking`.

| form | whose | means |
|---|---|---|
| `reasoning_effort` | OpenAI's | an effort; wins over the other efforts |
| `thinking`, `output_config.effort` | Claude's | what it says; an effort |
| `reasoning` (an object), `include_reasoning` | gateways' | an effort, on or off, a budget, shown or not |
"""

from collections.abc import Iterator
from typing import Final, Literal

from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest, ReasoningEffort
from claude_openai_proxy.translate.wishes.thinking import NO_THINKING_WISH, ThinkingWish

_USUAL: Final = "medium"


def read_reasoning(request: ChatCompletionRequest) -> ThinkingWish:
    """The wish; its `fields` are those that ask for thinking, not those that turn it off."""
    thinking = request.thinking
    field, effort = next(_efforts(request), ("", None))
    if effort is None and thinking is None:
        return _budget(request)
    fields = (field,) if effort not in {None, "none"} else ()
    if thinking is None:
        return ThinkingWish(effort, display=_display(request), fields=fields)
    return ThinkingWish(effort, thinking.type, thinking.budget_tokens, thinking.display, (*fields, "thinking"))


def _efforts(request: ChatCompletionRequest) -> Iterator[tuple[str, ReasoningEffort]]:
    """Field and effort, the one that counts first."""
    if request.reasoning_effort is not None:
        yield "reasoning_effort", request.reasoning_effort
    if request.output_config is not None and request.output_config.effort is not None:
        yield "output_config", request.output_config.effort
    asked = request.reasoning
    if asked is not None and asked.enabled is False:
        yield "reasoning", "none"
    if asked is not None and asked.effort is not None:
        yield "reasoning", asked.effort
    if asked is not None and asked.max_tokens is not None:
        return
    if asked is not None and asked.enabled:
        yield "reasoning", _USUAL
    if request.include_reasoning:
        yield "include_reasoning", _USUAL


def _budget(request: ChatCompletionRequest) -> ThinkingWish:
    if request.reasoning is None or request.reasoning.max_tokens is None:
        return NO_THINKING_WISH
    return ThinkingWish(None, "enabled", request.reasoning.max_tokens, _display(request), ("reasoning",))


def _display(request: ChatCompletionRequest) -> Literal["omitted"] | None:
    hidden = request.include_reasoning is False or (request.reasoning is not None and request.reasoning.exclude)
    return "omitted" if hidden else None
