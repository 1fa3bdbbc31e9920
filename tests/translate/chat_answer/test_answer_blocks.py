"""What each kind of content block adds to an answer."""

import pytest
from msgspec import UNSET

from claude_openai_proxy.protocols.openai_chat_response import (
    Annotation,
    AnnotationURLCitation,
    ChoiceDelta,
    CustomToolCall,
    CustomToolCallBody,
    CustomToolCallDelta,
    FunctionCall,
    FunctionCallDelta,
    FunctionToolCall,
    ReasoningDetail,
    ToolCallDelta,
)
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from translate.message_events import block, choice_of, chunks_of, message, text, thinking, tool_use, web_search

THINKING = AnswerPlan(reasoning=True)
ONE_CALL = AnswerPlan(single_call=True)
WEB = {
    "type": "web_search_result_location",
    "cited_text": "It rains.",
    "encrypted_index": "Eo8B",
    "title": "Weather of Paris",
    "url": "https://weather.example/paris",
}

# ---- text and thinking ---------------------------------------------------------------------------------------------


def test_texts_of_several_blocks_follow_each_other_as_they_are() -> None:
    assert choice_of(message(text(0, "one"), thinking(1, "hm"), text(2, "two"))).message.content == "onetwo"


def test_text_that_comes_with_the_blocks_start_is_not_lost() -> None:
    start_text = block(0, {"type": "text", "text": "Hel"}, {"type": "text_delta", "text": "lo"})

    assert choice_of(message(start_text)).message.content == "Hello"


def test_thinking_comes_back_only_where_it_was_asked_for() -> None:
    events = message(thinking(0, "Let me", " see"), text(1, "Yes"))

    assert choice_of(events, THINKING).message.reasoning_content == "Let me see"
    assert choice_of(events).message.reasoning_content is UNSET


def test_thinking_blocks_are_joined_with_a_blank_line() -> None:
    events = message(thinking(0), thinking(1, "a", "b"), thinking(2), text(3, "x"), thinking(4, "c"), thinking(5))

    assert choice_of(events, THINKING).message.reasoning_content == "ab\n\nc"


def test_redacted_thinking_and_unknown_blocks_add_nothing() -> None:
    redacted = block(0, {"type": "redacted_thinking", "data": "EmwK"})
    unknown = block(1, {"type": "hologram", "light": 1}, {"type": "text_delta", "text": "no text of the answer"})

    assert choice_of(message(redacted, unknown, text(2, "Hi"))).message.content == "Hi"


def test_signed_blocks_are_handed_out_one_by_one() -> None:
    redacted = block(1, {"type": "redacted_thinking", "data": "EmwK"})
    events = message(thinking(0, "Let me", " see"), redacted, text(2, "Yes"))

    assert choice_of(events, THINKING).message.reasoning_details == [
        ReasoningDetail(
            type="reasoning.text", index=0, format="anthropic-claude-v1", text="Let me see", signature="EqQBCg=="
        ),
        ReasoningDetail(type="reasoning.encrypted", index=1, format="anthropic-claude-v1", data="EmwK"),
    ]
    deltas = [chunk.delta.reasoning_details for chunk in chunks_of(events, THINKING)]
    assert [detail.index for details in deltas if details is not UNSET for detail in details] == [0, 1]
    assert choice_of(events).message.reasoning_details is UNSET


# ---- calls ---------------------------------------------------------------------------------------------------------


def test_a_call_opens_with_its_head_and_its_arguments_stream_as_they_come() -> None:
    events = message(tool_use(0, "toolu_1", "get_weather", "", '{"city": "Pa', 'ris"}'), stop_reason="tool_use")
    chunks = chunks_of(events)
    head = ToolCallDelta(
        index=0, id="toolu_1", type="function", function=FunctionCallDelta(name="get_weather", arguments="")
    )

    assert [chunk.delta for chunk in chunks[1:]] == [
        ChoiceDelta(tool_calls=[head]),
        ChoiceDelta(tool_calls=[ToolCallDelta(index=0, function=FunctionCallDelta(arguments='{"city": "Pa'))]),
        ChoiceDelta(tool_calls=[ToolCallDelta(index=0, function=FunctionCallDelta(arguments='ris"}'))]),
        ChoiceDelta(),
    ]
    assert chunks[-1].finish_reason == "tool_calls"


def test_calls_are_counted_from_zero_whatever_blocks_came_before() -> None:
    events = message(
        thinking(0, "hm"),
        text(1, "Let me look."),
        *[web_search(2)],
        tool_use(4, "toolu_1", "a", "{}"),
        text(5, "And"),
        tool_use(6, "toolu_2", "b", "{}"),
        stop_reason="tool_use",
    )
    calls = [call for chunk in chunks_of(events) for call in chunk.delta.tool_calls or []]

    assert [(call.index, call.id) for call in calls if call.id] == [(0, "toolu_1"), (1, "toolu_2")]


@pytest.mark.parametrize("pieces", [(), ("",), ("", "")])
def test_a_call_without_arguments_ends_as_an_empty_object(pieces: tuple[str, ...]) -> None:
    calls = choice_of(message(tool_use(0, "toolu_1", "now", *pieces), stop_reason="tool_use")).message.tool_calls

    assert calls == [FunctionToolCall("toolu_1", FunctionCall("now", "{}"))]


def test_calls_without_arguments_before_the_one_that_is_cut_are_complete() -> None:
    events = message(tool_use(0, "toolu_1", "now"), tool_use(1, "toolu_2", "now"), stop_reason="max_tokens")
    choice = choice_of(events)

    assert choice.message.tool_calls == [
        FunctionToolCall("toolu_1", FunctionCall("now", "{}")),
        FunctionToolCall("toolu_2", FunctionCall("now", "")),
    ]
    assert choice.finish_reason == "length"


def test_a_cut_calls_arguments_are_handed_over_as_they_are() -> None:
    choice = choice_of(message(tool_use(0, "toolu_1", "f", '{"city": "Pa'), stop_reason="max_tokens"))

    assert choice.message.tool_calls == [FunctionToolCall("toolu_1", FunctionCall("f", '{"city": "Pa'))]
    assert choice.finish_reason == "length"


@pytest.mark.parametrize("stop_reason", ["tool_use", "max_tokens"])
def test_an_input_that_came_whole_with_the_blocks_start_is_not_lost(stop_reason: str) -> None:
    whole = block(0, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"city": "北京"}})
    calls = choice_of(message(whole, stop_reason=stop_reason)).message.tool_calls

    assert calls == [FunctionToolCall("toolu_1", FunctionCall("f", '{"city": "\\u5317\\u4eac"}'))]


def test_the_client_sees_its_own_name_of_a_tool() -> None:
    plan = AnswerPlan(tool_names={"tool_1": "天気.get"})
    calls = choice_of(message(tool_use(0, "toolu_1", "tool_1", "{}")), plan).message.tool_calls

    assert calls == [FunctionToolCall("toolu_1", FunctionCall("天気.get", "{}"))]


@pytest.mark.parametrize(
    ("stop_reason", "calls", "finish_reason"),
    [("tool_use", 0, "stop"), ("end_turn", 1, "tool_calls"), ("end_turn", 0, "stop"), ("max_tokens", 1, "length")],
)
def test_the_finish_reason_agrees_with_the_calls_that_are_there(
    stop_reason: str, calls: int, finish_reason: str
) -> None:
    blocks = [tool_use(0, "toolu_1", "f", "{}")] * calls

    assert choice_of(message(*blocks, stop_reason=stop_reason)).finish_reason == finish_reason


def test_tools_that_run_on_anthropics_side_are_no_calls() -> None:
    choice = choice_of(message(web_search(0), text(2, "It rains.")))

    assert choice.message.tool_calls is UNSET
    assert choice.finish_reason == "stop"


# ---- legacy and custom calls ---------------------------------------------------------------------------------------


def test_a_legacy_call_streams_as_function_call() -> None:
    chunks = chunks_of(
        message(tool_use(0, "toolu_1", "f", '{"a":', "1}"), stop_reason="tool_use"), ONE_CALL, legacy=True
    )

    assert [chunk.delta.function_call for chunk in chunks[1:]] == [
        FunctionCallDelta(name="f", arguments=""),
        FunctionCallDelta(arguments='{"a":'),
        FunctionCallDelta(arguments="1}"),
        UNSET,
    ]
    assert chunks[-1].finish_reason == "function_call"


def test_the_legacy_form_holds_one_call_only() -> None:
    events = message(tool_use(0, "toolu_1", "f"), tool_use(1, "toolu_2", "g", "{}"), stop_reason="tool_use")
    choice = choice_of(events, ONE_CALL, legacy=True)

    assert choice.message.function_call == FunctionCall("f", "{}")
    assert choice.message.tool_calls is UNSET


def test_a_custom_call_streams_its_input_decoded() -> None:
    plan = AnswerPlan(tool_names={"run_sql": "run sql"}, custom_tools=frozenset({"run sql"}))
    pieces = ("", '{"input": "SELECT', ' \\"a\\"', ';"}')
    events = message(tool_use(0, "toolu_1", "run_sql", *pieces), stop_reason="tool_use")
    calls = [call for chunk in chunks_of(events, plan) for call in chunk.delta.tool_calls or []]

    assert calls == [
        ToolCallDelta(index=0, id="toolu_1", type="custom", custom=CustomToolCallDelta(name="run sql", input="")),
        ToolCallDelta(index=0, custom=CustomToolCallDelta(input="SELECT")),
        ToolCallDelta(index=0, custom=CustomToolCallDelta(input=' "a"')),
        ToolCallDelta(index=0, custom=CustomToolCallDelta(input=";")),
    ]


def test_a_custom_input_that_came_whole_with_the_blocks_start_is_decoded_too() -> None:
    whole = block(0, {"type": "tool_use", "id": "toolu_1", "name": "sql", "input": {"input": "SELECT 1"}})
    choice = choice_of(message(whole), AnswerPlan(custom_tools=frozenset({"sql"})))

    assert choice.message.tool_calls == [CustomToolCall("toolu_1", CustomToolCallBody("sql", "SELECT 1"))]


# ---- citations -----------------------------------------------------------------------------------------------------


def test_a_cited_text_becomes_an_annotation_of_its_characters() -> None:
    events = message(text(0, "Hello 👩. "), web_search(1), text(3, "It ", "rains.", citations=(WEB,)), text(4, " Bye."))
    message_ = choice_of(events).message

    assert message_.annotations == [
        Annotation(
            AnnotationURLCitation(
                start_index=9, end_index=18, title="Weather of Paris", url="https://weather.example/paris"
            )
        )
    ]
    assert (message_.content or "")[9:18] == "It rains."


def test_all_annotations_stream_in_one_delta_before_the_end() -> None:
    chunks = chunks_of(message(text(0, "a", citations=(WEB, WEB)), text(1, "b", citations=(WEB,))))

    assert [len(chunk.delta.annotations or []) for chunk in chunks] == [0, 0, 0, 3, 0]


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ({"type": "page_location", "start_page_number": 2, "end_page_number": 3}, "document:1#page=2"),
        ({"type": "char_location", "start_char_index": 5, "end_char_index": 9}, "document:1#char=5,9"),
        ({"type": "content_block_location", "start_block_index": 4, "end_block_index": 5}, "document:1#block=4"),
        ({"type": "place_of_the_future"}, "document:1"),
    ],
)
def test_a_cited_document_gets_an_address_with_the_place_in_it(location: dict[str, object], url: str) -> None:
    citation = {"cited_text": "x", "document_index": 1, "document_title": "Report", **location}
    (annotation,) = choice_of(message(text(0, "So.", citations=(citation,)))).message.annotations

    assert (annotation.url_citation.url, annotation.url_citation.title) == (url, "Report")


def test_a_search_result_of_the_client_is_cited_by_its_source() -> None:
    citation = {"type": "search_result_location", "source": "kb/7", "title": None, "start_block_index": 0}
    (annotation,) = choice_of(message(text(0, "So.", citations=(citation,)))).message.annotations

    assert (annotation.url_citation.url, annotation.url_citation.title) == ("kb/7", "kb/7")


def test_a_citation_without_any_source_is_left_out() -> None:
    choice = choice_of(message(text(0, "So.", citations=({"type": "hearsay", "cited_text": "x"},))))

    assert choice.message.annotations == []


def test_the_annotation_of_a_text_that_is_cut_ends_with_it() -> None:
    events = message(text(0, "one"), text(1, " two three", citations=(WEB,)))
    choice = choice_of(events, AnswerPlan(stop_texts=("o t",)))
    (annotation,) = choice.message.annotations

    assert choice.message.content == "one tw"
    assert (annotation.url_citation.start_index, annotation.url_citation.end_index) == (3, 6)
