"""Standard streams that are closed, full, or that nobody reads any more."""

import json
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.running import PATIENCE_SECONDS, argv, environment, running

FULL = Path("/dev/full")


@contextmanager
def started_by_shell(redirections: str, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A demo whose standard streams the shell sends elsewhere, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = " ".join(argv("--demo", "--host", "127.0.0.1", "--port", str(port)))
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {command} {redirections}"], cwd=home, env=environment(home), stdin=subprocess.DEVNULL
    )
    try:
        yield process, port
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    """Whether it answers, once it can."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=PATIENCE_SECONDS) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    "redirections", [">&-", "2>&-", ">&- 2>&- <&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full"]
)
def test_a_stream_that_takes_nothing_ends_nothing(redirections: str, tmp_path: Path) -> None:
    if "full" in redirections and not FULL.exists():
        pytest.skip("this machine has no /dev/full")
    with started_by_shell(redirections, tmp_path) as (process, port):
        assert answers(port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0


def test_a_reader_that_takes_the_first_line_and_leaves_ends_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        argv("--demo", "--host", "127.0.0.1", "--port", "0"), cwd=tmp_path, env=environment(tmp_path),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(b":")[2])
        process.stdout.close()
        assert answers(port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("redirections", ["2>&-", "2>/dev/full"])
def test_a_mistake_keeps_its_exit_code_where_nobody_can_be_told(redirections: str, tmp_path: Path) -> None:
    if "full" in redirections and not FULL.exists():
        pytest.skip("this machine has no /dev/full")
    command = " ".join(argv("--demo", "--port", "many"))
    ended = subprocess.run(
        ["/bin/sh", "-c", f"exec {command} {redirections}"], cwd=tmp_path, env=environment(tmp_path),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (2, b"")


def test_start_and_stop_are_events_of_a_json_log(tmp_path: Path) -> None:
    with running("--demo", "--port", "0", home=tmp_path) as command:
        command.line("^Model ")
        command.line("^Model ")
        command.signal(signal.SIGTERM)
        assert command.end() == 0
        events = [json.loads(line) for line in command.errors().splitlines()]
    assert [event["event"] for event in events] == ["started", "stopped"]
    assert any(line.startswith("Listening on ") for line in events[0]["said"])
