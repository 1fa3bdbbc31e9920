"""The lock that keeps two proxies, or two workers, from renewing one login at once."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import cast

import pytest

from claude_openai_proxy.errors import UpstreamConnectionError
from claude_openai_proxy.upstreams.claude_code.launching import Launching
from claude_openai_proxy.upstreams.claude_code.process import Launch
from claude_openai_proxy.upstreams.claude_code.start_lock import FILE, StartLock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no such lock on Windows")

HOLD = """
import fcntl, os, signal, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(descriptor, fcntl.LOCK_EX)
print("held", flush=True)
signal.pause()
"""


async def test_who_starts_alone_waits_for_all_others_and_those_for_him(tmp_path: Path) -> None:
    one, other = StartLock(tmp_path), StartLock(tmp_path)
    order: list[str] = []

    async def start(lock: StartLock, name: str, *, alone: bool) -> None:
        async with lock.held(alone=alone):
            order.append(f"{name} in")
            await asyncio.sleep(0)
            order.append(f"{name} out")

    async with one.held(alone=True):
        waiting = [asyncio.create_task(start(other, "second", alone=True)) for _ in range(2)]
        await asyncio.sleep(0)
        order.append("first")
    await asyncio.gather(*waiting)

    assert order == ["first", "second in", "second out", "second in", "second out"]


async def test_proven_starts_run_together(tmp_path: Path) -> None:
    async with StartLock(tmp_path).held(alone=False), StartLock(tmp_path).held(alone=False):
        assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


async def test_of_two_proxies_of_one_login_one_starts_claude_code_until_the_login_is_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refresh token is good for one use: whoever may have to renew the login is alone with it."""
    starting, most, later = 0, 0, asyncio.Event()

    async def spawn(launch: object) -> object:
        nonlocal starting, most
        starting += 1
        most = max(most, starting)
        await (later.wait() if later_ones else asyncio.sleep(0.01))
        starting -= 1
        return launch

    monkeypatch.setattr("claude_openai_proxy.upstreams.claude_code.launching.spawn", spawn)
    proxies = [Launching(StartLock(tmp_path)) for _ in range(2)]
    launch, later_ones = cast(Launch, object()), False
    await asyncio.gather(*(proxy.start(launch) for proxy in proxies))
    assert most == 1

    later_ones = True
    rest = [asyncio.create_task(proxy.start(launch)) for proxy in proxies for _ in range(3)]
    async with asyncio.timeout(60):
        while starting < len(rest):  # noqa: ASYNC110 - they take the lock by turns of the event loop
            await asyncio.sleep(0)
    later.set()
    await asyncio.gather(*rest)


async def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(tmp_path / FILE), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert holder.stdout
        assert await holder.stdout.readline() == b"held\n"
        with pytest.raises(UpstreamConnectionError, match="Another proxy has been starting Claude Code"):
            async with StartLock(tmp_path, most_seconds=0.01).held(alone=True):
                raise AssertionError("it is held by another process")
    finally:
        holder.kill()
        await holder.communicate()
    async with StartLock(tmp_path).held(alone=True):
        pass


async def test_without_a_place_for_it_nobody_waits_and_that_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    lock = StartLock(tmp_path / "file" / "state")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            async with lock.held(alone=True):
                pass
    (told,) = caplog.records
    assert told.message.endswith("Other proxies of this login are not waited for.")
