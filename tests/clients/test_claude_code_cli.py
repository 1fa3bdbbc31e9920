"""Claude Code itself as a client: it is pointed here and does its work."""

import json
from pathlib import Path

import pytest

from claude_openai_proxy.simulator import Script
from claude_openai_proxy.upstreams.claude_code.binary import find_cli
from clients.proxies import Proxy
from clients.running import run_for_json

TOKEN = "made-up-token-of-the-client"


def claude_code(proxy: Proxy, directory: Path, prompt: str, *flags: str, fails: bool = False) -> dict[str, object]:
    """The `result` document."""
    found = find_cli("", {})
    if found is None:
        pytest.skip("the Claude Code CLI is not installed")
    result = run_for_json(
        [str(found), "-p", prompt, "--model", "claude-sonnet-5-5", "--output-format", "json", *flags],
        directory,
        returncode=int(fails),
        ANTHROPIC_BASE_URL=proxy.native_url,
        ANTHROPIC_AUTH_TOKEN=TOKEN,
        CLAUDE_CONFIG_DIR=str(directory / "claude"),
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
        CLAUDE_CODE_MAX_RETRIES="0",
    )
    assert isinstance(result, dict)
    return result


def test_it_answers(proxy: Proxy, tmp_path: Path) -> None:
    proxy.play(Script.thinking("", "Forty-two."))
    result = claude_code(proxy, tmp_path, "What is the answer?")
    assert (result["is_error"], result["result"]) == (False, "Forty-two.")
    assert "What is the answer?" in json.dumps(proxy.asked()[-1]["messages"])


def test_it_writes_a_file(proxy: Proxy, tmp_path: Path) -> None:
    call: tuple[str, dict[str, object]] = ("Write", {"file_path": str(tmp_path / "note.txt"), "content": "Hello\n"})
    proxy.play(Script.tool_calls([call], text="I write it."), Script.text("Done."))
    result = claude_code(proxy, tmp_path, "Write a note.", "--allowedTools", "Write")
    assert (result["is_error"], result["result"]) == (False, "Done.")
    assert (tmp_path / "note.txt").read_text(encoding="utf-8") == "Hello\n"


def test_it_tells_its_user_of_an_overload(proxy: Proxy, tmp_path: Path) -> None:
    proxy.play(Script.error(429, "Slow down, please."))
    result = claude_code(proxy, tmp_path, "Hi", fails=True)
    assert (result["is_error"], result["api_error_status"]) == (True, 429)
    assert "Slow down, please." in str(result["result"])


def test_its_login_goes_no_further(proxy: Proxy, tmp_path: Path) -> None:
    proxy.play(Script.text("Hi."))
    claude_code(proxy, tmp_path, "Hi")
    assert all(TOKEN not in str(request.headers) for request in proxy.simulator.requests)
