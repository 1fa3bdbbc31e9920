"""Which answers may come in one piece."""

from msgspec import UNSET, Raw
from msgspec.structs import replace

from claude_openai_proxy.protocols.anthropic import (
    MessageParam,
    MessagesRequest,
    SentRequest,
    TextBlockParam,
    ToolParam,
)
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.whole_answer import SHORT_ANSWER_TOKENS, may_come_whole

SHORT = MessagesRequest(
    model="claude-opus-5-5",
    max_tokens=SHORT_ANSWER_TOKENS,
    messages=[MessageParam("user", [TextBlockParam("Hello")])],
)
PLAN = AnswerPlan()


def test_a_short_one_without_tools_may() -> None:
    assert may_come_whole(SHORT, PLAN)
    assert may_come_whole(replace(SHORT, tools=UNSET, stop_sequences=["END"]), PLAN)


def test_a_long_one_would_be_silent_for_long() -> None:
    assert not may_come_whole(replace(SHORT, max_tokens=SHORT_ANSWER_TOKENS + 1), PLAN)


def test_a_call_that_is_cut_keeps_its_fragment_in_a_stream_alone() -> None:
    assert not may_come_whole(replace(SHORT, tools=[ToolParam("f", Raw(b"{}"))]), PLAN)


def test_a_stream_is_left_at_an_emulated_stop() -> None:
    assert not may_come_whole(SHORT, AnswerPlan(stop_texts=("\n\n",)))


def test_what_goes_out_byte_for_byte_says_itself_what_it_wants() -> None:
    assert not may_come_whole(replace(SHORT, sent=SentRequest(path="v1/messages", body=b"{}")), PLAN)
