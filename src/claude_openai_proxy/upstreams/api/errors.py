"""What the Messages API says when it says no (https://docs.anthropic.com/en/api/errors), as the proxy's own errors."""

import math
import re
import time
from email.utils import parsedate_to_datetime
from typing import Final

from claude_openai_proxy.errors import UpstreamError, UpstreamStatusError
from claude_openai_proxy.protocols.anthropic import APIError, ErrorEvent
from claude_openai_proxy.translate.messages_api.error_status import STATUS_OF_TYPE, decode_error
from claude_openai_proxy.translate.messages_api.refusals import refusal_error
from claude_openai_proxy.upstreams.http import Response
from claude_openai_proxy.upstreams.interface import AnswerFacts

MAX_ERROR_BYTES: Final = 1024 * 1024
_PASSED_HEADERS: Final = (b"anthropic-", b"retry-after", b"x-should-retry")
"""How the names of those begin that clients of the Messages API read; `request-id` has its own way."""
_EXCERPT_CHARACTERS: Final = 200
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)


async def status_error(response: Response) -> UpstreamStatusError:
    """The error of a response that is not 200; reads its body."""
    told, passed = await _told(response), passed_headers(response)
    error = refusal_error(
        told.error.message or f"Claude's side answered HTTP {response.status} without a word",
        status=response.status,
        now=time.time(),
        error_type=told.error.type,
        request_id=request_id(response) or told.request_id,
        retry_after=_retry_after(response),
        rate_limits=rate_limits(passed),
    )
    error.sent, error.headers = told.sent, passed
    return error


async def _told(response: Response) -> ErrorEvent:
    if 300 <= response.status < 400:
        return _own_words(_redirect(response))
    try:
        body = await response.read_all(MAX_ERROR_BYTES)
    except UpstreamError as error:
        # The status says more than how its explanation was lost.
        return _own_words(f"Claude's side answered HTTP {response.status}; {error.message}")
    told = decode_error(body)
    if told is None:
        return _own_words(_summary(response, body))
    told.__dict__["sent"] = body
    return told


def _own_words(sentence: str) -> ErrorEvent:
    return ErrorEvent(APIError(message=sentence))


def _redirect(response: Response) -> str:
    to = response.header("location")
    return (
        f"Claude's side redirects (HTTP {response.status}) to {excerpt(to.encode()) if to else 'nowhere'}, which is "
        "not followed: set ANTHROPIC_BASE_URL to the address that answers itself"
    )


def event_error(event: ErrorEvent, *, request_id: str, rate_limits: tuple[tuple[str, str], ...]) -> UpstreamStatusError:
    """The error of an `error` event, with the HTTP status that belongs to its type."""
    error = refusal_error(
        event.error.message or f"Claude's side broke off its answer: {event.error.type or 'it did not say why'}",
        status=STATUS_OF_TYPE.get(event.error.type, 500),
        now=time.time(),
        error_type=event.error.type,
        request_id=event.request_id or request_id or None,
        rate_limits=rate_limits,
    )
    error.sent = event.sent
    return error


def request_id(response: Response) -> str:
    """Upstream's own name for the request, "" where it gave none."""
    return response.header("request-id") or response.header("x-request-id") or ""


def passed_headers(response: Response) -> tuple[tuple[str, str], ...]:
    """Those that clients of the Messages API read, as sent."""
    return response.headers(*_PASSED_HEADERS)


def rate_limits(passed: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The `anthropic-ratelimit-*` among the headers that are passed on."""
    return tuple([header for header in passed if header[0].startswith("anthropic-ratelimit-")])


def note_head(response: Response, facts: AnswerFacts) -> None:
    """What the head of an answer tells."""
    facts.request_id = request_id(response)
    facts.headers = passed_headers(response)
    facts.rate_limits = rate_limits(facts.headers)


def excerpt(body: bytes) -> str:
    """The title of a web page, or the first words of anything else, on one line."""
    text = body[:65536].decode("utf-8", "replace")
    title = _TITLE.search(text)
    words = " ".join((title.group(1) if title else text).split())
    return words if len(words) <= _EXCERPT_CHARACTERS else words[:_EXCERPT_CHARACTERS] + "…"


def _summary(response: Response, body: bytes) -> str:
    kind = (response.header("content-type") or "no content type").partition(";")[0]
    said = excerpt(body)
    return f"Claude's side answered HTTP {response.status} with {kind} instead of an API error{said and ': ' + said}"


def _retry_after(response: Response) -> float | None:
    """Seconds, from a number or an HTTP date."""
    value = response.header("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value)
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
