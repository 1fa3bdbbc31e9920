"""Lines that answers have in common, and the answers that are given without the application."""

from http import HTTPStatus
from typing import Final

from claude_openai_proxy.web.asgi import Header
from claude_openai_proxy.web.errors import Failure

_PHRASES: Final = dict.fromkeys(range(400, 600), "") | {529: "Overloaded"} | {s.value: s.phrase for s in HTTPStatus}
"""Claude's side has statuses of its own, which go on as they are to clients that speak its language."""
STATUS_LINES: Final = {status: f"HTTP/1.1 {status} {phrase}\r\n".encode() for status, phrase in _PHRASES.items()}
FIRST_BYTES: Final = b"HTTP/1.1 "
"""What every answer begins with, whatever its status."""


class StandingHeaders:
    """The headers of every answer, put into lines once for each list of them: uvicorn makes a new one every second."""

    def __init__(self) -> None:
        self._rendered: list[Header] | None = None
        self._lines = b""

    def lines(self, headers: list[Header]) -> bytes:
        """`headers` as they go over the wire."""
        if headers is not self._rendered:
            self._rendered, self._lines = headers, header_lines(headers)
        return self._lines


def header_lines(headers: list[Header]) -> bytes:
    """A line each. Raises ValueError for what would be more."""
    lines = b"".join([b"%b: %b\r\n" % header for header in headers])
    if not lines.count(b"\n") == lines.count(b"\r") == len(headers):
        raise ValueError("a response header must not contain a line break")
    return lines


def whole_answer(failure: Failure, standing: bytes) -> bytes:
    """An error in OpenAI's shape, for a request that the application never saw."""
    body = failure.body
    own = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *failure.headers]
    return b"%b%b%b\r\n%b" % (STATUS_LINES[failure.status], standing, header_lines(own), body)
