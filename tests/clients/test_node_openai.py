"""The official SDK for Node: answers whole and streamed, tools that run, zod schemas, errors, models."""

import json
from pathlib import Path

import pytest

from claude_openai_proxy.simulator import Script
from clients.installed import node
from clients.proxies import MODEL, Proxy
from clients.running import node_program, run_for_json

DRAWING = {"title": "海 🌊", "colour": "green", "note": None, "shapes": [{"kind": "circle", "radius": 1.5}]}
CITIES = [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})]


@pytest.fixture
def program(tmp_path: Path) -> list[str | Path]:
    return node_program(node("openai", "openai (Node)"), "openai_sdk.mjs", tmp_path)


def test_it_answers_streams_runs_tools_and_parses(program: list[str | Path], proxy: Proxy, tmp_path: Path) -> None:
    proxy.play(
        Script.text("Hello, 世界"),
        Script.text("One, two, three.", pieces=5, split=1),
        Script.tool_calls([(name, dict(given)) for name, given in CITIES], text="I look."),
        Script.text("Mild in both."),
        Script.tool_calls([(name, dict(given)) for name, given in CITIES]),
        Script.text(json.dumps(DRAWING)),
    )
    scenarios = ["whole", "streamed", "tools", "streamedTools", "parsed"]
    assert run_for_json([*program, *scenarios], tmp_path, OPENAI_BASE_URL=proxy.base_url, MODEL=MODEL) == {
        "whole": {"content": "Hello, 世界", "refusal": None, "finish": "stop", "added": True},
        "streamed": {"content": "One, two, three.", "counted": True},
        "tools": "Mild in both.",
        "streamedTools": [{"city": "Paris"}, {"city": "Rome"}],
        "parsed": DRAWING,
    }
    assert "18 degrees in Rome" in json.dumps(proxy.asked()[3]["messages"])


def test_it_names_an_unknown_model_and_lists_the_known_ones(
    program: list[str | Path], proxy: Proxy, tmp_path: Path
) -> None:
    assert run_for_json([*program, "error", "models"], tmp_path, OPENAI_BASE_URL=proxy.base_url, MODEL=MODEL) == {
        "error": ["NotFoundError", 404, "model_not_found"],
        "models": ["custom-claude-4-opus", "custom-claude-4-sonnet"],
    }
