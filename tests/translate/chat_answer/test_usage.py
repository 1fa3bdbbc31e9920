from claude_openai_proxy.protocols.anthropic import OutputTokensDetails, Usage
from claude_openai_proxy.protocols.openai_usage import CompletionTokensDetails, CompletionUsage, PromptTokensDetails
from claude_openai_proxy.translate.chat_answer.usage import to_completion_usage


def test_prompt_tokens_include_what_came_from_and_went_into_the_cache() -> None:
    usage = to_completion_usage(
        Usage(input_tokens=10, output_tokens=5, cache_read_input_tokens=200, cache_creation_input_tokens=30)
    )

    assert usage == CompletionUsage(
        prompt_tokens=240,
        completion_tokens=5,
        total_tokens=245,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=200, cache_write_tokens=30),
    )


def test_thinking_tokens_are_shown_as_part_of_the_completion() -> None:
    usage = to_completion_usage(
        Usage(input_tokens=1, output_tokens=90, output_tokens_details=OutputTokensDetails(thinking_tokens=80))
    )

    assert usage.completion_tokens == 90
    assert usage.completion_tokens_details == CompletionTokensDetails(reasoning_tokens=80)
