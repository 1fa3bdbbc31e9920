"""The table from errors to the wire."""

import msgspec
import pytest

from claude_openai_proxy.errors import (
    ClientRefusedError,
    InvalidRequestError,
    MinuteLimit,
    ModelNotFoundError,
    NoLoginError,
    NotStoredError,
    PlanSpentError,
    ProxyError,
    QueueFullError,
    RateLimitedError,
    UnsupportedParameterError,
    UpstreamConnectionError,
    UpstreamProtocolError,
    UpstreamStatusError,
    UpstreamTimeoutError,
)
from claude_openai_proxy.translate.messages_api.refusals import refusal_error
from claude_openai_proxy.web.errors import INTERNAL_ERROR, Failure, reason, to_failure
from web.direct import ErrorBody


def failure(error: ProxyError, *, retried: bool = True) -> Failure:
    return to_failure(error, now=1_800_000_000, retried=retried)


def over(retry_after: float | None) -> RateLimitedError:
    limits = (MinuteLimit("requests", 60, 59, 1.2), MinuteLimit("tokens", 9000, 0, 61.0))
    return RateLimitedError("Too many.", kind="tokens", retry_after=retry_after, limits=limits)


def upstream(status: int, message: str = "Upstream's words.", error_type: str = "") -> UpstreamStatusError:
    return refusal_error(message, status=status, error_type=error_type, now=1_800_000_000)


@pytest.mark.parametrize(
    ("error", "status", "type_", "code"),
    [
        (InvalidRequestError("Wrong.", param="n"), 400, "invalid_request_error", None),
        (UnsupportedParameterError("No seed.", param="seed"), 400, "invalid_request_error", "unsupported_parameter"),
        (NotStoredError("No such response."), 404, "invalid_request_error", None),
        (PlanSpentError("All is spent."), 429, "insufficient_quota", "insufficient_quota"),
        (over(20.0), 429, "tokens", "rate_limit_exceeded"),
        (ModelNotFoundError("No such model."), 404, "invalid_request_error", "model_not_found"),
        (
            ClientRefusedError("No.", status=401, code="invalid_api_key"),
            401,
            "invalid_request_error",
            "invalid_api_key",
        ),
        (ClientRefusedError("No.", status=415), 415, "invalid_request_error", None),
        (NoLoginError("Run: claude-openai-proxy login"), 401, "authentication_error", None),
        (QueueFullError("Full.", retry_after=3), 503, "server_error", "overloaded"),
        (upstream(400, error_type="invalid_request_error"), 400, "invalid_request_error", None),
        (upstream(401, error_type="authentication_error"), 401, "authentication_error", None),
        (upstream(402, error_type="billing_error"), 429, "insufficient_quota", "insufficient_quota"),
        (upstream(403, error_type="permission_error"), 403, "permission_error", None),
        (upstream(404, "model: claude-9", "not_found_error"), 404, "invalid_request_error", "model_not_found"),
        (upstream(404, "No such route.", "not_found_error"), 404, "invalid_request_error", "not_found_error"),
        (upstream(413, error_type="request_too_large"), 413, "invalid_request_error", "request_too_large"),
        (upstream(422), 422, "invalid_request_error", None),
        (upstream(429, error_type="rate_limit_error"), 429, "rate_limit_error", "rate_limit_exceeded"),
        (upstream(500, error_type="api_error"), 500, "server_error", "api_error"),
        (upstream(502), 502, "server_error", "upstream_failed"),
        (upstream(503), 503, "server_error", "overloaded"),
        (upstream(504, error_type="timeout_error"), 504, "server_error", "timeout_error"),
        (upstream(520), 502, "server_error", "upstream_failed"),
        (upstream(302), 502, "server_error", "upstream_failed"),
        (upstream(529, error_type="overloaded_error"), 503, "server_error", "overloaded"),
        (UpstreamConnectionError("Refused."), 502, "server_error", "upstream_failed"),
        (UpstreamProtocolError("Garbage."), 502, "server_error", "upstream_failed"),
        (UpstreamTimeoutError("Silent.", phase="first byte"), 504, "server_error", "upstream_timeout"),
    ],
)
def test_the_table(error: ProxyError, status: int, type_: str, code: str | None) -> None:
    made = failure(error)
    assert (made.status, made.error.type, made.error.code) == (status, type_, code)
    body = msgspec.json.decode(made.body, type=ErrorBody)
    assert body.error.message.startswith(error.message.rstrip("."))


def test_the_body_names_the_place() -> None:
    made = failure(InvalidRequestError("Wrong.", param="messages[0].role"))
    assert msgspec.json.decode(made.body)["error"] == {
        "message": "Wrong.",
        "type": "invalid_request_error",
        "param": "messages[0].role",
        "code": None,
    }


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (UpstreamStatusError("Slow.", status=429, retry_after=2.2), {"retry-after": "3"}),
        (UpstreamStatusError("Slow.", status=429, retry_after=0), {"retry-after": "0"}),
        (UpstreamStatusError("Slow.", status=429), {"retry-after": "5"}),
        (
            UpstreamStatusError("Come back tonight.", status=429, retry_after=7200),
            {"retry-after": "7200", "x-should-retry": "false"},
        ),
        (UpstreamStatusError("Busy.", status=529), {"retry-after": "5"}),
        (QueueFullError("Full.", retry_after=0.5), {"retry-after": "1"}),
        (UpstreamStatusError("Broken.", status=500), {"x-should-retry": "false"}),
        (UpstreamConnectionError("Refused.", reached=False), {"x-should-retry": "false"}),
        (UpstreamConnectionError("Cut."), {}),
        (UpstreamProtocolError("A web page."), {"x-should-retry": "false"}),
        (UpstreamTimeoutError("Silent.", phase="connect"), {"x-should-retry": "false"}),
        (NoLoginError("Log in."), {"x-should-retry": "false"}),
        (InvalidRequestError("Wrong."), {}),
        (ClientRefusedError("No.", status=405, headers=(("allow", "GET"),)), {"allow": "GET"}),
    ],
)
def test_headers_say_when_to_come_back(error: ProxyError, headers: dict[str, str]) -> None:
    assert {name.decode(): value.decode() for name, value in failure(error).headers} == headers


@pytest.mark.parametrize(
    "error", [UpstreamStatusError("Broken.", status=500), UpstreamConnectionError("Refused.", reached=False)]
)
def test_where_the_proxy_tries_nothing_again_the_client_may(error: ProxyError) -> None:
    assert failure(error, retried=False).headers == ()


def test_upstreams_request_id_is_in_the_header_and_once_in_the_message() -> None:
    for message in ("Bad.", "Bad. Request req_7 failed."):
        made = failure(UpstreamStatusError(message, status=400, request_id="req_7"))
        assert made.error.message.count("req_7") == 1
        assert (b"x-upstream-request-id", b"req_7") in made.headers
    assert "(upstream request id: req_8)" in failure(UpstreamConnectionError("Cut.", request_id="req_8")).error.message


def test_upstreams_rate_limits_stay_on_errors() -> None:
    limits = (("anthropic-ratelimit-requests-remaining", "0"),)
    made = failure(UpstreamStatusError("Slow.", status=429, rate_limits=limits))
    assert (b"x-ratelimit-remaining-requests", b"0") in made.headers


@pytest.mark.parametrize("status", [403, 404])
def test_a_model_that_the_plan_does_not_allow_comes_with_what_to_do(status: int) -> None:
    message = failure(upstream(status, "Your plan does not include the model claude-9.")).error.message
    assert message.startswith("Your plan does not include the model claude-9. The Claude login in use has no access")
    assert "GET /v1/models" in message


def test_an_error_that_nobody_foresaw_is_a_bug() -> None:
    assert failure(ProxyError("New.")) == INTERNAL_ERROR


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InvalidRequestError("The tool 'it's my prompt' is chosen, but it is 'another'."), "The tool …."),
        (InvalidRequestError('Invalid value "it\'s my prompt".'), "Invalid value …."),
        (InvalidRequestError("The request's body must be a JSON object."), "The request's body must be a JSON object."),
        (UpstreamStatusError("my prompt is bad", status=400), ""),
        (UpstreamProtocolError("it answered my prompt"), ""),
        (UpstreamTimeoutError("Silent for 60 s.", phase="first byte"), "Silent for 60 s."),
        (ClientRefusedError("Set ALLOWED_ORIGINS=x.", status=403), "Set ALLOWED_ORIGINS=x."),
    ],
)
def test_the_log_gets_the_proxys_own_sentence_without_what_it_quotes(error: ProxyError, told: str) -> None:
    assert reason(error) == told


def test_a_spent_plan_tells_its_reset_and_no_time_to_sleep() -> None:
    headers = dict(failure(PlanSpentError("All is spent.", resets_in=3601)).headers)

    assert headers == {
        b"x-should-retry": b"false",
        b"x-ratelimit-remaining-requests": b"0",
        b"x-ratelimit-reset-requests": b"1h0m1s",
    }
    assert dict(failure(PlanSpentError("All is spent.")).headers) == {b"x-should-retry": b"false"}


OWN_LIMITS = {
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-remaining-requests": "59",
    "x-ratelimit-reset-requests": "2s",
    "x-ratelimit-limit-tokens": "9000",
    "x-ratelimit-remaining-tokens": "0",
    "x-ratelimit-reset-tokens": "1m1s",
}


@pytest.mark.parametrize(
    ("retry_after", "headers"),
    [
        (19.2, {"retry-after": "20"}),
        (60.0, {"retry-after": "60"}),
        (None, {"x-should-retry": "false"}),
    ],
)
def test_a_keys_own_limit_is_told_as_openai_tells_its_own(retry_after: float | None, headers: dict[str, str]) -> None:
    told = failure(over(retry_after))
    assert {name.decode(): value.decode() for name, value in told.headers} == headers | OWN_LIMITS
