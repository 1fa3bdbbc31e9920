from claude_openai_proxy.protocols.anthropic import (
    Message,
    MessageDelta,
    MessageDeltaBody,
    MessageStart,
    OutputTokensDetails,
    Usage,
)
from claude_openai_proxy.protocols.openai_chat_response import (
    CompletionTokensDetails,
    CompletionUsage,
    PromptTokensDetails,
)
from claude_openai_proxy.translate.messages_api.usage import (
    UsageTally,
    add_usage,
    to_completion_usage,
    to_service_tier,
    usage_of,
)


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


def test_an_update_overwrites_what_it_names_and_keeps_the_rest() -> None:
    tally = UsageTally()
    tally.start(Usage(input_tokens=10, output_tokens=1, cache_read_input_tokens=7, service_tier="priority"))
    tally.update(Usage(output_tokens=20))
    tally.update(Usage(output_tokens=25, input_tokens=0))

    assert tally.total.prompt_tokens == 7
    assert tally.total.completion_tokens == 25
    assert tally.service_tier == "priority"


def test_the_messages_of_a_continued_turn_add_up() -> None:
    tally = UsageTally()
    tally.start(Usage(input_tokens=10, output_tokens=1))
    tally.update(Usage(output_tokens=4))
    tally.start(Usage(input_tokens=14, output_tokens=2))
    tally.update(Usage(output_tokens=6))

    assert (tally.total.prompt_tokens, tally.total.completion_tokens, tally.total.total_tokens) == (24, 10, 34)


def test_usage_of_a_message_that_is_thrown_away_is_known() -> None:
    start = MessageStart(Message("msg_1", "claude-opus-5-5", Usage(input_tokens=3, output_tokens=1)))
    end = MessageDelta(MessageDeltaBody("end_turn"), Usage(output_tokens=8))

    assert usage_of([start, end]).total_tokens == 11


def test_sums_include_every_detail() -> None:
    usage = CompletionUsage(1, 2, 3, PromptTokensDetails(4, 5, 6), CompletionTokensDetails(7, 8, 9, 10))

    assert add_usage(usage, usage) == CompletionUsage(
        2, 4, 6, PromptTokensDetails(8, 10, 12), CompletionTokensDetails(14, 16, 18, 20)
    )


def test_the_tier_that_answered_has_openais_name() -> None:
    assert to_service_tier("standard") == "default"
    assert to_service_tier("priority") == "priority"
    assert to_service_tier(None) is None
    assert to_service_tier("galactic") is None
