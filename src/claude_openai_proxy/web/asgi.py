"""The part of ASGI that is used here, typed (https://asgi.readthedocs.io/en/latest/specs/www.html)."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Literal, NotRequired, Protocol, TypedDict

Header = tuple[bytes, bytes]


class ASGIVersions(TypedDict):
    """Which ASGI the server speaks."""

    version: str
    spec_version: str


class OwnServer(Protocol):
    """What our own server offers for each request beside ASGI."""

    @property
    def body_ended(self) -> bool:
        """All of the body is there: `receive` does not wait for it."""
        ...

    def vouch(self) -> None:
        """The request has passed the doors: its connection is no stranger's any more."""
        ...

    def write_now(self, data: bytes) -> bool:
        """Send a piece of a body that is under way; false where that has to wait, or to be sent as an event."""
        ...

    def when_client_leaves(self, call: Callable[[], None] | None) -> None:
        """Call this once the client has gone; None: no more. What comes of the body meanwhile is let go."""
        ...

    def when_server_stops(self, call: Callable[[], None]) -> None:
        """Call this once the server is told to stop: for an answer that has no end of its own."""
        ...


class Extensions(TypedDict, total=False):
    """Of the scope."""

    claude_openai_proxy: OwnServer
    claude_openai_proxy_socket: Any
    """The `web.socket.Socket` whose offer this is."""
    claude_openai_proxy_memory: Any
    """What the socket remembers on which this was asked."""


class HTTPScope(TypedDict):
    """One request's head. `path` is percent-decoded; header names are lower case."""

    type: Literal["http"]
    asgi: NotRequired[ASGIVersions]
    http_version: NotRequired[str]
    method: str
    scheme: NotRequired[str]
    path: str
    raw_path: NotRequired[bytes]
    query_string: bytes
    root_path: NotRequired[str]
    headers: Iterable[Header]
    client: NotRequired[tuple[str, int] | None]
    server: NotRequired[tuple[str, int] | None]
    extensions: NotRequired[Extensions]


class WebSocketScope(TypedDict):
    """An offer to go on as a WebSocket."""

    type: Literal["websocket"]
    path: str
    query_string: bytes
    headers: Iterable[Header]
    client: NotRequired[tuple[str, int] | None]
    server: NotRequired[tuple[str, int] | None]


class LifespanScope(TypedDict):
    """The server's own start and end."""

    type: Literal["lifespan"]


Scope = HTTPScope | WebSocketScope | LifespanScope


class RequestEvent(TypedDict):
    """A piece of the request's body."""

    type: Literal["http.request"]
    body: NotRequired[bytes]
    more_body: NotRequired[bool]


class DisconnectEvent(TypedDict):
    """The client has left, or the answer is complete."""

    type: Literal["http.disconnect"]


class LifespanEvent(TypedDict):
    """The server starts or ends."""

    type: Literal["lifespan.startup", "lifespan.shutdown"]


ReceiveEvent = RequestEvent | DisconnectEvent | LifespanEvent


class ResponseStart(TypedDict):
    """Status and headers."""

    type: Literal["http.response.start"]
    status: int
    headers: list[Header]


class ResponseBody(TypedDict):
    """A piece of the answer's body."""

    type: Literal["http.response.body"]
    body: bytes
    more_body: bool


class LifespanComplete(TypedDict):
    """The start or the end has been dealt with."""

    type: Literal["lifespan.startup.complete", "lifespan.shutdown.complete"]


SendEvent = ResponseStart | ResponseBody | LifespanComplete

Receive = Callable[[], Awaitable[ReceiveEvent]]
Send = Callable[[SendEvent], Awaitable[None]]
