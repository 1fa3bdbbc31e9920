"""Reads one HTTP/1.1 response out of bytes, without I/O."""

from typing import Final

import httptools

from claude_openai_proxy.errors import UpstreamConnectionError, UpstreamError, UpstreamProtocolError

MAX_HEAD_BYTES: Final = 64 * 1024


class ResponseParser:
    """Feed it bytes; take the head and the body so far from it.

    `failure` is set once and ends it: the bytes were not HTTP, or stopped too early. Body that came before stays.
    """

    def __init__(self, *, peer: str, max_head_bytes: int = MAX_HEAD_BYTES) -> None:
        self.started = False
        self.head_complete = False
        self.complete = False
        self.keep_alive = False
        self.failure: UpstreamError | None = None
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        """Names in lower case."""
        self._first: dict[bytes, bytes] = {}
        """The headers by name; of several, the first."""
        self.parts: list[bytes] = []
        self.buffered = 0
        self._peer = peer
        self._max_head_bytes = max_head_bytes
        self._fed_bytes = 0
        self._bare_bytes = 0
        """Read since the last piece of the body (sizes of chunks, trailers); -1 where the last read held a piece."""
        self._parser = httptools.HttpResponseParser(self)

    def header(self, name: str) -> str | None:
        """The value of a header, by its name in lower case."""
        value = self._first.get(name.encode())
        return None if value is None else value.decode("latin-1")

    def take(self) -> bytes:
        """The body that has come since the last time."""
        body = self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)
        self.parts.clear()
        self.buffered = 0
        return body

    def feed(self, data: bytes) -> None:
        """Take bytes as they come."""
        self.started = True
        if not self.head_complete:
            self._fed_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._not_http(error)
        if not self.head_complete:
            self._limit_head(self._fed_bytes)
        elif not self.complete:
            self._bare_bytes = 0 if self._bare_bytes < 0 else self._bare_bytes + len(data)
            if self._bare_bytes:
                self._limit_head(self._bare_bytes)

    def close(self) -> None:
        """Nothing comes any more. It and its parser hold each other, and with them the whole request."""
        del self._parser

    def feed_eof(self, cause: str = "") -> None:
        """The connection is gone; `cause` is empty when the other side closed it in good order."""
        if self.complete or self.failure:
            return
        if self.head_complete and not cause and self._ends_with_connection():
            self.complete = True
        else:
            self.failure = UpstreamConnectionError(self._cut_sentence(cause))

    def _cut_sentence(self, cause: str) -> str:
        if not self.started:
            when = "before it answered"
        else:
            when = "in the middle of its answer" if self.head_complete else "in the middle of its headers"
        return f"{self._peer} closed the connection {when}{cause and f' ({cause})'}"

    def _ends_with_connection(self) -> bool:
        return not (self.header("content-length") or (self.header("transfer-encoding") or "").endswith("chunked"))

    def _not_http(self, error: Exception) -> None:
        # Whatever follows a complete answer concerns only the next user of the connection, so there is none.
        self.keep_alive = False
        if not self.complete:
            self.failure = UpstreamProtocolError(f"{self._peer} sent something that is not HTTP: {error}")

    def _limit_head(self, size: int) -> None:
        if size > self._max_head_bytes and not self.failure:
            self.failure = UpstreamProtocolError(
                f"{self._peer} sent more than {self._max_head_bytes} bytes of headers; they were not read further"
            )

    # ---- called by httptools ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A second message on one request: the connection cannot be trusted with another."""
        if self.complete:
            self.keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which nobody needs."""
        if not self.head_complete:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is there, unless it is only an interim answer (1xx)."""
        if self._fed_bytes > self._max_head_bytes:  # of which a body may have come with it
            self._limit_head(sum(len(name) + len(value) for name, value in self.headers))
        if self.complete:
            return
        self.status = self._parser.get_status_code()
        if self.status >= 200:
            self.head_complete = True
            self._first = dict(reversed(self.headers))
        elif self.status == 101:
            self.failure = UpstreamProtocolError(f"{self._peer} wants to switch to another protocol")
        else:
            self.headers.clear()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if not self.complete:
            self.parts.append(body)
            self.buffered += len(body)
            self._bare_bytes = -1

    def on_message_complete(self) -> None:
        """The body is complete; after an interim answer the real one follows."""
        if self.head_complete and not self.complete:
            self.complete = True
            self.keep_alive = self._parser.should_keep_alive()
