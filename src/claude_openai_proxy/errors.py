"""Everything the proxy raises on purpose. The class says whose fault it is; `web` owns the table to the wire.

ProxyError
├── InvalidRequestError            the client's request is wrong (400, names the place)
│   └── UnsupportedParameterError  valid OpenAI, not expressible for Claude (400 unsupported_parameter)
├── ModelNotFoundError             no such model here (404)
├── NotStoredError                 nothing of that id is kept for the client (404)
├── ModelNotAllowedError           the client key is not for this model (403)
├── ClientRefusedError             a door of the proxy stayed shut (401 to 429)
├── PersonalPlanError              the login is one person's, and more would use it (403)
├── PlanSpentError                 what may be spent is spent (429 insufficient_quota)
├── RateLimitedError               a client key has used its minute up (429 rate_limit_exceeded)
├── NoLoginError                   no way to Claude is logged in (401)
├── NotOfferedError                this way to Claude cannot do it, another one can (501)
├── QueueFullError                 no place was free in time (503)
├── StoppingError                  the server stops before the answer is complete (503)
├── StorageUnavailableError        what is kept cannot be reached now (503; in `storage`)
├── StorageRefusedError, FilesFullError, ClientKeyError    in `storage`, told in another's words before they go out
└── UpstreamError                  Claude's side
    ├── UpstreamStatusError        it answered with an HTTP error, or sent an `error` event
    ├── UpstreamConnectionError    refused, unreachable, or cut
    ├── UpstreamProtocolError      garbage, an empty answer, a stream without its end
    └── UpstreamTimeoutError       silent for too long; says in which phase
"""

from typing import Literal, NamedTuple

RefusalKind = Literal["", "context_length", "quota", "rate_limit", "model", "content_policy"]
"""What an upstream error means beyond its status, where clients act on it."""
TimeoutPhase = Literal["connect", "first byte", "between events", "total"]


LimitKind = Literal["requests", "tokens"]


class MinuteLimit(NamedTuple):
    """How much of something may be used in a minute, how much is left, and in how many seconds all of it is again."""

    kind: LimitKind
    limit: int
    remaining: int
    reset: float


class ProxyError(Exception):
    """Root of the tree. `message` is a sentence that a user can act on; it holds no secret and no prompt text."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequestError(ProxyError):
    """The request is wrong at `param`, a path such as `messages[2].content[0].image_url.url`."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class UnsupportedParameterError(InvalidRequestError):
    """A field that OpenAI takes and that cannot be expressed for Claude."""

    def __init__(self, message: str, *, param: str) -> None:
        super().__init__(message, param=param, code="unsupported_parameter")


class ModelNotFoundError(ProxyError):
    """No model of that name is offered; the message names those that are."""


class NotStoredError(ProxyError):
    """Nothing of that id is kept for whoever asks; `param` is the member of the request that names it."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class ModelNotAllowedError(ProxyError):
    """The client key is not for this model."""


class ClientRefusedError(ProxyError):
    """A door of the proxy stayed shut, with this HTTP status; `headers` (`allow`, `connection`) go out with it."""

    def __init__(
        self, message: str, *, status: int, code: str | None = None, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers


class PersonalPlanError(ProxyError):
    """The login is one person's plan, and the proxy is set up for more than one; the message says what to do."""


class PlanSpentError(ProxyError):
    """Nothing that may pay for it is left; `resets_in` seconds there is more again, None where nobody knows."""

    def __init__(self, message: str, *, resets_in: float | None = None) -> None:
        super().__init__(message)
        self.resets_in = resets_in


class RateLimitedError(ProxyError):
    """The client key has used up its minute of `kind`; `retry_after` in seconds, None where so much is never within it.

    `limits` are all that the key has.
    """

    def __init__(
        self, message: str, *, kind: LimitKind, retry_after: float | None, limits: tuple[MinuteLimit, ...]
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        self.limits = limits


class NoLoginError(ProxyError):
    """No login for Claude was found, or the one found has no use any more; the message has the command that logs in."""


class NotOfferedError(ProxyError):
    """The way to Claude in use has nothing like it; the message says which way has."""


class QueueFullError(ProxyError):
    """Every place is taken; `retry_after` in seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StoppingError(ProxyError):
    """The server stops and does not wait for this answer any longer."""

    def __init__(self) -> None:
        super().__init__("The server is stopping and has ended this request. Send it again in a moment.")


class UpstreamError(ProxyError):
    """Claude's side failed. `request_id` is upstream's own, where it gave one."""

    def __init__(self, message: str, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.request_id = request_id


class UpstreamStatusError(UpstreamError):
    """Upstream said no.

    `status` is its HTTP status (for an `error` event the status that belongs to its type), `error_type` its
    `error.type` ("" where the body had none), `message` its own words, `retry_after` seconds (of a `quota` until it is
    there again). `rate_limits` are upstream's `anthropic-ratelimit-*` headers as sent.

    `sent`: its error body or event as it came, `headers` those that clients of the Messages API read; empty where
    the proxy has put its own words in place of upstream's.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        error_type: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
        rate_limits: tuple[tuple[str, str], ...] = (),
        refusal: RefusalKind = "",
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.status = status
        self.refusal = refusal
        self.error_type = error_type
        self.retry_after = retry_after
        self.rate_limits = rate_limits
        self.sent = b""
        self.headers: tuple[tuple[str, str], ...] = ()


class UpstreamConnectionError(UpstreamError):
    """Could not be reached, or was cut. `reached` is false when no byte of the request can have arrived."""

    def __init__(self, message: str, *, request_id: str | None = None, reached: bool = True) -> None:
        super().__init__(message, request_id=request_id)
        self.reached = reached


class UpstreamProtocolError(UpstreamError):
    """What came is not the Messages API: HTML, garbage, nothing at all, or a stream without `message_stop`."""


class UpstreamTimeoutError(UpstreamError):
    """Silence for longer than allowed, in `phase`."""

    def __init__(self, message: str, *, phase: TimeoutPhase, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.phase = phase
