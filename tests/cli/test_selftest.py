"""`selftest`: on a private server, on the one that runs, and where there is none."""

import asyncio
import json
from pathlib import Path

import pytest

from claude_openai_proxy.selftest.cases import CASES
from cli.running import finished, running

NAMES = [case.name for case in CASES]
KEYS = {"PROXY_API_KEYS": "ann:a-long-key-of-ann"}


def statuses(table: str) -> dict[str, str]:
    """By case, of the lines below the first."""
    return {line[9:26].strip(): line.split()[0] for line in table.splitlines()[1:]}


def test_a_private_demo_passes_and_is_gone(tmp_path: Path) -> None:
    run = finished("selftest", "--demo", home=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert statuses(run.stdout) == dict.fromkeys(NAMES, "ok")
    first = run.stdout.splitlines()[0]
    assert first.endswith("about 11 small requests to custom-claude-4-sonnet; billed: nobody.")
    again = finished("selftest", "--url", first.split()[0].rstrip(":"), home=tmp_path)
    assert again.returncode == 1
    assert statuses(again.stdout)["health"] == "problem"


def test_the_server_that_runs_is_tried_with_a_key_of_its_own(tmp_path: Path) -> None:
    with running("serve", "--demo", "--port", "0", home=tmp_path, extra=KEYS) as server:
        port = str(server.port())
        without = finished("selftest", "--port", port, home=tmp_path)
        assert without.returncode == 1
        assert "export CLAUDE_OPENAI_PROXY_KEY=<one of its keys>" in without.stderr
        key = {"CLAUDE_OPENAI_PROXY_KEY": "a-long-key-of-ann"}
        run = finished("selftest", "--port", port, "--json", "--report", "told.json", home=tmp_path, extra=key)
    told = json.loads(run.stdout)
    assert (run.returncode, told["ok"]) == (0, True)
    assert [one["case"] for one in told["cases"]] == NAMES
    assert json.loads((tmp_path / "told.json").read_text(encoding="utf-8")) == told
    written = (tmp_path / "told.json").read_text(encoding="utf-8")
    assert "ann" not in written
    assert port not in written
    assert told["settings"] == ["PORT"]


async def test_a_private_server_by_the_settings_login_opens_to_nobody_else(simulator_url: str, tmp_path: Path) -> None:
    """Its doors ask for a key, and the command has the operator's."""
    assert finished("keys", "add", "ann", home=tmp_path).returncode == 0
    login = {"ANTHROPIC_API_KEY": "sk-ant-made-up", "ANTHROPIC_BASE_URL": simulator_url}
    run = await asyncio.to_thread(finished, "selftest", "--upstream", "api", home=tmp_path, extra=login)
    assert (run.returncode, run.stderr) == (0, "")
    assert statuses(run.stdout) == dict.fromkeys(NAMES, "ok")
    assert "billed: " in run.stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--port", "9"], 1, "Start the server first (claude-openai-proxy), name another with --url"),
        (["--url", "gopher://here", "--port", "9"], 1, "Start the server first"),
        (["--demo", "--report", "no/such/folder/told.json"], 2, "no/such/folder/told.json cannot be written"),
        (["--upstream", "nobody"], 2, "CLAUDE_UPSTREAM from --upstream is 'nobody'"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, words: list[str], code: int, told: str) -> None:
    run = finished("selftest", *words, home=tmp_path)
    assert (run.returncode, told in run.stderr) == (code, True), run.stderr


def test_a_private_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    keys = {"PROXY_API_KEYS": "ann:a-long-key-of-ann,ann:a-long-key-of-bob"}
    run = finished("selftest", "--demo", home=tmp_path, extra=keys)
    assert run.returncode == 2
    assert "PROXY_API_KEYS" in run.stderr
