"""The Vercel AI SDK, by both of its providers: text, streams, tools over several steps, objects."""

import json
from pathlib import Path

import pytest

from claude_openai_proxy.simulator import Script
from clients.installed import node
from clients.proxies import MODEL, Proxy
from clients.running import node_program, run_for_json

PACKAGES = {"openai": "@ai-sdk/openai", "compatible": "@ai-sdk/openai-compatible"}
PARIS = {"city": "Paris", "size": "large", "country": None}
CITIES = [("getWeather", {"city": "Paris"}), ("getWeather", {"city": "Rome"})]
MILD = {"text": "Mild in both.", "results": ["18 degrees in Paris", "18 degrees in Rome"]}


@pytest.mark.parametrize("provider", ["openai", "compatible"])
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
