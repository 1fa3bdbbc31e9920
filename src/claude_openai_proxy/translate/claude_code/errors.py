"""Errors of the API, recovered from what the Claude Code CLI says about them.

The CLI keeps status, type and request id, and rewords the message; what it adds for a person at a terminal is cut off
again. It does not hand `retry-after` on: at a plan's limit the time of the reset takes its place.
"""

import re
from dataclasses import dataclass
from typing import Final

from claude_openai_proxy.errors import (
    NoLoginError,
    ProxyError,
    UpstreamConnectionError,
    UpstreamProtocolError,
    UpstreamStatusError,
    UpstreamTimeoutError,
)
from claude_openai_proxy.protocols.claude_code import AssistantFrame, RateLimitInfo, ResultFrame
from claude_openai_proxy.translate.messages_api.error_status import STATUS_OF_TYPE
from claude_openai_proxy.translate.messages_api.refusals import refusal_error

LOG_IN: Final = "Run `claude-openai-proxy login` (or set ANTHROPIC_API_KEY)."
_PREFIX: Final = re.compile(
    r"^(?:Failed to authenticate\. )?API Error: (?:\d{3} |Request rejected \(429\) · |Server is temporarily[^·]* · )?"
)
_ADVICE: Final = re.compile(r"(?:\. This is a server-side issue, usually temporary | · (?:turn on|run) ).*$", re.DOTALL)
_NOT_REACHED: Final = ("ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH")
_HEADER_WINDOWS: Final = {"five_hour": "5h", "seven_day": "7d"}


@dataclass(frozen=True, slots=True)
class Failure:
    """What a frame says about an error; `status` is None where upstream did not answer with one."""

    text: str
    status: int | None
    error_type: str
    cause: str
    """The CLI's own class: `authentication_failed`, `connection_failed`, `usage_limit_reached` ..."""
    request_id: str | None
    limit: RateLimitInfo | None


def failure_of(frame: AssistantFrame | ResultFrame) -> Failure:
    """The error that `frame` reports."""
    if isinstance(frame, AssistantFrame):
        text, cause = "".join(part.text for part in frame.message.content), frame.error
    else:
        text, cause = frame.result or "; ".join(frame.errors), frame.terminal_reason
    params = frame.api_error_params
    return Failure(
        text=_ADVICE.sub("", _PREFIX.sub("", text)),
        status=frame.api_error_status or _status_of(frame.api_error_type),
        error_type=frame.api_error_type or "",
        cause=frame.api_error or cause or "",
        request_id=frame.request_id if isinstance(frame, AssistantFrame) else None,
        limit=params.rate_limit_info if params else None,
    )


def _status_of(error_type: str | None) -> int | None:
    """An `error` event on the way has a type and, mostly, no status."""
    return STATUS_OF_TYPE.get(error_type, 500) if error_type else None


def error_of(failure: Failure, *, model: str, now: float, limits: RateLimitInfo | None = None) -> ProxyError:
    """The error to raise for `failure`; `now` in seconds since 1970."""
    if failure.status is not None:
        return _status_error(failure, failure.status, model=model, now=now, limits=failure.limit or limits)
    if failure.cause == "authentication_failed":
        return NoLoginError(f"Claude Code is not logged in. {LOG_IN}")
    if "Prompt is too long" in failure.text:
        return refusal_error(failure.text, status=400, now=now, error_type="invalid_request_error")
    if "imed out" in failure.text:
        return UpstreamTimeoutError(failure.text, phase="first byte", request_id=failure.request_id)
    if failure.cause == "stream_idle_timeout" or "idle timeout" in failure.text:
        return UpstreamTimeoutError(failure.text, phase="between events", request_id=failure.request_id)
    if failure.cause == "connection_failed" and "StreamTruncated" not in failure.text:
        reached = not any(sign in failure.text for sign in _NOT_REACHED)
        return UpstreamConnectionError(failure.text, request_id=failure.request_id, reached=reached)
    return UpstreamProtocolError(failure.text or "The Claude Code CLI gave no answer.", request_id=failure.request_id)


def rate_limit_headers(info: RateLimitInfo) -> tuple[tuple[str, str], ...]:
    """The `anthropic-ratelimit-unified-*` headers that `info` was made from, as far as it keeps them."""
    headers = [("anthropic-ratelimit-unified-status", info.status)]
    if info.resets_at is not None:
        headers.append(("anthropic-ratelimit-unified-reset", f"{info.resets_at:.0f}"))
    if info.rate_limit_type:
        headers.append(("anthropic-ratelimit-unified-representative-claim", info.rate_limit_type))
    if info.overage_status:
        headers.append(("anthropic-ratelimit-unified-overage-status", info.overage_status))
    if info.is_using_overage or info.overage_in_use:
        headers.append(("anthropic-ratelimit-unified-overage-in-use", "true"))
    for name, window in info.unified_windows.items():
        prefix = f"anthropic-ratelimit-unified-{_HEADER_WINDOWS.get(name, name)}"
        if window.utilization is not None:
            headers.append((f"{prefix}-utilization", f"{window.utilization:g}"))
        if window.resets_at is not None:
            headers.append((f"{prefix}-reset", f"{window.resets_at:.0f}"))
        if window.status:
            headers.append((f"{prefix}-status", window.status))
    return tuple(headers)


def _status_error(
    failure: Failure, status: int, *, model: str, now: float, limits: RateLimitInfo | None
) -> UpstreamStatusError:
    at_limit = status == 429 and limits is not None and limits.status == "rejected" and limits.resets_at
    return refusal_error(
        "" if at_limit else _message(failure, status, model),
        status=status,
        now=now,
        error_type=failure.error_type,
        request_id=failure.request_id,
        rate_limits=rate_limit_headers(limits) if limits is not None else (),
    )


def _message(failure: Failure, status: int, model: str) -> str:
    if status == 404:
        return f"model: {model}"
    if status == 413:
        return "The request is larger than Claude takes (32 MB)."
    if status == 401:
        return f"Claude refused the login: {failure.text.partition(' · ')[0].rstrip('.')}. {LOG_IN}"
    return failure.text
