"""The Vercel AI SDK, by both of its providers: text, streams, tools over several steps, objects."""

import json
from pathlib import Path
from typing import Any

import pytest

from claude_openai_proxy.simulator import Script
from claude_openai_proxy.simulator.message_events import SIGNATURE
from clients.installed import node
from clients.proxies import MODEL, Proxy
from clients.running import node_program, run_for_json

PACKAGES = {"openai": "@ai-sdk/openai", "responses": "@ai-sdk/openai", "compatible": "@ai-sdk/openai-compatible"}
PARIS = {"city": "Paris", "size": "large", "country": None}
CITIES = [("getWeather", {"city": "Paris"}), ("getWeather", {"city": "Rome"})]
MILD = {"text": "Mild in both.", "results": ["18 degrees in Paris", "18 degrees in Rome"]}


@pytest.mark.parametrize("provider", ["openai", "responses", "compatible"])
def test_it_answers_streams_runs_tools_and_makes_objects(provider: str, proxy: Proxy, tmp_path: Path) -> None:
    node("ai", "ai (Node)")
    program = node_program(node(PACKAGES[provider], f"{PACKAGES[provider]} (Node)"), "vercel_ai.mjs", tmp_path)
    calls = Script.tool_calls([(name, dict(given)) for name, given in CITIES])
    proxy.play(
        Script.text("Hello, 世界"),
        Script.text("One, two, three.", pieces=5, split=1),
        *[calls, Script.text("Mild in both.")] * 2,
        *[Script.text(json.dumps(PARIS))] * 2,
    )
    scenarios = ["text", "streamed", "tools", "streamedTools", "object", "streamedObject"]
    assert run_for_json([*program, provider, *scenarios], tmp_path, OPENAI_BASE_URL=proxy.base_url, MODEL=MODEL) == {
        "text": {"text": "Hello, 世界", "finishReason": "stop", "counted": True},
        "streamed": {"text": "One, two, three.", "finishReason": "stop", "counted": True},
        "tools": MILD,
        "streamedTools": MILD,
        "object": PARIS,
        "streamedObject": PARIS,
    }


def test_thinking_of_an_earlier_step_comes_along_by_reference(proxy: Proxy, tmp_path: Path) -> None:
    """In its default mode the SDK names earlier items of kept responses by their ids alone."""
    node("ai", "ai (Node)")
    program = node_program(node(PACKAGES["responses"], "@ai-sdk/openai (Node)"), "vercel_ai.mjs", tmp_path)
    thinking: dict[str, object] = {"type": "thinking", "thinking": "Both, then.", "signature": SIGNATURE}
    calls: list[dict[str, object]] = [
        {"type": "tool_use", "id": f"toolu_sim_{number}", "name": name, "input": dict(given)}
        for number, (name, given) in enumerate(CITIES)
    ]
    proxy.play(Script.blocks([thinking, *calls], stop_reason="tool_use"), Script.text("Mild in both."))
    asked = run_for_json([*program, "responses", "tools"], tmp_path, OPENAI_BASE_URL=proxy.base_url, MODEL=MODEL)
    assert asked == {"tools": MILD}
    messages: Any = proxy.asked()[-1]["messages"]
    assert [[block["type"] for block in message["content"]] for message in messages] == [
        ["text"], ["thinking", "tool_use", "tool_use"], ["tool_result", "tool_result"],
    ]  # fmt: skip
