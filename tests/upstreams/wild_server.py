"""A server without manners: each connection does exactly what the test wrote down, byte by byte."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def ok(body: bytes = b"ok", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"content-length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def eventually(condition: Callable[[], bool]) -> None:
    """Until it is so; the test's own time-out is the limit."""
    while not condition():  # noqa: ASYNC110 - sockets close in the background, and tell nobody
        await asyncio.sleep(0.001)


class Visit:
    """One connection, seen from the server."""

    def __init__(self, server: "WildServer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer

    async def request(self) -> bytes:
        """The next request, head and body; ends the visit where the caller hangs up instead."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        request = head + await self.reader.readexactly(length)
        self.server.requests.append(request)
        self.server.asked.set()
        return request

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def caller_leaves(self) -> None:
        """Until the caller has closed the connection; what it still sends is dropped."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    def reset(self) -> None:
        """Abort with a reset instead of a farewell."""
        self.writer.transport.abort()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        await self.writer.start_tls(context)


Behaviour = Callable[[Visit], Awaitable[None]]


class WildServer:
    """`requests` as they came; `visits` counts connections, `visiting` those that are open."""

    def __init__(self, behaviours: tuple[Behaviour, ...], scheme: str) -> None:
        self.requests: list[bytes] = []
        self.asked = asyncio.Event()
        self.visits = 0
        self.port = 0
        self.left = asyncio.Event()
        self._behaviours = behaviours
        self._scheme = scheme
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def visiting(self) -> int:
        return len(self._tasks)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The first connection meets the first behaviour; all after the last one meet the last."""
        behave = self._behaviours[min(self.visits, len(self._behaviours) - 1)]
        self.visits += 1
        task = asyncio.create_task(self._receive(behave, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _receive(self, behave: Behaviour, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await behave(Visit(self, reader, writer))
        finally:
            writer.close()
            # After a failed start_tls, asyncio's writer never hears that it was closed.
            with suppress(ConnectionError, ssl.SSLError, TimeoutError):
                async with asyncio.timeout(0.2):
                    await writer.wait_closed()
            self.left.set()

    async def send_home(self) -> None:
        """End every visit."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def wild_server(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[WildServer]:
    wild = WildServer(behaviours, "https" if tls else "http")
    listener = await asyncio.start_server(wild.welcome, "127.0.0.1", 0, ssl=tls)
    wild.port = listener.sockets[0].getsockname()[1]
    try:
        yield wild
    finally:
        listener.close()
        await wild.send_home()
        await listener.wait_closed()


def always(answer: bytes) -> Behaviour:
    """Answers every request on every connection with these bytes."""

    async def behave(visit: Visit) -> None:
        while True:
            await visit.request()
            await visit.send(answer)

    return behave


def once(answer: bytes) -> Behaviour:
    """Answers one request and hangs up."""

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.send(answer)

    return behave
