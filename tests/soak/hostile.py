"""Clients that take more than their share, as many as asked for: what they get, and what is left for others.

    SOAK=whole python -m pytest tests/soak -s        prints the figures of docs/operations.md

Without SOAK the numbers are small, so that every run of the tests shows that the commands work.
"""

import http.client
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cli.running import Command

WHOLE = os.environ.get("SOAK") == "whole"
PATIENCE_SECONDS = 60
CHAT = {"model": "custom-claude-4-sonnet", "messages": [{"role": "user", "content": "hi"}]}


def many(whole: int, small: int) -> int:
    return whole if WHOLE else small


def figure(what: str, value: str) -> None:
    print(f"\n{what}: {value}", end="")  # noqa: T201 - what this is for


@contextmanager
def sockets(port: int, count: int) -> Iterator[list[socket.socket]]:
    """As many connections, none of which has said anything."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS))
            for _ in range(count)
        ]


def chat_head(length: int, *more: str) -> bytes:
    lines = ["POST /v1/chat/completions HTTP/1.1", "host: localhost", "content-type: application/json"]
    return "\r\n".join([*lines, f"content-length: {length}", *more, "", ""]).encode()


def chat(port: int, **more: object) -> float:
    """Seconds that a request of an honest client takes; it must be answered."""
    started = time.monotonic()
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    client.request("POST", "/v1/chat/completions", json.dumps({**CHAT, **more}), {"content-type": "application/json"})
    response = client.getresponse()
    assert response.status == 200, response.read()
    response.read()
    client.close()
    return time.monotonic() - started


def ended(connection: socket.socket) -> bytes:
    """What came until the other side ended it; waited for."""
    said = b""
    try:
        while piece := connection.recv(65_536):
            said += piece
    except ConnectionError:
        pass
    return said


def largest_memory(command: Command) -> float:
    """MiB that the process has had at most."""
    status = Path(f"/proc/{command.process.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
