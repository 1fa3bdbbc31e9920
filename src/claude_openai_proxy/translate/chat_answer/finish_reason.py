"""Claude's `stop_reason` into OpenAI's `finish_reason`."""

from claude_openai_proxy.protocols.openai_chat_response import FinishReason
from claude_openai_proxy.translate.messages_api.stop_reasons import LENGTH_REASONS


def to_finish_reason(stop_reason: str, *, calls: bool, legacy: bool = False, structured: bool = False) -> FinishReason:
    """`calls`: the answer holds a call of a client's tool; `legacy`: as `function_call`; `structured`: JSON was asked.

    A refusal of structured output ends as `stop` (https://platform.openai.com/docs/guides/structured-outputs#refusals):
    the official SDK's `parse()` raises at `content_filter`, and the refusal would be lost. Not beside
    calls, which `stop` would deny.

    Clients run calls when they read `tool_calls`, so the reason follows the calls that are there, not the claim. A
    paused turn that is not continued any more is incomplete, hence `length`; a reason that this version does not
    know ended the answer somehow, hence `stop`.
    """
    if stop_reason == "refusal":
        return "stop" if structured and not calls else "content_filter"
    if stop_reason in LENGTH_REASONS:
        return "length"
    if calls:
        return "function_call" if legacy else "tool_calls"
    return "length" if stop_reason == "pause_turn" else "stop"
