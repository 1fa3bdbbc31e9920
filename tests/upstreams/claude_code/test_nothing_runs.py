"""Prompts are text: nothing is expanded, nothing runs, nothing of the user's set-up comes along."""

import json
from pathlib import Path

import pytest

from claude_openai_proxy.simulator import Script, Simulator
from claude_openai_proxy.simulator.loose_json import JSONObject
from claude_openai_proxy.translate.claude_code.contract import differences
from upstreams.claude_code.conftest import MakeUpstream, Trap
from upstreams.claude_code.requests_of_the_tests import answer, asking, inputs_of, stop_reason_of, text_of, tool


@pytest.mark.parametrize(
    "prompt",
    ["@/etc/hostname", "/clear", "!ls", "/model opus", "#remember this", "/compact\nnow", "exit", " ", "\n\t"],
)
async def test_a_prompt_is_not_acted_on(make_upstream: MakeUpstream, simulator: Simulator, prompt: str) -> None:
    simulator.play(Script.text("Hi", skip_rules=True))

    events = await answer(make_upstream(), asking(prompt))

    assert text_of(events) == "Hi"
    assert differences(asking(prompt), simulator.requests[0].body) == []
    assert len(simulator.requests) == 1


@pytest.mark.parametrize("name", ["Bash", "Read", "Write", "WebFetch", "Task", "mcp__c__x"])
async def test_a_tool_of_the_clients_never_runs_here(
    make_upstream: MakeUpstream, simulator: Simulator, tmp_path: Path, name: str
) -> None:
    witness = tmp_path / "witness"
    given: JSONObject = {
        "command": f"touch {witness}",
        "file_path": str(witness),
        "content": "x",
        "url": "http://example.com",
    }
    simulator.play(Script.tool_calls([(name, given)]))

    events = await answer(make_upstream(), asking(tools=[tool(name)]))

    assert json.loads(inputs_of(events)) == given
    assert stop_reason_of(events) == "tool_use"
    assert not witness.exists()
    assert len(simulator.requests) == 1


async def test_a_call_of_a_tool_that_nobody_declared_is_handed_over_and_not_looped(
    make_upstream: MakeUpstream, simulator: Simulator, tmp_path: Path
) -> None:
    witness = tmp_path / "witness"
    given: JSONObject = {"command": f"touch {witness}"}
    simulator.play(*[Script.tool_calls([("Bash", given)], skip_rules=True)] * 3)

    events = await answer(make_upstream(), asking(tools=[tool("other")]))

    assert stop_reason_of(events) == "tool_use"
    assert not witness.exists()
    assert len(simulator.requests) == 1


async def test_the_users_settings_hooks_servers_and_memory_stay_out(
    make_upstream: MakeUpstream, simulator: Simulator, home: Path, tmp_path: Path, trap: Trap
) -> None:
    witness = tmp_path / "witness"
    hook = {"hooks": [{"type": "command", "command": f"touch {witness}"}]}
    (home / ".claude" / "settings.json").write_text(
        json.dumps({"hooks": {"SessionStart": [hook], "UserPromptSubmit": [hook]}, "model": "opus"})
    )
    (home / ".claude.json").write_text(
        json.dumps({"mcpServers": {"mine": {"type": "stdio", "command": "touch", "args": [str(witness)]}}})
    )
    (home / ".claude" / "CLAUDE.md").write_text("Say MEMORY.")
    simulator.play(Script.text("Hi"))

    await answer(make_upstream(), asking())

    assert not witness.exists()
    assert b"MEMORY" not in simulator.requests[0].body
    assert simulator.requests[0].json["model"] == "claude-sonnet-5"
    assert simulator.requests[0].json["tools"] == []
    assert trap.hosts == []
