"""A TCP relay between a program and its server, which can refuse, swallow, and bring no answers back."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Way = Literal["open", "refusing", "swallowing", "unanswered"]
"""`unanswered`: what is sent arrives, what comes back does not."""


class Relay:
    """Listens on `port` of 127.0.0.1. `go` changes its way, for connections that are there, too."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._lock = threading.Lock()
        self._way: Way = "open"
        self._pairs: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def go(self, way: Way) -> None:
        """Refusing, it also breaks what is there; what was swallowed before never comes."""
        with self._lock:
            if way == "refusing" or (way == "open" and self._way != "open"):
                self._break()
            self._way = way

    def close(self) -> None:
        """End all of it."""
        with self._lock:
            self._way = "refusing"
            self._break()
        self._listener.close()

    def _break(self) -> None:
        pairs, self._pairs = self._pairs, []
        for one in pairs:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._way == "refusing":
                    near.close()
                    continue
                far = socket.create_connection(self._target)
                self._pairs += [near, far]
            threading.Thread(target=self._pump, args=(near, far, {"open", "unanswered"}), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, {"open"}), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, ways: set[Way]) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if self._way in ways:
                    sink.sendall(data)
        with suppress(OSError):
            if self._way in ways:
                sink.shutdown(socket.SHUT_WR)


@contextmanager
def relay_to(host: str, port: int) -> Iterator[Relay]:
    """An open one."""
    relay = Relay(host, port)
    try:
        yield relay
    finally:
        relay.close()
