"""Rules of the streamed answer that concern the message as a whole; blocks have their own tests."""

import pytest
from msgspec import UNSET

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.openai_chat_response import ChoiceDelta, ChunkChoice
from claude_openai_proxy.translate.chat_answer.chunks import ChoiceStream
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from translate.message_events import Json, block, chunks_of, ended, event, message, start, text, thinking, tool_use


def test_a_text_answer_is_a_role_chunk_its_pieces_and_a_finish() -> None:
    assert chunks_of(message(text(0, "Hello", " there"))) == [
        ChunkChoice(index=0, delta=ChoiceDelta(role="assistant", content="")),
        ChunkChoice(index=0, delta=ChoiceDelta(content="Hello")),
        ChunkChoice(index=0, delta=ChoiceDelta(content=" there")),
        ChunkChoice(index=0, delta=ChoiceDelta(), finish_reason="stop"),
    ]


def test_an_answer_without_content_still_has_a_role_chunk() -> None:
    assert [chunk.delta for chunk in chunks_of(message())] == [
        ChoiceDelta(role="assistant", content=""),
        ChoiceDelta(),
    ]


def test_every_chunk_carries_the_index_of_its_choice() -> None:
    stream = ChoiceStream(AnswerPlan(), index=3)
    chunks = [chunk for event in message(text(0, "Hi"), tool_use(1, "toolu_1", "f")) for chunk in stream.feed(event)]

    assert {chunk.index for chunk in [*chunks, *stream.finish()]} == {3}


def test_what_the_message_says_of_itself_is_known() -> None:
    stream = ChoiceStream(AnswerPlan())
    for one in [start(cache_read_input_tokens=5, service_tier="standard"), *text(0, "Hi"), *ended()]:
        stream.feed(one)
    stream.finish()

    assert (stream.answer.message_id, stream.answer.model) == ("msg_01", "claude-opus-5-5")
    assert (stream.usage.prompt_tokens, stream.usage.completion_tokens) == (15, 20)
    assert stream.service_tier == "default"
    assert stream.finish_reason == "stop"
    assert not stream.answer.called


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("new_in_2027", "stop")],
)
def test_the_last_chunk_has_the_finish_reason(stop_reason: str, finish_reason: str) -> None:
    assert chunks_of(message(text(0, "Hi"), stop_reason=stop_reason))[-1].finish_reason == finish_reason


@pytest.mark.parametrize("kept", [0, 1, 2, 3, 4, 5])
def test_a_message_that_breaks_off_is_an_error(kept: int) -> None:
    with pytest.raises(UpstreamProtocolError, match="message_stop never came"):
        chunks_of(message(text(0, "Hi"))[:kept])


def test_a_message_that_stops_for_no_reason_is_an_error() -> None:
    with pytest.raises(UpstreamProtocolError, match="without a stop_reason"):
        chunks_of([start(), *text(0, "Hi"), *ended(None)])


def test_a_second_message_start_is_an_error() -> None:
    with pytest.raises(UpstreamProtocolError, match="second message_start"):
        chunks_of([start(), event("message_start", message={"id": "msg_other", "model": "m", "usage": {}})])


def test_a_message_start_that_is_said_twice_is_taken_once() -> None:
    again = chunks_of([start(), start(), *text(0, "Hi"), *ended()])
    assert again == chunks_of([start(), *text(0, "Hi"), *ended()])


@pytest.mark.parametrize(
    ("content_block", "deltas"),
    [
        (
            {"type": "mcp_tool_use", "id": "m", "name": "n", "input": {}},
            [{"type": "input_json_delta", "partial_json": "{"}],
        ),
        ({"type": "mcp_tool_result", "tool_use_id": "m", "content": []}, []),
        ({"type": "compaction", "content": None}, [{"type": "compaction_delta", "content": "told shorter"}]),
        ({"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}, []),
        ({"type": "container_upload", "file_id": "f"}, [{"type": "text_delta", "text": "?"}]),
        ({"type": "redacted_thinking", "data": "x"}, [{"type": "signature_delta", "signature": "s"}]),
        ({"type": "server_tool_use", "id": "s", "name": "n"}, [{"type": "text_delta", "text": "?"}]),
        ({"type": "web_search_tool_result", "tool_use_id": "s", "content": []}, [{"type": "text_delta", "text": "?"}]),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_blocks_that_nobody_asked_for_are_no_reason_to_lose_the_answer(content_block: Json, deltas: list[Json]) -> None:
    events = [start(), *text(0, "Hi "), *block(1, content_block, *deltas), *text(2, "there"), *ended()]
    chunks = chunks_of(events)
    assert "".join(chunk.delta.content or "" for chunk in chunks) == "Hi there"


def test_an_error_event_is_an_error() -> None:
    with pytest.raises(UpstreamProtocolError, match="Overloaded"):
        chunks_of([start(), event("error", error={"type": "overloaded_error", "message": "Overloaded"})])


@pytest.mark.parametrize("index", [0, 1])
def test_a_delta_of_a_block_that_is_not_open_is_an_error(index: int) -> None:
    stray = event("content_block_delta", index=index, delta={"type": "text_delta", "text": "Hi"})

    with pytest.raises(UpstreamProtocolError, match="not open"):
        chunks_of([start(), stray, *ended()])


def test_a_delta_that_does_not_fit_its_block_is_an_error() -> None:
    wrong = event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "Hm"})

    with pytest.raises(UpstreamProtocolError, match="ThinkingDelta for a TextBlock"):
        chunks_of([start(), *text(0, "Hi")[:-1], wrong, *ended()])


def test_pings_say_nothing_and_unknown_events_are_counted() -> None:
    stream = ChoiceStream(AnswerPlan())
    events = [event("ping"), start(), event("ping"), event("aurora"), *text(0, "Hi"), *ended()]
    unknown = event("content_block_delta", index=0, delta={"type": "scent_delta", "scent": "rose"})
    chunks = [chunk for one in [*events[:-2], unknown, *events[-2:]] for chunk in stream.feed(one)]

    assert [chunk.delta.content for chunk in chunks] == ["", "Hi"]
    assert stream.answer.skipped == 2


# ---- refusals --------------------------------------------------------------------------------------------------------


def test_a_refusal_is_content_filter_with_claudes_explanation() -> None:
    details: dict[str, object] = {"type": "refusal", "category": "bio", "explanation": "That could do harm."}
    chunks = chunks_of([start(), *text(0, "Well"), *ended("refusal", stop_details=details)])

    assert [chunk.delta for chunk in chunks[1:]] == [
        ChoiceDelta(content="Well"),
        ChoiceDelta(refusal="That could do harm."),
        ChoiceDelta(),
    ]
    assert chunks[-1].finish_reason == "content_filter"


def test_a_call_that_a_refusal_broke_off_gets_no_arguments_of_ours() -> None:
    chunks = chunks_of([start(), *tool_use(0, "toolu_1", "f"), *ended("refusal")])
    arguments = [call.function.arguments for chunk in chunks for call in chunk.delta.tool_calls or () if call.function]
    assert (arguments, chunks[-1].finish_reason) == ([""], "content_filter")


@pytest.mark.parametrize("details", [None, {"type": "refusal", "category": None, "explanation": None}])
def test_a_refusal_without_explanation_gets_a_neutral_sentence(details: dict[str, object] | None) -> None:
    chunks = chunks_of([start(), *ended("refusal", stop_details=details)])

    assert chunks[-2].delta.refusal == "Claude declined to answer this request."


# ---- paused turns ----------------------------------------------------------------------------------------------------


def test_a_paused_turn_and_its_continuation_are_one_answer() -> None:
    stream = ChoiceStream(AnswerPlan())
    first = [chunk for one in message(text(0, "Let me "), stop_reason="pause_turn") for chunk in stream.feed(one)]
    paused = stream.answer.paused
    second = [chunk for one in message(text(0, "see.")) for chunk in stream.feed(one)]

    assert paused
    assert not stream.answer.paused
    assert [chunk.delta.content for chunk in first + second] == ["", "Let me ", "see."]
    assert [chunk.delta.role for chunk in first + second] == ["assistant", UNSET, UNSET]
    assert [chunk.finish_reason for chunk in stream.finish()] == ["stop"]
    assert (stream.usage.prompt_tokens, stream.usage.completion_tokens) == (20, 40)


def test_a_paused_turn_that_is_not_continued_is_an_incomplete_answer() -> None:
    assert chunks_of(message(text(0, "Let me"), stop_reason="pause_turn"))[-1].finish_reason == "length"


def test_a_continuation_that_breaks_off_is_an_error() -> None:
    with pytest.raises(UpstreamProtocolError):
        chunks_of([*message(text(0, "Let me"), stop_reason="pause_turn"), start(), *text(0, "see")])


def test_a_pause_after_a_call_is_no_pause() -> None:
    stream = ChoiceStream(AnswerPlan())
    for one in message(tool_use(0, "toolu_1", "f", "{}"), stop_reason="pause_turn"):
        stream.feed(one)

    assert not stream.answer.paused
    assert stream.finish()[-1].finish_reason == "tool_calls"


# ---- stop texts ------------------------------------------------------------------------------------------------------


def test_a_stop_text_cuts_the_answer_and_only_usage_is_read_on() -> None:
    stream = ChoiceStream(AnswerPlan(stop_texts=("\n\n",), reasoning=True))
    seen = [chunk for one in [start(), *text(0, "one\n", "\ntwo", "three")] for chunk in stream.feed(one)]
    last = stream.finish()
    unseen = [*thinking(1, "hm"), *tool_use(2, "toolu_1", "f"), *text(3, "four"), event("aurora"), *ended("tool_use")]

    assert stream.answer.cut
    assert [chunk.delta.content for chunk in seen] == ["", "one"]
    assert [chunk.finish_reason for chunk in last] == ["stop"]
    assert [chunk for one in unseen for chunk in stream.feed(one)] == []
    assert stream.usage.completion_tokens == 20
    assert not stream.answer.called


def test_a_held_back_newline_is_given_out_before_a_call_and_at_the_end() -> None:
    events = message(text(0, "one\n"), tool_use(1, "toolu_1", "f", "{}"), text(2, "two\n"), stop_reason="tool_use")
    deltas = [chunk.delta for chunk in chunks_of(events, AnswerPlan(stop_texts=("\n\n",)))]

    assert [delta.content for delta in deltas] == ["", "one", "\n", UNSET, UNSET, "two", "\n", UNSET]


def test_a_stop_text_may_span_two_text_blocks() -> None:
    chunks = chunks_of(message(text(0, "one\n"), text(1, "\ntwo")), AnswerPlan(stop_texts=("\n\n",)))

    assert [chunk.delta.content for chunk in chunks] == ["", "one", UNSET]


def test_a_cut_after_a_call_still_says_that_there_are_calls() -> None:
    events = message(tool_use(0, "toolu_1", "f", "{}"), text(1, "a b"))

    assert chunks_of(events, AnswerPlan(stop_texts=(" ",)))[-1].finish_reason == "tool_calls"


def test_the_role_chunk_waits_for_what_comes_and_is_null_before_a_call_as_at_openai() -> None:
    stream = ChoiceStream(AnswerPlan())
    deltas = [chunk.delta for event in message(tool_use(0, "toolu_1", "f")) for chunk in stream.feed(event)]

    assert deltas[0] == ChoiceDelta(role="assistant", content=None)


def test_shown_thinking_without_text_ends_as_empty_content() -> None:
    deltas = [chunk.delta for chunk in chunks_of(message(thinking(0, "Hm")), AnswerPlan(reasoning=True))]

    assert deltas[0] == ChoiceDelta(role="assistant", content=None)
    assert deltas[-2] == ChoiceDelta(content="")
