"""What a proxy leaves that is killed on the spot, and that a later start removes it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from claude_openai_proxy.upstreams.claude_code.private import (
    NOTE,
    PREFIX,
    UNNOTED_SECONDS,
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


def left_in(temporary: Path) -> list[str]:
    """The private directories that there are."""
    return names_in(temporary / f"{PREFIX}{os.getuid()}")


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
    assert left_in(private_directories) == []
    assert names_in(config / "sessions") == [f"{pid}1.json"]


@linux
async def test_the_real_cli_ends_by_itself_when_its_proxy_is_killed(
    cli: str, home: Path, private_directories: Path
) -> None:
    pid = await killed_proxy(cli, private_directories, home)

    with contextlib.suppress(ProcessLookupError):
        await gone(pid)
    assert remove_leftovers(home / ".claude") == 1
    assert left_in(private_directories) == []
    assert names_in(home / ".claude" / "sessions") == []


async def test_what_a_running_proxy_uses_is_left_alone(
    tmp_path: Path, launch: Launch, private_directories: Path
) -> None:
    install_fake_cli(tmp_path)
    process = await spawn(launch)

    assert remove_leftovers(None) == 0

    assert process.alive
    assert len(left_in(private_directories)) == 1
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


OLD = UNNOTED_SECONDS + 60


def forged(parent: Path, victim: int) -> Path:
    """A directory whose note says that a proxy that is gone has left the process `victim`."""
    left = parent / "x"
    left.mkdir(parents=True)
    note = Owner(number_space(), Running(victim, "1"), running(victim))
    (left / NOTE).write_bytes(msgspec.json.encode(note))
    return left


@linux
async def test_a_note_where_others_can_write_is_not_believed(private_directories: Path, tmp_path: Path) -> None:
    victim = await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True)
    parent = private_directories / f"{PREFIX}{os.getuid()}"
    forged(parent, victim.pid)
    parent.chmod(0o777)
    forged(private_directories / f"{PREFIX}old-layout", victim.pid)
    (private_directories / f"{PREFIX}{os.getuid()}.link").symlink_to(forged(tmp_path / "elsewhere", victim.pid).parent)

    assert remove_leftovers(None) == 0

    assert victim.returncode is None
    assert running(victim.pid).started
    victim.kill()
    await victim.wait()


@linux
async def test_a_link_to_a_directory_or_a_note_is_not_followed(private_directories: Path, tmp_path: Path) -> None:
    victim = await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True)
    mine = PrivateDirectory().work.parent
    elsewhere = forged(tmp_path / "elsewhere", victim.pid)
    (mine.parent / "link").symlink_to(elsewhere)
    (mine / NOTE).unlink()
    (mine / NOTE).symlink_to(elsewhere / NOTE)

    assert remove_leftovers(None) == 0

    assert running(victim.pid).started
    assert names_in(elsewhere) == [NOTE]
    assert sorted(left_in(private_directories)) == sorted([mine.name, "link"])
    victim.kill()
    await victim.wait()


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, Path.touch], ids=["fifo", "directory", "empty"])
def test_what_is_no_note_keeps_nobody_waiting_and_goes_when_it_is_old(
    private_directories: Path, make: Callable[[Path], None]
) -> None:
    directory = PrivateDirectory().work.parent
    (directory / NOTE).unlink()
    make(directory / NOTE)

    assert remove_leftovers(None) == 0
    os.utime(directory, (time.time() - OLD,) * 2)
    assert remove_leftovers(None) == 1
    assert left_in(private_directories) == []


@pytest.mark.parametrize("pid", [0, -1, -7])
@pytest.mark.usefixtures("private_directories")
def test_a_note_names_one_process(pid: int) -> None:
    directory = PrivateDirectory().work.parent
    gone = {"pid": 2**22 + 1, "started": "1"}
    note = {"space": number_space(), "proxy": gone, "cli": {"pid": pid, "started": ""}}
    (directory / NOTE).write_text(json.dumps(note))

    assert remove_leftovers(None) == 0
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_the_parent_is_this_users_alone_or_another_one(private_directories: Path) -> None:
    taken = private_directories / f"{PREFIX}{os.getuid()}"
    taken.symlink_to("/tmp")

    parent = PrivateDirectory().work.parent.parent

    assert parent != taken
    assert parent.parent == private_directories
    assert parent.stat().st_mode & 0o777 == 0o700
    assert PrivateDirectory().work.parent.parent == parent


@linux
def test_the_folder_of_a_contract_check_that_was_cut_off_is_swept(private_directories: Path) -> None:
    directory = PrivateDirectory()
    gone = Owner(number_space(), Running(2**22 + 1, "1"))
    (directory.work.parent / NOTE).write_bytes(msgspec.json.encode(gone))

    assert remove_leftovers(None) == 1
    assert left_in(private_directories) == []
