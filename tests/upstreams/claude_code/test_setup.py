"""A login that changes while the CLI is looked at: what was found with the old one does not count."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from claude_openai_proxy.errors import ProxyError, UpstreamProtocolError
from claude_openai_proxy.upstreams.claude_code import ClaudeCode
from claude_openai_proxy.upstreams.claude_code.binary import Binary, inspect
from claude_openai_proxy.upstreams.claude_code.contract import CONTRACT_VERSION, _name, _Proof, _write
from claude_openai_proxy.upstreams.claude_code.setup import REMEMBERED_SECONDS, Setup
from upstreams.claude_code.fake_cli import INITIALIZED, install_fake_cli

OLD = {"PATH": "/usr/bin:/bin", "CLAUDE_CODE_OAUTH_TOKEN": "old"}
NEW = {"PATH": "/usr/bin:/bin", "CLAUDE_CODE_OAUTH_TOKEN": "new"}


async def proven(cli: Path, state: Path) -> Path:
    """A CLI whose contract was checked before."""
    binary = await inspect(cli, OLD)
    proof = _Proof(str(binary.path), binary.version, binary.size, CONTRACT_VERSION)
    _write(state / "claude-code-contract" / f"{_name(proof)}.json", proof)
    return cli


async def test_a_login_that_changes_during_the_first_check_is_the_one_that_pays(tmp_path: Path) -> None:
    cli = await proven(install_fake_cli(tmp_path), tmp_path / "state")
    asked: list[str] = []

    def find(environment: Mapping[str, str]) -> Path:
        """The user logs in otherwise just after the check has begun."""
        asked.append(environment["CLAUDE_CODE_OAUTH_TOKEN"])
        if len(asked) == 1:
            setup.use(NEW, {})
        return cli

    setup = Setup(find, OLD, tmp_path / "state", keys={}, withhold_keys=True)
    ready = await setup.ready()

    assert ready.environment["CLAUDE_CODE_OAUTH_TOKEN"] == "new"
    assert asked[-1] == "new"
    assert setup.known is ready


async def test_a_login_that_is_refused_during_a_check_is_looked_at_again(tmp_path: Path) -> None:
    cli = await proven(install_fake_cli(tmp_path), tmp_path / "state")
    checks: list[int] = []

    def find(_: Mapping[str, str]) -> Path:
        checks.append(1)
        if len(checks) == 1:
            setup.forget()
        return cli

    setup = Setup(find, OLD, tmp_path / "state", keys={}, withhold_keys=True)
    await setup.ready()

    assert len(checks) == 2


async def test_a_failed_check_is_remembered_for_some_seconds(tmp_path: Path) -> None:
    """Of the CLI, of its login and of its contract; by all who wait for it and by those who come."""
    looked: list[int] = []
    cli = install_fake_cli(tmp_path, version="1.0.88 (Claude Code)")

    def find(_: Mapping[str, str]) -> Path:
        looked.append(1)
        return cli

    setup = Setup(find, OLD, tmp_path / "state", keys={}, withhold_keys=True)
    asked = [*(setup.ready() for _ in range(20)), *(setup.login() for _ in range(20))]
    results = await asyncio.gather(*asked, return_exceptions=True)

    assert all(isinstance(result, UpstreamProtocolError) for result in results)
    assert len(looked) == 1
    setup.forget()
    install_fake_cli(tmp_path)
    assert (await setup.login())[0].version == "2.1.330"


async def test_the_login_alone_is_asked_for_once_for_all_who_come(tmp_path: Path) -> None:
    looked: list[int] = []
    cli = install_fake_cli(tmp_path)

    def find(_: Mapping[str, str]) -> Path:
        looked.append(1)
        return cli

    setup = Setup(find, OLD, tmp_path / "state", keys={}, withhold_keys=True)
    await asyncio.gather(*(setup.login() for _ in range(10)))

    assert len(looked) == 1
    await setup.login(again=True)
    assert len(looked) == 2


@pytest.fixture
def a_short_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in never answers what the check asks it: nothing comes of waiting for it."""
    monkeypatch.setattr("claude_openai_proxy.upstreams.claude_code.contract.TIMEOUT", 0.1)


@pytest.mark.usefixtures("a_short_check")
async def test_a_check_that_failed_stays_told_until_the_program_is_another_one(tmp_path: Path) -> None:
    """And it says nothing of the login, which is looked up as before."""
    program = install_fake_cli(tmp_path)
    upstream = ClaudeCode(environment=OLD, state_dir=tmp_path / "state", cli=str(program), pool_size=0)
    with pytest.raises(UpstreamProtocolError, match="does not send what it is asked to send") as first:
        await upstream.prepare()
    for asked_again in (False, True):
        told = await upstream.status(deep=asked_again)
        assert (told.logged_in, told.reachable) == (True, False)
        assert told.detail == first.value.message
    upstream._setup._unfit = replace_time(upstream._setup._unfit, -REMEMBERED_SECONDS)
    assert (await upstream.status()).reachable is False

    await proven(install_fake_cli(tmp_path, version="2.1.331 (Claude Code)"), tmp_path / "state")
    await upstream.prepare()
    assert (await upstream.status()).reachable is None
    await upstream.aclose()


def replace_time(unfit: tuple[ProxyError, Binary, float] | None, seconds: float) -> tuple[ProxyError, Binary, float]:
    assert unfit is not None
    return unfit[0], unfit[1], unfit[2] + seconds


@pytest.mark.usefixtures("a_short_check")
async def test_a_check_that_failed_a_moment_ago_is_not_paid_again(tmp_path: Path) -> None:
    started = tmp_path / "started"
    program = install_fake_cli(tmp_path, started=started)
    upstream = ClaudeCode(environment=OLD, state_dir=tmp_path / "state", cli=str(program), pool_size=0)
    results = await asyncio.gather(*(upstream.prepare() for _ in range(10)), return_exceptions=True)
    later = await asyncio.gather(*(upstream.prepare() for _ in range(10)), return_exceptions=True)
    assert all(isinstance(result, UpstreamProtocolError) for result in [*results, *later])
    assert len([line for line in started.read_text().splitlines() if line.startswith("start ")]) == 1
    await upstream.aclose()


async def test_with_every_process_busy_the_upstream_is_reachable_and_its_models_are_known(tmp_path: Path) -> None:
    program = await proven(install_fake_cli(tmp_path), tmp_path / "state")
    upstream = ClaudeCode(environment=OLD, state_dir=tmp_path / "state", cli=str(program), pool_size=1, pool_largest=1)
    busy = await upstream._take()
    told = await upstream.status(deep=True)
    assert (told.reachable, told.pool and told.pool.busy) == (True, 1)
    assert await upstream.models() == []
    upstream._pool.give_back(busy)
    await upstream.aclose()


async def test_a_model_that_was_refused_is_not_listed_whatever_the_menu_says(tmp_path: Path) -> None:
    initialized: dict[str, object] = {
        **INITIALIZED,
        "models": [{"value": "claude-opus-5-5"}, {"value": "claude-sonnet-5-5"}],
    }
    program = await proven(install_fake_cli(tmp_path, initialized=initialized), tmp_path / "state")
    upstream = ClaudeCode(environment=OLD, state_dir=tmp_path / "state", cli=str(program), pool_size=1)
    before = [model.id for model in await upstream.models()]
    upstream._refused.add("claude-opus-5-5")
    assert (before, [model.id for model in await upstream.models()]) == (
        ["claude-opus-5-5", "claude-sonnet-5-5"],
        ["claude-sonnet-5-5"],
    )
    await upstream.aclose()
