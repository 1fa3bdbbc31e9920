"""From bytes to requests: httptools parses, this judges sizes and heads, and sees an offered upgrade through.

httptools stops behind a head that offers another protocol (`Upgrade`), and would lose the body of a client that asks
for HTTP/2 in passing, as every JDK client does. Here the same head is read again without the offer.

| state | the parser's callbacks |
|---|---|
| between | the next request's first byte leads to head |
| head | collected; complete, it is judged and handed on, and leads to body; with an offer, to offered |
| offered | none count until the parser has stopped; then the head is handed over whole, or read again: head |
| body | pieces are handed on; complete leads to between |

Invariant: of what is neither a body nor complete no more is held than `head_bytes` and one read.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, Protocol

import httptools

from claude_openai_proxy.serving.limits import Limits
from claude_openai_proxy.serving.request_head import (
    HEAD_TOO_LARGE,
    MALFORMED,
    URL_TOO_LONG,
    RefusedRequestError,
    RequestHead,
    check_head,
    head_bytes,
    split_target,
    without_upgrade,
)
from claude_openai_proxy.web.asgi import Header

_FRAMING_SHARE: Final = 9
"""Bytes on the wire for one byte of a body: chunks of one byte each take six."""


class OfferTakenError(Exception):
    """The connection goes on in another protocol, which begins with `data`."""

    def __init__(self, data: bytes) -> None:
        super().__init__("the connection goes on in another protocol")
        self.data = data


class Receiver(Protocol):
    """Who is told what came."""

    def begun(self) -> None:
        """The first byte of a request."""
        ...

    def head_came(self, head: RequestHead) -> None:
        """A head that may be answered."""
        ...

    def piece_came(self, piece: bytes) -> None:
        """A piece of the body."""
        ...

    def all_came(self) -> None:
        """The request is complete."""
        ...

    def takes_offer(self, headers: Sequence[Header]) -> bool:
        """Whether the offered upgrade is one that is taken."""
        ...


_NO_PARSER: Final = httptools.HttpRequestParser(object())


class _State(Enum):
    BETWEEN = auto()
    HEAD = auto()
    OFFERED = auto()
    BODY = auto()


class RequestReader:
    """Reads the requests of one connection, in order."""

    def __init__(self, receiver: Receiver, limits: Limits) -> None:
        self._receiver = receiver
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self._state = _State.BETWEEN
        self._url, self._headers = b"", list[Header]()
        self._segment = self._framing = 0

    def feed(self, data: bytes) -> None:
        """What came. Raises `RefusedRequestError` where no more can be read, and `OfferTakenError`."""
        self._segment = len(data)
        self._framing += len(data)
        self._parse(data)
        if self._state is _State.HEAD and self._framing > self._limits.head_bytes:
            raise RefusedRequestError(HEAD_TOO_LARGE)
        if self._state is _State.BODY and self._framing > 2 * self._limits.head_bytes:
            raise RefusedRequestError(MALFORMED)

    def forget(self) -> None:
        """Nothing more comes; parser and reader know each other and would wait for the collector."""
        self._parser = _NO_PARSER

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._go_on(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, RefusedRequestError):
                raise error.__context__ from None
            raise RefusedRequestError(MALFORMED) from None

    def _go_on(self, rest: bytes) -> None:
        assert self._state is _State.OFFERED, "the parser stops behind an offer only"
        head = self._parser.get_method(), self._url, self._parser.get_http_version()
        if self._receiver.takes_offer(self._headers):
            raise OfferTakenError(head_bytes(*head, self._headers) + rest)
        self._headers = without_upgrade(self._headers)
        self._parser = httptools.HttpRequestParser(self)
        self._parse(head_bytes(*head, self._headers))
        self._parse(rest)

    # ---- the parser's callbacks ---------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        if self._state is not _State.OFFERED:
            self._state = _State.HEAD
            self._url, self._headers, self._framing = b"", [], self._segment
            self._receiver.begun()

    def on_url(self, url: bytes) -> None:
        """A piece of the request's target."""
        if self._state is _State.HEAD:
            self._url += url
            if len(self._url) > self._limits.url_bytes:
                raise RefusedRequestError(URL_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; what comes behind a body has no use here."""
        if self._state is _State.HEAD:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Judge the head and hand it on."""
        parser, headers = self._parser, self._headers
        method = parser.get_method()
        if parser.should_upgrade() and method != b"CONNECT":
            self._state = _State.OFFERED
            return
        if self._framing > self._limits.head_bytes:  # of which a body may have come with it
            self._check_size()
        version = parser.get_http_version()
        path, query = split_target(self._url, headers)
        names = [name for name, _ in headers]
        check_head(names, version)
        waits = b"expect" in names and headers[names.index(b"expect")][1].lower() == b"100-continue"
        self._state = _State.BODY
        self._receiver.head_came(RequestHead(method, path, query, version, headers, parser.should_keep_alive(), waits))

    def _check_size(self) -> None:
        if len(self._url) + sum([len(name) + len(value) for name, value in self._headers]) > self._limits.head_bytes:
            raise RefusedRequestError(HEAD_TOO_LARGE)

    def on_body(self, piece: bytes) -> None:
        """A piece of it."""
        if self._state is _State.BODY:
            self._framing -= _FRAMING_SHARE * len(piece)
            self._receiver.piece_came(piece)

    def on_message_complete(self) -> None:
        """All of it is there."""
        if self._state is _State.BODY:
            self._state, self._segment = _State.BETWEEN, 0
            self._receiver.all_came()
