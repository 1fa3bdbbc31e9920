"""Claude's token counts in this dialect's shape."""

from claude_openai_proxy.protocols.anthropic import OutputTokensDetails as ClaudesDetails
from claude_openai_proxy.protocols.anthropic import Usage
from claude_openai_proxy.protocols.openai_responses import InputTokensDetails, OutputTokensDetails, ResponseUsage


def to_response_usage(usage: Usage) -> ResponseUsage:
    """Claude counts cached tokens beside `input_tokens`, OpenAI within them."""
    read = usage.cache_read_input_tokens or 0
    write = usage.cache_creation_input_tokens or 0
    sent = (usage.input_tokens or 0) + read + write
    said = usage.output_tokens or 0
    thought = (usage.output_tokens_details or ClaudesDetails()).thinking_tokens or 0
    return ResponseUsage(
        input_tokens=sent,
        input_tokens_details=InputTokensDetails(cached_tokens=read, cache_write_tokens=write),
        output_tokens=said,
        output_tokens_details=OutputTokensDetails(reasoning_tokens=thought),
        total_tokens=sent + said,
    )
