"""The doctor with the real CLI, a made-up token, and the simulator as its API."""

from pathlib import Path

import pytest

from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.upstreams.claude_code.binary import find_cli
from doctor.conftest import Examine


@pytest.fixture
def real_cli() -> str:
    found = find_cli("", {})
    if found is None:
        pytest.skip("the Claude Code CLI is not installed")
    return str(found)


async def test_both_ways_are_tried_with_one_request_each(
    examined: Examine, real_cli: str, simulator_url: str, simulator: Simulator, tmp_path: Path
) -> None:
    variables = {
        "CLAUDE_CLI_PATH": real_cli,
        "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-made-up",
        "ANTHROPIC_API_KEY": "sk-ant-made-up",
        "ANTHROPIC_BASE_URL": simulator_url,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "NO_PROXY": "127.0.0.1",
    }

    found = await examined(**variables, with_request=True)

    assert found.problems == []
    assert "(checked now, in " in found["Contract check"].found
    assert found["Claude Code login"].found.startswith("CLAUDE_CODE_OAUTH_TOKEN (token)")
    assert [found.status(f"Round trip ({kind})") for kind in ("api", "claude-code")] == ["ok", "ok"]
    assert len([request for request in simulator.requests if request.is_message]) == 2

    again = await examined(**variables)

    assert "(checked before for this very program)" in again["Contract check"].found
