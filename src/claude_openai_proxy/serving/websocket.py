"""WebSockets: uvicorn's own protocol, which stops as our connections do. Imported with the first offer."""

from functools import cache
from typing import Any


def websocket(**given: Any) -> Any:
    """The protocol of one connection, for uvicorn's `ws=`."""
    return _protocol()(**given)


@cache
def _protocol() -> type[Any]:
    from uvicorn.protocols.websockets.websockets_sansio_impl import (  # noqa: PLC0415 - most servers never see an offer
        WebSocketsSansIOProtocol,
    )

    class StoppableWebSocket(WebSocketsSansIOProtocol):
        """The application is told that the server stops, and closes when what runs is complete."""

        async def send(self, message: Any) -> None:
            """uvicorn's would complain of an offer that was refused with an answer, as of one that was forgotten."""
            await super().send(message)
            if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
                self.handshake_complete = True

        def shutdown(self) -> None:
            """uvicorn's closes at once."""
            if self.handshake_complete and not self.close_sent:
                stopping: Any = {"type": "websocket.stopping"}
                self.queue.put_nowait(stopping)
            else:
                super().shutdown()

        def abort(self) -> None:
            """Waited for long enough."""
            self.transport.abort()

    return StoppableWebSocket
