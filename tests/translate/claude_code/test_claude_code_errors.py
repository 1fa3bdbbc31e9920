"""What the CLI says about an error, as the proxy's own errors."""

import pytest

from claude_openai_proxy.errors import (
    NoLoginError,
    UpstreamConnectionError,
    UpstreamProtocolError,
    UpstreamStatusError,
    UpstreamTimeoutError,
)
from claude_openai_proxy.protocols.claude_code import (
    AnswerText,
    AssistantFrame,
    AssistantMessage,
    RateLimitInfo,
    RateLimitWindow,
    ResultFrame,
)
from claude_openai_proxy.translate.claude_code.errors import error_of, failure_of, rate_limit_headers


def frame(
    text: str, *, status: int | None = None, kind: str | None = None, cause: str | None = None, error: str = "unknown"
) -> AssistantFrame:
    return AssistantFrame(
        message=AssistantMessage([AnswerText(text)]),
        is_api_error_message=True,
        error=error,
        api_error=cause,
        api_error_status=status,
        api_error_type=kind,
    )


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("API Error: 400 tools.0: bad", "tools.0: bad"),
        ("Failed to authenticate. API Error: 403 No access.", "No access."),
        ("API Error: Request rejected (429) · Too fast", "Too fast"),
        ("API Error: Server is temporarily limiting requests (not your usage limit) · Slow", "Slow"),
        ("API Error: 500 Boom. This is a server-side issue, usually temporary — try again in a moment.", "Boom"),
        ("API Error: Overloaded", "Overloaded"),
        ("Something new", "Something new"),
    ],
)
def test_what_is_meant_for_a_person_at_a_terminal_is_cut_off(said: str, message: str) -> None:
    error = error_of(failure_of(frame(said, status=500)), model="m", now=0)

    assert error.message == message


@pytest.mark.parametrize(("kind", "status"), [("api_error", 500), ("timeout_error", 504), ("overloaded_error", 529)])
def test_an_error_event_has_the_status_of_its_type(kind: str, status: int) -> None:
    error = error_of(failure_of(frame("API Error: x", kind=kind)), model="m", now=0)

    assert isinstance(error, UpstreamStatusError)
    assert (error.status, error.error_type) == (status, kind)


@pytest.mark.parametrize(
    ("said", "cause", "error"),
    [
        ("Not logged in · Please run /login", "authentication_failed", NoLoginError),
        ("API Error: Connection dropped (ECONNRESET).", "connection_failed", UpstreamConnectionError),
        ("API Error: Connection to the API was lost (StreamTruncated).", "connection_failed", UpstreamProtocolError),
        ("API Error: Stream ended without receiving any events", None, UpstreamProtocolError),
        ("API Error: Stream idle timeout - no chunks received", "stream_idle_timeout", UpstreamTimeoutError),
        ("Request timed out", None, UpstreamTimeoutError),
        ("", None, UpstreamProtocolError),
    ],
)
def test_what_has_no_status_has_a_class(said: str, cause: str | None, error: type[Exception]) -> None:
    given = frame(said, cause=cause if cause != "authentication_failed" else None, error=cause or "unknown")

    assert type(error_of(failure_of(given), model="m", now=0)) is error


@pytest.mark.parametrize(("sign", "reached"), [("ECONNREFUSED", False), ("ENOTFOUND", False), ("ECONNRESET", True)])
def test_whether_a_request_can_have_arrived_is_known(sign: str, reached: bool) -> None:
    error = error_of(failure_of(frame(f"API Error: x ({sign})", cause="connection_failed")), model="m", now=0)

    assert isinstance(error, UpstreamConnectionError)
    assert error.reached is reached


def test_a_prompt_that_the_cli_itself_finds_too_long_is_the_clients_error() -> None:
    result = ResultFrame(
        subtype="success", is_error=True, result="Prompt is too long", terminal_reason="blocking_limit"
    )

    error = error_of(failure_of(result), model="m", now=0)

    assert isinstance(error, UpstreamStatusError)
    assert (error.status, error.error_type) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    ("seconds", "words"), [(30, "1 min"), (600, "10 min"), (7260, "2 h 1 min"), (200_000, "2 d 7 h")]
)
def test_a_reset_is_told_in_words(seconds: float, words: str) -> None:
    limits = RateLimitInfo(status="rejected", resets_at=1000 + seconds, rate_limit_type="seven_day")
    given = frame("x", status=429, kind="rate_limit_error", cause="usage_limit_reached")

    error = error_of(failure_of(given), model="m", now=1000, limits=limits)

    assert error.message == f"The plan's 7-day limit is reached; it resets in {words}."


def test_a_429_at_a_limit_without_a_time_keeps_its_words() -> None:
    given = frame("API Error: Request rejected (429) · Slow", status=429, kind="rate_limit_error")

    error = error_of(failure_of(given), model="m", now=0, limits=RateLimitInfo(status="rejected"))

    assert isinstance(error, UpstreamStatusError)
    assert (error.message, error.retry_after, error.refusal) == ("Slow", None, "rate_limit")


def test_a_429_within_the_plans_limits_is_throttling() -> None:
    given = frame("API Error: Request rejected (429) · Slow", status=429, kind="rate_limit_error")

    error = error_of(failure_of(given), model="m", now=0, limits=RateLimitInfo(status="allowed", resets_at=5000))

    assert isinstance(error, UpstreamStatusError)
    assert (error.message, error.retry_after, error.refusal) == ("Slow", None, "rate_limit")


def test_limits_become_the_headers_they_came_from() -> None:
    windows = {"five_hour": RateLimitWindow(0.83, 100), "seven_day": RateLimitWindow(0.5), "new": RateLimitWindow()}

    assert rate_limit_headers(RateLimitInfo(status="allowed", resets_at=100, unified_windows=windows)) == (
        ("anthropic-ratelimit-unified-status", "allowed"),
        ("anthropic-ratelimit-unified-reset", "100"),
        ("anthropic-ratelimit-unified-5h-utilization", "0.83"),
        ("anthropic-ratelimit-unified-5h-reset", "100"),
        ("anthropic-ratelimit-unified-7d-utilization", "0.5"),
    )


def test_use_beyond_the_plan_is_told_with_them() -> None:
    windows = {"seven_day_opus": RateLimitWindow(1, status="rejected")}
    info = RateLimitInfo(status="rejected", overage_status="allowed", overage_in_use=True, unified_windows=windows)

    assert rate_limit_headers(info)[1:] == (
        ("anthropic-ratelimit-unified-overage-status", "allowed"),
        ("anthropic-ratelimit-unified-overage-in-use", "true"),
        ("anthropic-ratelimit-unified-seven_day_opus-utilization", "1"),
        ("anthropic-ratelimit-unified-seven_day_opus-status", "rejected"),
    )
