"""Claude's token counts in OpenAI's shape."""

from claude_openai_proxy.protocols.anthropic import Usage
from claude_openai_proxy.protocols.openai_usage import CompletionTokensDetails, CompletionUsage, PromptTokensDetails


def to_completion_usage(usage: Usage) -> CompletionUsage:
    """Claude counts cached tokens beside `input_tokens`, OpenAI within `prompt_tokens`."""
    read = usage.cache_read_input_tokens or 0
    write = usage.cache_creation_input_tokens or 0
    prompt = (usage.input_tokens or 0) + read + write
    completion = usage.output_tokens or 0
    details = usage.output_tokens_details
    return CompletionUsage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=read, cache_write_tokens=write),
        completion_tokens_details=CompletionTokensDetails(reasoning_tokens=(details and details.thinking_tokens) or 0),
    )
