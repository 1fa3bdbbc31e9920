"""The sockets that the server listens on, opened before anything else so that a taken port is told at once."""

import contextlib
import errno
import socket
import sys
from collections.abc import Sequence

BACKLOG = 2048
LOOPBACK = ("127.0.0.1", "::1")

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}  # noqa: S104 - compared, not bound
_NO_SUCH_FAMILY = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})


class AddressError(Exception):
    """One line for a person: which address cannot be had, and why."""


def listen(host: str, port: int, *, tries: int = 10) -> list[socket.socket]:
    """Listening sockets for every address of `host`, all on one port. Raises `AddressError`.

    `localhost` is both loopback addresses, the second one where the machine has it. Port 0 is any port that is free on
    all addresses; `tries` of them are looked at.
    """
    try:
        return _listen_on_all(LOOPBACK if host == "localhost" else _addresses(host), port)
    except OSError as error:
        if port == 0 and error.errno == errno.EADDRINUSE and tries > 1:
            return listen(host, port, tries=tries - 1)
        raise AddressError(_why(error, host, port)) from None


def urls(sockets: Sequence[socket.socket]) -> list[str]:
    """What to type into a browser for each socket."""
    return [f"http://{_bracketed(address[0])}:{address[1]}" for address in (one.getsockname() for one in sockets)]


def reached_at(host: str) -> str:
    """The address at which a server of this machine answers that listens on `host`."""
    return _EVERYWHERE.get(host, host)


def _addresses(host: str) -> Sequence[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise AddressError(f"{host} is no address of this machine: set --host (PROXY_HOST) to one that is.") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _listen_on_all(addresses: Sequence[str], port: int) -> list[socket.socket]:
    """Addresses of a family that the machine does not have are left out, as long as one remains."""
    missing: OSError | None = None
    with contextlib.ExitStack() as undo:
        sockets: list[socket.socket] = []
        for address in addresses:
            try:
                sockets.append(undo.enter_context(_listening(address, port)))
            except OSError as error:
                if error.errno not in _NO_SUCH_FAMILY:
                    raise
                missing = error
            else:
                port = sockets[0].getsockname()[1]
        if missing and not sockets:
            raise missing
        undo.pop_all()
    return sockets


def _listening(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would let a second program take the port over
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != "::")
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
        listener.settimeout(0)
    except OSError:
        listener.close()
        raise
    return listener


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program. Stop it, or choose another port: "
            f"claude-openai-proxy --port {port + 1 if port < 65_535 else port - 1}"
        )
    if error.errno == errno.EACCES:
        return (
            f"Port {port} needs rights that this user does not have. Choose one above 1023: "
            "claude-openai-proxy --port 3000"
        )
    return f"{host} port {port} cannot be listened on: {error.strerror}."


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
