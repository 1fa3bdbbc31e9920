"""Stopping: running answers finish, a second signal ends them, and the exit code is 0."""

import http.client
import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.running import Command, running

DEMO = ("--demo", "--port", "0")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_idle_server_stops_at_once(tmp_path: Path, number: signal.Signals) -> None:
    with running(*DEMO, home=tmp_path) as command:
        port = command.port()
        idle = http.client.HTTPConnection("127.0.0.1", port)
        idle.request("GET", "/health")
        idle.getresponse().read()

        command.signal(number)

        assert (command.end(), command.errors().count("Traceback")) == (0, 0)
        idle.close()


@contextmanager
def slow_upstream() -> Iterator[tuple[str, threading.Event, threading.Event]]:
    """A Messages API that answers in two halves: the second one when `finish` is set. `asked`: a request is there."""
    asked, finish = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=_answer_until_closed, args=(listener, asked, finish))
        serving.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked, finish
        finally:
            finish.set()
            listener.shutdown(socket.SHUT_RDWR)
            serving.join()


def _answer_until_closed(listener: socket.socket, asked: threading.Event, finish: threading.Event) -> None:
    answers = []
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            break
        answers.append(threading.Thread(target=_answer, args=(connection, asked, finish)))
        answers[-1].start()
    for answer in answers:
        answer.join()


def _answer(connection: socket.socket, asked: threading.Event, finish: threading.Event) -> None:
    with connection:
        head = connection.recv(65_536)
        if not head.startswith(b"POST /v1/messages"):
            connection.sendall(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            return
        first, rest = _events()
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n" + first)
        asked.set()
        finish.wait(30)
        connection.send(rest)


def _events() -> tuple[bytes, bytes]:
    message: dict[str, object] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    events: list[dict[str, object]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "first"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " second"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 2},
        },
        {"type": "message_stop"},
    ]
    encoded = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]
    return b"".join(encoded[:3]), b"".join(encoded[3:])


@contextmanager
def answering(
    home: Path, *, drain_seconds: int
) -> Iterator[tuple[Command, http.client.HTTPResponse, int, threading.Event]]:
    """A server with one streamed answer under way, half of which has arrived."""
    with slow_upstream() as (url, asked, finish):
        extra = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": url, "DRAIN_SECONDS": str(drain_seconds)}
        with running("--upstream", "api", "--port", "0", home=home, extra=extra) as command:
            port = command.port()
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            body = {"model": "custom-claude-4-sonnet", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
            client.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
            assert asked.wait(30)
            with client.getresponse() as response:
                while b"first" not in response.readline():
                    pass
                yield command, response, port, finish
            client.close()


def no_longer_accepting(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except ConnectionError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_running_answer_finishes_while_nobody_else_is_let_in(tmp_path: Path, number: signal.Signals) -> None:
    with answering(tmp_path, drain_seconds=30) as (command, response, port, finish):
        command.signal(number)
        while not no_longer_accepting(port):
            pass
        finish.set()

        rest = response.read()

        assert b"second" in rest
        assert rest.rstrip().endswith(b"data: [DONE]")
        assert command.end() == 0


def test_an_answer_that_takes_longer_than_the_drain_is_ended(tmp_path: Path) -> None:
    with answering(tmp_path, drain_seconds=0) as (command, response, _, _finish):
        command.signal(signal.SIGTERM)

        assert command.end() == 0
        assert b"[DONE]" not in broken_off(response)


def test_a_second_signal_ends_a_running_answer(tmp_path: Path) -> None:
    with answering(tmp_path, drain_seconds=3600) as (command, response, port, _finish):
        command.signal(signal.SIGTERM)
        while not no_longer_accepting(port):
            pass
        command.signal(signal.SIGTERM)

        assert command.end() == 0
        assert b"[DONE]" not in broken_off(response)


def broken_off(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read()
    except http.client.IncompleteRead as cut:
        return cut.partial
