"""Processes and their pipes, against a stand-in that misbehaves on demand."""

import asyncio
import os
import signal
from collections import UserDict
from collections.abc import ItemsView, Mapping
from pathlib import Path

import pytest

from claude_openai_proxy.errors import (
    UpstreamConnectionError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
)
from claude_openai_proxy.upstreams.claude_code.private import NOTE
from claude_openai_proxy.upstreams.claude_code.process import CliProcess, Launch, spawn
from claude_openai_proxy.upstreams.claude_code.turn import Turn
from claude_openai_proxy.upstreams.interface import AnswerFacts
from upstreams.claude_code.fake_cli import install_fake_cli
from upstreams.claude_code.recordings import recorded
from upstreams.claude_code.requests_of_the_tests import asking, text_of

TEXT = [line.decode() for line in recorded("text")]
BEGUN = TEXT[: next(number for number, line in enumerate(TEXT) if "content_block_delta" in line) + 1]


async def read(turn: Turn) -> str:
    await turn.begin()
    return text_of([event async for batch in turn for event in batch])


def turn_on(process: CliProcess, *, timeout: float = 10.0) -> Turn:
    return Turn(process, asking(), AnswerFacts(), now=0.0, timeout=timeout, deadline=None)


async def failure_of_a_turn(launch: Launch, *, patience: float = 10.0) -> UpstreamError:
    process = await spawn(launch)
    try:
        with pytest.raises(UpstreamError) as raised:
            await read(turn_on(process, timeout=patience))
    finally:
        await process.end(interrupt=True)
    return raised.value


def made(directory: Path, *names: str) -> Path:
    directory.mkdir(parents=True)
    for name in names:
        (directory / name).touch()
    return directory


def names_in(directory: Path) -> list[str]:
    return [entry.name for entry in directory.iterdir()]


def left_in(temporary: Path) -> list[str]:
    """The private directories that there are."""
    return [entry.name for parent in temporary.iterdir() for entry in parent.iterdir()]


async def test_a_turn_is_read_from_recorded_lines(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=TEXT)
    process = await spawn(launch)

    assert await read(turn_on(process)) == "Hello, 世界 🌍"
    await process.end(interrupt=False)


async def test_an_end_that_is_cancelled_closes_its_pipes_all_the_same(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=TEXT)
    process = await spawn(launch)
    ending = asyncio.create_task(process.end(interrupt=False))
    await asyncio.sleep(0)
    ending.cancel()
    await asyncio.wait([ending])
    assert (ending.cancelled(), process._stdin.is_closing()) == (True, True)
    await process.end(interrupt=False)


async def test_a_process_that_dies_costs_its_request_and_says_so(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=[*BEGUN, "exit"])

    assert isinstance(await failure_of_a_turn(launch), UpstreamConnectionError)


async def test_garbage_on_stdout_is_a_protocol_error(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=["Segmentation fault", "hang"])

    assert isinstance(await failure_of_a_turn(launch), UpstreamProtocolError)


async def test_a_refused_set_up_is_never_overlooked(tmp_path: Path, launch: Launch) -> None:
    refused = '{"type":"control_response","response":{"subtype":"error","request_id":"settings","error":"no such"}}'
    install_fake_cli(tmp_path, turn=[refused, *TEXT])

    error = await failure_of_a_turn(launch)

    assert isinstance(error, UpstreamProtocolError)
    assert "no such" in error.message


async def test_silence_before_the_first_frame_is_a_time_out(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=["hang"])

    error = await failure_of_a_turn(launch, patience=0.2)

    assert isinstance(error, UpstreamTimeoutError)
    assert error.phase == "first byte"


async def test_a_process_that_fails_at_its_start_is_quoted(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, start=["stderr error: unknown option '--tools'", "exit"])

    with pytest.raises(UpstreamConnectionError, match="unknown option '--tools'") as raised:
        await spawn(launch)
    assert not raised.value.reached


async def test_a_process_that_never_gets_ready_is_a_time_out(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, start=["hang"])

    with pytest.raises(UpstreamTimeoutError) as raised:
        await spawn(Launch(launch.cli, launch.environment, 0.3))
    assert raised.value.phase == "connect"


async def test_a_missing_program_is_one_clear_line(launch: Launch) -> None:
    with pytest.raises(UpstreamConnectionError, match="could not be started: No such file or directory"):
        await spawn(launch)


async def test_nothing_is_left_of_an_ended_process(tmp_path: Path, launch: Launch, private_directories: Path) -> None:
    install_fake_cli(tmp_path, turn=["hang"])
    process = await spawn(launch)
    pid = process._transport.get_pid()
    sessions = made(tmp_path / "home" / ".claude" / "sessions", f"{pid}.json", f"{pid}.abc.key", "1.json")
    assert left_in(private_directories) != []

    await process.end(interrupt=True)

    assert left_in(private_directories) == []
    assert names_in(sessions) == ["1.json"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_what_a_process_started_ends_with_it(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=["hang"])
    process = await spawn(launch)

    assert os.getpgid(process._transport.get_pid()) == process._transport.get_pid() != os.getpgid(0)
    await process.end(interrupt=False)


async def test_a_chatty_stderr_does_not_block(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=["stderr " + "x" * 1_000_000, *TEXT])
    process = await spawn(launch)

    assert await read(turn_on(process)) == "Hello, 世界 🌍"
    await process.end(interrupt=False)


async def test_a_reader_that_waits_holds_the_process_back(tmp_path: Path, launch: Launch) -> None:
    big = '{"type":"stream_event","event":{"type":"ping"},"x":"' + "x" * 100_000 + '"}'
    install_fake_cli(tmp_path, turn=[*BEGUN, *[big] * 200, *TEXT[len(BEGUN) :]])
    process = await spawn(launch)
    turn = turn_on(process)

    await turn.begin()
    async with asyncio.timeout(5):
        while not process._pipes._paused:  # noqa: ASYNC110  # only the loop sees the pipe fill up
            await asyncio.sleep(0)

    assert text_of([event async for batch in turn for event in batch]) == "Hello, 世界 🌍"
    await process.end(interrupt=False)


class NoRoomForTheNote(UserDict[str, str]):
    """An environment; when it is read for a process that is about to start, its note cannot be written any more."""

    def __init__(self, given: Mapping[str, str], temporary: Path) -> None:
        super().__init__(given)
        self._temporary = temporary

    def items(self) -> ItemsView[str, str]:
        for note in self._temporary.glob(f"*/*/{NOTE}"):
            note.unlink()
            note.mkdir()
        return super().items()


async def test_a_start_that_cannot_be_noted_leaves_nothing(
    tmp_path: Path, launch: Launch, private_directories: Path
) -> None:
    cli = install_fake_cli(tmp_path, started=tmp_path / "started", start=["hang"])
    others = children()

    with pytest.raises(UpstreamConnectionError, match="could not be started: Is a directory"):
        await spawn(Launch(cli, NoRoomForTheNote(launch.environment, private_directories)))

    assert left_in(private_directories) == []
    assert children() == others


def children() -> set[str]:
    """Of this process; what other tests share among themselves may be among them."""
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


@pytest.mark.parametrize("where", ["start", "turn"])
async def test_a_line_without_an_end_is_read_to_a_limit(
    tmp_path: Path, launch: Launch, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr("claude_openai_proxy.upstreams.claude_code.pipes.LARGEST_LINE", 100_000)
    endless = {where: ["x" * 300_000, "hang"]}
    install_fake_cli(tmp_path, **endless)  # type: ignore[arg-type]  # one of its lists

    # One read may bring all of it, its end too: then it is seen to be no frame.
    with pytest.raises(UpstreamProtocolError, match=r"longer than any frame|no frame"):
        await read_once(launch)


async def read_once(launch: Launch) -> None:
    process = await spawn(launch)
    try:
        await read(turn_on(process))
    finally:
        await process.end(interrupt=False)


async def test_a_process_that_ended_before_it_heard_the_request_was_sent_nothing(
    tmp_path: Path, launch: Launch
) -> None:
    install_fake_cli(tmp_path)
    process = await spawn(launch)
    os.kill(process.pid, signal.SIGKILL)

    with pytest.raises(UpstreamConnectionError) as raised:
        await read(turn_on(process))

    assert not raised.value.reached
    await process.end(interrupt=False)
