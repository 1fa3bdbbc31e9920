"""Thinking of earlier turns, as the models read it.

| model | the thinking before the user's last message that is more than results of tools |
|---|---|
| Claude Opus 4.5, Sonnet 4.6, Haiku 5.5 and later | is part of the prompt |
| those before | is not read: it counts no tokens, and a cached prefix that has it is another prefix |
| any, while it does not think | no thinking is read |

(https://platform.claude.com/docs/en/build-with-claude/extended-thinking, "Extended thinking with prompt caching" and
"Thinking block preservation"). Thinking of the running tool loop is read by all that think.
"""

from typing import Final

from claude_openai_proxy.simulator.complaints.asked import blocks_at
from claude_openai_proxy.simulator.loose_json import JSONObject, object_in, objects_in, text_in
from claude_openai_proxy.simulator.model_table import Model

_THINKING: Final = frozenset({"thinking", "redacted_thinking"})


def as_read(body: JSONObject, model: Model | None) -> JSONObject:
    """The request without the thinking that its model does not read."""
    messages = objects_in(body.get("messages"))
    if model is None or not messages:
        return body
    unread = len(messages)
    if _thinks(body, model):
        unread = 0 if model.keeps_thinking else _last_asked(messages)
    return {**body, "messages": [*map(_without_thinking, messages[:unread]), *messages[unread:]]}


def _thinks(body: JSONObject, model: Model) -> bool:
    type_ = text_in(object_in(body.get("thinking")).get("type"))
    return type_ != "disabled" if type_ else model.thinks_by_default


def _last_asked(messages: list[JSONObject]) -> int:
    """The number of the user's last message that is more than results."""
    for number in range(len(messages) - 1, -1, -1):
        blocks = blocks_at("", messages[number].get("content"))
        if messages[number].get("role") == "user" and any(block.get("type") != "tool_result" for _, block in blocks):
            return number
    return 0


def _without_thinking(message: JSONObject) -> JSONObject:
    content = message.get("content")
    if message.get("role") != "assistant" or not isinstance(content, list):
        return message
    return {**message, "content": [block for block in content if object_in(block).get("type") not in _THINKING]}
