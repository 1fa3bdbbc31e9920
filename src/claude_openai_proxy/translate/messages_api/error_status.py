"""What an error body or event says, and the HTTP status that belongs to its type.

Claude's: https://docs.anthropic.com/en/api/errors. Gateways also send OpenAI's shape, with OpenAI's types.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.protocols.anthropic import APIError, ErrorEvent

STATUS_OF_TYPE: Final[Mapping[str, int]] = MappingProxyType(
    {
        "invalid_request_error": 400,
        "authentication_error": 401,
        "billing_error": 402,
        "permission_error": 403,
        "not_found_error": 404,
        "request_too_large": 413,
        "rate_limit_error": 429,
        "api_error": 500,
        "timeout_error": 504,
        "overloaded_error": 529,
        # OpenAI's
        "context_length_exceeded": 400,
        "invalid_api_key": 401,
        "model_not_found": 404,
        "insufficient_quota": 429,
        "rate_limit_exceeded": 429,
        "server_error": 500,
    }
)
_TYPE_OF_STATUS: Final = {status: type_ for type_, status in reversed(list(STATUS_OF_TYPE.items()))}


class _Document(Struct, frozen=True):
    error: Raw
    request_id: str | None = None


class _AnyError(Struct, frozen=True):
    """Claude's members and OpenAI's, of which any may be null."""

    message: str | None = None
    type: str | None = None
    code: str | int | None = None


_decode_document = msgspec.json.Decoder(_Document).decode
_decode_error = msgspec.json.Decoder(_AnyError | str).decode


def decode_error(data: bytes) -> ErrorEvent | None:
    """The error that `data` is, whoever's shape it has; None for anything else."""
    try:
        document = _decode_document(data)
        told = _decode_error(document.error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    error = APIError(message=told) if isinstance(told, str) else APIError(_type_of(told), told.message or "")
    return ErrorEvent(error=error, request_id=document.request_id)


def _type_of(told: _AnyError) -> str:
    """The more telling one of type and code; some gateways put the status into `code`."""
    code = str(told.code) if told.code is not None else ""
    if code in STATUS_OF_TYPE:
        return code
    if told.type:
        return told.type
    return _TYPE_OF_STATUS.get(int(code), "") if code.isdecimal() and len(code) == 3 else ""
