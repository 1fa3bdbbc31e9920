"""When a request counts as answered, and when its caller as gone."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from claude_openai_proxy.simulator.connection import Connection, Connections
from claude_openai_proxy.simulator.received import ReceivedRequest

REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
Respond = Callable[[ReceivedRequest, Connection], Awaitable[None]]


class LeavingCaller(asyncio.Transport):
    """Leaves as soon as it has got these bytes, before whoever wrote them has his turn again."""

    def __init__(self, bytes_: bytes) -> None:
        super().__init__()
        self._bytes = bytes_
        self.protocol: Connection

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if bytes(data) == self._bytes:
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


@pytest.mark.parametrize("leaves_at", [b"first", b"last"])
async def test_who_leaves_with_the_last_byte_has_been_answered(leaves_at: bytes) -> None:
    seen: list[ReceivedRequest] = []

    async def respond(request: ReceivedRequest, connection: Connection) -> None:
        seen.append(request)
        await connection.write(b"first", alone=True)
        await connection.write(b"last", alone=True, last=True)

    connections = Connections(respond)
    connection, caller = connections.accept(), LeavingCaller(leaves_at)
    caller.protocol = connection
    connection.connection_made(caller)
    connection.data_received(REQUEST)
    for _ in range(10):
        await asyncio.sleep(0)

    assert (seen[0].answered.is_set(), seen[0].gone.is_set()) == (leaves_at == b"last", leaves_at == b"first")
    await connections.aclose()
