"""The HTTP status that belongs to an error's type (https://docs.anthropic.com/en/api/errors)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

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
    }
)
