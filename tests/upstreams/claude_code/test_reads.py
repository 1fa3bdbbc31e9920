"""However a turn ends, what comes of it does not depend on how the process's output was cut into reads."""

import asyncio
import os
import time
from pathlib import Path
from typing import cast

import pytest

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.protocols.anthropic import StreamEvent
from claude_openai_proxy.upstreams.claude_code.pipes import Pipes
from claude_openai_proxy.upstreams.claude_code.private import PrivateDirectory
from claude_openai_proxy.upstreams.claude_code.process import CliProcess, Launch
from claude_openai_proxy.upstreams.claude_code.turn import Turn
from claude_openai_proxy.upstreams.interface import AnswerFacts
from upstreams.claude_code.recordings import recorded
from upstreams.claude_code.requests_of_the_tests import asking

Outcome = tuple[list[StreamEvent], type[ProxyError] | None]
TEXT = recorded("text")
NAMES = ("closed_on_the_way", "empty_stream", "error_400", "error_529", "plan_limit", "refusal_after_text", "text")
OUTPUTS: dict[str, list[bytes]] = {
    **{name: recorded(name) for name in NAMES},
    "garbage on the way": [*TEXT[:-4], b"Segmentation fault", *TEXT[-4:]],
    "ended on the way": TEXT[:-4],
    "no stop reason": [line for line in TEXT if b'"message_delta"' not in line],
}


class Written(asyncio.WriteTransport):
    """Takes what the process is told."""

    def is_closing(self) -> bool:
        return False

    def write(self, data: object) -> None:
        pass


class Gone(asyncio.SubprocessTransport):
    """Of a process that has printed all it had to say."""

    def get_pipe_transport(self, fd: int) -> asyncio.BaseTransport | None:
        return Written() if fd == 0 else None

    def get_pid(self) -> int:
        raise ProcessLookupError


async def outcome(*reads: bytes) -> Outcome:
    """The events of a turn whose output came in these reads, and how it failed."""
    pipes = Pipes()
    pipes.exited.set()
    launch = Launch(Path("claude"), {})
    process = CliProcess(Gone(), pipes, cast(PrivateDirectory, None), launch)
    turn = Turn(process, asking(), AnswerFacts(), now=0.0, timeout=10, deadline=None)
    reading = asyncio.create_task(_read(turn))
    for read in reads:
        pipes.pipe_data_received(1, read)
        for _ in range(4):
            await asyncio.sleep(0)
    pipes.pipe_connection_lost(1, None)
    return await reading


async def _read(turn: Turn) -> Outcome:
    events: list[StreamEvent] = []
    try:
        await turn.begin()
        async for batch in turn:
            events += batch
    except ProxyError as error:
        return events, type(error)
    return events, None


async def test_an_empty_line_by_itself_is_not_the_end() -> None:
    expected = await outcome(b"".join(line + b"\n" for line in TEXT))

    assert await outcome(*(read for line in TEXT for read in (b"\n", line + b"\n", b"\r\n"))) == expected


async def test_what_was_printed_while_the_loop_stood_still_is_read_before_silence_is_judged() -> None:
    pipes = Pipes()

    class Stdout(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            pipes.pipe_data_received(1, data)

    read, write = os.pipe()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(Stdout, os.fdopen(read, "rb", 0))
    reading = asyncio.create_task(pipes.lines(within=0.1))
    await asyncio.sleep(0)
    os.write(write, b"late\n")
    time.sleep(0.3)  # noqa: ASYNC251 - the loop is to stand still
    assert await reading == [b"late"]
    os.close(write)
    transport.close()


async def test_whoever_iterates_again_goes_on() -> None:
    pipes = Pipes()
    pipes.exited.set()
    process = CliProcess(Gone(), pipes, cast(PrivateDirectory, None), Launch(Path("claude"), {}))
    turn = Turn(process, asking(), AnswerFacts(), now=0.0, timeout=10, deadline=None)
    pipes.pipe_data_received(1, b"".join(line + b"\n" for line in TEXT[:-4]))
    await turn.begin()
    first = list(await anext(aiter(turn)))
    pipes.pipe_data_received(1, b"".join(line + b"\n" for line in TEXT[-4:]))
    following = list(await anext(aiter(turn)))
    assert first + following == (await outcome(b"".join(line + b"\n" for line in TEXT)))[0]


@pytest.mark.parametrize("name", list(OUTPUTS))
async def test_every_split_of_the_output_is_the_same_turn(name: str) -> None:
    lines = OUTPUTS[name]
    printed = b"".join(line + b"\n" for line in lines)
    whole = await outcome(printed)
    assert whole[0] or whole[1]
    ends = [sum(len(line) + 1 for line in lines[:count]) for count in range(1, len(lines))]
    for at in sorted({*ends, *(end - 1 for end in ends), *(end + 1 for end in ends), *range(1, len(printed), 997)}):
        assert (at, await outcome(printed[:at], printed[at:])) == (at, whole)
    assert await outcome(*(line + b"\n" for line in lines)) == whole
