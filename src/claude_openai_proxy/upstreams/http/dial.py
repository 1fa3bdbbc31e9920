"""The plain way to a server: name, address, TCP, TLS.

| state      | it has                   | it leaves for                                                               |
|------------|--------------------------|-----------------------------------------------------------------------------|
| looking up | nothing                  | connecting (the addresses, the likeliest first); failed                     |
| connecting | one socket               | securing; the next address (refused, or silent for ADDRESS_SECONDS); failed |
| securing   | a TCP connection         | open; failed (no other address is tried: this one has answered)             |
| open       | a transport, handed over | the caller's                                                                |
| failed     | nothing                  | never; a name that led nowhere is looked up anew the next time              |

Invariants: at most one socket is open at a time, and whoever leaves, by an error, a time-out or a cancellation, closes
it; who gets the transport closes it.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Final

from claude_openai_proxy.upstreams.http.names import Address, Names

Dial = Callable[
    [Callable[[], asyncio.Protocol], str, int, ssl.SSLContext | None],
    Awaitable[tuple[asyncio.BaseTransport, asyncio.BaseProtocol]],
]
"""Connects a new protocol to host and port, through TLS where a context is given. Raises `OSError`."""

ADDRESS_SECONDS: Final = 3.0
"""How long one address of several is tried: a name whose IPv6 leads nowhere must not use up all the time."""


class TCPDialer:
    """A `Dial`. It connects to the first address of a host that answers."""

    def __init__(self, names: Names | None = None) -> None:
        self._names = names or Names()

    async def __call__(
        self, protocol_factory: Callable[[], asyncio.Protocol], host: str, port: int, tls: ssl.SSLContext | None
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        """See `Dial`."""
        loop = asyncio.get_running_loop()
        with ExitStack() as undo:
            sock = undo.enter_context(await self._open_socket(host, port))
            connected = await loop.create_connection(
                protocol_factory, sock=sock, ssl=tls, server_hostname=host if tls else None
            )
            undo.pop_all()
        return connected

    async def _open_socket(self, host: str, port: int) -> socket.socket:
        *others, last = await self._names.addresses(host, port)
        for family, address in others:
            try:
                async with asyncio.timeout(ADDRESS_SECONDS):
                    return await _connect(family, address)
            except OSError:
                # The next address may answer; the last one's error is the one that is told.
                continue
        try:
            return await _connect(*last)
        except OSError:
            self._names.forget(host, port)
            raise


async def _connect(family: int, address: Address) -> socket.socket:
    with ExitStack() as undo:
        sock = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        # One event is one small packet: none may wait for the acknowledgement of the one before.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)  # noqa: FBT003 - takes no keyword
        await asyncio.get_running_loop().sock_connect(sock, address)
        undo.pop_all()
    return sock
