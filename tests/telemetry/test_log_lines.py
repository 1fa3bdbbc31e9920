"""Log lines: what they say of a request, how they look, and when they are written."""

import io
import json
import logging
import os
import re
from collections.abc import Iterator

import pytest

from claude_openai_proxy.records import LOCAL, Principal, RequestRecord
from claude_openai_proxy.telemetry.line_writer import LineWriter
from claude_openai_proxy.telemetry.logging_setup import LogFormat
from claude_openai_proxy.telemetry.repeats import SHOWN, WINDOW_SECONDS
from telemetry.installed import logging_as_it_was, set_up_logging

NOW = 1_800_000_000.25  # 2027-01-15T08:00:00.250Z


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    with logging_as_it_was():
        yield


def a_record(**changes: object) -> RequestRecord:
    record = RequestRecord(
        id="req-1",
        own_id="req-1",
        principal=LOCAL,
        method="POST",
        route="/v1/chat/completions",
        started=10.0,
        client="OpenAI/Python",
        model_asked="custom-claude-4-opus",
        model_used="claude-opus-4-7",
        upstream="messages-api",
        upstream_request_id="req_up",
        stream=True,
        status=200,
        finish_reason="stop",
        input_tokens=812,
        output_tokens=120,
        cached_tokens=400,
        first_token=10.35,
        ended=11.2,
        ignored=("seed",),
        repairs=["connect_retried"],
    )
    for name, value in changes.items():
        setattr(record, name, value)
    return record


def written(
    record: RequestRecord, *, level: str = "info", format_: LogFormat = "json", stream: io.StringIO | None = None
) -> str:
    """What a request leaves in the log, from start to end."""
    stream = io.StringIO() if stream is None else stream
    reader = set_up_logging(level=level, format_=format_, stream=stream, wall_clock=lambda: NOW)
    reader.started(record)
    reader.first_token(record)
    reader.ended(record)
    return stream.getvalue()


def test_json_has_every_field_in_one_line() -> None:
    line = written(a_record())
    assert line.count("\n") == 1
    assert json.loads(line) == {
        "time": "2027-01-15T08:00:00.250Z",
        "level": "info",
        "event": "request",
        "request_id": "req-1",
        "principal": "local",
        "client": "OpenAI/Python",
        "method": "POST",
        "route": "/v1/chat/completions",
        "status": 200,
        "model": "custom-claude-4-opus",
        "model_used": "claude-opus-4-7",
        "upstream": "messages-api",
        "upstream_request_id": "req_up",
        "stream": True,
        "finish_reason": "stop",
        "input_tokens": 812,
        "output_tokens": 120,
        "cached_tokens": 400,
        "first_token_ms": 350,
        "total_ms": 1200,
        "ignored": ["seed"],
        "repairs": ["connect_retried"],
    }


def test_beside_an_id_that_the_client_chose_stands_the_proxys_own() -> None:
    assert json.loads(written(a_record(own_id="req_2")))["own_id"] == "req_2"
    assert "req-1 (req_2)" in written(a_record(own_id="req_2"), format_="console")
    assert "own_id" not in written(a_record())


def test_console_is_for_a_person_and_fits_120_columns() -> None:
    line = written(a_record(), format_="console")
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d  200 POST /v1/chat/completions  custom-claude-4-opus → claude-opus-4-7  stop  "
        r"812 in \(400 cached\), 120 out\n"
        r"          first token 350 ms, 1200 ms  ignored seed  repairs connect_retried  req-1\n",
        line,
    )


def test_what_is_too_long_goes_on_below_and_nothing_is_lost() -> None:
    reason = "The request names a tool that it does not have. " * 6
    line = written(a_record(reason=reason, ignored=("temprature", "x" * 200)), format_="console")
    first, *others = line.splitlines()
    assert max(map(len, [first, *others])) <= 120
    assert all(other.startswith(" " * 10) for other in others)
    assert "temprature" in line
    assert reason.strip() in " ".join(" ".join(others).split())


def test_console_names_the_key_and_the_error() -> None:
    record = a_record(principal=Principal("ann", "ann"), status=429, error="UpstreamStatusError rate_limit_error")
    line = written(record, format_="console")
    assert " 429 " in line
    assert "UpstreamStatusError rate_limit_error" in line
    assert "  ann  " in line


def test_colour_is_for_terminals_only() -> None:
    failed = a_record(status=502, error="UpstreamConnectionError")
    assert "\x1b[31m" in written(failed, format_="console", stream=Terminal())
    assert "\x1b" not in written(failed, format_="console")
    assert "\x1b" not in written(a_record(), format_="console", stream=Terminal())


def test_auto_is_console_on_a_terminal_and_json_elsewhere() -> None:
    assert written(a_record(), format_="auto").startswith("{")
    assert not written(a_record(), format_="auto", stream=Terminal()).startswith("{")


@pytest.mark.parametrize("format_", ["json", "console"])
def test_a_name_with_line_breaks_makes_no_lines_of_its_own(format_: LogFormat) -> None:
    record = a_record(model_asked="x\r\n200 FORGED\x1b[31m\u2028y" + "z" * 1000)
    line = written(record, format_=format_)
    first, *others = line.split("\n")[:-1]
    assert len(first.splitlines()) == 1 or format_ == "json"
    assert all(other.startswith(" " * 10) for other in others)
    assert "\x1b" not in line
    assert len(line) < 1000


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, "info"),
        ({"status": 404}, "warning"),
        ({"status": 499, "error": "ClientLeftError"}, "info"),
        ({"status": 502, "error": "UpstreamConnectionError"}, "error"),
        ({"status": 200, "error": "UpstreamConnectionError"}, "error"),
        ({"status": 0, "error": "CancelledError"}, "error"),
    ],
)
def test_the_level_says_whose_fault_it_was(changes: dict[str, object], level: str) -> None:
    assert json.loads(written(a_record(**changes)))["level"] == level
    assert written(a_record(**changes), level="error").count("\n") == (level == "error")


def test_debug_tells_the_start_and_the_first_token_too() -> None:
    events = [json.loads(line)["event"] for line in written(a_record(), level="debug").splitlines()]
    assert events == ["request started", "first token", "request"]


@pytest.mark.parametrize("format_", ["json", "console"])
def test_other_loggers_look_the_same(format_: LogFormat) -> None:
    stream = io.StringIO()
    set_up_logging(level="info", format_=format_, stream=stream, wall_clock=lambda: NOW)
    logging.getLogger("claude_openai_proxy.web").error(
        "request failed", extra={"request_id": "req-9"}, exc_info=RuntimeError("a bug")
    )
    written_ = stream.getvalue()
    assert "request failed" in written_
    assert "req-9" in written_
    assert "RuntimeError" in written_
    assert "a bug" not in written_
    if format_ == "json":
        line = json.loads(written_)
        assert (line["level"], line["logger"]) == ("error", "claude_openai_proxy.web")


def test_uvicorns_warnings_are_kept_and_its_chatter_is_not() -> None:
    stream = io.StringIO()
    set_up_logging(level="info", format_="json", stream=stream, wall_clock=lambda: NOW)
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("uvicorn.access").warning("GET / 200")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == [
        "Invalid HTTP request received."
    ]


def test_a_log_that_is_gone_does_not_fail_the_request() -> None:
    stream = io.StringIO()
    reader = set_up_logging(level="info", format_="json", stream=stream, wall_clock=lambda: NOW)
    stream.close()
    reader.ended(a_record())


def test_the_line_says_why_and_who() -> None:
    refused = a_record(
        status=403, error="ClientRefusedError", code="origin_not_allowed", param="messages[0]", address="10.0.0.7",
        reason="If you trust them, set ALLOWED_ORIGINS=app://obsidian.md.", route="unknown", path="/v1/x",
    )  # fmt: skip
    said = json.loads(written(refused))
    assert (said["code"], said["param"], said["address"]) == ("origin_not_allowed", "messages[0]", "10.0.0.7")
    assert (said["reason"], said["path"]) == (refused.reason, "/v1/x")
    line = written(refused, format_="console")
    for words in ("/v1/x", "origin_not_allowed", "at messages[0]", "10.0.0.7", "ALLOWED_ORIGINS=app://obsidian.md"):
        assert words in line


def test_requests_of_strangers_are_summed_up() -> None:
    stream, now, later = io.StringIO(), [NOW], []
    log = set_up_logging(
        level="info", format_="json", stream=stream, wall_clock=lambda: now[0], later=lambda _, tell: later.append(tell)
    )
    refused = a_record(
        status=401, error="ClientRefusedError", code="invalid_api_key", principal=Principal("anonymous", "anonymous")
    )
    for _ in range(10_000):
        log.ended(refused)
    log.ended(a_record())
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["status"] for line in lines] == [401] * SHOWN + [200]
    (tell,) = later
    tell()
    last = json.loads(stream.getvalue().splitlines()[-1])
    assert (last["level"], last["event"]) == ("warning", "strangers")
    assert f"{10_000 - SHOWN} x 401 invalid_api_key" in last["said"][0]
    now[0] += WINDOW_SECONDS
    log.ended(refused)
    assert json.loads(stream.getvalue().splitlines()[-1])["status"] == 401


def test_open_pages_fill_no_log_either_and_bugs_are_always_told() -> None:
    stream = io.StringIO()
    log = set_up_logging(level="info", format_="json", stream=stream, wall_clock=lambda: NOW)
    for status in (200, 500):
        for _ in range(100):
            log.ended(a_record(status=status, principal=Principal("anonymous", "anonymous")))
    statuses = [json.loads(line)["status"] for line in stream.getvalue().splitlines()]
    assert (statuses.count(200), statuses.count(500)) == (SHOWN, 100)


def test_a_warning_that_anybody_can_set_off_fills_no_log() -> None:
    stream, now = io.StringIO(), [NOW]
    set_up_logging(level="info", format_="json", stream=stream, wall_clock=lambda: now[0])
    server = logging.getLogger("uvicorn.error")
    for number in range(1000):
        server.warning("Invalid HTTP request received: %d", number)
    server.warning("Something else.")
    now[0] += WINDOW_SECONDS
    server.warning("Invalid HTTP request received: %d", 1000)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.get("message", "")[:12] for line in lines] == [
        *["Invalid HTTP"] * SHOWN,
        "Something el",
        "",
        "Invalid HTTP",
    ]
    assert lines[-2]["said"] == [f"Not told one by one: {1000 - SHOWN} x Invalid HTTP request received: %d"]


def test_errors_of_those_who_have_a_key_are_all_told() -> None:
    stream = io.StringIO()
    log = set_up_logging(level="info", format_="json", stream=stream, wall_clock=lambda: NOW)
    for _ in range(100):
        log.ended(a_record(status=400, principal=Principal("ann", "ann")))
    assert stream.getvalue().count("\n") == 100


@pytest.mark.parametrize(("format_", "lines"), [("json", 1), ("console", 0)])
def test_the_start_is_an_event_for_machines_only(format_: LogFormat, lines: int) -> None:
    stream = io.StringIO()
    set_up_logging(level="info", format_=format_, stream=stream, wall_clock=lambda: NOW).told("started", ["On 1"])
    assert stream.getvalue().count("\n") == lines
    assert lines == 0 or json.loads(stream.getvalue()) == {
        "time": "2027-01-15T08:00:00.250Z", "level": "info", "event": "started", "said": ["On 1"],
    }  # fmt: skip


def test_a_stream_that_was_closed_before_the_start_is_no_log() -> None:
    set_up_logging(level="info", format_="auto", stream=None, wall_clock=lambda: NOW).ended(a_record())


def test_a_log_that_nobody_reads_keeps_nobody_waiting_and_says_what_is_missing() -> None:
    read, write = os.pipe()
    lines = LineWriter(write, count_line=lambda count: f"{count} dropped\n", most_bytes=10_000)
    line = "x" * 999 + "\n"
    for _ in range(1000):
        lines(line)
    assert not lines.drain(0)
    with os.fdopen(read, "rb") as reader:
        written_ = dropped = 0
        while written_ + dropped < 1000:
            told = reader.readline()
            if told == line.encode():
                written_ += 1
            else:
                dropped += int(told.removesuffix(b" dropped\n"))
        assert written_ + dropped == 1000
        assert min(written_, dropped) > 0
        lines("and on it goes\n")
        assert reader.readline() == b"and on it goes\n"
        assert lines.drain(60)
    os.close(write)


def test_a_log_that_nobody_can_take_any_more_fails_nothing() -> None:
    read, write = os.pipe()
    os.close(read)
    lines = LineWriter(write, count_line=str)
    lines("gone\n")
    assert lines.drain(60)
    os.close(write)
