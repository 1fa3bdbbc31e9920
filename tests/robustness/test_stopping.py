"""Stopping the real command while many answers stream."""

import http.client
import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from cli.running import running

CLIENTS = 20
PROMPT = "word " * 400


@contextmanager
def streaming(port: int) -> Iterator[list[http.client.HTTPResponse]]:
    """As many streams, each with its first chunk read."""
    body = {"model": "custom-claude-4-sonnet", "stream": True, "messages": [{"role": "user", "content": PROMPT}]}
    with ExitStack() as stack:
        streams = []
        for _ in range(CLIENTS):
            client = stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)))
            client.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
            streams.append(stack.enter_context(client.getresponse()))
            assert streams[-1].readline().startswith(b"data: ")
        yield streams


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_every_stream_under_way_comes_to_its_end(tmp_path: Path, number: signal.Signals) -> None:
    with running("--demo", "--port", "0", home=tmp_path) as command, streaming(command.port()) as streams:
        command.signal(number)
        ends = [stream.read()[-14:] for stream in streams]
        assert ends == [b"data: [DONE]\n\n"] * CLIENTS
        assert (command.end(), command.errors().count("Traceback")) == (0, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_them_all(tmp_path: Path, number: signal.Signals) -> None:
    with running("--demo", "--port", "0", home=tmp_path) as command, streaming(command.port()) as streams:
        command.signal(number)
        streams[0].readline()
        command.signal(signal.SIGTERM if number == signal.SIGINT else signal.SIGINT)
        assert (command.end(), command.errors().count("Traceback")) == (0, 0)


def test_what_the_drain_does_not_wait_for_is_cut(tmp_path: Path) -> None:
    with (
        running("--demo", "--port", "0", home=tmp_path, extra={"DRAIN_SECONDS": "0"}) as command,
        streaming(command.port()),
    ):
        command.signal(signal.SIGTERM)
        assert (command.end(), command.errors().count("Traceback")) == (0, 0)
