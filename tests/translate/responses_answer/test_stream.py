"""What an answer becomes: items, their events in order, and how it ends."""

import json

import pytest

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.openai_responses import ErrorBody, Response
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.call_forms import CallForm
from claude_openai_proxy.translate.responses_answer.manner import Included, Manner
from translate.message_events import (
    Events,
    block,
    ended,
    event,
    message,
    start,
    text,
    thinking,
    tool_use,
    web_search,
)
from translate.responses_answer.told import DRAFT, SEALING, JSONObject, final, output, plain, stream, told

SHOWN = AnswerPlan(reasoning=True)
CITATION = {
    "type": "web_search_result_location",
    "cited_text": "x",
    "encrypted_index": "Eo8B",
    "title": "Weather",
    "url": "https://weather.example",
}


def names(events: list[JSONObject]) -> list[str]:
    return [str(event["type"]).removeprefix("response.") for event in events]


def test_a_text_has_its_events_in_order_and_numbers_without_a_gap() -> None:
    events = told(message(text(0, "Hel", "lo")))
    assert names(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(10))
    added, part = events[2], events[3]
    assert added["item"] == {
        "type": "message",
        "id": "msg_1",
        "status": "in_progress",
        "content": [],
        "role": "assistant",
    }
    assert part["part"] == {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    assert all(event["item_id"] == "msg_1" for event in events[3:8])
    done = events[8]["item"]
    response = events[-1]["response"]
    assert isinstance(response, dict)
    assert response["output"] == [done]
    assert (response["status"], response["completed_at"], response["service_tier"]) == ("completed", 2, "default")


def test_every_response_in_a_stream_is_the_whole_object_with_one_id() -> None:
    responses = [event["response"] for event in told(message(text(0, "Hi"))) if "response" in event]
    assert [set(response) for response in responses] == [set(responses[0])] * 3  # type: ignore[call-overload]
    assert {response["id"] for response in responses} == {"resp_1"}  # type: ignore[index]
    assert [response["usage"] is None for response in responses] == [True, True, False]  # type: ignore[index]


def test_usage_includes_what_was_cached() -> None:
    events = [
        start(input_tokens=10, cache_read_input_tokens=70, cache_creation_input_tokens=20),
        *text(0, "Hi"),
        *ended(),
    ]
    assert final(events)["usage"] == {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 70, "cache_write_tokens": 20},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 120,
    }


def test_text_in_many_blocks_is_one_part_and_its_sources_are_counted_in_it() -> None:
    (item,) = output(message(text(0, "It is "), text(1, "sunny", citations=(CITATION,)), text(2, ".")))
    part = item["content"][0]  # type: ignore[index]
    assert part["text"] == "It is sunny."
    assert part["annotations"] == [
        {
            "type": "url_citation",
            "start_index": 6,
            "end_index": 11,
            "title": "Weather",
            "url": "https://weather.example",
        }
    ]


def test_sources_after_another_item_are_counted_from_where_their_message_begins() -> None:
    items = output(
        message(text(0, "Wait."), tool_use(1, "toolu_1", "f", "{}"), text(2, "sunny", citations=(CITATION,)))
    )
    assert items[2]["content"][0]["annotations"][0]["start_index"] == 0  # type: ignore[index]


def test_thinking_is_an_item_with_a_summary_where_it_is_shown_and_sealed_where_it_is_carried() -> None:
    events = told(message(thinking(0, "Hm", "m"), text(1, "Hi")), SHOWN, SEALING)
    assert names(events)[2:9] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    assert "encrypted_content" not in events[2]["item"]  # type: ignore[operator]
    item = events[8]["item"]
    assert isinstance(item, dict)
    assert item["summary"] == [{"type": "summary_text", "text": "Hmm"}]
    kind, _, block_ = item["encrypted_content"].partition(":")
    assert (kind, json.loads(block_)) == (
        "thinking",
        {"type": "thinking", "thinking": "Hmm", "signature": "EqQBCg=="},
    )


def test_thinking_that_nobody_asked_to_see_is_an_item_without_words() -> None:
    item, _ = output(message(thinking(0, "Hm"), text(1, "Hi")))
    assert item == {"type": "reasoning", "id": "rs_1", "summary": [], "status": "completed"}


def test_each_block_of_thinking_is_an_item_redacted_ones_too() -> None:
    redacted = block(1, {"type": "redacted_thinking", "data": "AAAA"})
    items = output(message(thinking(0, "A"), redacted, thinking(2, "B"), text(3, "Hi")), SHOWN, SEALING)
    assert [item["type"] for item in items] == ["reasoning"] * 3 + ["message"]
    assert items[1]["summary"] == []
    assert items[1]["encrypted_content"] == 'thinking:{"type": "redacted_thinking", "data": "AAAA"}'


def test_calls_are_items_of_their_own_and_never_overlap() -> None:
    events = told(message(text(0, "Both"), tool_use(1, "toolu_1", "f", '{"a"', ": 1}"), tool_use(2, "toolu_2", "g")))
    assert names(events)[7:] == [
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    first = events[12]["item"]
    assert first == {
        "type": "function_call",
        "id": "fc_2",
        "call_id": "toolu_1",
        "name": "f",
        "arguments": '{"a": 1}',
        "status": "completed",
    }
    assert [event["output_index"] for event in events if "output_index" in event] == [0] * 6 + [1] * 5 + [2] * 4


def test_a_call_in_a_namespace_says_name_and_namespace_from_the_beginning() -> None:
    manner = Manner(forms={"ns__f": CallForm("function_call", "f", "ns")})
    events = told(message(tool_use(0, "toolu_1", "ns__f", "{}")), None, manner)
    for said in (events[2]["item"], events[-2]["item"], events[-1]["response"]["output"][0]):  # type: ignore[index]
        assert (said["name"], said["namespace"]) == ("f", "ns")  # type: ignore[index]


def test_a_custom_call_has_the_raw_text() -> None:
    plan = AnswerPlan(custom_tools=frozenset({"apply_patch"}))
    events = told(message(tool_use(0, "toolu_1", "apply_patch", '{"input": "*** Be', 'gin\\n+x"}')), plan)
    assert "custom_tool_call_input.delta" in names(events)
    assert events[-2]["item"] == {
        "type": "custom_tool_call",
        "id": "ctc_1",
        "call_id": "toolu_1",
        "name": "apply_patch",
        "input": "*** Begin\n+x",
        "status": "completed",
    }


@pytest.mark.parametrize(
    ("type_", "given", "has"),
    [
        (
            "local_shell_call",
            {"command": ["ls"]},
            {"action": {"type": "exec", "env": {}, "command": ["ls"]}},
        ),
        (
            "shell_call",
            {"commands": ["ls"]},
            {
                "action": {"commands": ["ls"], "timeout_ms": None, "max_output_length": None},
                "environment": {"type": "local"},
            },
        ),
        ("apply_patch_call", {"operation": {"type": "delete_file", "path": "a"}}, {}),
        ("tool_search_call", {"query": "mail"}, {"arguments": {"query": "mail"}, "execution": "client"}),
    ],
)
def test_calls_with_an_object_are_told_once_they_are_whole(type_: str, given: JSONObject, has: JSONObject) -> None:
    form = CallForm(type_, "t", environment={"type": "local"})  # type: ignore[arg-type]
    events = told(message(tool_use(0, "toolu_1", "t", json.dumps(given))), None, Manner(forms={"t": form}))
    assert names(events)[2:] == ["output_item.added", "output_item.done", "completed"]
    item = events[-2]["item"]
    assert isinstance(item, dict)
    assert (item["type"], item["call_id"], item["status"]) == (type_, "toolu_1", "completed")
    assert item.items() >= (has or given).items()


@pytest.mark.parametrize("type_", ["local_shell_call", "shell_call", "apply_patch_call"])
def test_what_is_no_such_object_stays_the_text_that_it_is(type_: str) -> None:
    form = CallForm(type_, "t")  # type: ignore[arg-type]
    (item,) = output([start(), *tool_use(0, "toolu_1", "t", '{"comm'), *ended("max_tokens")], None, Manner({"t": form}))
    assert (item["type"], item["arguments"], item["status"]) == ("function_call", '{"comm', "incomplete")


def test_a_search_has_its_events_and_rides_in_an_item_without_words() -> None:
    manner = Manner(seal=SEALING.seal, included=Included(sources=True, results=True))
    events = told(message(web_search(0, "cats"), text(2, "Meow")), None, manner)
    assert names(events)[2:9] == [
        "output_item.added",
        "web_search_call.in_progress",
        "web_search_call.searching",
        "web_search_call.completed",
        "output_item.done",
        "output_item.added",
        "output_item.done",
    ]
    assert "action" not in events[2]["item"]  # type: ignore[operator]
    assert events[6]["item"] == {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "cats", "queries": ["cats"], "sources": []},
        "results": [],
    }
    carried = events[8]["item"]
    assert isinstance(carried, dict)
    assert carried["encrypted_content"].startswith('search:{"type":')
    assert "web_search_tool_result" in carried["encrypted_content"]


def test_a_search_that_failed_says_so() -> None:
    use = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    error = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": error}
    item, _ = output(message(block(0, use), block(1, found), text(2, "Sorry")))
    assert (item["status"], item["action"]) == ("failed", {"type": "search", "query": "", "queries": []})


def called_for(index: int, id_: str, query: str) -> Events:
    delta = {"type": "input_json_delta", "partial_json": json.dumps({"query": query})}
    return block(index, {"type": "server_tool_use", "id": id_, "name": "web_search", "input": {}}, delta)


def found(index: int, id_: str, url: str) -> Events:
    page = {"type": "web_search_result", "url": url, "title": "T", "encrypted_content": "Eo8B", "page_age": None}
    return block(index, {"type": "web_search_tool_result", "tool_use_id": id_, "content": [page]})


@pytest.mark.parametrize("order", ["first comes first", "first comes last"])
def test_searches_that_run_side_by_side_are_items_one_after_the_other_each_with_its_own_results(order: str) -> None:
    results = [found(2, "srvtoolu_1", "https://cats.example"), found(3, "srvtoolu_2", "https://dogs.example")]
    if order == "first comes last":
        results = [found(2, "srvtoolu_2", "https://dogs.example"), found(3, "srvtoolu_1", "https://cats.example")]
    calls = [called_for(0, "srvtoolu_1", "cats"), called_for(1, "srvtoolu_2", "dogs")]
    manner = Manner(seal=SEALING.seal, included=Included(sources=True))
    events = told(message(*calls, *results, text(4, "Both.")), None, manner)
    cats, dogs, carried, _ = events[-1]["response"]["output"]  # type: ignore[index]
    assert [(item["status"], item["action"]["query"], item["action"]["sources"]) for item in (cats, dogs)] == [
        ("completed", "cats", [{"type": "url", "url": "https://cats.example"}]),
        ("completed", "dogs", [{"type": "url", "url": "https://dogs.example"}]),
    ]
    assert [event["output_index"] for event in events if "output_index" in event] == [0] * 5 + [1] * 5 + [2] * 2 + [
        3
    ] * 6
    blocks = json.loads(f"[{carried['encrypted_content'].removeprefix('search:')}]")
    ids = [one.get("id") or one["tool_use_id"] for one in blocks]
    assert ids[:2] == ["srvtoolu_1", "srvtoolu_2"]
    assert sorted(ids[2:]) == ["srvtoolu_1", "srvtoolu_2"]


def test_a_search_whose_results_come_after_a_pause_is_whole() -> None:
    events = [start(), *called_for(0, "srvtoolu_1", "cats"), *ended("pause_turn")]
    events += message(found(0, "srvtoolu_1", "https://cats.example"), text(1, "Meow"))
    search, carried, _ = output(events, None, SEALING)
    assert search["status"] == "completed"
    assert [one["type"] for one in json.loads(f"[{str(carried['encrypted_content']).removeprefix('search:')}]")] == [
        "server_tool_use",
        "web_search_tool_result",
    ]


def test_searches_that_nobody_waits_for_any_more_have_failed_and_are_not_carried() -> None:
    calls = [called_for(0, "srvtoolu_1", "cats"), called_for(1, "srvtoolu_2", "dogs")]
    late = found(3, "srvtoolu_1", "https://cats.example")
    items = output(message(*calls, text(2, "Never mind."), late), None, SEALING)
    assert [(item["type"], item["status"]) for item in items] == [
        ("web_search_call", "failed"),
        ("web_search_call", "failed"),
        ("message", "completed"),
    ]


# ---- ends ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["max_tokens", "model_context_window_exceeded", "pause_turn"])
def test_what_was_cut_is_incomplete_and_so_is_its_last_item(reason: str) -> None:
    response = final([start(), *thinking(0, "Hm"), *text(1, "Hal"), *ended(reason)])
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert response["completed_at"] is None
    assert [item["status"] for item in response["output"]] == ["completed", "incomplete"]  # type: ignore[attr-defined]


def test_a_cut_call_keeps_its_fragment_and_has_no_done() -> None:
    events = told([start(), *tool_use(0, "toolu_1", "f", '{"a'), *ended("max_tokens")])
    assert "function_call_arguments.done" not in names(events)
    assert names(events)[-1] == "incomplete"
    assert events[-2]["item"]["arguments"] == '{"a'  # type: ignore[index]


def test_cut_thinking_is_not_sealed() -> None:
    cut = [start(), *thinking(0, "Hm"), *ended("max_tokens")]
    (item,) = output(cut, SHOWN, SEALING)
    assert (item["status"], "encrypted_content" in item) == ("incomplete", False)


def test_an_answer_of_nothing_is_an_answer() -> None:
    assert final([start(), *ended()])["output"] == []


@pytest.mark.parametrize("as_text", [False, True])
def test_a_refusal_is_a_part_after_what_was_said(as_text: bool) -> None:
    events = [start(), *text(0, "Well. "), *ended("refusal", stop_details={"type": "refusal", "explanation": "No."})]
    response = final(events, None, Manner(refusal_as_text=as_text))
    item = response["output"][0]  # type: ignore[index]
    assert response["status"] == "completed"
    told = [part.get("text", part.get("refusal")) for part in item["content"]]
    assert told == (["Well. No."] if as_text else ["Well. ", "No."])


def test_a_refusal_within_a_call_leaves_the_call_incomplete() -> None:
    call, said = output([start(), *tool_use(0, "toolu_1", "f", '{"a'), *ended("refusal")])
    assert (call["status"], said["content"]) == (
        "incomplete",
        [{"type": "refusal", "refusal": "Claude declined to answer this request."}],
    )


def test_a_failure_closes_what_is_open_and_is_told_twice_over() -> None:
    answer = stream()
    begun: Events = [start(), *text(0, "Hal")[:2]]
    for one in begun:
        answer.feed(one)
    body = ErrorBody("server_error", "server_error", "Cut.")
    events = plain(answer.fail(body))
    assert names(events) == ["output_text.done", "content_part.done", "output_item.done", "error", "failed"]
    error, failed = events[-2:]
    assert (error["error"], error["code"], error["message"]) == (
        {"type": "server_error", "code": "server_error", "message": "Cut.", "param": None},
        "server_error",
        "Cut.",
    )
    response = failed["response"]
    assert isinstance(response, dict)
    assert (response["status"], response["error"]) == ("failed", {"code": "server_error", "message": "Cut."})
    assert response["output"][0]["status"] == "incomplete"
    assert answer.fail(body) == []


def test_a_failure_before_anything_begins_with_the_response() -> None:
    events = plain(stream().fail(ErrorBody("server_error", "server_error", "Gone.")))
    assert names(events) == ["created", "in_progress", "error", "failed"]
    assert events[-1]["response"]["usage"] is None  # type: ignore[index]


def test_a_sign_of_life_is_never_the_first_event() -> None:
    answer = stream()
    assert names(plain(answer.keep_alive())) == ["created", "in_progress"]
    (beat,) = plain(answer.keep_alive())
    assert beat == {"type": "keepalive", "sequence_number": 2}
    assert names(plain(answer.feed(start()))) == []


def test_work_in_the_background_is_queued_first() -> None:
    queued = Response(id="resp_1", created_at=1, status="queued", model="m", background=True)
    events = plain(stream(draft=queued).feed(start()))
    assert names(events) == ["created", "queued", "in_progress"]
    assert [event["response"]["status"] for event in events] == ["queued", "queued", "in_progress"]  # type: ignore[index]


def test_what_nobody_waits_for_any_more_keeps_what_was_said() -> None:
    answer = stream()
    for one in [start(), *text(0, "Hal")[:2]]:
        answer.feed(one)
    answer.cancel()
    assert answer.response.status == "cancelled"
    assert [item.status for item in answer.response.output] == ["incomplete"]  # type: ignore[union-attr]
    assert DRAFT.status == "in_progress"


def test_an_answer_without_its_end_is_an_error() -> None:
    answer = stream()
    answer.feed(start())
    with pytest.raises(UpstreamProtocolError):
        answer.finish()


def test_a_paused_turn_that_goes_on_is_one_response() -> None:
    going_on = [*message(web_search(0, "cats"), stop_reason="pause_turn"), *message(text(0, "Meow"))]
    assert [item["type"] for item in output(going_on)] == ["web_search_call", "message"]
    sealed = output(going_on, None, SEALING)
    assert [item["type"] for item in sealed] == ["web_search_call", "reasoning", "message"]


def test_events_that_nobody_knows_are_counted() -> None:
    answer = stream()
    answer.feed(start())
    assert answer.feed(event("of_tomorrow")) == []
    assert answer.answer.skipped == 1
