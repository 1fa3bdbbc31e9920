"""The one table from `ProxyError` to the wire: status, headers and OpenAI's error body.

What else bears on a status:

- A `ClientRefusedError` brings its own, wherever it is raised: doors, bodies, paths, files, batches, sockets, pages.
- What upstream's words mean beyond its status is read in `translate.messages_api.refusals`, errors inside its stream
  in `.error_status`, what Claude Code says in `translate.claude_code.errors`.
- Anthropic's clients get 529 for 503 and upstream's own bytes (`web.messages.dialect`).
- `web.application`: a bug is 500, a server that stops 503, and records have 499 for a client that left.
- Once the head is out there is no status: the error goes into the stream (`web.exchange`), in its dialect's form
  (`translate.responses_answer.failures`), or into a message (`web.responses.socket`).
- Pages for people answer 401 themselves; `/ready` and `/health?deep=1` say 503.
- What is no HTTP never comes this far and is answered by `serving.request_head`.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from claude_openai_proxy.errors import (
    ClientRefusedError,
    InvalidRequestError,
    ModelNotAllowedError,
    ModelNotFoundError,
    NoLoginError,
    NotOfferedError,
    NotStoredError,
    PersonalPlanError,
    PlanSpentError,
    ProxyError,
    QueueFullError,
    RateLimitedError,
    StoppingError,
    UpstreamConnectionError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamStatusError,
    UpstreamTimeoutError,
)
from claude_openai_proxy.protocols.openai_errors import Error, ErrorResponse
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.web.asgi import Header
from claude_openai_proxy.web.response_headers import (
    openai_duration,
    own_limit_headers,
    rate_limit_headers,
    upstream_request_id,
)

DEFAULT_RETRY_AFTER = 5.0
"""Seconds, for a limit or an overload that upstream put no time to."""

LONGEST_TEXT = 4_000
"""Characters. What was wrong is quoted, and may be as long as a body."""

SDK_PATIENCE_SECONDS = 60.0
"""The official SDKs do not wait longer than this, and would come back at once instead."""

DO_NOT_RETRY: Final[Header] = (b"x-should-retry", b"false")

_TYPES: Final = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_QUOTED: Final = re.compile(r"""(?<!\w)'.*'|(?<!\w)".*\"""", re.DOTALL)
"""From the first quotation mark to the last: what is quoted may hold such marks itself."""
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as the client sees it."""

    status: int
    error: Error
    headers: tuple[Header, ...] = ()

    def blotted(self, blot: Callable[[str], str]) -> "Failure":
        """Without what must not go out, in its words and in its headers."""
        error = self.error
        words = Error(
            blot(error.message), error.type, error.param and blot(error.param), error.code and blot(error.code)
        )
        headers = tuple((name, blot(value.decode("latin-1")).encode("latin-1")) for name, value in self.headers)
        return Failure(self.status, words, headers)

    @property
    def body(self) -> bytes:
        """OpenAI's error body."""
        error = self.error
        param = error.param and _cut(error.param)
        return _encode(ErrorResponse(Error(_cut(error.message), error.type, param, error.code)))

    @property
    def event(self) -> bytes:
        """The same inside a stream."""
        return b"data: " + self.body + b"\n\n"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


INTERNAL_ERROR: Final = Failure(
    500,
    Error("The proxy failed on this request. Its log has the details under the request's id.", "server_error"),
    (DO_NOT_RETRY,),
)


def to_failure(error: ProxyError, *, now: float, retried: bool) -> Failure:
    """`error` on the wire; `now` in seconds since 1970.

    `retried` says that the proxy itself tries again what may succeed: then it has, and the client need not.
    """
    match error:
        case InvalidRequestError():
            return Failure(400, Error(error.message, "invalid_request_error", error.param, error.code))
        case ModelNotFoundError():
            return Failure(404, Error(error.message, "invalid_request_error", "model", "model_not_found"))
        case NotStoredError():
            return Failure(404, Error(error.message, "invalid_request_error", error.param))
        case ClientRefusedError():
            headers = tuple((name.encode(), value.encode()) for name, value in error.headers)
            return Failure(error.status, Error(error.message, "invalid_request_error", code=error.code), headers)
        case NoLoginError():
            return Failure(401, Error(error.message, "authentication_error"), (DO_NOT_RETRY,))
        case RateLimitedError():
            return _own_limit(error)
        case UpstreamError():
            return _upstream_failure(error, now=now, retried=retried)
        case _:
            return _own_failure(error)


def _own_failure(error: ProxyError) -> Failure:
    """The proxy itself says no for now, or to this many."""
    match error:
        case PlanSpentError():
            return _no_quota(error.message, error.resets_in)
        case PersonalPlanError():
            return Failure(403, Error(error.message, "invalid_request_error", code="single_user_only"))
        case NotOfferedError():
            return Failure(501, Error(error.message, "invalid_request_error", code="not_offered"), (DO_NOT_RETRY,))
        case QueueFullError():
            return Failure(503, Error(error.message, "server_error", code="overloaded"), _retry(error.retry_after))
        case ModelNotAllowedError():
            return Failure(403, Error(error.message, "invalid_request_error", "model", "model_not_allowed"))
        case StorageUnavailableError():
            error_ = Error(error.message, "server_error", code="storage_unavailable")
            return Failure(503, error_, _retry(error.retry_after))
        case StoppingError():
            return Failure(503, Error(error.message, "server_error", code="stopping"), _retry(None))
        case _:
            return INTERNAL_ERROR


def reason(error: ProxyError) -> str:
    """The proxy's own sentence for the log; what it quotes of a request is left out, upstream's words altogether."""
    if isinstance(error, UpstreamStatusError | UpstreamProtocolError):
        return ""
    if isinstance(error, InvalidRequestError | NotStoredError):
        return _QUOTED.sub("…", error.message)
    return error.message


def _upstream_failure(error: UpstreamError, *, now: float, retried: bool) -> Failure:
    headers: tuple[Header, ...] = (upstream_request_id(error.request_id),) if error.request_id else ()
    if isinstance(error, UpstreamStatusError):
        failure = _status_failure(error, retried=retried)
        told = {name for name, _ in failure.headers}
        headers += tuple(row for row in rate_limit_headers(error.rate_limits, now=now) if row[0] not in told)
    elif isinstance(error, UpstreamTimeoutError):
        # Another try would be as long, and what came of this one may have been billed.
        failure = Failure(504, Error(_message(error), "server_error", code="upstream_timeout"), (DO_NOT_RETRY,))
    else:
        failure = Failure(
            502, Error(_message(error), "server_error", code="upstream_failed"), _final(error, retried=retried)
        )
    return Failure(failure.status, failure.error, failure.headers + headers)


def _final(error: UpstreamError, *, retried: bool) -> tuple[Header, ...]:
    """What is no Messages API will be none the next time; of what was cut no second try was made here."""
    if isinstance(error, UpstreamConnectionError) and (error.reached or not retried):
        return ()
    return (DO_NOT_RETRY,)


def _status_failure(error: UpstreamStatusError, *, retried: bool) -> Failure:
    status, message = _status(error.status), _message(error)
    match error.refusal:
        case "context_length":
            return Failure(400, Error(message, "invalid_request_error", "messages", "context_length_exceeded"))
        case "quota":
            return _no_quota(message, error.retry_after)
        case "model":
            return Failure(404, Error(message, "invalid_request_error", "model", "model_not_found"))
        case "content_policy":
            return Failure(400, Error(message, "invalid_request_error", "messages", "content_policy_violation"))
    if status in (429, 503):
        type_, code = ("rate_limit_error", "rate_limit_exceeded") if status == 429 else ("server_error", "overloaded")
        return Failure(status, Error(message, type_, code=code), _retry(error.retry_after))
    if status >= 500:
        headers = (DO_NOT_RETRY,) if retried else ()
        return Failure(status, Error(message, "server_error", code=error.error_type or "upstream_failed"), headers)
    type_ = _TYPES.get(status, "invalid_request_error")
    return Failure(status, Error(message, type_, code=_code(type_, error.error_type)))


def _no_quota(message: str, resets_in: float | None) -> Failure:
    error = Error(message, "insufficient_quota", code="insufficient_quota")
    return Failure(429, error, _spent(resets_in))


def _own_limit(error: RateLimitedError) -> Failure:
    """Where it would never be let in, nobody need try again."""
    told = Error(error.message, error.kind, code="rate_limit_exceeded")
    retry = (DO_NOT_RETRY,) if error.retry_after is None else _retry(error.retry_after)
    return Failure(429, told, (*retry, *own_limit_headers(error.limits)))


def _spent(resets_in: float | None) -> tuple[Header, ...]:
    """No `retry-after`: clients that obey it would sleep for hours. When it is there again is told like a limit."""
    if resets_in is None:
        return (DO_NOT_RETRY,)
    reset = openai_duration(resets_in)
    return DO_NOT_RETRY, (b"x-ratelimit-remaining-requests", b"0"), (b"x-ratelimit-reset-requests", reset)


def _status(upstream: int) -> int:
    """Upstream's status, or the one that says the same in OpenAI's words."""
    if upstream == 529:
        return 503
    return upstream if 400 <= upstream <= 504 else 502


def _code(type_: str, upstream_type: str) -> str | None:
    """Upstream's word for it, where it says more than the status."""
    return upstream_type if upstream_type not in ("", type_) else None


def _message(error: UpstreamError) -> str:
    message = error.message
    if isinstance(error, UpstreamStatusError) and error.status in (403, 404) and "model" in message.lower():
        message = (
            f"{message.rstrip('. ')}. The Claude login in use has no access to this model: its plan does not include "
            "it, or there is no such model. Choose one of those that GET /v1/models lists, or log in with an account "
            "that has access."
        )
    if error.request_id and error.request_id not in message:
        return f"{message} (upstream request id: {error.request_id})"
    return message


def _retry(retry_after: float | None) -> tuple[Header, ...]:
    seconds = DEFAULT_RETRY_AFTER if retry_after is None else max(0.0, retry_after)
    header = (b"retry-after", str(math.ceil(seconds)).encode())
    return (header, DO_NOT_RETRY) if seconds > SDK_PATIENCE_SECONDS else (header,)
