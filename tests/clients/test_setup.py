"""`setup` with the real clients: what it writes is read by them, and its proof is their own answer."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from claude_openai_proxy.app.wiring import create_app
from claude_openai_proxy.commands import setup
from claude_openai_proxy.commands.invocation import Invocation
from claude_openai_proxy.commands.table import read
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Script
from clients.conftest import QUIET
from clients.installed import OLDER_CLIENTS, missing
from clients.proxies import Proxy
from web.serving import served

FOLDERS = [
    str(Path(sys.executable).parent),
    *(f"{folder}/.bin" for folder in os.environ.get("NODE_PATH", "").split(":") if folder),
    *(str(Path(python).parent) for python in [os.environ.get(OLDER_CLIENTS, "")] if python),
]
TIME = Script.tool_calls([("llm_time", {})])


def set_up(proxy: Proxy | str, home: Path, client: str, program: str, **more: str) -> int:
    path = os.pathsep.join(FOLDERS)
    if shutil.which(program, path=path) is None:
        missing(client)
    environment = {**QUIET, "HOME": str(home), "PATH": f"{path}:{os.environ['PATH']}", "LANG": "C.UTF-8", **more}
    words = ["setup", client, "--url", proxy if isinstance(proxy, str) else proxy.base_url, "--yes"]
    return setup.run(Invocation(read(words), words, environment, home))


def configuration(home: Path) -> str:
    files = [path for path in home.rglob("*config*") if path.is_file()]
    return "".join(path.read_text(encoding="utf-8", errors="replace") for path in files)


@pytest.mark.parametrize(("client", "program"), [("codex", "codex"), ("continue", "cn")])
async def test_a_client_reads_its_key_from_the_variable_that_was_named(
    client: str, program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The proxy lets nobody in without."""
    key = "a-long-key-of-ann"
    environment = {"HOME": str(tmp_path), "PROXY_API_KEYS": f"ann:{key}"}
    async with served(create_app(load_settings(Flags(demo=True), environment, tmp_path))) as address:
        status = await asyncio.to_thread(
            set_up, f"{address}/v1", tmp_path, client, program, CLAUDE_OPENAI_PROXY_KEY=key
        )
    out = capsys.readouterr().out
    assert (status, out.count("\nok ")) == (0, 3), out
    assert key not in configuration(tmp_path)


@pytest.mark.parametrize(
    ("client", "program", "seen"),
    [
        ("opencode", "opencode", "opencode"),
        ("continue", "cn", "JS"),
        ("aider", "aider", "Python"),
    ],
)
def test_a_client_answers_with_what_was_written(
    client: str, program: str, seen: str, proxy: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set_up(proxy, tmp_path, client, program) == 0
    out = capsys.readouterr().out
    assert out.count("\nok ") == 3
    assert re.search(rf"{program} itself: .*\(seen as \S*{seen}.*, HTTP 200\)", out), out
    assert len(proxy.asked()) >= 2


def test_kilo_answers_by_an_agent_that_runs_and_writes_nothing(
    api_proxy: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By one upstream: it takes some seconds of a processor to start."""
    calls: list[tuple[str, dict[str, object]]] = [
        ("bash", {"command": "touch made", "description": "Make a file"}),
        ("write", {"filePath": "made", "content": "made"}),
    ]
    api_proxy.play(Script.text("ready"), Script.tool_calls(calls), Script.text("It is ready."))
    assert set_up(api_proxy, tmp_path, "kilo", "kilo") == 0
    out = capsys.readouterr().out
    assert re.search(r"kilo itself: .*It is ready\. \(seen as Kilo-Code/.*, HTTP 200\)", out), out
    results = str(api_proxy.asked()[-1]["messages"])
    assert "prevents you from using this specific tool call" in results
    assert "unavailable tool 'write'" in results


def test_codex_answers_in_a_profile_of_its_own(
    proxy: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy.play(Script.text("ready"), Script.text("It is ready."))
    assert set_up(proxy, tmp_path, "codex", "codex") == 0
    assert "It is ready." in capsys.readouterr().out
    assert "exec_command" in str(proxy.asked()[-1]["tools"])
    assert not (tmp_path / ".codex" / "config.toml").exists()


def test_cline_answers_from_its_own_store(api_proxy: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By one upstream, for the same reason."""
    assert set_up(api_proxy, tmp_path, "cline", "cline") == 0
    out = capsys.readouterr().out
    assert out.count("\nok ") == 3
    assert '"finishReason":"completed"' in out
    assert "seen as ai-sdk/" in out
    assert not list(tmp_path.rglob("locks/hub/*")), "it left a server of its own behind"


def test_llm_runs_a_tool_of_its_own(proxy: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proxy.play(Script.text("ready"), TIME, Script.text("It is ready."))
    assert set_up(proxy, tmp_path, "llm", "llm") == 0
    assert "It is ready." in capsys.readouterr().out
    assert "utc_time" in str(proxy.asked()[-1]["messages"])
