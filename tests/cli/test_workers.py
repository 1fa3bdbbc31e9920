"""`--workers`: one port, several processes, and one server as far as anybody can see."""

import asyncio
import http.client
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cli.running import PATIENCE_SECONDS, Command, finished, running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children of a process are read from /proc")

ASK = {"model": "custom-claude-4-sonnet", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def extra(simulator_url: str) -> dict[str, str]:
    return {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": simulator_url}


@contextmanager
def two_workers(home: Path, extra: dict[str, str]) -> Iterator[tuple[Command, int]]:
    with running("--workers", "2", "--upstream", "api", "--port", "0", home=home, extra=extra) as command:
        yield command, command.port()


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(word) for word in text.split()]


def fetched(port: int, path: str, body: dict[str, object] | None = None, *, key: str = "any") -> tuple[int, str]:
    """By a connection of its own: any worker may take it."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        content = json.dumps(body) if body else None
        headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        client.request("POST" if body else "GET", path, content, headers)
        answer = client.getresponse()
        return answer.status, answer.read().decode()
    finally:
        client.close()


def requests_counted(port: int) -> tuple[str, float]:
    """When the worker started that has answered, and the answers that it knows of."""
    page = fetched(port, "/metrics")[1]
    started = re.search(r"^process_start_time_seconds (\S+)$", page, re.MULTILINE)
    counted = r'^claude_openai_proxy_requests_total\{.*route="/v1/chat/completions".*\} (\S+)$'
    assert started
    return started[1], sum(map(float, re.findall(counted, page, re.MULTILINE)))


def until_all_count(port: int, expected: float) -> None:
    """Until both workers know of as many; neither ever tells more."""
    know: set[str] = set()
    until = time.monotonic() + PATIENCE_SECONDS
    while len(know) < 2:
        assert time.monotonic() < until, f"only {len(know)} workers have counted {expected}"
        worker, count = requests_counted(port)
        assert count <= expected
        if count == expected:
            know.add(worker)


async def test_what_all_workers_count_is_added_up_and_outlives_one_that_is_killed(
    tmp_path: Path, extra: dict[str, str]
) -> None:
    def body() -> None:
        with two_workers(tmp_path, extra) as (command, port):
            for _ in range(12):
                assert fetched(port, "/v1/chat/completions", dict(ASK))[0] == 200
            until_all_count(port, 12)

            os.kill(children(command.process.pid)[0], signal.SIGKILL)
            command.line(r"^Worker \d has ended \(signal 9\): starting it again\.$")
            until_all_count(port, 12)
            assert fetched(port, "/v1/chat/completions", dict(ASK))[0] == 200
            until_all_count(port, 13)

    await asyncio.to_thread(body)


async def test_what_one_worker_keeps_any_other_gives(tmp_path: Path, extra: dict[str, str]) -> None:
    def body() -> None:
        with two_workers(tmp_path, extra) as (_, port):
            until_all_count(port, 0)
            ask = {"model": "custom-claude-4-sonnet", "input": "hi"}
            made = [fetched(port, "/v1/responses", dict(ask)) for _ in range(8)]
            assert [status for status, _ in made] == [200] * 8, made
            ids = [json.loads(body)["id"] for _, body in made]
            read = [json.loads(fetched(port, f"/v1/responses/{id_}")[1]) for id_ in ids]
            assert [(one["id"], one["status"]) for one in read] == [(id_, "completed") for id_ in ids]

    await asyncio.to_thread(body)


def assert_wired_after_the_fork(supervisor: int, workers: list[int]) -> None:
    """Who forks has one thread and nothing of a server open but its sockets; each worker has its own."""

    def opened(pid: int) -> list[str]:
        names = []
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                names.append(str(link.readlink()))
        return names

    assert len(list(Path(f"/proc/{supervisor}/task").iterdir())) == 1
    assert not any("state.db" in name or "eventpoll" in name for name in opened(supervisor))
    for pid in workers:
        assert any(name.endswith("state.db") for name in opened(pid))


async def test_a_key_s_limit_is_one_for_all_workers(tmp_path: Path, extra: dict[str, str]) -> None:
    def body() -> None:
        made = finished("keys", "add", "ann", "--rpm", "10", home=tmp_path, extra=extra)
        key = re.search(r"cop_\S+", made.stdout)
        assert key, made.stderr
        with two_workers(tmp_path, extra) as (_, port):
            statuses = [fetched(port, "/v1/chat/completions", dict(ASK), key=key[0])[0] for _ in range(30)]
        assert set(statuses) == {200, 429}
        assert 10 - 1 <= statuses.count(200) <= 10, "a tenth may lie unused with the other one"

    await asyncio.to_thread(body)


async def test_one_signal_ends_them_all(tmp_path: Path, extra: dict[str, str]) -> None:
    def body() -> None:
        with two_workers(tmp_path, extra) as (command, port):
            command.line(r"^Workers: 2 processes share the port and what bounds it$")
            until_all_count(port, 0)
            workers = children(command.process.pid)
            assert len(workers) == 2
            assert_wired_after_the_fork(command.process.pid, workers)

            command.signal(signal.SIGTERM)

            assert command.end() == 0
            assert "Traceback" not in command.errors()
            assert not any(Path(f"/proc/{pid}").exists() for pid in workers)

    await asyncio.to_thread(body)


async def test_workers_end_with_a_supervisor_that_is_killed(tmp_path: Path, extra: dict[str, str]) -> None:
    def body() -> None:
        with two_workers(tmp_path, extra) as (command, port):
            until_all_count(port, 0)
            command.signal(signal.SIGKILL)
            stopped = {command.line(r"^Worker (\d): Stopped\.$")[1] for _ in range(2)}
            assert stopped == {"1", "2"}

    await asyncio.to_thread(body)


def test_a_start_that_must_not_be_is_told_once(tmp_path: Path) -> None:
    words = ("--workers", "3", "--upstream", "api", "--host", "0.0.0.0", "--port", "0")
    public = finished(*words, home=tmp_path, extra={"ANTHROPIC_API_KEY": "k"})

    assert public.returncode == 2
    assert public.stderr.count("Give clients a key first") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--demo", "--workers", "2"), "WORKERS=2: the demo keeps everything in one process"),
        (("--workers", "0"), "WORKERS from --workers is '0'"),
    ],
)
def test_what_cannot_be_shared_is_refused(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    refused = finished(*words, home=tmp_path)

    assert refused.returncode == 2
    assert told in refused.stderr
