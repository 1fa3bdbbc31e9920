"""The helper command: run through the shell, in time, once for all who ask, and never quoted."""

import asyncio
import os
from pathlib import Path

import pytest

from claude_openai_proxy.errors import NoLoginError
from claude_openai_proxy.logins.key_helper import HelperCommand, KeyHelper

COUNTING = 'echo run >> "$RUNS"; echo "key-$(wc -l < "$RUNS" | tr -d " ")"'


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def helper(
    tmp_path: Path, command: str, *, clock: Clock | None = None, ttl: float = 300, timeout: float = 10
) -> KeyHelper:
    environment = {"RUNS": str(tmp_path / "runs"), "PATH": "/usr/bin:/bin"}
    what = HelperCommand(command, "settings.json", environment, tmp_path, ttl)
    return KeyHelper(what, clock=clock or Clock(), timeout=timeout)


def runs(tmp_path: Path) -> int:
    return len((tmp_path / "runs").read_text().splitlines())


async def test_its_output_without_white_space_is_the_key(tmp_path: Path) -> None:
    assert await helper(tmp_path, "printf ' \\n sk-%s \\n\\n' one").key() == "sk-one"


async def test_it_runs_in_the_given_place_with_the_given_environment_only(tmp_path: Path) -> None:
    (tmp_path / "here").touch()

    assert await helper(tmp_path, 'echo "$(ls)-$(env | grep -c "^RUNS=")-${HOME:-unset}"').key() == "here-1-unset"


async def test_a_key_is_kept_for_its_time(tmp_path: Path) -> None:
    clock = Clock()
    asked = helper(tmp_path, COUNTING, clock=clock, ttl=300)

    assert [await asked.key(), await asked.key()] == ["key-1", "key-1"]
    clock.now += 299
    assert await asked.key() == "key-1"
    clock.now += 1
    assert await asked.key() == "key-2"


async def test_a_refused_key_is_replaced_once(tmp_path: Path) -> None:
    asked = helper(tmp_path, COUNTING)
    first = await asked.key()

    asked.forget(first)
    assert await asked.key() == "key-2"
    asked.forget(first)
    assert await asked.key() == "key-2"
    assert runs(tmp_path) == 2


async def test_many_who_ask_at_once_share_one_run(tmp_path: Path) -> None:
    asked = helper(tmp_path, COUNTING)

    keys = await asyncio.gather(*(asked.key() for _ in range(20)))

    assert (set(keys), runs(tmp_path)) == ({"key-1"}, 1)


async def test_many_who_ask_at_once_share_one_failure_and_the_next_one_tries_again(tmp_path: Path) -> None:
    clock = Clock()
    asked = helper(tmp_path, 'echo run >> "$RUNS"; exit 3', clock=clock)

    outcomes = await asyncio.gather(*(asked.key() for _ in range(20)), return_exceptions=True)

    assert all(isinstance(outcome, NoLoginError) for outcome in outcomes)
    assert runs(tmp_path) == 1
    clock.now += 1
    with pytest.raises(NoLoginError):
        await asked.key()
    assert runs(tmp_path) == 2


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("echo sk-secret; echo sk-secret >&2; exit 7", "failed with exit code 7"),
        ("true", "printed nothing"),
        ("echo 'sk-secret two'", "printed something that is no key"),
        ("echo sk-secret; echo sk-secret", "printed something that is no key"),
        ("printf 'sk-secret\\377'", "printed something that is no key"),
        ("head -c 300000 /dev/zero | tr '\\0' ' '", "printed nothing"),
        ("/no/such/program", "failed with exit code 127"),
    ],
)
async def test_a_failure_is_told_without_what_was_printed(tmp_path: Path, command: str, what: str) -> None:
    with pytest.raises(NoLoginError) as failed:
        await helper(tmp_path, command).key()

    assert failed.value.message == (
        f"The apiKeyHelper command of settings.json {what}. Run it in a terminal to see why."
    )


async def test_a_place_that_does_not_exist_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(NoLoginError, match="could not be started"):
        await helper(tmp_path / "none", "true").key()


async def test_a_silent_helper_is_ended_with_whatever_it_started(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    child = f"exec 3>'{tmp_path / 'pipe'}'; echo started >&3; sleep 60"

    with pytest.raises(NoLoginError, match=r"did not answer within 0\.5 seconds"):
        await helper(tmp_path, f'sh -c "{child}" & sleep 60', timeout=0.5).key()

    assert await until_every_writer_is_gone(reader) == b"started\n"


async def until_every_writer_is_gone(descriptor: int) -> bytes:
    stream = asyncio.StreamReader()
    with os.fdopen(descriptor, "rb") as pipe:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), pipe
        )
        written = await stream.read()
        transport.close()
        await asyncio.sleep(0)
    return written


async def test_one_who_leaves_does_not_take_the_key_from_the_others(tmp_path: Path) -> None:
    asked = helper(tmp_path, f"sleep 0.2; {COUNTING}")
    leaving = asyncio.ensure_future(asked.key())
    staying = asyncio.ensure_future(asked.key())
    await asyncio.sleep(0)
    leaving.cancel()

    assert await staying == "key-1"


def test_no_command_is_printed(tmp_path: Path) -> None:
    assert "sk-secret" not in repr(helper(tmp_path, "echo sk-secret").command)
