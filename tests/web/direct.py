"""Calling the application without a server: the whole answer of one request."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

import msgspec

from claude_openai_proxy.web.application import Application
from claude_openai_proxy.web.asgi import HTTPScope, ReceiveEvent, RequestEvent, SendEvent

CHAT = "/v1/chat/completions"
HELLO = b'{"model":"custom-claude-4-opus","messages":[{"role":"user","content":"Hi"}]}'
STREAM = b'{"model":"custom-claude-4-opus","messages":[{"role":"user","content":"Hi"}],"stream":true}'


class ErrorMember(msgspec.Struct):
    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(msgspec.Struct):
    error: ErrorMember


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    writes: list[bytes]
    """Pieces of the body as they were sent."""

    @property
    def error(self) -> ErrorMember:
        """The body, which must be OpenAI's error body."""
        return msgspec.json.decode(self.body, type=ErrorBody).error


async def call(
    app: Application,
    method: str = "POST",
    path: str = CHAT,
    body: bytes | list[bytes] = b"",
    *,
    headers: dict[str, str] | None = None,
    leaves: asyncio.Event | None = None,
    peer: str = "127.0.0.1",
    on_event: Callable[[SendEvent], None] = lambda _: None,
) -> Answer:
    """Send a request from `peer`; `leaves` says when the client goes away (else it stays).

    `on_event` is called with what is sent, as it is.
    """
    all_headers = {"host": "localhost:3000"} | ({"content-type": "application/json"} if body else {}) | (headers or {})
    path, _, query = path.partition("?")
    scope: HTTPScope = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in all_headers.items()],
        "client": (peer, 50_000),
    }
    pieces = body if isinstance(body, list) else [body]
    events: list[RequestEvent] = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    ]
    sent: list[SendEvent] = []

    async def receive() -> ReceiveEvent:
        if events:
            return events.pop(0)
        await (leaves or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(event: SendEvent) -> None:
        sent.append(event)
        on_event(event)

    await app(scope, receive, send)
    return _answer(sent)


def _answer(sent: list[SendEvent]) -> Answer:
    status, headers, writes = 0, {}, []
    for event in sent:
        if event["type"] == "http.response.start":
            status = event["status"]
            headers = {name.decode(): value.decode() for name, value in event["headers"]}
        elif event["type"] == "http.response.body" and event["body"]:
            writes.append(event["body"])
    return Answer(status, headers, b"".join(writes), writes)
