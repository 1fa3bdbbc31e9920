"""The real command under clients that take more than their share."""

import asyncio
import gzip
import json
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.running import running
from soak.hostile import CHAT, WHOLE, chat, chat_head, ended, figure, largest_memory, many, sockets

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.timeout(170),
]
DEMO = ("--demo", "--port", "0")


@pytest.fixture(autouse=True)
def own_descriptors() -> Iterator[None]:
    """Enough for this side; the server raises its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8_192, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_silent_connections_lock_nobody_out(tmp_path: Path) -> None:
    """More than the usual limit of descriptors; each is closed when its time for a head is over."""
    count = many(2_000, 40)
    with running(*DEMO, home=tmp_path) as command:
        port = command.port()
        with sockets(port, count) as silent:
            seconds = chat(port)
            figure(f"an honest request beside {count:,} silent connections", f"{seconds * 1000:.0f} ms")
            if WHOLE:
                started = time.monotonic()
                assert {ended(connection) for connection in silent} == {b""}
                figure("all of them closed after", f"{time.monotonic() - started:.1f} s")


def test_slow_heads_lock_nobody_out(tmp_path: Path) -> None:
    """A header line a second, for ever."""
    count = many(1_000, 20)
    with running(*DEMO, home=tmp_path) as command:
        port = command.port()
        with sockets(port, count) as slow:
            for connection in slow:
                connection.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\n")
            figure(f"an honest request beside {count:,} slow heads", f"{chat(port) * 1000:.0f} ms")
            if WHOLE:
                started = time.monotonic()
                answers = [ended(connection).split(b"\r\n", 1)[0] for connection in slow]
                told = answers.count(b"HTTP/1.1 408 Request Timeout")
                assert set(answers) <= {b"HTTP/1.1 408 Request Timeout", b""}
                figure("ended after", f"{time.monotonic() - started:.1f} s, {told:,} with 408")


@pytest.mark.parametrize("head", [b"GET /", b"GET / HTTP/1.1\r\nhost: localhost\r\nx: "], ids=["URL", "header"])
def test_endless_heads_stop_nobody(tmp_path: Path, head: bytes) -> None:
    with running(*DEMO, home=tmp_path) as command:
        port = command.port()
        with sockets(port, many(200, 5)) as endless:
            for connection in endless:
                connection.sendall(head + b"a" * 60_000)
            longest = max(chat(port) for _ in range(3))
            for connection in endless:
                connection.sendall(b"a" * 20_000)
            assert {ended(connection)[:12] for connection in endless} <= {b"HTTP/1.1 414", b"HTTP/1.1 431"}
        figure("an honest request beside endless heads", f"{longest * 1000:.0f} ms")


def test_clients_that_never_read_hold_nothing(tmp_path: Path) -> None:
    count = many(100, 5)
    with endless_upstream() as (url, still_open):
        extra = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": url, "CLIENT_STALL_SECONDS": "1"}
        with running("--upstream", "api", "--port", "0", home=tmp_path, extra=extra) as command:
            body = json.dumps({**CHAT, "stream": True}).encode()
            with sockets(command.port(), count) as deaf:
                for connection in deaf:
                    connection.sendall(chat_head(len(body)) + body)
                started = time.monotonic()
                for _ in range(count):
                    assert still_open.acquire(timeout=100)
                figure(f"{count} clients that never read, let go after", f"{time.monotonic() - started:.1f} s")
                figure("memory at most", f"{largest_memory(command):.0f} MiB")


@contextmanager
def endless_upstream() -> Iterator[tuple[str, threading.Semaphore]]:
    """A Messages API that talks for ever; the semaphore counts the streams that the other side has ended."""
    let_go, up, stop = threading.Semaphore(0), threading.Event(), asyncio.Event()
    there: list[tuple[str, asyncio.AbstractEventLoop]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not (await reader.readuntil(b"\r\n\r\n")).startswith(b"POST"):
                writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                return
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n" + START)
            try:
                while True:
                    writer.write(DELTA)
                    await writer.drain()
            except ConnectionError:
                let_go.release()
        finally:
            writer.close()

    async def serve() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            there.append((url, asyncio.get_running_loop()))
            up.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    up.wait()
    url, loop = there[0]
    try:
        yield url, let_go
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def _event(type_: str, **members: object) -> bytes:
    return f"event: {type_}\ndata: {json.dumps({'type': type_, **members})}\n\n".encode()


START = _event(
    "message_start",
    message={
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5", "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
    },
) + _event("content_block_start", index=0, content_block={"type": "text", "text": ""})  # fmt: skip
DELTA = _event("content_block_delta", index=0, delta={"type": "text_delta", "text": "a" * 8_000})


def test_large_uploads_share_the_room(tmp_path: Path) -> None:
    count, size = many(20, 3), many(30, 2) * 1_000_000
    body = json.dumps(CHAT).encode().ljust(size)
    with running(*DEMO, home=tmp_path) as command:
        port = command.port()
        codes: list[bytes] = []
        threads = [threading.Thread(target=lambda: codes.append(upload(port, body))) for _ in range(count)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(codes) == {b"HTTP/1.1 200 OK"}
        seconds, memory = time.monotonic() - started, largest_memory(command)
        figure(f"{count} uploads of {size // 1_000_000} MB at once", f"{seconds:.1f} s, {memory:.0f} MiB at most")


def upload(port: int, body: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=100) as connection:
        connection.sendall(chat_head(len(body), "connection: close") + body)
        return ended(connection).split(b"\r\n", 1)[0]


def test_gzip_of_empty_members_stops_nobody(tmp_path: Path) -> None:
    """Their clients leave at once; neither an honest client nor the end of the server waits for them."""
    body = gzip.compress(b"") * (many(8_000_000, 500_000) // 20)
    with running(*DEMO, home=tmp_path) as command:
        port = command.port()
        with sockets(port, 6) as hostile:
            for connection in hostile:
                connection.sendall(chat_head(len(body), "content-encoding: gzip") + body)
        seconds = chat(port)
        started = time.monotonic()
        command.signal(signal.SIGTERM)
        assert command.end() == 0
        figure("an honest request beside six bodies of empty members", f"{seconds * 1000:.0f} ms")
        figure("the end of the server", f"{time.monotonic() - started:.1f} s")
