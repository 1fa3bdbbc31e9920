"""Token counts of OpenAI's completions, chat and legacy (https://platform.openai.com/docs/api-reference/chat/object)."""

from msgspec import Struct


class PromptTokensDetails(Struct, frozen=True):
    """Parts of `prompt_tokens`: read from and written to Claude's prompt cache."""

    cached_tokens: int = 0
    cache_write_tokens: int = 0
    audio_tokens: int = 0


class CompletionTokensDetails(Struct, frozen=True):
    """Parts of `completion_tokens`."""

    reasoning_tokens: int = 0
    audio_tokens: int = 0
    accepted_prediction_tokens: int = 0
    rejected_prediction_tokens: int = 0


class CompletionUsage(Struct, frozen=True):
    """Token counts, Claude's own; `prompt_tokens` includes what came from and went into the cache."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails = PromptTokensDetails()
    completion_tokens_details: CompletionTokensDetails = CompletionTokensDetails()
