from claude_openai_proxy.protocols.anthropic import (
    CacheCreation,
    Message,
    MessageDelta,
    MessageDeltaBody,
    MessageStart,
    OutputTokensDetails,
    ServerToolUsage,
    Usage,
)
from claude_openai_proxy.translate.messages_api.usage import UsageTally, add_usage, usage_of


def test_an_update_overwrites_what_it_names_and_keeps_the_rest() -> None:
    tally = UsageTally()
    tally.start(Usage(input_tokens=10, output_tokens=1, cache_read_input_tokens=7, service_tier="priority"))
    tally.update(Usage(output_tokens=20))
    tally.update(Usage(output_tokens=25, input_tokens=0))

    assert tally.total == Usage(input_tokens=0, output_tokens=25, cache_read_input_tokens=7, service_tier="priority")


def test_the_messages_of_a_continued_turn_add_up() -> None:
    tally = UsageTally()
    tally.start(Usage(input_tokens=10, output_tokens=1))
    tally.update(Usage(output_tokens=4))
    tally.start(Usage(input_tokens=14, output_tokens=2))
    tally.update(Usage(output_tokens=6))

    assert tally.total == Usage(input_tokens=24, output_tokens=10)


def test_usage_of_a_message_that_is_thrown_away_is_known() -> None:
    start = MessageStart(Message("msg_1", "claude-opus-5-5", Usage(input_tokens=3, output_tokens=1)))
    end = MessageDelta(MessageDeltaBody("end_turn"), Usage(output_tokens=8))

    assert usage_of([start, end]) == Usage(input_tokens=3, output_tokens=8)


def test_sums_include_every_detail() -> None:
    usage = Usage(1, 2, 3, 4, OutputTokensDetails(5), "priority")

    assert add_usage(usage, usage) == Usage(2, 4, 6, 8, OutputTokensDetails(10), "priority")
    assert add_usage(usage, Usage()) == add_usage(Usage(), usage) == usage


def test_lives_of_the_cache_and_searches_are_kept_and_summed() -> None:
    first = Usage(cache_creation=CacheCreation(1, 2), server_tool_use=ServerToolUsage(3))
    assert add_usage(first, first) == Usage(cache_creation=CacheCreation(2, 4), server_tool_use=ServerToolUsage(6))
    tally = UsageTally()
    tally.start(first)
    tally.update(Usage(output_tokens=5))
    tally.update(Usage(server_tool_use=ServerToolUsage(4)))
    assert tally.total == Usage(output_tokens=5, cache_creation=CacheCreation(1, 2), server_tool_use=ServerToolUsage(4))
