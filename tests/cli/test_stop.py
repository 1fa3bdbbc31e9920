"""Stopping: running answers finish, a second signal ends them, and the exit code is 0."""

import http.client
import json
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from cli.running import Command, argv, environment, running

DEMO = ("--demo", "--port", "0")


STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", STOPS)
def test_an_idle_server_stops_at_once(tmp_path: Path, number: signal.Signals) -> None:
    with running(*DEMO, home=tmp_path) as command:
        port = command.port()
        idle = http.client.HTTPConnection("127.0.0.1", port)
        idle.request("GET", "/health")
        idle.getresponse().read()

        command.signal(number)

        assert (command.end(), command.errors().count("Traceback")) == (0, 0)
        command.line(r"^Stopped\.$")
        assert not [line for line in command.seen if line.startswith("Stopping")]
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
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
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
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except ConnectionError:
        return True
    return False


@pytest.mark.parametrize("number", STOPS)
def test_a_running_answer_finishes_while_nobody_else_is_let_in(tmp_path: Path, number: signal.Signals) -> None:
    with answering(tmp_path, drain_seconds=30) as (command, response, port, finish):
        command.signal(number)
        command.line(r"^Stopping: 1 request still running, up to 30 s\. Ctrl-C again ends it now\.$")
        assert no_longer_accepting(port)
        finish.set()

        rest = response.read()

        assert b"second" in rest
        assert rest.rstrip().endswith(b"data: [DONE]")
        assert command.end() == 0
        command.line(r"^Stopped\.$")
        assert "unfinished" not in command.errors()


def test_a_response_in_the_background_finishes_though_its_client_has_left(tmp_path: Path) -> None:
    body = {"model": "claude-sonnet-5-5", "input": "hi", "background": True, "stream": True}
    upstream = ("--upstream", "api", "--port", "0")
    with slow_upstream() as (url, asked, finish):
        extra = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": url}
        with running(*upstream, home=tmp_path, extra=extra) as command:
            with closing(http.client.HTTPConnection("127.0.0.1", command.port(), timeout=30)) as client:
                client.request("POST", "/v1/responses", json.dumps(body), {"content-type": "application/json"})
                with client.getresponse() as response:
                    while not (line := response.readline()).startswith(b"data: {"):
                        pass
                id_ = json.loads(line.removeprefix(b"data: "))["response"]["id"]
                assert asked.wait(30)
            command.signal(signal.SIGTERM)
            command.line(r"^Stopping: \d requests? still running, up to 30 s\.")
            finish.set()
            assert command.end() == 0
        again = running(*upstream, home=tmp_path, extra=extra)
        with again as command, closing(http.client.HTTPConnection("127.0.0.1", command.port(), timeout=30)) as client:
            client.request("GET", f"/v1/responses/{id_}")
            found = json.loads(client.getresponse().read())
    assert (found["status"], "second" in found["output"][0]["content"][0]["text"]) == ("completed", True)


def test_an_answer_that_takes_longer_than_the_drain_is_ended(tmp_path: Path) -> None:
    with answering(tmp_path, drain_seconds=0) as (command, response, _, _finish):
        command.signal(signal.SIGTERM)

        assert_told(response.read())
        assert_one_warning(command)


def test_a_second_signal_ends_a_running_answer(tmp_path: Path) -> None:
    with answering(tmp_path, drain_seconds=3600) as (command, response, port, _finish):
        command.signal(signal.SIGTERM)
        while not no_longer_accepting(port):
            pass
        command.signal(signal.SIGTERM)

        assert_told(response.read())
        assert_one_warning(command)


def assert_told(rest: bytes) -> None:
    """The stream's last event is an error, and its framing is complete: reading it raised nothing."""
    last = rest.strip().rsplit(b"\n\n", 1)[-1]
    error = json.loads(last.removeprefix(b"data: "))["error"]
    assert (error["type"], error["code"]) == ("server_error", "stopping")


def assert_one_warning(command: Command) -> None:
    assert command.end() == 0
    entries = [json.loads(line) for line in command.errors().splitlines()]
    warned = [entry.get("message") for entry in entries if entry["level"] == "warning" and "status" not in entry]
    assert warned == ["stopped with 1 unfinished: each was told so"]
    assert "Traceback" not in command.errors()
    assert not [entry for entry in entries if "exception" in entry]


def test_a_request_that_has_no_answer_yet_is_told_with_its_status(tmp_path: Path) -> None:
    with slow_upstream() as (url, asked, _):
        extra = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": url, "DRAIN_SECONDS": "0"}
        with running("--upstream", "api", "--port", "0", home=tmp_path, extra=extra) as command:
            client = http.client.HTTPConnection("127.0.0.1", command.port(), timeout=60)
            body = {"model": "custom-claude-4-sonnet", "messages": [{"role": "user", "content": "hi"}]}
            client.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
            assert asked.wait(30)
            command.signal(signal.SIGTERM)

            response = client.getresponse()

            assert (response.status, response.headers["retry-after"]) == (503, "5")
            assert json.load(response)["error"]["code"] == "stopping"
            assert_one_warning(command)
            client.close()


def test_a_body_that_does_not_come_does_not_use_up_the_drain(tmp_path: Path) -> None:
    with running(*DEMO, home=tmp_path, extra={"DRAIN_SECONDS": "86400"}) as command:
        with socket.create_connection(("127.0.0.1", command.port()), timeout=60) as half_sent:
            half_sent.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                b"expect: 100-continue\r\ncontent-length: 100\r\n\r\n"
            )
            assert half_sent.recv(100).startswith(b"HTTP/1.1 100")
            half_sent.sendall(b"{")
            command.signal(signal.SIGTERM)
            answer = half_sent.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 503")
        assert command.end() == 0


def test_nohup_is_not_undone(tmp_path: Path) -> None:
    with running_under_nohup(tmp_path) as command:
        port = command.port()
        command.signal(signal.SIGHUP)
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        client.request("GET", "/health")
        assert client.getresponse().status == 200
        client.close()
        command.signal(signal.SIGTERM)
        assert command.end() == 0


@contextmanager
def running_under_nohup(home: Path) -> Iterator[Command]:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with running(*DEMO, home=home) as command:
            signal.signal(signal.SIGHUP, before)
            yield command
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_working_directory_that_is_gone_is_told_in_one_line(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["/bin/sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", *argv(*DEMO)],
        cwd=gone,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "claude-openai-proxy: The working directory is gone. Change to one that exists, and start again."
    ]
