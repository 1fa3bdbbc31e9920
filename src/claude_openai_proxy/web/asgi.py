"""The part of ASGI that is used here, typed (https://asgi.readthedocs.io/en/latest/specs/www.html)."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Literal, NotRequired, TypedDict

Header = tuple[bytes, bytes]


class HTTPScope(TypedDict):
    """One request's head. `path` is percent-decoded; header names are lower case."""

    type: Literal["http"]
    method: str
    path: str
    query_string: bytes
    headers: Iterable[Header]
    client: NotRequired[tuple[str, int] | None]


class LifespanScope(TypedDict):
    """The server's own start and end."""

    type: Literal["lifespan"]


Scope = HTTPScope | LifespanScope


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
