"""What our own server offers beside ASGI (`asgi.OwnServer`), made of plain ASGI, for any other server."""

import asyncio
from collections.abc import Callable

from claude_openai_proxy.web.asgi import Receive


class OtherServer:
    """`receive` is the request's."""

    __slots__ = ("_receive", "_watcher")

    body_ended = False
    """Nobody tells."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._watcher: asyncio.Task[None] | None = None

    def vouch(self) -> None:
        """It does not count strangers."""

    def write_now(self, data: bytes) -> bool:  # noqa: ARG002 - the protocol's
        """Everything is sent as an event."""
        return False

    def when_client_leaves(self, call: Callable[[], None] | None) -> None:
        """That the client has gone is the last thing that comes of a request."""
        if self._watcher is not None:
            self._watcher.cancel()
        self._watcher = None if call is None else asyncio.get_running_loop().create_task(self._watch(call))

    def when_server_stops(self, call: Callable[[], None]) -> None:
        """Plain ASGI does not tell: an answer without an end is cut off when the server ends its requests."""

    async def _watch(self, call: Callable[[], None]) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        call()
