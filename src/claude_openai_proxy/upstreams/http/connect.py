"""Connections ready for a request: directly, or through a proxy; foreign errors get the proxy's own names here."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from claude_openai_proxy.errors import UpstreamConnectionError
from claude_openai_proxy.upstreams.http.address import URL, Origin
from claude_openai_proxy.upstreams.http.connection import Connection, timeout_error
from claude_openai_proxy.upstreams.http.dial import Dial
from claude_openai_proxy.upstreams.http.proxies import Proxies, Proxy
from claude_openai_proxy.upstreams.http.request import HeadEncoder, Patience, Request


class Connector:
    """Opens connections. `tls` is asked for a context when one is needed; `connections` holds all open ones."""

    def __init__(
        self,
        *,
        dial: Dial,
        tls: Callable[[], ssl.SSLContext],
        proxies: Proxies,
        connections: set[Connection],
    ) -> None:
        self.proxies = proxies
        self._dial = dial
        self._make_context = tls
        self._context: ssl.SSLContext | None = None
        self._connections = connections

    async def connect(self, origin: Origin, patience: Patience) -> Connection:
        """Raises `UpstreamConnectionError` (never reached) and `UpstreamTimeoutError` (connect, total)."""
        loop = asyncio.get_running_loop()
        at = loop.time() + patience.silence
        phase_end = at if patience.deadline is None else min(at, patience.deadline)
        try:
            async with asyncio.timeout_at(phase_end):
                return await self._connect(origin, patience)
        except TimeoutError as error:
            raise timeout_error(
                origin.authority, "connect" if phase_end == at else "total", patience.silence
            ) from error

    async def _connect(self, origin: Origin, patience: Patience) -> Connection:
        proxy = self.proxies.choose(origin)
        if proxy is not None and origin.scheme == "https":
            return await self._tunnel(origin, proxy, patience)
        connection = Connection(origin, self._connections)
        if proxy is None:
            await self._open(connection, origin)
        else:
            await self._open_to_proxy(connection, origin, proxy)
        return connection

    async def _open_to_proxy(self, connection: Connection, origin: Origin, proxy: Proxy) -> None:
        try:
            await self._open(connection, proxy.origin)
        except UpstreamConnectionError as error:
            message = f"The proxy that {origin.scheme.upper()}_PROXY names cannot be used. {error.message}"
            raise UpstreamConnectionError(message, reached=False) from error

    async def _open(self, connection: Connection, origin: Origin) -> None:
        with renamed_errors(origin):
            context = self._tls() if origin.scheme == "https" else None
            await self._dial(lambda: connection, origin.host, origin.port, context)

    async def _tunnel(self, origin: Origin, proxy: Proxy, patience: Patience) -> Connection:
        connection = Connection(origin, self._connections)
        tunnel = Connection(proxy.origin, set())
        await self._open_to_proxy(tunnel, origin, proxy)
        with ExitStack() as undo:
            undo.callback(tunnel.abort)
            await _ask_for_tunnel(tunnel, origin, proxy, patience)
            with renamed_errors(origin):
                await _start_tls(tunnel, connection, self._tls())
            undo.pop_all()
        return connection

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = self._make_context()
        return self._context


async def _ask_for_tunnel(tunnel: Connection, origin: Origin, proxy: Proxy, patience: Patience) -> None:
    request = Request("CONNECT", URL(origin, origin.authority), proxy.headers)
    try:
        response = await tunnel.exchange(HeadEncoder().encode(request), b"", patience)
    except UpstreamConnectionError as error:
        raise UpstreamConnectionError(f"The proxy {error.message}", reached=False) from error
    if not 200 <= response.status < 300:
        raise UpstreamConnectionError(
            f"The proxy {tunnel.peer} does not connect to {origin.authority}: it answered {response.status}",
            reached=False,
        )


async def _start_tls(tunnel: Connection, connection: Connection, context: ssl.SSLContext) -> None:
    loop = asyncio.get_running_loop()
    tunnel.rest()
    transport = await loop.start_tls(tunnel.transport, connection, context, server_hostname=connection.origin.host)
    if transport is None:
        raise ConnectionAbortedError("closed during the TLS handshake")
    connection.connection_made(transport)


@contextmanager
def renamed_errors(origin: Origin) -> Iterator[None]:
    """Whatever goes wrong while connecting becomes an `UpstreamConnectionError` that names the host and the cause."""
    try:
        yield
    except (OSError, UnicodeError) as error:
        raise UpstreamConnectionError(_sentence(origin, error), reached=False) from error


def _sentence(origin: Origin, error: OSError | UnicodeError) -> str:
    where = origin.authority
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"The certificate of {where} is not trusted ({error.verify_message}). "
            "If your network puts its own certificate there, name its file in SSL_CERT_FILE"
        )
    if isinstance(error, ssl.SSLError):
        return f"No TLS connection to {where}: {error.reason or error}"
    if isinstance(error, socket.gaierror):
        return f"The host {origin.host} was not found ({error.strerror})"
    if isinstance(error, ConnectionRefusedError):
        return f"{where} refuses connections"
    return f"No connection to {where}: {getattr(error, 'strerror', None) or error}"
