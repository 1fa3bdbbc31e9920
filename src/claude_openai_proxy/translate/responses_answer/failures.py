"""What broke an answer off, in the words of `response.failed`: clients choose by `code` whether to ask again."""

from claude_openai_proxy.errors import (
    InvalidRequestError,
    PlanSpentError,
    ProxyError,
    RateLimitedError,
    UpstreamStatusError,
)
from claude_openai_proxy.protocols.openai_responses import ErrorBody


def to_error_body(error: ProxyError) -> ErrorBody:
    """`code` is one that clients know: with `server_error` they ask again, at `rate_limit_exceeded` after a while."""
    if isinstance(error, InvalidRequestError):
        return ErrorBody("invalid_request_error", error.code or "invalid_prompt", error.message, error.param)
    if isinstance(error, PlanSpentError):
        return ErrorBody("insufficient_quota", "insufficient_quota", error.message)
    if isinstance(error, RateLimitedError):
        return ErrorBody("rate_limit_error", "rate_limit_exceeded", error.message)
    if isinstance(error, UpstreamStatusError):
        return _of_status(error)
    return ErrorBody("server_error", "server_error", error.message)


def _of_status(error: UpstreamStatusError) -> ErrorBody:
    if error.refusal == "context_length":
        return ErrorBody("invalid_request_error", "context_length_exceeded", error.message)
    if error.refusal == "quota":
        return ErrorBody("insufficient_quota", "insufficient_quota", error.message)
    if error.status == 429:
        wait = "" if error.retry_after is None else f" Please try again in {error.retry_after:g}s."
        return ErrorBody("rate_limit_error", "rate_limit_exceeded", error.message + wait)
    if error.status in {400, 413, 422}:
        return ErrorBody("invalid_request_error", "invalid_prompt", error.message)
    return ErrorBody("server_error", "server_error", error.message)
