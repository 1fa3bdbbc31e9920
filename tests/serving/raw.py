"""A server with an application of the test's own, and what a client that speaks no library sends and sees."""

import asyncio
import http.client
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from claude_openai_proxy.serving.limits import Limits
from claude_openai_proxy.web.asgi import HTTPScope, Receive, Scope, Send
from web.direct import ErrorBody, ErrorMember
from web.serving import served

PATIENCE_SECONDS = 120


async def answer(send: Send, body: bytes = b"ok", *, status: int = 200, close: bool = False) -> None:
    headers = [(b"content-length", b"%d" % len(body))] + ([(b"connection", b"close")] if close else [])
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def stream(send: Send, pieces: list[bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def whole_body(receive: Receive) -> bytes:
    pieces = []
    while (event := await receive())["type"] == "http.request":
        pieces.append(event.get("body", b""))
        if not event.get("more_body", False):
            return b"".join(pieces)
    raise ConnectionError


@dataclass
class Echo:
    """Answers with what it read; keeps every scope. `gone`: a client left while its answer was made."""

    scopes: list[HTTPScope] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await live(receive, send)
            return
        assert scope["type"] == "http", "there are no WebSockets here"
        self.scopes.append(scope)
        self.bodies.append(await whole_body(receive))
        self.entered.set()
        if scope["path"] == "/wait":
            while (await receive())["type"] != "http.disconnect":
                pass
            self.gone.set()
        else:
            await answer(send, self.bodies[-1])


async def live(receive: Receive, send: Send) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def serving(request: Callable[[HTTPScope, Receive, Send], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """An application from what it does with a request."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await live(receive, send)
        else:
            assert scope["type"] == "http", "there are no WebSockets here"
            await request(scope, receive, send)

    return application


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> ErrorMember:
        return msgspec.json.decode(self.body, type=ErrorBody).error


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *segments: bytes) -> None:
        """Each by itself on the wire."""
        for segment in segments:
            self.writer.write(segment)
            await self.writer.drain()
            await asyncio.sleep(0)

    def half_close(self) -> None:
        self.writer.write_eof()

    def leave(self) -> None:
        self.writer.transport.abort()

    async def answer(self) -> Answer:
        """One with a length."""
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        return Answer(int(lines[0].split()[1]), headers, await self.reader.readexactly(int(headers["content-length"])))

    async def everything(self) -> bytes:
        """To the end of the connection."""
        with suppress(ConnectionResetError):
            return await self.reader.read()
        return b""


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[Client]:
    parts = urlsplit(url)
    async with asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            yield Client(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def talking(application: Callable[..., Awaitable[None]], limits: Limits | None = None) -> AsyncIterator[Client]:
    """A client of a server that runs `application`."""
    async with served(application, limits or Limits()) as url, client_of(url) as client:
        yield client


def get(path: str = "/", *more: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *more, "", ""]).encode()


def post(body: bytes, path: str = "/", *more: str) -> bytes:
    length = f"Content-Length: {len(body)}"
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", length, *more, "", ""]).encode() + body


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def parsed(data: bytes) -> tuple[int, bytes]:
    """Status and body of one answer, by the standard library's client."""
    response = http.client.HTTPResponse(_Bytes(data))  # type: ignore[arg-type]
    response.begin()
    return response.status, response.read()
