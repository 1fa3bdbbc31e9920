"""Passes bytes on and does nothing else, as any proxy must: `python benchmarks/pass_through.py PORT UPSTREAM_PORT`.

Two sockets for each client, and whatever one brings goes into the other. The event loop is the proxy's own.
"""

import asyncio
import sys
from contextlib import suppress

with suppress(ImportError):
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


class Side(asyncio.Protocol):
    """One end; `other` is the other one."""

    def __init__(self) -> None:
        self.other: Side | None = None
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # uvloop's is none of asyncio's classes
        for data in self._early:
            self.write(data)

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.write(data)

    def write(self, data: bytes) -> None:
        if self._transport is None:
            self._early.append(data)
        else:
            self._transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if self.other is not None:
            self.other.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def main(port: int, upstream: int) -> None:
    loop = asyncio.get_running_loop()
    connecting = set[asyncio.Task[object]]()

    def accept() -> Side:
        client, claude = Side(), Side()
        client.other, claude.other = claude, client
        task: asyncio.Task[object] = loop.create_task(loop.create_connection(lambda: claude, "127.0.0.1", upstream))
        connecting.add(task)
        task.add_done_callback(connecting.discard)
        return client

    server = await loop.create_server(accept, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
