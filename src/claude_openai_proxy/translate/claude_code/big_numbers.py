"""Numbers that the Claude Code CLI, a JavaScript program, cannot hand on digit by digit.

JSON numbers beyond 2^53 are rounded there (https://tc39.es/ecma262/#sec-number.max_safe_integer). In the inputs of
earlier calls, which are the model's own words, such an integer goes as a text of the same digits.
"""

import re
from typing import Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from claude_openai_proxy.protocols.anthropic import MessageParam, MessagesRequest, ToolUseBlockParam

LARGEST: Final = 2**53

_LONG: Final = re.compile(rb"[0-9]{16}")
"""As many digits as the smallest number beyond LARGEST has: an input without need not be looked into."""


def with_exact_numbers(request: MessagesRequest) -> MessagesRequest:
    """`request` itself where nothing in it would be rounded."""
    messages = [_message(message) for message in request.messages]
    if all(new is old for new, old in zip(messages, request.messages, strict=True)):
        return request
    return replace(request, messages=messages)


def _message(message: MessageParam) -> MessageParam:
    if message.role != "assistant":
        return message
    content = [_call(block) if isinstance(block, ToolUseBlockParam) else block for block in message.content]
    if all(new is old for new, old in zip(content, message.content, strict=True)):
        return message
    return replace(message, content=content)


def _call(block: ToolUseBlockParam) -> ToolUseBlockParam:
    if not _LONG.search(block.input):
        return block
    found = msgspec.json.decode(block.input)
    exact = _exact(found)
    return block if exact == found else replace(block, input=Raw(msgspec.json.encode(exact)))


def _exact(value: object) -> object:
    if isinstance(value, dict):
        return {name: _exact(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_exact(member) for member in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST:
        return str(value)
    return value
