"""A WebSocket whose messages are requests: each is served as if it had come by itself.

| moment | what happens |
|---|---|
| a client offers the upgrade | the offer passes every door as a GET of its path, whose endpoint takes it or not |
| it is refused | the client gets the status and the body of that answer |
| it is taken | `messages` gives what the client says, one after the other |
| a message is a request | `serve` sends it through every door again: keys, limits and expiry count for each |
| the client leaves | what it waits for is told, and cancelled, as for any request; what still waits is not begun |
| the server stops | what runs is finished; then the socket closes |

Invariants: one request runs at a time; nothing is sent after the close; a message that is not asked for waits, and
behind so many the client waits.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final, cast

from claude_openai_proxy.web.asgi import Header, HTTPScope, ReceiveEvent, Send, SendEvent

MOST_MESSAGES: Final = 16
"""Messages that wait for the one that is answered."""
GOING_AWAY: Final = 1001
RESTARTING: Final = 1012
"""Close codes (RFC 6455, 7.4.1, and the registry that it founds)."""

_OF_THE_UPGRADE: Final = frozenset(
    {b"connection", b"upgrade", b"content-length", b"content-type", b"transfer-encoding"}
)

Serve = Callable[[Any, Any, Any], Awaitable[None]]


class Socket:
    """`serve` is the application; `scope`, `receive` and `send` are the server's, of an ASGI `websocket`."""

    def __init__(self, scope: Mapping[str, Any], receive: Any, send: Any, serve: Serve) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._serve = serve
        self._messages: asyncio.Queue[str | bytes | None] = asyncio.Queue(MOST_MESSAGES)
        self._gone = asyncio.Event()
        self._stopping = False
        self.taken = False
        """The upgrade has been accepted."""

    async def offer(self) -> None:
        """Hand the offer to the application; returns when all is over."""
        assert (await self._receive())["type"] == "websocket.connect", "the server's first word"
        scope = self._http_scope("GET", self._scope["path"], list(self._scope["headers"]))
        await self._serve(scope, self._nothing_more, self._refuse)

    async def accept(self) -> None:
        """Take it."""
        self.taken = True
        await self._send({"type": "websocket.accept"})

    async def messages(self, *, silence_seconds: float) -> AsyncIterator[str | bytes]:
        """What the client says, until it leaves, the server stops, or nothing has come for so long."""
        listener = asyncio.get_running_loop().create_task(self._listen())
        try:
            while not self._stopping and not self._gone.is_set():
                try:
                    async with asyncio.timeout(silence_seconds):
                        message = await self._messages.get()
                except TimeoutError:
                    await self.close(GOING_AWAY)
                    return
                if message is None:
                    break
                yield message
            await self.close(RESTARTING)
        finally:
            listener.cancel()
            await asyncio.wait([listener])

    async def say(self, text: str) -> None:
        """Send a message. Waits while the client takes none; nothing where it has gone."""
        if not self._gone.is_set():
            await self._tell({"type": "websocket.send", "text": text})

    async def close(self, code: int) -> None:
        """Say goodbye, once."""
        if not self._gone.is_set():
            self._gone.set()
            await self._tell({"type": "websocket.close", "code": code})

    async def request(self, path: str, body: bytes, send: Send, extensions: Mapping[str, object]) -> None:
        """Serve `body` as a POST of JSON with the headers of the offer; `send` gets the answer, as any ASGI server."""
        headers = [row for row in self._scope["headers"] if not _is_of_the_upgrade(row)]
        headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        scope = self._http_scope("POST", path, headers, extensions)
        await self._serve(scope, _Body(body, self._gone).receive, send)

    # ---- from the server's side -------------------------------------------------------------------------------------

    def _http_scope(
        self, method: str, path: str, headers: list[Header], extensions: Mapping[str, object] | None = None
    ) -> HTTPScope:
        own = {"claude_openai_proxy_socket": self} if extensions is None else extensions
        known = {name: self._scope[name] for name in ("client", "server", "query_string") if name in self._scope}
        return cast(
            "HTTPScope",
            {**known, "type": "http", "method": method, "path": path, "headers": headers, "extensions": own},
        )

    async def _listen(self) -> None:
        while True:
            event = await self._receive()
            if event["type"] == "websocket.receive":
                text = event.get("text")
                await self._messages.put(event.get("bytes") or b"" if text is None else text)
                continue
            if event["type"] == "websocket.stopping":
                self._stopping = True
            else:
                self._gone.set()
            await self._messages.put(None)

    async def _tell(self, event: Mapping[str, Any]) -> None:
        """The server knows before we do that a client has gone whose messages still wait (ASGI: an `OSError`)."""
        try:
            await self._send(event)
        except OSError:
            self._gone.set()

    async def _nothing_more(self) -> ReceiveEvent:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _refuse(self, event: SendEvent) -> None:
        """An answer to the offer that is none of ours."""
        assert not self.taken, "an endpoint that takes the offer answers nothing"
        await self._send({**event, "type": f"websocket.{event['type']}"})


class _Body:
    """The receiving side of one request."""

    def __init__(self, body: bytes, gone: asyncio.Event) -> None:
        self._body: bytes | None = body
        self._gone = gone

    async def receive(self) -> ReceiveEvent:
        """All of the body, and then nothing until the client has gone."""
        if self._body is None:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _is_of_the_upgrade(header: Header) -> bool:
    return header[0] in _OF_THE_UPGRADE or header[0].startswith(b"sec-websocket-")
