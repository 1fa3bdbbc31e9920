"""The response to a request, read while it comes in."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.upstreams.http.connection import Connection
from claude_openai_proxy.upstreams.http.content_coding import BodyDecoder
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
        self._codings = _codings(parser)
        self._decoder: BodyDecoder | None = None

    def headers(self, *prefixes: bytes) -> tuple[tuple[str, str], ...]:
        """The headers whose names, which are in lower case, begin with one of these."""
        wanted = [row for row in self._parser.headers if row[0].startswith(prefixes or b"")]
        return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in wanted) if wanted else ()

    async def read(self) -> bytes:
        """What has come since the last read, waiting for at least one byte; b"" at the end.

        All of it, or of a compressed body a piece, decoded. Raises `UpstreamError` and its kinds, after the body that
        came before the failure was read.
        """
        if self._codings:
            try:
                return await self._read_decoded()
            except ValueError as error:
                raise UpstreamProtocolError(f"{self._connection.peer} sent a body {error}") from error
        while (sent := self._take()) is None:
            await self._connection.wait()
        return sent

    def pass_on(self, take: Callable[[bytes], bool]) -> None:
        """Give what comes while `read_on` waits to `take` on the spot; false halts `read_on`.

        A compressed body is left to its reader.
        """
        if not self._codings:
            self._connection.passing = take

    async def read_on(self) -> bytes | None:
        """As `read`; None where the taker of `pass_on` has halted it."""
        if self._codings:
            return await self.read()
        connection = self._connection
        while not connection.halted:
            if (sent := self._take()) is not None:
                return sent
            await connection.wait()
        connection.halted = False
        return None

    async def _read_decoded(self) -> bytes:
        if self._decoder is None:
            self._decoder = BodyDecoder(self._codings)
        elif piece := self._decoder.take():
            # It is there already, and may unfold to much more: others get their turn.
            await asyncio.sleep(0)
            return piece
        while True:
            while (data := self._take()) is None:
                await self._connection.wait()
            if not data:
                if not self._decoder.whole:
                    raise ValueError("that ends in the middle of what is compressed")
                return b""
            self._decoder.feed(data)
            if piece := self._decoder.take():
                return piece

    def _take(self) -> bytes | None:
        """What has come, as it was sent; None where nothing has yet, b"" at the end."""
        parser = self._parser
        if parser.parts:
            body = parser.take()
            self._connection.resume_body()
            return body
        if parser.failure is not None:
            raise parser.failure
        return b"" if parser.complete else None

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


def _codings(parser: ResponseParser) -> str:
    """What was done to the body, in this order; "" where nothing was."""
    if parser.header("content-encoding") is None and parser.header("transfer-encoding") is None:
        return ""
    done = [
        name
        for header in (b"content-encoding", b"transfer-encoding")
        for key, value in parser.headers
        if key == header
        for name in value.decode("latin-1").lower().split(",")
    ]
    return ",".join(name for coded in done if (name := coded.strip()) not in ("", "identity", "chunked"))
