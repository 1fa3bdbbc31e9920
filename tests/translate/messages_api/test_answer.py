"""What an answer says, in nobody's shape."""

import pytest

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic import Usage
from claude_openai_proxy.translate.messages_api.answer import AnswerStream
from claude_openai_proxy.translate.messages_api.answer_events import (
    Annotation,
    AnswerEvent,
    CallBegun,
    CallEnded,
    CallPiece,
    RedactedThinking,
    Stopped,
    Text,
    ThinkingBegun,
    ThinkingEnded,
    ThinkingPiece,
)
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from translate.message_events import Events, block, ended, message, start, text, thinking, tool_use

SOURCE = {"type": "web_search_result_location", "url": "https://a.example/", "title": "A"}


def said(events: Events, plan: AnswerPlan | None = None) -> list[AnswerEvent]:
    stream = AnswerStream(plan or AnswerPlan())
    return [said for event in events for said in stream.feed(event)] + stream.finish()


def test_thinking_keeps_its_signature_and_its_blocks_apart() -> None:
    redacted = block(1, {"type": "redacted_thinking", "data": "EmwK"})

    assert said(message(thinking(0, "Let me", " see"), redacted, text(2, "Yes"))) == [
        ThinkingBegun(),
        ThinkingPiece("Let me"),
        ThinkingPiece(" see"),
        ThinkingEnded("EqQBCg=="),
        RedactedThinking("EmwK"),
        Text("Yes"),
        Stopped("end_turn", ""),
    ]


def test_a_signature_may_come_with_the_blocks_start() -> None:
    whole = block(0, {"type": "thinking", "thinking": "Hm", "signature": "c2ln"})

    assert said(message(whole)) == [
        ThinkingBegun(),
        ThinkingPiece("Hm"),
        ThinkingEnded("c2ln"),
        Stopped("end_turn", ""),
    ]


def test_calls_begin_grow_and_end_under_the_clients_name() -> None:
    plan = AnswerPlan(tool_names={"run_it": "run it"}, custom_tools=frozenset({"run it"}))
    calls = (tool_use(0, "toolu_1", "f", '{"a"', ":1}"), tool_use(1, "toolu_2", "run_it", '{"input": "x\\n', 'y"}'))

    assert said(message(*calls, stop_reason="tool_use"), plan) == [
        CallBegun(0, "toolu_1", "f", custom=False),
        CallPiece(0, '{"a"', custom=False),
        CallPiece(0, ":1}", custom=False),
        CallEnded(0),
        CallBegun(1, "toolu_2", "run it", custom=True),
        CallPiece(1, "x\n", custom=True),
        CallPiece(1, "y", custom=True),
        CallEnded(1),
        Stopped("tool_use", ""),
    ]


def test_a_call_without_arguments_is_an_empty_object_unless_it_was_cut() -> None:
    head = CallBegun(0, "toolu_1", "f", custom=False)

    assert said(message(tool_use(0, "toolu_1", "f"))) == [
        head,
        CallPiece(0, "{}", custom=False),
        CallEnded(0),
        Stopped("end_turn", ""),
    ]
    assert said(message(tool_use(0, "toolu_1", "f"), stop_reason="max_tokens")) == [
        head,
        CallEnded(0),
        Stopped("max_tokens", ""),
    ]


def test_a_form_that_holds_one_call_gets_one_and_the_rest_is_counted() -> None:
    stream = AnswerStream(AnswerPlan(single_call=True))
    events = message(tool_use(0, "toolu_1", "f", "{}"), tool_use(1, "toolu_2", "g", '{"b":2}'))
    begun = [one for event in events for one in stream.feed(event) if isinstance(one, CallBegun | CallPiece)]

    assert begun == [CallBegun(0, "toolu_1", "f", custom=False), CallPiece(0, "{}", custom=False)]
    assert stream.skipped == 1


def test_a_source_is_told_where_its_text_ends() -> None:
    assert said(message(text(0, "ab"), text(1, "cde", citations=(SOURCE,)), text(2, "f"))) == [
        Text("ab"),
        Text("cde"),
        Annotation(2, 5, "A", "https://a.example/"),
        Text("f"),
        Stopped("end_turn", ""),
    ]


def test_a_stop_text_cuts_the_text_and_closes_its_block() -> None:
    plan = AnswerPlan(stop_texts=("\n",))

    assert said([start(), *text(0, "ab\nc", citations=(SOURCE,))], plan) == [
        Text("ab"),
        Annotation(0, 2, "A", "https://a.example/"),
        Stopped("stop_sequence", ""),
    ]


def test_a_refusal_says_why_where_claude_did() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "Not that."}

    assert said([start(), *ended("refusal", stop_details=details)]) == [Stopped("refusal", "Not that.")]
    assert said([start(), *ended("refusal")]) == [Stopped("refusal", "")]


def test_usage_is_claudes_own_count() -> None:
    stream = AnswerStream(AnswerPlan())
    for event in [start(cache_read_input_tokens=5, service_tier="standard"), *text(0, "Hi"), *ended()]:
        stream.feed(event)

    assert stream.usage == Usage(input_tokens=10, output_tokens=20, cache_read_input_tokens=5, service_tier="standard")


def test_an_answer_that_breaks_off_has_no_end() -> None:
    stream = AnswerStream(AnswerPlan())
    for event in [start(), *text(0, "Hi")]:
        stream.feed(event)

    with pytest.raises(UpstreamProtocolError):
        stream.finish()
