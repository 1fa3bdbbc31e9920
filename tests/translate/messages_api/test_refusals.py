"""Each of Claude's refusals that clients act on, and what it is on the wire."""

import pytest

from claude_openai_proxy.translate.messages_api.error_status import decode_error
from claude_openai_proxy.translate.messages_api.refusals import refusal_error, spoken
from claude_openai_proxy.web.errors import to_failure

NOW = 1_800_000_000
CONTEXT = (400, "invalid_request_error", "context_length_exceeded", "messages")
QUOTA = (429, "insufficient_quota", "insufficient_quota", None)
RATE = (429, "rate_limit_error", "rate_limit_exceeded", None)
MODEL = (404, "invalid_request_error", "model_not_found", "model")
POLICY = (400, "invalid_request_error", "content_policy_violation", "messages")
INVALID = "invalid_request_error"

WIRE: list[tuple[int, str, str, tuple[int, str, str | None, str | None]]] = [
    (400, INVALID, "prompt is too long: 219000 tokens > 200000 maximum", CONTEXT),
    (400, INVALID, "input length and `max_tokens` exceed context limit: 199000 + 8000 > 200000", CONTEXT),
    (400, INVALID, "Prompt is too long", CONTEXT),
    (400, INVALID, "Input is too long for requested model.", CONTEXT),
    (413, "request_too_large", "Prompt is too long", CONTEXT),
    (400, "context_length_exceeded", "Too much.", CONTEXT),
    (400, INVALID, "The long context beta is not yet available for this subscription.", CONTEXT),
    (429, "rate_limit_error", "Extra usage is required for long context requests.", CONTEXT),
    (429, "rate_limit_error", "Usage credits required for 1M context · run /usage-credits", CONTEXT),
    (429, "rate_limit_error", "You're out of usage credits", QUOTA),
    (400, INVALID, "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.", QUOTA),
    (402, "billing_error", "Credit balance is too low", QUOTA),
    (402, "", "Pay first.", QUOTA),
    (403, "permission_error", "Your credit balance is too low.", QUOTA),
    (400, INVALID, "Third-party apps now draw from your extra usage, not your plan limits. Ask your admin.", QUOTA),
    (400, INVALID, "You're out of extra usage. Add more at claude.ai/settings/usage and keep going.", QUOTA),
    (400, INVALID, "You have reached your specified API usage limits. You will regain access on 2026-12-01.", QUOTA),
    (429, "rate_limit_error", "You've hit your 5-hour limit · resets 10:50am (UTC)", QUOTA),
    (429, "rate_limit_error", "You've hit your weekly limit", QUOTA),
    (429, "rate_limit_error", "This workspace has reached its monthly spend limit.", QUOTA),
    (429, "insufficient_quota", "You exceeded your current quota.", QUOTA),
    (429, "rate_limit_error", "This request would exceed your organization's rate limit of 50,000 input tokens", RATE),
    (429, "rate_limit_error", "Number of concurrent connections has exceeded your rate limit.", RATE),
    (429, "", "Slow down.", RATE),
    (404, "not_found_error", "model: claude-nine", MODEL),
    (400, INVALID, "The provided model identifier is invalid.", MODEL),
    (400, INVALID, "Output blocked by content filtering policy", POLICY),
    (400, INVALID, "messages.0: the reason", (400, INVALID, None, None)),
    (400, INVALID, "thinking is not supported on this model", (400, INVALID, None, None)),
    (403, "permission_error", "Your account may not do this.", (403, "permission_error", None, None)),
    (404, "not_found_error", "No such route.", (404, INVALID, "not_found_error", None)),
    (413, "request_too_large", "Request exceeds the maximum size", (413, INVALID, "request_too_large", None)),
    (500, "api_error", "Your credit balance is too low.", (500, "server_error", "api_error", None)),
    (502, "", "Bad Gateway", (502, "server_error", "upstream_failed", None)),
    (529, "overloaded_error", "Overloaded", (503, "server_error", "overloaded", None)),
]


@pytest.mark.parametrize(("status", "type_", "message", "wire"), WIRE, ids=[f"{row[0]} {row[2]}" for row in WIRE])
def test_a_refusal_has_the_code_that_clients_act_on(
    status: int, type_: str, message: str, wire: tuple[int, str, str | None, str | None]
) -> None:
    failure = to_failure(refusal_error(message, status=status, error_type=type_, now=NOW), now=NOW, retried=True)
    error = failure.error
    assert (failure.status, error.type, error.code, error.param) == wire
    assert error.message.startswith(message.rstrip(". "))
    headers = dict(failure.headers)
    assert (b"retry-after" in headers) == (failure.status in (429, 503) and wire != QUOTA)
    assert (headers.get(b"x-should-retry") == b"false") == (wire == QUOTA or failure.status in (500, 502))


def test_a_plan_at_its_limit_tells_its_reset_and_no_retry_after() -> None:
    limits = (
        ("anthropic-ratelimit-unified-status", "rejected"),
        ("anthropic-ratelimit-unified-reset", f"{NOW + 5400}"),
        ("anthropic-ratelimit-unified-representative-claim", "five_hour"),
    )
    error = refusal_error(
        "This would exceed your account's rate limit.", status=429, now=NOW, retry_after=7, rate_limits=limits
    )
    failure = to_failure(error, now=NOW, retried=True)
    assert failure.error.message == (
        "This would exceed your account's rate limit. The plan's 5-hour limit is reached; it resets in 1 h 30 min."
    )
    assert (failure.status, failure.error.code) == (429, "insufficient_quota")
    assert dict(failure.headers) == {
        b"x-should-retry": b"false",
        b"x-ratelimit-remaining-requests": b"0",
        b"x-ratelimit-reset-requests": b"1h30m0s",
    }


def test_money_that_comes_back_at_a_known_time_tells_it() -> None:
    error = refusal_error("Your spend limit is reached.", status=429, now=NOW, retry_after=7200)
    failure = to_failure(error, now=NOW, retried=True)
    assert failure.error.message == "Your spend limit is reached. It resets in 2 h 0 min."
    assert dict(failure.headers)[b"x-ratelimit-reset-requests"] == b"2h0m0s"
    assert b"retry-after" not in dict(failure.headers)


def test_a_limit_a_minute_is_no_plans_limit() -> None:
    limits = (("anthropic-ratelimit-unified-status", "allowed"), ("anthropic-ratelimit-unified-reset", f"{NOW + 9999}"))
    error = refusal_error("Slow.", status=429, now=NOW, retry_after=3, rate_limits=limits)
    failure = to_failure(error, now=NOW, retried=True)
    assert (failure.error.code, dict(failure.headers)[b"retry-after"]) == ("rate_limit_exceeded", b"3")


@pytest.mark.parametrize(("seconds", "words"), [(1, "1 min"), (5400, "1 h 30 min"), (200_000, "2 d 7 h")])
def test_spans_are_spoken(seconds: float, words: str) -> None:
    assert spoken(seconds) == words


@pytest.mark.parametrize(
    ("body", "type_", "message"),
    [
        (b'{"type":"error","error":{"type":"api_error","message":"m"}}', "api_error", "m"),
        (b'{"error":{"message":"m","type":"server_error","param":null,"code":null}}', "server_error", "m"),
        (b'{"error":{"message":"m","type":"requests","code":"rate_limit_exceeded"}}', "rate_limit_exceeded", "m"),
        (b'{"error":{"message":"m","code":429,"type":null}}', "rate_limit_error", "m"),
        (b'{"error":{"message":null,"code":529}}', "overloaded_error", ""),
        (b'{"error":"m"}', "", "m"),
    ],
)
def test_an_error_is_read_in_whosoevers_shape(body: bytes, type_: str, message: str) -> None:
    told = decode_error(body)
    assert told is not None
    assert (told.error.type, told.error.message) == (type_, message)


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"error":7}', b'{"a":1}', b"\xff", b'{"error":' * 100_000])
def test_what_is_no_error_is_none(body: bytes) -> None:
    assert decode_error(body) is None
