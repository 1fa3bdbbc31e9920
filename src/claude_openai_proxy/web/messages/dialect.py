"""Anthropic's API as its clients know it: headers and errors (https://docs.anthropic.com/en/api/errors)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Struct

from claude_openai_proxy.errors import ProxyError, UpstreamError, UpstreamStatusError
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.admission import AnswerHead
from claude_openai_proxy.translate.messages.request import NO_THREADS
from claude_openai_proxy.web.asgi import Header
from claude_openai_proxy.web.errors import Failure
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.response_headers import header_value, ignored_parameters, own_limit_headers, who_answered

REQUEST_ID: Final = b"request-id"
VERSION: Final = b"anthropic-version"

_TYPES: Final[Mapping[int, str]] = MappingProxyType(
    {
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
)
_OVERLOADED: Final = 529
"""Anthropic's status for what OpenAI's clients are told with 503."""

_encode: Final = msgspec.json.Encoder().encode


class _Error(Struct, frozen=True, omit_defaults=True):
    """`details` are for programs; they are sent for one error only."""

    type: str = ""
    message: str = ""
    details: object = UNSET


class _ErrorBody(Struct, frozen=True):
    """Anthropic's error body and event."""

    type: Literal["error"]
    error: _Error
    request_id: str | None = None


_decode_error_body: Final = msgspec.json.Decoder(_ErrorBody).decode


@dataclass(frozen=True, slots=True)
class MessagesFailure(Failure):
    """An error as a client of the Messages API sees it; `told` is its body."""

    told: bytes = b""

    def blotted(self, blot: Callable[[str], str]) -> "MessagesFailure":
        """See `Failure.blotted`."""
        shown = Failure.blotted(self, blot)
        told = blot(self.told.decode("utf-8", "replace")).encode()
        return replace(self, error=shown.error, headers=shown.headers, told=told)

    @property
    def body(self) -> bytes:
        """Anthropic's error body, or upstream's own bytes."""
        return self.told

    @property
    def event(self) -> bytes:
        """In a stream."""
        return b"event: error\ndata: %b\n\n" % self.told.replace(b"\n", b"\ndata: ")


class MessagesDialect:
    """Anthropic's: what Claude's side says of an error is handed on as it is, with its status and its headers."""

    def headers(self, record: RequestRecord, took_ms: int, others: Sequence[Header]) -> list[Header]:  # noqa: ARG002
        """See `Dialect.headers`: the proxy's own id, where upstream gave none."""
        known = any(name == REQUEST_ID for name, _ in others)
        return [] if known else [(REQUEST_ID, record.id.encode())]

    def failure(self, failure: Failure, error: ProxyError | None, record: RequestRecord) -> Failure:
        """See `Dialect.failure`."""
        if isinstance(error, UpstreamStatusError) and 400 <= error.status < 600 and _is_error_body(error.sent):
            headers = _sent_headers(error.headers, error.request_id)
            return MessagesFailure(error.status, failure.error, headers, told=error.sent)
        status = _OVERLOADED if failure.status == 503 else failure.status
        kind = _TYPES.get(status) or ("invalid_request_error" if status < 500 else "api_error")
        request_id = (error.request_id if isinstance(error, UpstreamError) else None) or record.id
        details = {"error_code": NO_THREADS, "unsupported": []} if failure.error.code == NO_THREADS else UNSET
        told = _encode(_ErrorBody("error", _Error(kind, failure.error.message, details), request_id))
        headers = tuple(row for row in failure.headers if row[0] != b"x-upstream-request-id")
        return MessagesFailure(status, failure.error, (*headers, (REQUEST_ID, header_value(request_id))), told=told)


MESSAGES: Final = MessagesDialect()


def speaks_messages(exchange: Exchange) -> bool:
    """On a path that both APIs have, the header tells which one is meant."""
    return VERSION in exchange.headers


def answer_headers(head: AnswerHead) -> list[Header]:
    """The facts of an answer: upstream's own headers, and what the proxy did."""
    headers = who_answered(head)
    if head.ignored:
        headers.append(ignored_parameters(head.ignored))
    headers += own_limit_headers(head.own_limits)
    return [*headers, *_sent_headers(head.headers or head.rate_limits, head.upstream_request_id)]


def _sent_headers(sent: Sequence[tuple[str, str]], request_id: str | None) -> tuple[Header, ...]:
    headers = tuple((header_value(name), header_value(value)) for name, value in sent)
    return ((REQUEST_ID, header_value(request_id)), *headers) if request_id else headers


def _is_error_body(sent: bytes) -> bool:
    try:
        return bool(_decode_error_body(sent).error.type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
