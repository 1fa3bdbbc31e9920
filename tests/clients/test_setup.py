"""`setup` with the real clients: what it writes is read by them, and its proof is their own answer."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from claude_openai_proxy.commands import setup
from claude_openai_proxy.commands.invocation import Invocation
from claude_openai_proxy.commands.table import read
from claude_openai_proxy.simulator import Script
from clients.conftest import QUIET
from clients.installed import missing
from clients.proxies import Proxy

FOLDERS = [
    str(Path(sys.executable).parent),
    *(f"{folder}/.bin" for folder in os.environ.get("NODE_PATH", "").split(":")),
]
TIME = Script.tool_calls([("llm_time", {})])


def set_up(proxy: Proxy, home: Path, client: str, program: str) -> int:
    path = os.pathsep.join(folder for folder in FOLDERS if folder)
    if shutil.which(program, path=path) is None:
        missing(client)
    environment = {**QUIET, "HOME": str(home), "PATH": f"{path}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
    words = ["setup", client, "--url", proxy.base_url, "--yes"]
    return setup.run(Invocation(read(words), words, environment, home))


@pytest.mark.parametrize(("client", "program"), [("opencode", "opencode"), ("continue", "cn"), ("aider", "aider")])
def test_a_client_answers_with_what_was_written(
    client: str, program: str, proxy: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set_up(proxy, tmp_path, client, program) == 0
    assert capsys.readouterr().out.count("\nok ") == 3
    assert len(proxy.asked()) >= 2


def test_codex_answers_in_a_profile_of_its_own(
    proxy: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy.play(Script.text("ready"), Script.text("It is ready."))
    assert set_up(proxy, tmp_path, "codex", "codex") == 0
    assert "It is ready." in capsys.readouterr().out
    assert "exec_command" in str(proxy.asked()[-1]["tools"])
    assert not (tmp_path / ".codex" / "config.toml").exists()


def test_cline_answers_from_its_own_store(proxy: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert set_up(proxy, tmp_path, "cline", "cline") == 0
    out = capsys.readouterr().out
    assert out.count("\nok ") == 3
    assert '"finishReason":"completed"' in out


def test_llm_runs_a_tool_of_its_own(proxy: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proxy.play(Script.text("ready"), TIME, Script.text("It is ready."))
    assert set_up(proxy, tmp_path, "llm", "llm") == 0
    assert "It is ready." in capsys.readouterr().out
    assert "utc_time" in str(proxy.asked()[-1]["messages"])
