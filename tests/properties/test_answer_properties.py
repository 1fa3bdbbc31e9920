"""One translation in two forms: a stream put together by the official SDK is the answer that is not streamed."""

import json
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion as SDKChatCompletion
from openai.types.chat import ChatCompletionChunk as SDKChunk

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.openai_chat_response import ChatCompletionChunk, Choice, ChunkChoice
from claude_openai_proxy.protocols.openai_usage import CompletionUsage
from claude_openai_proxy.simulator.message_events import assembled
from claude_openai_proxy.translate.chat_answer.chunks import ChoiceStream
from claude_openai_proxy.translate.chat_answer.completion import ChoiceAccumulator, to_chat_completion
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.whole_answer import events_of, joined
from properties.event_scripts import AnswerScript, Event, answers, decoded

PLANS = st.builds(
    AnswerPlan,
    tool_names=st.just({"alias_1": "a name: 天気"}),
    custom_tools=st.sampled_from([frozenset[str](), frozenset({"free_form"})]),
    single_call=st.booleans(),
    reasoning=st.booleans(),
    stop_texts=st.sampled_from([(), ("\n\n",), (" ", "\n\n")]),
    structured=st.booleans(),
)
WHOLE_PLANS = PLANS.filter(lambda plan: not plan.stop_texts)
PLAIN = AnswerPlan(tool_names={"alias_1": "a name: 天気"}, reasoning=True)


def translated(events: Sequence[Event], plan: AnswerPlan) -> tuple[list[ChunkChoice], CompletionUsage]:
    stream = ChoiceStream(plan, legacy=plan.single_call)
    chunks: list[ChunkChoice] = []
    for event in events:
        if stream.answer.cut and event["type"] == "message_start":
            break  # an answer that was cut is not continued
        chunks += stream.feed(decoded(event))
    return chunks + stream.finish(), stream.usage


def accumulated(chunks: Sequence[ChunkChoice]) -> Choice:
    accumulator = ChoiceAccumulator()
    accumulator.feed(chunks)
    return accumulator.choice()


def put_together_by_the_sdk(chunks: Sequence[ChunkChoice], usage: CompletionUsage) -> object:
    state: ChatCompletionStreamState[object] = ChatCompletionStreamState()
    sent = [ChatCompletionChunk(id="chatcmpl-1", created=1, model="m", choices=[chunk], usage=None) for chunk in chunks]
    last = ChatCompletionChunk(id="chatcmpl-1", created=1, model="m", choices=[], usage=usage)
    for chunk in [*sent, last]:
        # `construct`, as the SDK's client does: its type of a streamed call does not know custom tools.
        state.handle_chunk(SDKChunk.construct(**json.loads(msgspec.json.encode(chunk))))
    # The snapshot, since the SDK's last step makes errors of `length` and `content_filter`.
    return _said(state.current_completion_snapshot.to_dict(mode="json"))


def put_together_by_the_proxy(chunks: Sequence[ChunkChoice], usage: CompletionUsage) -> object:
    completion = to_chat_completion(
        [accumulated(chunks)], usage, id="chatcmpl-1", created=1, model="m", service_tier=None
    )
    read = SDKChatCompletion.model_validate_json(msgspec.json.encode(completion))
    return _said(read.to_dict(mode="json"))


def _said(value: object) -> object:
    """Without nulls, empty lists, and what the SDK adds for its own use (`parsed`, the `index` of a call)."""
    if isinstance(value, dict):
        own = {"parsed", "parsed_arguments"} | ({"index"} if {"function", "custom"} & value.keys() else set())
        kept = {name: _said(member) for name, member in value.items() if name not in own}
        return {name: member for name, member in kept.items() if member is not None and member != []}
    return [_said(item) for item in value] if isinstance(value, list) else value


@given(answers(), PLANS)
def test_the_sdk_puts_a_stream_together_to_the_answer_that_is_not_streamed(
    script: AnswerScript, plan: AnswerPlan
) -> None:
    chunks, usage = translated(script.events, plan)

    assert put_together_by_the_sdk(chunks, usage) == put_together_by_the_proxy(chunks, usage)


@given(answers(), PLANS)
def test_a_stream_has_one_role_chunk_first_and_one_finish_last(script: AnswerScript, plan: AnswerPlan) -> None:
    chunks, _ = translated(script.events, plan)

    assert [bool(chunk.delta.role) for chunk in chunks] == [True] + [False] * (len(chunks) - 1)
    assert chunks[0].delta.content == ("" if chunks[1].delta.content or len(chunks) == 2 else None)
    assert [chunk.finish_reason is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


@given(answers(), PLANS)
def test_indexes_of_calls_are_dense_and_their_head_comes_once(script: AnswerScript, plan: AnswerPlan) -> None:
    chunks, _ = translated(script.events, plan)
    calls = [call for chunk in chunks for call in chunk.delta.tool_calls or []]
    opened = [call for call in calls if call.id]

    assert [call.index for call in opened] == list(range(len(opened)))
    assert [call.index for call in calls] == sorted(call.index for call in calls)
    for call in calls:
        body = call.custom or call.function
        assert body
        assert bool(call.type) == bool(body.name) == bool(call.id)


@given(answers(), PLANS)
def test_the_finish_reason_agrees_with_the_calls(script: AnswerScript, plan: AnswerPlan) -> None:
    choice = accumulated(translated(script.events, plan)[0])

    assert (choice.finish_reason == "tool_calls") <= bool(choice.message.tool_calls)
    assert (choice.finish_reason == "function_call") <= bool(choice.message.function_call)
    called = bool(choice.message.tool_calls or choice.message.function_call)
    if called:
        assert choice.finish_reason != "stop"
    refused = "stop" if plan.structured and not called else "content_filter"
    if choice.message.refusal is not None:
        assert choice.finish_reason == refused
    else:
        assert choice.finish_reason != "content_filter"


@given(answers(), st.data())
def test_a_stream_that_breaks_off_anywhere_ends_in_an_error(script: AnswerScript, data: st.DataObject) -> None:
    last = script.messages[-1]
    kept = data.draw(st.integers(0, len(last) - 1))
    events = [event for message in script.messages[:-1] for event in message] + last[:kept]

    if len(script.messages) > 1 and kept == 0:
        events = events[:-1]
    with pytest.raises(UpstreamProtocolError):
        translated(events, PLAIN)


@given(answers())
def test_text_thinking_and_arguments_are_what_claude_sent(script: AnswerScript) -> None:
    message = accumulated(translated(script.events, PLAIN)[0]).message

    assert (message.content or "") == "".join(_sent(script, "text"))
    assert (message.reasoning_content or "") == "\n\n".join(filter(None, _sent(script, "thinking")))
    sent = _sent_calls(script)
    assert [call.id for call in message.tool_calls or []] == [call_id for call_id, _ in sent]
    for call, (_, text) in zip(message.tool_calls or [], sent, strict=True):
        assert call.function.arguments == text  # type: ignore[union-attr]


def _sent(script: AnswerScript, kind: str) -> list[str]:
    """What each block of this type holds, read straight off the script: its member is named after the type."""
    found: list[str] = []
    open_kind: object = None
    for event in script.events:
        match event:
            case {"type": "content_block_start", "content_block": {"type": open_kind, **block}}:
                found += [str(block[kind])] if open_kind == kind else []
            case {"delta": {"type": str(name), **delta}} if open_kind == kind and name == f"{kind}_delta":
                found[-1] += str(delta[kind])
    return found


def _sent_calls(script: AnswerScript) -> list[tuple[str, str]]:
    """Id and JSON text of each call, read straight off the script."""
    calls: list[tuple[str, str, object]] = []
    kind: object = None
    stop_reason: object = None
    for event in script.events:
        match event:
            case {"type": "content_block_start", "content_block": {"type": kind, **block}}:
                calls += [(str(block["id"]), "", block["input"])] if kind == "tool_use" else []
            case {"delta": {"type": "input_json_delta", "partial_json": str(piece)}} if kind == "tool_use":
                call_id, text, whole = calls[-1]
                calls[-1] = (call_id, text + piece, whole)
            case {"delta": {"stop_reason": stop_reason}}:
                pass
    ended = [(call_id, text or json.dumps(whole)) for call_id, text, whole in calls]
    cut = stop_reason in {"max_tokens", "model_context_window_exceeded"} and kind == "tool_use"
    if cut and ended[-1][1] == "{}" and not calls[-1][1]:
        ended[-1] = (ended[-1][0], "")
    return ended


# ---- an answer in one piece ----------------------------------------------------------------------------------------


@given(answers(), WHOLE_PLANS)
def test_an_answer_in_one_piece_says_what_its_stream_says(script: AnswerScript, plan: AnswerPlan) -> None:
    message = script.messages[-1]
    assume(not any(event.get("content_block", {}).get("type") == "tool_use" for event in message))  # type: ignore[attr-defined]
    stream, whole = ChoiceStream(plan), ChoiceStream(plan)
    streamed = [chunk for event in message for chunk in stream.feed(decoded(event))] + stream.finish()
    document = json.dumps(assembled(message)).encode()
    in_one_piece = [chunk for event in events_of(document) for chunk in whole.feed(event)] + whole.finish()
    assert accumulated(in_one_piece) == accumulated(streamed)
    assert whole.usage == stream.usage
    assert (whole.answer.message_id, whole.answer.model) == (stream.answer.message_id, stream.answer.model)


@given(answers(), PLANS)
def test_joined_deltas_say_the_same(script: AnswerScript, plan: AnswerPlan) -> None:
    one_by_one, together = ChoiceStream(plan), ChoiceStream(plan)
    message = [decoded(event) for event in script.messages[-1]]
    apart = [chunk for event in message for chunk in one_by_one.feed(event)] + one_by_one.finish()
    joint = [chunk for event in joined(message) for chunk in together.feed(event)] + together.finish()
    assert accumulated(joint) == accumulated(apart)
    assert together.usage == one_by_one.usage
