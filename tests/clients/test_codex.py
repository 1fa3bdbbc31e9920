"""Codex at work through the proxy: edits, tools, retries, compaction; and it never has anything to warn of."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from claude_openai_proxy.service.codex_profile import profile
from claude_openai_proxy.simulator import Script, error_event
from clients.codex import Codex
from clients.proxies import MODEL, Proxy
from clients.running import PROGRAMS

PATCH = "*** Begin Patch\n*** Add File: note.txt\n+Grüße\n*** End Patch\n"
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HEREDOC = f"apply_patch <<'EOF'\n{PATCH}EOF"


@pytest.fixture
def codex(proxy: Proxy, tmp_path: Path) -> Codex:
    lines = profile(proxy.base_url, MODEL, with_key=False)
    return Codex(tmp_path).told("\n".join(lines))


def turns(proxy: Proxy) -> Any:
    """Of the request that came last."""
    return proxy.asked()[-1]["messages"]


def results_of(asked: Any) -> list[Any]:
    """Of the tools, in that request."""
    return [block for turn in asked["messages"] for block in turn["content"] if block["type"] == "tool_result"]


def results(proxy: Proxy) -> list[Any]:
    """Of the tools, in the request that came last."""
    return results_of(proxy.asked()[-1])


@pytest.mark.parametrize(
    "call", [("exec_command", {"cmd": HEREDOC}), ("apply_patch", {"input": PATCH})], ids=["heredoc", "apply_patch"]
)
def test_it_edits_a_file(call: tuple[str, dict[str, object]], codex: Codex, proxy: Proxy) -> None:
    proxy.play(Script.tool_calls([call], text="I write it."), Script.text("Done."))
    ended = codex.asked("Write a note.")
    assert (ended.said, ended.status, ended.troubles) == ("Done.", 0, [])
    assert (codex.workspace / "note.txt").read_text(encoding="utf-8") == "Grüße\n"
    (result,) = results(proxy)
    assert "note.txt" in str(result["content"])


def test_it_calls_a_tool_of_another_server(codex: Codex, proxy: Proxy) -> None:
    command, program = json.dumps(sys.executable), json.dumps(str(PROGRAMS / "mcp_weather.py"))
    server = f"mcp_servers.weather={{command={command},args=[{program}]}}"
    proxy.play(Script.tool_calls([("mcp__weather__get_weather", {"city": "Paris"})]), Script.text("Mild."))
    ended = codex.asked("Weather in Paris?", "-c", server)
    assert (ended.said, ended.status, ended.troubles) == ("Mild.", 0, [])
    (result,) = results(proxy)
    assert "18 degrees in Paris" in str(result["content"])


def test_two_calls_at_once_come_back_with_the_thinking_before_them(codex: Codex, proxy: Proxy) -> None:
    thinking: dict[str, object] = {"type": "thinking", "thinking": "I look at both.", "signature": "c2lnbmF0dXJl"}
    calls: list[dict[str, object]] = [
        {"type": "tool_use", "id": f"toolu_{word}", "name": "exec_command", "input": {"cmd": f"echo {word}"}}
        for word in ("one", "two")
    ]
    proxy.play(Script.blocks([thinking, *calls], stop_reason="tool_use"), Script.text("Both."))
    ended = codex.asked("Say one and two.")
    assert (ended.said, ended.status, ended.troubles) == ("Both.", 0, [])
    assistant, user = turns(proxy)[-2:]
    assert assistant["content"] == [thinking, *calls]
    assert [result["tool_use_id"] for result in user["content"]] == ["toolu_one", "toolu_two"]
    assert ["one" in str(user["content"][0]), "two" in str(user["content"][1])] == [True, True]


def test_an_output_schema_is_kept(codex: Codex, proxy: Proxy) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    (codex.directory / "schema.json").write_text(json.dumps(schema))
    proxy.play(Script.text('{"city": "Paris"}'))
    ended = codex.asked("Where?", "--output-schema", str(codex.directory / "schema.json"))
    assert (json.loads(ended.said), ended.status, ended.troubles) == ({"city": "Paris"}, 0, [])
    asked: Any = proxy.asked()[-1]
    assert asked["output_config"]["format"] == {"type": "json_schema", "schema": schema}


def test_in_its_lite_mode_it_runs_scripts(codex: Codex, proxy: Proxy) -> None:
    known = json.loads(codex.run("debug", "models").said)["models"]
    lite = next(model for model in known if model.get("use_responses_lite"))
    catalogue = codex.directory / "catalogue.json"
    catalogue.write_text(json.dumps({"models": [lite | {"slug": MODEL}]}))
    script = 'const done = await tools.exec_command({cmd: "echo Hello > note.txt; cat note.txt"}); text(done.output);'
    proxy.play(Script.tool_calls([("exec", {"input": script})]), Script.text("Done."))
    ended = codex.asked("Write a note.", "-c", f"model_catalog_json={json.dumps(str(catalogue))}")
    assert (ended.said, ended.status, ended.troubles) == ("Done.", 0, [])
    assert (codex.workspace / "note.txt").read_text() == "Hello\n"
    (result,) = results(proxy)
    assert {"type": "text", "text": "Hello\n"} in result["content"]
    assert turns(proxy)[-2]["content"][-1]["input"] == {"input": script}


LONG = {"input_tokens": 150_000}


def test_it_puts_a_long_conversation_together_itself(codex: Codex, proxy: Proxy) -> None:
    call = Script.tool_calls([("exec_command", {"cmd": "echo one"})], usage=dict(LONG))
    proxy.play(call, Script.text("So far: one was said."), Script.text("Done."))
    ended = codex.asked("Say one.", "-c", "model_auto_compact_token_limit=100000")
    assert (ended.said, ended.status) == ("Done.", 0)
    assert "one" in str(results_of(proxy.asked()[1])[0]["content"])
    assert results_of(proxy.asked()[2]) == []
    assert "So far: one was said." in json.dumps(turns(proxy))


def test_by_the_name_of_openai_the_proxy_puts_it_together(proxy: Proxy, tmp_path: Path) -> None:
    lines = "\n".join(profile(proxy.base_url, MODEL, with_key=False))
    codex = Codex(tmp_path).told(lines.replace('name = "Claude OpenAI Proxy"', 'name = "OpenAI"'))
    call = Script.tool_calls([("exec_command", {"cmd": "echo one"})], usage=dict(LONG))
    proxy.play(call, Script.text("So far: one was said."), Script.text("Done."))
    ended = codex.asked("Say one.", "-c", "model_auto_compact_token_limit=100000")
    assert (ended.said, ended.status) == ("Done.", 0)
    assert results_of(proxy.asked()[2]) == []
    assert "So far: one was said." in json.dumps(turns(proxy))


def test_a_picture_that_it_looks_at_comes_as_a_picture(codex: Codex, proxy: Proxy) -> None:
    (codex.workspace / "dot.png").write_bytes(DOT)
    proxy.play(Script.tool_calls([("view_image", {"path": "dot.png"})]), Script.text("A dot."))
    ended = codex.asked("What is in dot.png?")
    assert (ended.said, ended.status, ended.troubles) == ("A dot.", 0, [])
    (result,) = results(proxy)
    assert [block["type"] for block in result["content"]] == ["image"]


def test_a_refusal_is_shown(codex: Codex, proxy: Proxy) -> None:
    proxy.play(Script.refusal(explanation="That I will not do."))
    ended = codex.asked("Hi")
    assert (ended.said, ended.status, ended.troubles) == ("That I will not do.", 0, [])


AGAIN = ["ERROR: Reconnecting... 1/5"]
"""What it says when it asks once more."""


def test_a_stream_that_breaks_off_is_asked_for_again(codex: Codex, proxy: Proxy) -> None:
    broken = Script.events([*Script.text("Half an answer").steps[:4], error_event("overloaded_error")])
    proxy.play(broken, Script.text("Whole."))
    ended = codex.asked("Hi")
    assert (ended.said, ended.status, ended.troubles) == ("Whole.", 0, AGAIN)


def test_a_rate_limit_is_waited_for(codex: Codex, proxy: Proxy) -> None:
    proxy.play(Script.error(429, "Slow down", retry_after=1), Script.text("Now."))
    ended = codex.asked("Hi")
    assert (ended.said, ended.status, ended.troubles) == ("Now.", 0, AGAIN)


def test_an_overload_before_the_answer_is_asked_again_when_it_is_told_to(codex: Codex, proxy: Proxy) -> None:
    proxy.play(*[Script.error(529)] * 2, Script.text("Whole."))
    ended = codex.asked("Hi")
    assert (ended.said, ended.status, ended.troubles) == ("Whole.", 0, [])
    assert len(proxy.asked()) == 3


def test_over_a_socket_it_does_its_work_as_well(proxy: Proxy, tmp_path: Path) -> None:
    lines = [*profile(proxy.base_url, MODEL, with_key=False), "supports_websockets = true"]
    codex = Codex(tmp_path, {"RUST_LOG": "codex_api=info"}).told("\n".join(lines))
    proxy.play(Script.tool_calls([("apply_patch", {"input": PATCH})], text="I write it."), Script.text("Done."))
    ended = codex.asked("Write a note.")
    assert (ended.said, ended.status, ended.troubles) == ("Done.", 0, [])
    assert "successfully connected to Responses WebSocket" in ended.log
    assert (codex.workspace / "note.txt").read_text(encoding="utf-8") == "Grüße\n"
    assert len(results(proxy)) == 1
