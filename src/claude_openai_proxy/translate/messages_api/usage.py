"""Token counts: Claude's `usage` (https://docs.anthropic.com/en/api/messages) into OpenAI's `CompletionUsage`."""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from claude_openai_proxy.protocols.anthropic import MessageDelta, MessageStart, OutputTokensDetails, StreamEvent, Usage
from claude_openai_proxy.protocols.openai_chat_response import (
    CompletionTokensDetails,
    CompletionUsage,
    PromptTokensDetails,
)

NO_USAGE: Final = CompletionUsage(prompt_tokens=0, completion_tokens=0, total_tokens=0)

_SERVICE_TIERS: Final = MappingProxyType({"standard": "default", "priority": "priority", "batch": "flex"})


def to_completion_usage(usage: Usage) -> CompletionUsage:
    """Claude counts cached tokens beside `input_tokens`, OpenAI within `prompt_tokens`."""
    read = usage.cache_read_input_tokens or 0
    write = usage.cache_creation_input_tokens or 0
    prompt = (usage.input_tokens or 0) + read + write
    completion = usage.output_tokens or 0
    details = usage.output_tokens_details or OutputTokensDetails()
    return CompletionUsage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=read, cache_write_tokens=write),
        completion_tokens_details=CompletionTokensDetails(reasoning_tokens=details.thinking_tokens or 0),
    )


def to_service_tier(tier: str | None) -> str | None:
    """OpenAI's name of the tier that answered; None where Claude did not say, or said something new."""
    return _SERVICE_TIERS.get(tier) if tier else None


def add_usage(a: CompletionUsage, b: CompletionUsage) -> CompletionUsage:
    """Both together: continuations of a paused turn, retries, several choices."""
    pa, pb = a.prompt_tokens_details, b.prompt_tokens_details
    ca, cb = a.completion_tokens_details, b.completion_tokens_details
    return CompletionUsage(
        prompt_tokens=a.prompt_tokens + b.prompt_tokens,
        completion_tokens=a.completion_tokens + b.completion_tokens,
        total_tokens=a.total_tokens + b.total_tokens,
        prompt_tokens_details=PromptTokensDetails(
            cached_tokens=pa.cached_tokens + pb.cached_tokens,
            cache_write_tokens=pa.cache_write_tokens + pb.cache_write_tokens,
            audio_tokens=pa.audio_tokens + pb.audio_tokens,
        ),
        completion_tokens_details=CompletionTokensDetails(
            reasoning_tokens=ca.reasoning_tokens + cb.reasoning_tokens,
            audio_tokens=ca.audio_tokens + cb.audio_tokens,
            accepted_prediction_tokens=ca.accepted_prediction_tokens + cb.accepted_prediction_tokens,
            rejected_prediction_tokens=ca.rejected_prediction_tokens + cb.rejected_prediction_tokens,
        ),
    )


class UsageTally:
    """The usage of one message, or of several that make one answer."""

    def __init__(self) -> None:
        self._before = NO_USAGE
        self._now = Usage()

    def start(self, usage: Usage) -> None:
        """A message begins; what the ones before it used stays counted."""
        self._before = self.total
        self._now = usage

    def update(self, usage: Usage) -> None:
        """Counts of a `message_delta` are cumulative: they overwrite, and an absent one keeps its value."""
        self._now = Usage(
            input_tokens=_newer(usage.input_tokens, self._now.input_tokens),
            output_tokens=_newer(usage.output_tokens, self._now.output_tokens),
            cache_creation_input_tokens=_newer(
                usage.cache_creation_input_tokens, self._now.cache_creation_input_tokens
            ),
            cache_read_input_tokens=_newer(usage.cache_read_input_tokens, self._now.cache_read_input_tokens),
            output_tokens_details=usage.output_tokens_details or self._now.output_tokens_details,
            service_tier=usage.service_tier or self._now.service_tier,
        )

    @property
    def total(self) -> CompletionUsage:
        """All messages so far."""
        return add_usage(self._before, to_completion_usage(self._now))

    @property
    def service_tier(self) -> str | None:
        """OpenAI's name of the tier that served the latest message."""
        return to_service_tier(self._now.service_tier)


def usage_of(events: Iterable[StreamEvent]) -> CompletionUsage:
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
