"""Messages requests that several tests send, and readers of what comes back."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from claude_openai_proxy.protocols.anthropic import (
    ContentBlockDelta,
    InputJSONDelta,
    MessageDelta,
    MessageParam,
    MessagesRequest,
    StreamEvent,
    TextBlockParam,
    TextDelta,
    ToolParam,
)
from claude_openai_proxy.upstreams.claude_code import ClaudeCode
from claude_openai_proxy.upstreams.interface import AnswerFacts

OAUTH = {"CLAUDE_CODE_OAUTH_TOKEN": "made-up-oauth-token"}
API_KEY = {"ANTHROPIC_API_KEY": "made-up-api-key"}
MODEL = "claude-sonnet-5"


def user(text: str) -> MessageParam:
    return MessageParam("user", [TextBlockParam(text)])


def tool(name: str, schema: bytes = b'{"type":"object"}') -> ToolParam:
    return ToolParam(name, Raw(schema))


def asking(text: str = "Hello", **fields: object) -> MessagesRequest:
    request = MessagesRequest(model=MODEL, max_tokens=1000, messages=[user(text)])
    return msgspec.structs.replace(request, **fields)


async def answer(upstream: ClaudeCode, request: MessagesRequest) -> list[StreamEvent]:
    return (await answer_and_facts(upstream, request))[0]


async def answer_and_facts(upstream: ClaudeCode, request: MessagesRequest) -> tuple[list[StreamEvent], AnswerFacts]:
    facts = AnswerFacts()
    async with upstream.stream(request, facts) as stream:
        return [event async for batch in stream for event in batch], facts


def text_of(events: Sequence[StreamEvent]) -> str:
    deltas = [event.delta for event in events if isinstance(event, ContentBlockDelta)]
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


def inputs_of(events: Sequence[StreamEvent]) -> str:
    deltas = [event.delta for event in events if isinstance(event, ContentBlockDelta)]
    return "".join(delta.partial_json for delta in deltas if isinstance(delta, InputJSONDelta))


def stop_reason_of(events: Sequence[StreamEvent]) -> str | None:
    return next(event.delta.stop_reason for event in events if isinstance(event, MessageDelta))
