"""The response to a request, read while it comes in."""

from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.upstreams.http.connection import Connection
from claude_openai_proxy.upstreams.http.parser import ResponseParser

MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024


class Response:
    """Status, headers, and a body that is read in batches.

    It owns its connection: leaving the `with` block before the body has ended closes it, which tells the other side
    that nobody is listening; after the end it is kept for the next request.
    """

    def __init__(
        self, connection: Connection, parser: ResponseParser, release: Callable[[Connection, bool], None]
    ) -> None:
        self.status = parser.status
        self.header = parser.header
        self._connection = connection
        self._parser = parser
        self._release: Callable[[Connection, bool], None] | None = release

    def headers(self, prefix: str = "") -> tuple[tuple[str, str], ...]:
        """The headers whose names begin with `prefix`, in lower case."""
        wanted = prefix.encode()
        named = [(name.lower(), value) for name, value in self._parser.headers]
        return tuple((name.decode(), value.decode("latin-1")) for name, value in named if name.startswith(wanted))

    async def read(self) -> bytes:
        """Everything that has come since the last read, waiting for at least one byte; b"" at the end.

        Raises `UpstreamError` and its kinds, after the body that came before the failure was read.
        """
        parser = self._parser
        while not parser.parts:
            if parser.failure is not None:
                raise parser.failure
            if parser.complete:
                return b""
            await self._connection.wait()
        body = parser.take()
        self._connection.resume_body()
        return body

    async def read_all(self, limit: int = MAX_DOCUMENT_BYTES) -> bytes:
        """The whole body. Raises `UpstreamProtocolError` beyond `limit` bytes."""
        body = bytearray()
        while part := await self.read():
            body += part
            if len(body) > limit:
                raise UpstreamProtocolError(f"{self._connection.peer} sent a document of more than {limit} bytes")
        return bytes(body)

    def close(self, *, whole: bool = False) -> None:
        """Give the connection back; `whole` says that nothing of interest is left, though its end may still come."""
        release, self._release = self._release, None
        if release is not None:
            release(self._connection, whole)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
