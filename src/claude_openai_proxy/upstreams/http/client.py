"""The client: sends requests over kept or new connections."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

from claude_openai_proxy.upstreams.http.connect import Connector
from claude_openai_proxy.upstreams.http.connection import Connection
from claude_openai_proxy.upstreams.http.dial import Dial, TCPDialer
from claude_openai_proxy.upstreams.http.parser import ResponseParser
from claude_openai_proxy.upstreams.http.pool import Pool
from claude_openai_proxy.upstreams.http.proxies import Proxies
from claude_openai_proxy.upstreams.http.request import HeadEncoder, Patience, Request
from claude_openai_proxy.upstreams.http.response import Response
from claude_openai_proxy.upstreams.http.trust import tls_context

LINGER_SECONDS: Final = 2.0
"""How long the formal end of a response may take after the last thing that anybody wanted from it."""
CLOSE_SECONDS: Final = 1.0


class HTTPClient:
    """Streaming HTTP/1.1 over TCP and TLS, with kept connections.

    `idle_per_origin` and `idle_seconds` bound the connections that are kept without use; those in use are not bounded
    here. `dial` replaces the network (a demonstration, a test).
    """

    def __init__(
        self,
        *,
        tls: Callable[[], ssl.SSLContext] = tls_context,
        proxies: Proxies | None = None,
        dial: Dial | None = None,
        idle_per_origin: int = 128,
        idle_seconds: float = 45.0,
    ) -> None:
        self._connections: set[Connection] = set()
        self._heads = HeadEncoder()
        self._pool = Pool(per_origin=idle_per_origin, idle_seconds=idle_seconds)
        self._connector = Connector(
            dial=dial or TCPDialer(), tls=tls, proxies=proxies or Proxies(), connections=self._connections
        )

    async def send(self, request: Request, patience: Patience) -> Response:
        """Send a request; return when the head of its response is there.

        It goes out once. A kept connection that has ended is passed over before anything is written to it; one that
        ends later raises, with `reached` false only where the write itself failed.
        Raises `UpstreamConnectionError`, `UpstreamTimeoutError`, `UpstreamProtocolError`.
        """
        origin = request.url.origin
        head = self._encode_head(request)
        connection = self._pool.take(origin) or await self._connector.connect(origin, patience)
        return await self._exchange(connection, head, request.body, patience)

    async def aclose(self) -> None:
        """Close every connection, those in use too."""
        self._pool.close()
        ends = [connection.ended for connection in self._connections]
        for connection in tuple(self._connections):
            connection.abort()
        if ends:
            await asyncio.wait(ends, timeout=CLOSE_SECONDS)

    @property
    def open_connections(self) -> int:
        """How many there are, kept or in use."""
        return len(self._connections)

    def _encode_head(self, request: Request) -> bytes:
        if request.url.origin.scheme == "https":
            return self._heads.encode(request)
        proxy = self._connector.proxies.choose(request.url.origin)
        return self._heads.encode(request, proxy_headers=proxy.headers if proxy else None)

    async def _exchange(self, connection: Connection, head: bytes, body: bytes, patience: Patience) -> Response:
        parser: ResponseParser | None = None
        try:
            parser = await connection.exchange(head, body, patience)
        finally:
            if parser is None:
                connection.abort()
        return Response(connection, parser, self._release)

    def _release(self, connection: Connection, whole: bool) -> None:  # noqa: FBT001 - the one argument of a callback
        if connection.reusable:
            self._pool.put(connection)
        elif whole and connection.unfinished:
            connection.finish_alone(LINGER_SECONDS, self._keep_or_close)
        else:
            connection.abort()

    def _keep_or_close(self, connection: Connection) -> None:
        if connection.reusable:
            self._pool.put(connection)
        else:
            connection.abort()
