"""Token counts in Claude's own words (`usage`, https://docs.anthropic.com/en/api/messages), summed over messages."""

from collections.abc import Iterable
from functools import reduce
from typing import Final

from claude_openai_proxy.protocols.anthropic import (
    CacheCreation,
    MessageDelta,
    MessageStart,
    OutputTokensDetails,
    ServerToolUsage,
    StreamEvent,
    Usage,
)

NO_USAGE: Final = Usage()


def add_usage(a: Usage, b: Usage) -> Usage:
    """Both together: continuations of a paused turn, retries, several choices. Tier and speed are the later one's."""
    return Usage(
        input_tokens=_sum(a.input_tokens, b.input_tokens),
        output_tokens=_sum(a.output_tokens, b.output_tokens),
        cache_creation_input_tokens=_sum(a.cache_creation_input_tokens, b.cache_creation_input_tokens),
        cache_read_input_tokens=_sum(a.cache_read_input_tokens, b.cache_read_input_tokens),
        output_tokens_details=_details(a.output_tokens_details, b.output_tokens_details),
        service_tier=b.service_tier or a.service_tier,
        cache_creation=_by_life(a.cache_creation, b.cache_creation),
        server_tool_use=_calls(a.server_tool_use, b.server_tool_use),
        speed=b.speed or a.speed,
    )


class UsageTally:
    """The usage of one message, or of several that make one answer."""

    def __init__(self) -> None:
        self._before: tuple[Usage, ...] = ()
        self._now = NO_USAGE

    def start(self, usage: Usage) -> None:
        """A message begins; what the ones before it used stays counted."""
        self._before = self.messages
        self._now = usage

    def update(self, usage: Usage) -> None:
        """Counts of a `message_delta` are cumulative: they overwrite, and an absent one keeps its value."""
        if usage is self._now:  # of an answer in one piece
            return
        self._now = Usage(
            input_tokens=_newer(usage.input_tokens, self._now.input_tokens),
            output_tokens=_newer(usage.output_tokens, self._now.output_tokens),
            cache_creation_input_tokens=_newer(
                usage.cache_creation_input_tokens, self._now.cache_creation_input_tokens
            ),
            cache_read_input_tokens=_newer(usage.cache_read_input_tokens, self._now.cache_read_input_tokens),
            output_tokens_details=usage.output_tokens_details or self._now.output_tokens_details,
            service_tier=usage.service_tier or self._now.service_tier,
            cache_creation=usage.cache_creation or self._now.cache_creation,
            server_tool_use=usage.server_tool_use or self._now.server_tool_use,
            speed=usage.speed or self._now.speed,
        )

    @property
    def messages(self) -> tuple[Usage, ...]:
        """Each by itself: a price may depend on how much one request had."""
        return self._before if self._now is NO_USAGE else (*self._before, self._now)

    @property
    def total(self) -> Usage:
        """All messages so far; the tier is that of the latest message that named one."""
        return reduce(add_usage, self.messages) if self._before else self._now


def usage_of(events: Iterable[StreamEvent]) -> Usage:
    """What a message used that is not handed out."""
    tally = UsageTally()
    for event in events:
        if isinstance(event, MessageStart):
            tally.start(event.message.usage)
        elif isinstance(event, MessageDelta):
            tally.update(event.usage)
    return tally.total


def _newer(new: int | None, old: int | None) -> int | None:
    return old if new is None else new


def _sum(a: int | None, b: int | None) -> int | None:
    return _newer(b, a) if a is None or b is None else a + b


def _details(a: OutputTokensDetails | None, b: OutputTokensDetails | None) -> OutputTokensDetails | None:
    if a is None or b is None:
        return a or b
    return OutputTokensDetails(_sum(a.thinking_tokens, b.thinking_tokens))


def _by_life(a: CacheCreation | None, b: CacheCreation | None) -> CacheCreation | None:
    if a is None or b is None:
        return a or b
    return CacheCreation(
        _sum(a.ephemeral_5m_input_tokens, b.ephemeral_5m_input_tokens),
        _sum(a.ephemeral_1h_input_tokens, b.ephemeral_1h_input_tokens),
    )


def _calls(a: ServerToolUsage | None, b: ServerToolUsage | None) -> ServerToolUsage | None:
    if a is None or b is None:
        return a or b
    return ServerToolUsage(_sum(a.web_search_requests, b.web_search_requests))
