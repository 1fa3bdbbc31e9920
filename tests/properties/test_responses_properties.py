"""A streamed response put together by the official SDK is the one that is not streamed, for any script of events."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from hypothesis import given
from openai import omit
from openai._models import construct_type_unchecked
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent

from claude_openai_proxy.protocols.openai_responses import ResponseEvent
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.call_forms import CallForm
from claude_openai_proxy.translate.messages_api.whole_answer import joined
from claude_openai_proxy.translate.responses_answer.stream import Manner
from properties.event_scripts import AnswerScript, Event, answers, decoded
from translate.responses_answer.told import sealed, stream

EVENT: Any = ResponseStreamEvent
PLAN = AnswerPlan(tool_names={"alias_1": "a name: 天気"}, custom_tools=frozenset({"free_form"}), reasoning=True)
MANNER = Manner(forms={"get_weather": CallForm("function_call", "get_weather", "ns")}, seal=sealed)


def streamed(events: Sequence[Event]) -> list[ResponseEvent]:
    answer = stream(PLAN, MANNER)
    return [said for event in events for said in answer.feed(decoded(event))] + answer.finish()


@given(answers())
def test_what_the_sdk_puts_together_is_the_final_response(script: AnswerScript) -> None:
    events = [json.loads(msgspec.json.encode(event)) for event in streamed(script.events)]
    state: Any = ResponseStreamState(text_format=omit, input_tools=omit)
    for event in events:
        state.handle_event(construct_type_unchecked(value=event, type_=EVENT))
    accumulated = state._ResponseStreamState__current_snapshot.to_dict(mode="json", warnings=False)["output"]
    assert [_said(item) for item in accumulated] == [_said(item) for item in events[-1]["response"]["output"]]


@given(answers())
def test_numbers_and_indexes_have_no_gap_and_every_item_that_begins_is_closed(script: AnswerScript) -> None:
    events = [json.loads(msgspec.json.encode(event)) for event in streamed(script.events)]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    added = [event for event in events if event["type"] == "response.output_item.added"]
    done = [event for event in events if event["type"] == "response.output_item.done"]
    assert [event["output_index"] for event in added] == list(range(len(added)))
    assert [event["item"] for event in done] == events[-1]["response"]["output"]
    assert [(event["item"]["id"], event["item"]["type"]) for event in added] == [
        (event["item"]["id"], event["item"]["type"]) for event in done
    ]


@given(answers())
def test_deltas_that_are_joined_first_make_the_same_response(script: AnswerScript) -> None:
    whole = stream(PLAN, MANNER)
    for event in joined([decoded(event) for event in script.events]):
        whole.feed(event)
    whole.finish()
    apart = streamed(script.events)[-1]
    assert hasattr(apart, "response")
    assert whole.response == apart.response


def _said(item: Mapping[str, Any]) -> object:
    """What the SDK grows by deltas; all else it takes from the done events and the final response as it stands."""
    parts = [part.get("text") for part in item.get("content") or ()]
    return item["type"], item["id"], item.get("call_id"), parts, item.get("arguments"), item.get("namespace")
