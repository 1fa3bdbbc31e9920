"""A TCP relay between a program and its server, which can refuse, swallow, and bring no answers back."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal, Protocol, cast

Way = Literal["open", "refusing", "swallowing", "unanswered"]
"""`unanswered`: what is sent arrives, what comes back does not."""


class Switch(Protocol):
    """Of a relay that listens on `port` of 127.0.0.1."""

    port: int

    def go(self, way: Way) -> None:
        """See `Relay.go`."""
        ...


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
                if self._way == "swallowing":  # nothing would reach the server
                    self._pairs.append(near)
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


class _Elsewhere:
    """See `Switch`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.port = int(self._answer())

    def go(self, way: Way) -> None:
        """See `Relay.go`; returns once it is so."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{way}\n")
        self._process.stdin.flush()
        self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def relay_process_to(host: str, port: int) -> Iterator[Switch]:
    """An open one in a process of its own, whom many threads of this one do not hold up."""
    command = [sys.executable, __file__, host, str(port)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:  # it ends with its input
        yield _Elsewhere(process)


def main() -> None:
    """Say the port; then go each way that comes in a line, and say so."""
    with relay_to(sys.argv[1], int(sys.argv[2])) as relay:
        sys.stdout.write(f"{relay.port}\n")
        sys.stdout.flush()
        for line in sys.stdin:
            relay.go(cast("Way", line.strip()))
            sys.stdout.write("so\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
