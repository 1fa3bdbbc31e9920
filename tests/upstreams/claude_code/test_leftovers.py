"""What a proxy leaves that is killed on the spot, and that a later start removes it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from claude_openai_proxy.upstreams.claude_code.private import (
    NOTE,
    Owner,
    PrivateDirectory,
    Running,
    number_space,
    remove_leftovers,
    running,
)
from claude_openai_proxy.upstreams.claude_code.process import Launch, spawn
from upstreams.claude_code.fake_cli import install_fake_cli

PROXY = """
import asyncio, sys, tempfile
from pathlib import Path
from claude_openai_proxy.upstreams.claude_code.process import Launch, spawn
tempfile.tempdir = sys.argv[2]
async def main():
    process = await spawn(Launch(Path(sys.argv[1]), {"HOME": sys.argv[3], "PATH": "/usr/bin:/bin"}))
    process.write(b'{"type":"user","message":{"role":"user","content":"x"}}\\n')
    print(process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def killed_proxy(cli: str, directory: Path, home: Path) -> int:
    """Kill a proxy that has one process; the number of that process."""
    arguments = ("-c", PROXY, cli, str(directory), str(home))
    proxy = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    assert proxy.stdout is not None
    pid = int(await proxy.stdout.readline())
    proxy.kill()
    await proxy.wait()
    return pid


async def gone(pid: int) -> None:
    async with asyncio.timeout(30):
        while running(pid).started:  # noqa: ASYNC110  # nobody tells the end of a process that is not a child
            await asyncio.sleep(0.02)


def names_in(directory: Path) -> list[str]:
    return [entry.name for entry in directory.iterdir()]


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="start times of processes are Linux' own")


@linux
async def test_a_process_that_hangs_and_its_files_are_removed_by_a_later_start(
    tmp_path: Path, private_directories: Path
) -> None:
    fake = install_fake_cli(tmp_path, turn=["hang"])
    config = tmp_path / ".claude"
    (config / "sessions").mkdir(parents=True)
    pid = await killed_proxy(str(fake), private_directories, tmp_path)
    (config / "sessions" / f"{pid}.json").touch()
    (config / "sessions" / f"{pid}1.json").touch()

    removed = await asyncio.to_thread(remove_leftovers, config)

    await gone(pid)
    assert removed == 1
    assert names_in(private_directories) == []
    assert names_in(config / "sessions") == [f"{pid}1.json"]


@linux
async def test_the_real_cli_ends_by_itself_when_its_proxy_is_killed(
    cli: str, home: Path, private_directories: Path
) -> None:
    pid = await killed_proxy(cli, private_directories, home)

    with contextlib.suppress(ProcessLookupError):
        await gone(pid)
    assert remove_leftovers(home / ".claude") == 1
    assert names_in(private_directories) == []
    assert names_in(home / ".claude" / "sessions") == []


async def test_what_a_running_proxy_uses_is_left_alone(
    tmp_path: Path, launch: Launch, private_directories: Path
) -> None:
    install_fake_cli(tmp_path)
    process = await spawn(launch)

    assert remove_leftovers(None) == 0

    assert process.alive
    assert len(names_in(private_directories)) == 1
    await process.end(interrupt=False)


@pytest.mark.usefixtures("private_directories")
def test_processes_that_are_counted_elsewhere_are_left_alone() -> None:
    directory = PrivateDirectory()
    note = directory.work.parent / NOTE
    told = json.loads(note.read_bytes())
    note.write_text(json.dumps(told | {"space": "another container", "proxy": {"pid": 2**22 + 1, "started": "1"}}))

    assert remove_leftovers(None) == 0
    assert note.exists()


@linux
@pytest.mark.usefixtures("private_directories")
def test_a_number_that_was_given_to_another_process_is_left_alone() -> None:
    directory = PrivateDirectory()
    note = directory.work.parent / NOTE
    mine = running(os.getpid())
    left = Owner(number_space(), Running(mine.pid, "1"), Running(mine.pid, "2"))
    note.write_text(json.dumps({"space": left.space, "proxy": {"pid": mine.pid, "started": "1"}, "cli": None}))

    assert remove_leftovers(None) == 1
    assert not note.exists()
    os.kill(mine.pid, 0)


def test_a_note_that_cannot_be_read_stops_nothing(private_directories: Path) -> None:
    (private_directories / "claude-proxy-x").mkdir()
    (private_directories / "claude-proxy-x" / NOTE).write_text("{")
    (private_directories / "claude-proxy-y").mkdir()

    assert remove_leftovers(None) == 0
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
