"""Connections of the simulated server: they read requests and write what the script says, when it says so."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import cast

import httptools

from claude_openai_proxy.simulator.received import ReceivedRequest

Respond = Callable[[ReceivedRequest, "Connection"], Awaitable[None]]

LINGER_NOT = struct.pack("ii", 1, 0)


class Connection(asyncio.Protocol):
    """Server side of one HTTP/1.1 connection. Requests are answered one after the other, in the order they came."""

    def __init__(self, respond: Respond, connections: "Connections") -> None:
        self._respond = respond
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[ReceivedRequest] = deque()
        self._answering: ReceivedRequest | None = None
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._ended_by_us = False
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []

    # ---- asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The caller is here."""
        # uvloop's transports are none of asyncio's classes, they only behave like them.
        self._transport = cast(asyncio.Transport, transport)
        self._writable.set()
        self._connections.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The caller has left, or the answer closed the connection itself."""
        self._transport = None
        if not self._ended_by_us:
            for request in [*([self._answering] if self._answering else []), *self._waiting]:
                request.gone.set()
        self._waiting.clear()
        if self._task is None:
            self._connections.ended(self, None)
        else:
            self._task.cancel()

    def pause_writing(self) -> None:
        """The caller reads more slowly than it is answered."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """There is room again."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """More of a request."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.cut()

    # ---- httptools --------------------------------------------------------------------------------------------------

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head is complete."""
        if self._headers.get("expect", "").lower() == "100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        target = httptools.parse_url(self._url)
        request = ReceivedRequest(
            method=self._parser.get_method().decode(),
            path=(target.path or b"/").decode(),
            query=(target.query or b"").decode(),
            headers=self._headers,
            body=b"".join(self._body),
        )
        self._waiting.append(request)
        self._begin()
        if self._task is None:
            self._answer()

    # ---- answering --------------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._answer_waiting())
        self._task.add_done_callback(self._answers_ended)

    async def _answer_waiting(self) -> None:
        while self._waiting:
            self._answering = self._waiting.popleft()
            await self._respond(self._answering, self)
            self._answered()

    def _answers_ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self.cut()
        if self._transport is None or failure is not None:
            self._connections.ended(self, failure)
        elif self._waiting:
            self._answer()

    def _answered(self) -> None:
        if self._answering is not None:
            self._answering.answered.set()
            self._answering = None

    async def write(self, data: bytes, *, alone: bool = False, last: bool = False) -> None:
        """One write of its own; `alone` waits until a reader on the same loop has seen these bytes and no others.

        With the `last` one the request is answered: a caller may read it, and leave, before this returns.
        """
        if self._transport is not None:
            self._transport.write(data)
            if last:
                self._answered()
        await asyncio.sleep(0)
        if alone:  # in the first turn the loop only learns that the reader's socket is readable
            await asyncio.sleep(0)
        await self._writable.wait()

    def cut(self) -> None:
        """Abort the connection: the caller sees a reset, not an end."""
        self._ended_by_us = True
        if self._transport is not None:
            with suppress(OSError):  # the caller has reset it first
                self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
            self._transport.abort()

    def close(self) -> None:
        """Close the connection once everything written has left."""
        self._ended_by_us = True
        if self._transport is not None:
            self._transport.close()

    async def aclose(self) -> None:
        """Abort, and wait until nothing of this connection runs any more."""
        self.cut()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])


class Connections:
    """All open connections; keeps what went wrong in answering, which is always a mistake of the simulator."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self._open: set[Connection] = set()
        self._failures: list[BaseException] = []

    def accept(self) -> Connection:
        """The protocol of a new connection."""
        return Connection(self._respond, self)

    def opened(self, connection: Connection) -> None:
        """A caller came."""
        self._open.add(connection)

    def ended(self, connection: Connection, failure: BaseException | None) -> None:
        """Nothing of `connection` runs any more."""
        self._open.discard(connection)
        if failure is not None:
            self._failures.append(failure)

    async def aclose(self) -> None:
        """Abort all; raises the first mistake made in answering."""
        for connection in list(self._open):
            await connection.aclose()
        if self._failures:
            raise self._failures[0]
