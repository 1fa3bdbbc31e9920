"""simonw's llm: the command line, with the proxy in extra-openai-models.yaml."""

import json
import sys
from pathlib import Path

import pytest

from claude_openai_proxy.simulator import Script
from clients.installed import module
from clients.proxies import MODEL, Proxy
from clients.running import run

module("llm", "llm")
WEATHER = 'def get_weather(city: str) -> str:\n    "Weather of a city."\n    return f"18 degrees in {city}"\n'


def llm(proxy: Proxy, home: Path, *arguments: str) -> str:
    model = {"model_id": "claude", "model_name": MODEL, "api_base": proxy.base_url}
    abilities = {"supports_tools": True, "supports_schema": True, "vision": True}
    # JSON is YAML.
    (home / "extra-openai-models.yaml").write_text(json.dumps([model | abilities]))
    return run([sys.executable, "-m", "llm", "prompt", "-m", "claude", *arguments], home, LLM_USER_PATH=str(home))


@pytest.mark.parametrize("options", [[], ["--no-stream"]], ids=["streamed", "whole"])
def test_a_prompt_is_answered(options: list[str], proxy: Proxy, tmp_path: Path) -> None:
    proxy.play(Script.text("Hello, 世界", pieces=4))
    assert llm(proxy, tmp_path, "Say hello", "-s", "Be short.", *options) == "Hello, 世界\n"


def test_tools_run_and_their_results_are_used(proxy: Proxy, tmp_path: Path) -> None:
    proxy.play(
        Script.tool_calls([("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})]),
        Script.text("Mild in both."),
    )
    assert llm(proxy, tmp_path, "Weather?", "--functions", WEATHER) == "Mild in both.\n"
    assert "18 degrees in Rome" in json.dumps(proxy.asked()[-1]["messages"])


def test_a_schema_is_filled(proxy: Proxy, tmp_path: Path) -> None:
    proxy.play(Script.text('{"name": "Rex", "age": 5}'))
    assert json.loads(llm(proxy, tmp_path, "A dog", "--schema", "name, age int")) == {"name": "Rex", "age": 5}


def test_a_conversation_goes_on(proxy: Proxy, tmp_path: Path) -> None:
    proxy.play(Script.text("Blue."), Script.text("I said blue."))
    llm(proxy, tmp_path, "A colour?")
    assert llm(proxy, tmp_path, "-c", "Which one?") == "I said blue.\n"
    assert "Blue." in json.dumps(proxy.asked()[-1]["messages"])
