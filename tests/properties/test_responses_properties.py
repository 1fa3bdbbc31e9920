"""A streamed response put together by the official SDK is the one that is not streamed, for any script of events."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import omit
from openai._models import construct_type_unchecked
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.openai_responses import ErrorBody
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.call_forms import CallForm
from claude_openai_proxy.translate.messages_api.whole_answer import joined
from claude_openai_proxy.translate.responses_answer.manner import Included, Manner
from claude_openai_proxy.translate.responses_answer.stream import ResponseStream
from properties.event_scripts import AnswerScript, Event, answers, decoded
from properties.test_answer_properties import PLANS, WHOLE_PLANS
from translate.responses_answer.told import plain, sealed, stream

JSONObject = dict[str, Any]
FORMS: Mapping[str, CallForm] = {
    "a name: 天気": CallForm("function_call", "weather", "mcp__sky"),
    "get_weather": CallForm("local_shell_call", "local_shell"),
}
MANNERS = st.builds(
    Manner,
    forms=st.sampled_from([{}, FORMS]),
    seal=st.sampled_from([None, sealed]),
    included=st.builds(Included, sources=st.booleans(), results=st.booleans()),
    refusal_as_text=st.booleans(),
)
RESPONSES_PLANS = PLANS.filter(lambda plan: not plan.single_call)
SDK_TYPE: Any = ResponseStreamEvent
SDK_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
THINKING_SHOWN = AnswerPlan(reasoning=True)
STATES = {"created", "queued", "in_progress"}
ENDS = {"completed", "incomplete", "failed"}


def numbered(script: AnswerScript) -> list[Event]:
    """Claude gives no two calls one id; what it finds belongs to the search that has waited longest, if any."""
    events: list[Event] = json.loads(json.dumps(script.events))
    searches: list[str] = []
    for number, event in enumerate(events):
        block: Any = event.get("content_block") or {}
        if block.get("type") in {"tool_use", "server_tool_use"}:
            block["id"] += f"_{number}"
            searches += [block["id"]] if block["type"] == "server_tool_use" else []
        elif block.get("type") == "web_search_tool_result" and searches:
            block["tool_use_id"] = searches.pop(0)
    return events


def fed(to: ResponseStream, events: Sequence[Event]) -> list[JSONObject]:
    made: list[Any] = []
    for event in events:
        if to.answer.cut and event["type"] == "message_start":
            break  # an answer that was cut is not continued
        made += to.feed(decoded(event))
    return plain(made)


@st.composite
def whole(draw: st.DrawFn) -> list[JSONObject]:
    """The events of an answer that has an end."""
    response = stream(draw(RESPONSES_PLANS), draw(MANNERS))
    events = [*fed(response, numbered(draw(answers()))), *plain(response.finish())]
    assert final(events) == json.loads(msgspec.json.encode(response.response))
    return events


@st.composite
def broken_off(draw: st.DrawFn) -> list[JSONObject]:
    """Those of one that stops anywhere."""
    response = stream(draw(RESPONSES_PLANS), draw(MANNERS))
    script = numbered(draw(answers()))
    events = fed(response, script[: draw(st.integers(0, len(script)))])
    return [*events, *plain(response.fail(ErrorBody("server_error", "server_error", "Cut.")))]


def final(events: Sequence[JSONObject]) -> JSONObject:
    response: JSONObject = events[-1]["response"]
    return response


def output(events: Sequence[JSONObject]) -> list[JSONObject]:
    items: list[JSONObject] = final(events)["output"]
    return items


def kinds(events: Sequence[JSONObject]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


class SDK:
    """The official SDK's own account of a stream."""

    def __init__(self) -> None:
        self.state: ResponseStreamState[None] = ResponseStreamState(input_tools=omit, text_format=omit)
        self.fired: list[Any] = []

    def read(self, events: Sequence[JSONObject]) -> None:
        for event in events:
            # As its client does: without judging.
            read: Any = construct_type_unchecked(type_=SDK_TYPE, value=event)
            self.fired += self.state.handle_event(read)

    def last_response(self) -> JSONObject:
        said: JSONObject = self.fired[-1].response.to_dict(mode="json")
        whole: JSONObject = without_what_the_sdk_adds(said)
        return whole


def without_what_the_sdk_adds(value: Any) -> Any:
    if isinstance(value, dict):
        own = {"parsed", "parsed_arguments"}
        return {name: without_what_the_sdk_adds(member) for name, member in value.items() if name not in own}
    return [without_what_the_sdk_adds(item) for item in value] if isinstance(value, list) else value


@given(whole() | broken_off())
def test_the_sdk_puts_the_items_of_a_stream_together_to_the_whole_response(events: list[JSONObject]) -> None:
    *before, end = events
    sdk = SDK()
    sdk.read([*before, {**end, "response": {**end["response"], "output": None}}])
    assert sdk.last_response() == final(events)


@given(whole() | broken_off())
def test_the_sdk_reads_the_same_from_the_last_event(events: list[JSONObject]) -> None:
    sdk = SDK()
    sdk.read(events)
    assert sdk.last_response() == final(events)


@given(whole() | broken_off())
def test_every_event_has_the_members_that_the_published_types_require(events: list[JSONObject]) -> None:
    for event in events:
        SDK_EVENT.validate_python(_with_an_action(event))


def _with_an_action(event: JSONObject) -> JSONObject:
    """That of a search is known when it was made, as in the streams of the published API, whatever its types say."""
    item = event.get("item", {})
    if event["type"] != "response.output_item.added" or item["type"] != "web_search_call":
        return event
    return {**event, "item": {**item, "action": {"type": "search", "query": ""}}}


@given(whole() | broken_off())
def test_events_are_numbered_without_a_gap_and_framed_once(events: list[JSONObject]) -> None:
    told = kinds(events)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert told[:2] == ["created", "in_progress"]
    assert [kind for kind in told if kind in ENDS] == told[-1:]
    assert not STATES & set(told[2:])
    assert {event["response"]["id"] for event in events if "response" in event} == {"resp_1"}
    assert all(event["response"].keys() == final(events).keys() for event in events if "response" in event)


@given(whole() | broken_off())
def test_items_come_one_after_the_other_and_keep_their_identity(events: list[JSONObject]) -> None:
    items = [event for event in events if "output_index" in event]
    assert [event["output_index"] for event in items] == sorted(event["output_index"] for event in items)
    by_index: defaultdict[int, list[JSONObject]] = defaultdict(list)
    for event in items:
        by_index[event["output_index"]].append(event)
    assert list(by_index) == list(range(len(output(events))))
    for index, item in enumerate(output(events)):
        own = by_index[index]
        told = kinds(own)
        assert (told[0], told[-1]) == ("output_item.added", "output_item.done")
        assert told.count("output_item.added") == told.count("output_item.done") == 1
        assert own[-1]["item"] == item
        assert {event.get("item_id", item["id"]) for event in own} == {item["id"]}
        added = own[0]["item"]
        stays = {"type", "id", "call_id", "name", "namespace"}
        assert {name: added.get(name) for name in stays} == {name: item.get(name) for name in stays}
        assert added["status"] == "in_progress"
    assert len({item["id"] for item in output(events)}) == len(output(events))


@given(whole() | broken_off())
def test_what_streamed_is_what_is_done_and_what_the_item_holds(events: list[JSONObject]) -> None:
    for index, item in enumerate(output(events)):
        own = [event for event in events if event.get("output_index") == index]
        match item["type"]:
            case "message":
                assert [_part(own, number) for number in range(len(item["content"]))] == item["content"]
            case "reasoning":
                assert _streamed(own, "reasoning_summary_text", "text") == [part["text"] for part in item["summary"]]
            case "function_call" | "custom_tool_call":
                name, member = _WHOLE[item["type"]]
                deltas = [event["delta"] for event in own if event["type"] == f"response.{name}.delta"]
                done = [event[member] for event in own if event["type"] == f"response.{name}.done"]
                if deltas or done:
                    assert "".join(deltas) == item[member]
                    assert done == ([item[member]] if item["status"] == "completed" else [])


_WHOLE = {
    "function_call": ("function_call_arguments", "arguments"),
    "custom_tool_call": ("custom_tool_call_input", "input"),
}


def _part(own: list[JSONObject], number: int) -> JSONObject:
    """Of a message, as its events tell it; each of them is where it belongs."""
    told = [event for event in own if event.get("content_index") == number]
    assert told[0]["type"] == "response.content_part.added"
    assert told[-1]["type"] == "response.content_part.done"
    part: JSONObject = told[-1]["part"]
    if part["type"] == "refusal":
        assert _streamed(told, "refusal", "refusal") == [part["refusal"]]
        return part
    assert _streamed(told, "output_text", "text") == [part["text"]]
    sources = [event for event in told if event["type"].endswith("annotation.added")]
    assert [event["annotation_index"] for event in sources] == list(range(len(sources)))
    assert [event["annotation"] for event in sources] == part["annotations"]
    return part


def _streamed(own: list[JSONObject], name: str, member: str) -> list[str]:
    """The texts that are done; the deltas before are the same."""
    done = [event[member] for event in own if event["type"] == f"response.{name}.done"]
    assert "".join(event["delta"] for event in own if event["type"] == f"response.{name}.delta") == "".join(done)
    return done


@given(answers(), WHOLE_PLANS, MANNERS)
def test_sources_are_within_their_part(script: AnswerScript, plan: AnswerPlan, manner: Manner) -> None:
    # Without stop texts: text that one holds back when another item begins is said in the next message.
    response = stream(plan, manner)
    events = [*fed(response, numbered(script)), *plain(response.finish())]
    for part in (part for item in output(events) for part in item.get("content", ())):
        for source in part.get("annotations", ()):
            assert 0 <= source["start_index"] <= source["end_index"] <= len(part["text"])


@given(answers(), RESPONSES_PLANS, MANNERS)
def test_only_the_last_item_can_be_cut_and_the_response_says_so(
    script: AnswerScript, plan: Any, manner: Manner
) -> None:
    answer = stream(plan, manner)
    response = final([*fed(answer, numbered(script)), *plain(answer.finish())])
    statuses = [item["status"] for item in response["output"]]
    assert (response["status"] == "incomplete") == (response["incomplete_details"] is not None)
    assert response["usage"]["total_tokens"] == response["usage"]["input_tokens"] + response["usage"]["output_tokens"]
    parts = {part["type"] for item in response["output"] for part in item.get("content", ())}
    assert ("refusal" in parts) == (answer.finish_reason == "refusal" and not manner.refusal_as_text)
    if answer.finish_reason != "refusal":
        assert "incomplete" not in statuses[:-1]
        assert "incomplete" not in statuses[-1:] or response["status"] == "incomplete"


@given(broken_off())
def test_what_breaks_off_ends_in_an_error_and_a_failed_response(events: list[JSONObject]) -> None:
    assert kinds(events)[-2:] == ["error", "failed"]
    assert final(events)["error"] == {"code": "server_error", "message": "Cut."}
    assert "in_progress" not in [item["status"] for item in output(events)]


@given(answers(), RESPONSES_PLANS, MANNERS, st.data())
def test_a_script_without_its_end_makes_no_response(
    script: AnswerScript, plan: Any, manner: Manner, data: st.DataObject
) -> None:
    last = script.messages[-1]
    events = numbered(script)[: len(script.events) - data.draw(st.integers(1, len(last) - 1))]
    response = stream(plan, manner)
    fed(response, events)
    if not response.answer.cut:
        with pytest.raises(UpstreamProtocolError):
            response.finish()


@given(answers())
def test_the_text_of_all_messages_is_what_claude_said(script: AnswerScript) -> None:
    response = stream(THINKING_SHOWN)
    events = [*fed(response, numbered(script)), *plain(response.finish())]
    parts = [part for item in output(events) if item["type"] == "message" for part in item["content"]]
    assert "".join(part["text"] for part in parts if part["type"] == "output_text") == "".join(_texts(script))


def _texts(script: AnswerScript) -> list[str]:
    said: list[str] = []
    kind: object = None
    for event in script.events:
        match event:
            case {"type": "content_block_start", "content_block": {"type": kind, **block}}:
                said += [str(block["text"])] if kind == "text" else []
            case {"delta": {"type": "text_delta", "text": str(text)}} if kind == "text":
                said.append(text)
    return said


@given(answers(), RESPONSES_PLANS)
def test_each_search_is_carried_with_what_it_found(script: AnswerScript, plan: AnswerPlan) -> None:
    carried: list[list[JSONObject]] = []

    def seal(kind: str, blocks: Sequence[msgspec.Raw]) -> str:
        if kind == "search":
            carried.append([json.loads(bytes(block)) for block in blocks])
        return kind

    response = stream(plan, Manner(seal=seal))
    events = [*fed(response, numbered(script)), *plain(response.finish())]
    uses = [block["id"] for blocks in carried for block in blocks if block["type"] == "server_tool_use"]
    found = [block["tool_use_id"] for blocks in carried for block in blocks if block["type"] != "server_tool_use"]
    assert sorted(uses) == sorted(found)
    searches = [item for item in output(events) if item["type"] == "web_search_call"]
    assert len(uses) <= len([item for item in searches if item["status"] == "completed"])


@given(answers(), RESPONSES_PLANS, MANNERS)
def test_deltas_that_are_joined_first_make_the_same_response(
    script: AnswerScript, plan: AnswerPlan, manner: Manner
) -> None:
    message = numbered(AnswerScript(script.messages[-1:]))
    apart, together = stream(plan, manner), stream(plan, manner)
    fed(apart, message)
    apart.finish()
    for event in joined([decoded(event) for event in message]):
        together.feed(event)
    together.finish()
    assert together.response == apart.response
