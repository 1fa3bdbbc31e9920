"""Claude Code is made ready when the server starts, where it is the way, and costs nobody anything where it is not."""

import asyncio
from pathlib import Path

import pytest

from claude_openai_proxy.app.wiring import Wiring, wire
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.upstreams.claude_code.start_lock import FILE as START_LOCK
from claude_openai_proxy.upstreams.selection import SelectedUpstream
from upstreams.claude_code.fake_cli import install_fake_cli
from upstreams.claude_code.test_setup import proven

TOKEN = {"CLAUDE_CODE_OAUTH_TOKEN": "old"}
KEY = {"ANTHROPIC_API_KEY": "sk-ant-made-up", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}


def wired(home: Path, program: Path, login: dict[str, str]) -> Wiring:
    places = {"HOME": str(home), "CLAUDE_CLI_PATH": str(program), "STATE_DIR": str(home / "state")}
    return wire(load_settings(Flags(), {"PATH": "/usr/bin:/bin", **places, **login}, home))


async def started(wiring: Wiring) -> None:
    """As a server starts, and until what it does beside that has ended."""
    await wiring._life.serve()
    await asyncio.gather(*wiring._life._preparing)
    assert isinstance(wiring._upstreams, SelectedUpstream)
    pool = wiring._upstreams.claude_code._pool
    while pool._tasks:
        await asyncio.gather(*pool._tasks)


@pytest.mark.parametrize(("login", "idle"), [(TOKEN, 2), (KEY, 0)], ids=["a login of the CLI", "a key"])
async def test_the_first_request_finds_its_process_started(tmp_path: Path, login: dict[str, str], idle: int) -> None:
    program = await proven(install_fake_cli(tmp_path), tmp_path / "state")
    wiring = wired(tmp_path, program, login)
    await started(wiring)
    assert isinstance(wiring._upstreams, SelectedUpstream)
    assert wiring._upstreams.claude_code.pool.idle == idle
    assert (tmp_path / "state" / START_LOCK).exists() == bool(idle), "other proxies of this login are waited for"
    await wiring._life.end()


async def test_a_program_that_cannot_be_used_does_not_spoil_the_start(tmp_path: Path) -> None:
    wiring = wired(tmp_path, install_fake_cli(tmp_path, version="1.0.88 (Claude Code)"), TOKEN)
    await started(wiring)
    await wiring._life.end()


async def test_a_start_that_ends_at_once_leaves_nothing_under_way(tmp_path: Path) -> None:
    wiring = wired(tmp_path, install_fake_cli(tmp_path, start=["hang"]), TOKEN)
    await wiring._life.serve()
    await wiring._life.end()
    assert all(task.done() for task in wiring._life._preparing)
