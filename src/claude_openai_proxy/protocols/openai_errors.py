"""The error body of the OpenAI API (https://platform.openai.com/docs/guides/error-codes)."""

from msgspec import Struct


class Error(Struct, frozen=True):
    """What went wrong: `type` is the family, `code` the exact case, `param` the place in the request."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorResponse(Struct, frozen=True):
    """The body of every error answer, and of an error inside a stream."""

    error: Error
