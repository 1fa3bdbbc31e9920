"""The contract check: a CLI that does not send what it is asked to send is not used."""

import json
from pathlib import Path

import pytest

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.upstreams.claude_code.binary import inspect
from claude_openai_proxy.upstreams.claude_code.contract import broken_promises, prove
from upstreams.claude_code.conftest import MakeUpstream, Trap
from upstreams.claude_code.fake_cli import install_fake_cli
from upstreams.claude_code.recordings import recorded
from upstreams.claude_code.requests_of_the_tests import OAUTH, answer, asking

PATH = {"PATH": "/usr/bin:/bin"}


async def test_the_real_cli_keeps_the_contract_and_asks_for_no_other_host(
    cli: str, environment: dict[str, str], trap: Trap, simulator: Simulator
) -> None:
    binary = await inspect(Path(cli), environment)

    assert await broken_promises(binary, environment | OAUTH) == []
    assert trap.hosts == []
    assert len(simulator.requests) == 0


async def test_the_proof_is_kept_and_not_asked_for_again(tmp_path: Path, cli: str, environment: dict[str, str]) -> None:
    binary = await inspect(Path(cli), environment)
    await prove(binary, environment, tmp_path)
    (proof,) = (tmp_path / "claude-code-contract").iterdir()
    written = proof.stat().st_mtime_ns

    await prove(binary, environment, tmp_path)

    assert proof.stat().st_mtime_ns == written
    assert json.loads(proof.read_bytes())["version"] == binary.version


async def test_a_cli_that_sends_nothing_is_refused_with_a_line_that_says_what_to_do(tmp_path: Path) -> None:
    answered = [line.decode() for line in recorded("text")]
    binary = await inspect(install_fake_cli(tmp_path, turn=answered), PATH)

    with pytest.raises(UpstreamProtocolError) as raised:
        await prove(binary, PATH, tmp_path / "state")

    assert "does not send what it is asked to send, so it is not used: one turn made 0 requests" in raised.value.message
    assert " install 2.1.332" in raised.value.message
    assert not (tmp_path / "state").exists()


async def test_a_cli_that_fails_is_not_used(tmp_path: Path, make_upstream: MakeUpstream, simulator: Simulator) -> None:
    fake = install_fake_cli(tmp_path, turn=[line.decode() for line in recorded("text")])
    upstream = make_upstream(cli=str(fake), state_dir=tmp_path / "state", look_again=True)

    with pytest.raises(UpstreamProtocolError, match="is not used"):
        await answer(upstream, asking())
    assert len(simulator.requests) == 0


async def test_a_state_directory_that_cannot_be_written_costs_no_request(
    tmp_path: Path, cli: str, environment: dict[str, str]
) -> None:
    occupied = tmp_path / "state"
    occupied.write_text("a file")

    await prove(await inspect(Path(cli), environment), environment, occupied)
