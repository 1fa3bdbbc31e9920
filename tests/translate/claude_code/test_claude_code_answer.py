"""From what the real CLI printed (recorded) to events and errors."""

import json

import pytest

from claude_openai_proxy.errors import (
    NoLoginError,
    ProxyError,
    UpstreamConnectionError,
    UpstreamProtocolError,
    UpstreamStatusError,
)
from claude_openai_proxy.protocols.anthropic import (
    ContentBlockStart,
    MessageDelta,
    MessageStop,
    RefusalStopDetails,
    StreamEvent,
    ToolUseBlock,
)
from claude_openai_proxy.protocols.claude_code import ControlRequestFrame, OtherFrame
from claude_openai_proxy.translate.claude_code.answer import AnswerReader
from claude_openai_proxy.translate.claude_code.frames import decode_frame
from upstreams.claude_code.recordings import recorded
from upstreams.claude_code.requests_of_the_tests import inputs_of, stop_reason_of, text_of

NOW = 4102444800 - 5400.0


def reader() -> AnswerReader:
    return AnswerReader(model="claude-sonnet-5", now=NOW)


def feed(lines: list[bytes], given: AnswerReader | None = None) -> list[StreamEvent]:
    taking = given or reader()
    events: list[StreamEvent] = []
    for line in lines:
        frame = decode_frame(line)
        if not isinstance(frame, ControlRequestFrame) and not taking.done:
            events += taking.feed(frame)
    return events


def failure(name: str) -> ProxyError:
    with pytest.raises(ProxyError) as raised:
        feed(recorded(name))
    return raised.value


def test_text_is_read_to_its_end() -> None:
    given = reader()

    events = feed(recorded("text"), given)

    assert text_of(events) == "Hello, 世界 🌍"
    assert isinstance(events[-1], MessageStop)
    assert given.done
    assert given.request_id == "req_sim000000000000000000001"


def test_parallel_calls_are_read() -> None:
    events = feed(recorded("parallel_calls"))

    starts = [event.content_block for event in events if isinstance(event, ContentBlockStart)]
    assert [block.name for block in starts if isinstance(block, ToolUseBlock)] == ["Bash", "Read"]
    assert inputs_of(events) == '{"c":"ls"}{"p":"x"}'


@pytest.mark.parametrize(("name", "reason"), [("max_tokens", "max_tokens"), ("thinking", "end_turn")])
def test_the_stop_reason_is_upstreams(name: str, reason: str) -> None:
    assert stop_reason_of(feed(recorded(name))) == reason


@pytest.mark.parametrize(("name", "text"), [("refusal", ""), ("refusal_after_text", "I would")])
def test_a_refusal_is_whole_although_the_cli_swallows_its_end(name: str, text: str) -> None:
    events = feed(recorded(name))

    end = next(event for event in events if isinstance(event, MessageDelta))
    assert text_of(events) == text
    assert (end.delta.stop_reason, end.delta.stop_details) == ("refusal", RefusalStopDetails("cyber", "No."))
    assert end.usage.output_tokens
    assert isinstance(events[-1], MessageStop)


@pytest.mark.parametrize(
    ("name", "status", "error_type", "message"),
    [
        ("error_400", 400, "invalid_request_error", "messages.0: the reason"),
        ("error_404", 404, "not_found_error", "model: claude-sonnet-5"),
        ("error_529", 529, "overloaded_error", "Overloaded"),
        (
            "error_401",
            401,
            "authentication_error",
            (
                "Claude refused the login: OAuth token has expired. "
                "Run `claude-openai-proxy login` (or set ANTHROPIC_API_KEY)."
            ),
        ),
        ("plan_limit", 429, "rate_limit_error", "The plan's 5-hour limit is reached; it resets in 1 h 30 min."),
    ],
)
def test_a_status_is_recovered(name: str, status: int, error_type: str, message: str) -> None:
    error = failure(name)

    assert isinstance(error, UpstreamStatusError)
    assert (error.status, error.error_type, error.message) == (status, error_type, message)
    assert error.request_id


def test_a_plans_limit_has_the_time_of_its_reset_and_its_headers() -> None:
    error = failure("plan_limit")

    assert isinstance(error, UpstreamStatusError)
    assert error.retry_after == 5400
    assert dict(error.rate_limits) == {
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-reset": "4102444800",
        "anthropic-ratelimit-unified-representative-claim": "five_hour",
    }


def test_no_login_is_no_login() -> None:
    assert isinstance(failure("not_logged_in"), NoLoginError)


@pytest.mark.parametrize("name", ["closed_on_the_way", "empty_stream"])
def test_a_broken_stream_is_an_error(name: str) -> None:
    assert type(failure(name)) is UpstreamProtocolError


@pytest.mark.parametrize("name", ["text", "parallel_calls", "thinking", "max_tokens", "refusal", "refusal_after_text"])
def test_no_beginning_of_an_answer_is_a_success(name: str) -> None:
    lines = recorded(name)
    whole = next(count for count in range(len(lines) + 1) if _done_after(lines[:count]))

    for count in range(whole):
        given = reader()
        feed(lines[:count], given)
        assert not given.done
        assert isinstance(given.ended(heard=True), UpstreamConnectionError)


def _done_after(lines: list[bytes]) -> bool:
    given = reader()
    feed(lines, given)
    return given.done


def stream_event(event: dict[str, object], **more: object) -> bytes:
    return json.dumps({"type": "stream_event", "event": event, **more}).encode()


def test_a_second_answer_to_one_request_is_refused() -> None:
    lines = recorded("text")
    start = next(line for line in lines if b"message_start" in line)

    with pytest.raises(UpstreamProtocolError, match="second answer"):
        feed([*lines[: lines.index(start) + 1], start.replace(b'"id":"msg_', b'"id":"other_')])


def test_a_start_that_is_said_twice_is_taken_once() -> None:
    lines = recorded("text")
    at = next(number for number, line in enumerate(lines) if b"message_start" in line)

    assert feed([*lines[: at + 1], *lines[at:]]) == feed(lines)


def test_an_end_without_a_stop_reason_is_a_break() -> None:
    end = stream_event({"type": "message_delta", "delta": {"stop_reason": None}})
    stop = stream_event({"type": "message_stop"})
    begun = recorded("text")[:-4]

    with pytest.raises(UpstreamProtocolError, match="broke off"):
        feed([*begun, end, stop, b'{"type":"result","subtype":"error_max_budget_usd","is_error":true}'])


def test_events_of_others_than_the_main_turn_are_skipped() -> None:
    assert feed([stream_event({"type": "ping"}, parent_tool_use_id="toolu_1")]) == []


def test_a_kind_of_frame_that_is_not_known_is_skipped() -> None:
    assert decode_frame(b'{"type":"tool_progress","x":[1]}') == OtherFrame("tool_progress")
    assert feed([b'{"type":"tool_progress"}', b'{"type":"system","subtype":"brand_new","request_id":null}']) == []


@pytest.mark.parametrize("line", [b"Segmentation fault", b"{}", b'{"type":"stream_event"}', b"\xff"])
def test_a_line_that_is_no_frame_is_a_protocol_error(line: bytes) -> None:
    with pytest.raises(UpstreamProtocolError):
        decode_frame(line)
