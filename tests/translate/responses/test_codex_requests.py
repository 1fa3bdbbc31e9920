"""Requests as Codex 0.171 sent them, long texts cut short: what Claude is asked of each."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from claude_openai_proxy.translate.responses.opened import NO_ENVELOPES, Envelopes, Opened
from translate.responses.asked import read, sent

RECORDED = Path(__file__).parent / "codex_requests"
THINKING = Raw(b'{"type":"thinking","thinking":"I look at both.","signature":"c2ln"}')


def asked(name: str, envelopes: Envelopes = NO_ENVELOPES) -> Any:
    """What goes upstream."""
    return sent(read(json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8")), envelopes=envelopes))


def calls(request: Any) -> list[Any]:
    return [block for turn in request["messages"] for block in turn["content"] if block["type"] == "tool_use"]


def results(request: Any) -> list[Any]:
    return [block for turn in request["messages"] for block in turn["content"] if block["type"] == "tool_result"]


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.json")))
def test_its_instructions_lead_and_nothing_of_it_is_refused(name: str) -> None:
    request = asked(name)
    assert request["system"][0]["text"].startswith(("You are a coding agent.", "You are Codex"))
    assert request["messages"][0]["content"][0] == {"type": "text", "text": "<environment_context> …"}
    assert [turn["role"] for turn in request["messages"]] == ["user", "assistant", "user"][: len(request["messages"])]


def test_an_edit_by_the_shell_comes_back_with_what_it_printed() -> None:
    request = asked("heredoc")
    (call,), (result,) = calls(request), results(request)
    assert call["name"] == "exec_command"
    assert call["input"]["cmd"].startswith("apply_patch <<'EOF'\n*** Begin Patch")
    assert "note.txt" in result["content"]


def test_an_edit_by_the_tool_for_patches_keeps_the_patch_as_it_was() -> None:
    request = asked("apply_patch")
    (call,), (result,) = calls(request), results(request)
    patch = "*** Begin Patch\n*** Add File: note.txt\n+Grüße\n*** End Patch\n"
    assert (call["name"], call["input"]) == ("apply_patch", {"input": patch})
    assert "A note.txt" in result["content"]
    (tool,) = [tool for tool in request["tools"] if tool["name"] == "apply_patch"]
    assert tool["input_schema"]["required"] == ["input"]
    assert "start: begin_patch hunk+ end_patch" in tool["description"]


def test_two_calls_stand_behind_their_thinking_and_their_results_together() -> None:
    request = asked("parallel_calls", {"mine": Opened(blocks=[THINKING], model="m", upstream="u", prefix="p")})
    _, assistant, user = request["messages"]
    assert [block["type"] for block in assistant["content"]] == ["thinking", "tool_use", "tool_use"]
    assert assistant["content"][0]["signature"] == "c2ln"
    assert [block["tool_use_id"] for block in user["content"]] == ["toolu_one", "toolu_two"]


def test_a_tool_of_a_server_has_one_name_for_claude() -> None:
    request = asked("namespaced_call")
    assert [call["name"] for call in calls(request)] == ["mcp__weather__get_weather"]
    assert "mcp__weather__get_weather" in [tool["name"] for tool in request["tools"]]
    (result,) = results(request)
    assert {"type": "text", "text": "18 degrees in Paris"} in result["content"]


def test_a_picture_is_a_picture_in_the_result() -> None:
    (result,) = results(asked("view_image"))
    assert [block["type"] for block in result["content"]] == ["image"]
    assert result["content"][0]["source"]["media_type"] == "image/png"


def test_an_output_schema_is_claudes_own() -> None:
    schema = asked("output_schema")["output_config"]["format"]["schema"]
    assert schema["properties"] == {"city": {"type": "string"}}


def test_in_lite_mode_all_tools_come_as_an_item() -> None:
    request = asked("lite_mode")
    assert [tool["name"] for tool in request["tools"]][:2] == ["exec", "wait"]
    assert request["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert request["output_config"]["effort"] == "low"
    (call,) = calls(request)
    assert call["name"] == "exec"
    assert call["input"]["input"].startswith("const done = await tools.exec_command")


def test_its_own_way_of_putting_together_is_a_question_like_any() -> None:
    request = asked("local_compaction")
    assert request["messages"][-1]["content"][-1]["text"].startswith("You are performing a CONTEXT CHECKPOINT")
    assert len(results(request)) == 1


def test_what_was_put_together_is_a_summary_that_the_user_gives() -> None:
    request = asked("compacted", {"mine": Opened(summary="So far: one was said.")})
    (turn,) = request["messages"]
    assert "So far: one was said." in json.dumps(turn["content"])
    assert calls(request) == []
