"""simonw's llm: the command line, with the proxy in extra-openai-models.yaml."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_openai_proxy.simulator import Script
from clients.installed import module
from clients.proxies import MODEL, Proxy
from clients.running import run

module("llm", "llm")
WEATHER = 'def get_weather(city: str) -> str:\n    "Weather of a city."\n    return f"18 degrees in {city}"\n'


@pytest.fixture(params=["chat", "responses"])
def llm(request: pytest.FixtureRequest, proxy: Proxy, tmp_path: Path) -> Callable[..., str]:
    """`llm prompt` with these arguments; what it printed."""
    model: dict[str, object] = {"model_id": "claude", "model_name": MODEL, "api_base": proxy.base_url}
    abilities = {"supports_tools": True, "supports_schema": True, "vision": True}
    # JSON is YAML.
    written = json.dumps([model | abilities | ({"responses": True} if request.param == "responses" else {})])
    (tmp_path / "extra-openai-models.yaml").write_text(written)
    words = [sys.executable, "-m", "llm", "prompt", "-m", "claude"]
    return lambda *arguments: run([*words, *arguments], tmp_path, LLM_USER_PATH=str(tmp_path))


@pytest.mark.parametrize("options", [[], ["--no-stream"]], ids=["streamed", "whole"])
def test_a_prompt_is_answered(options: list[str], llm: Callable[..., str], proxy: Proxy) -> None:
    proxy.play(Script.text("Hello, 世界", pieces=4))
    assert llm("Say hello", "-s", "Be short.", *options) == "Hello, 世界\n"


def test_tools_run_and_their_results_are_used(llm: Callable[..., str], proxy: Proxy) -> None:
    proxy.play(
        Script.tool_calls([("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})]),
        Script.text("Mild in both."),
    )
    assert llm("Weather?", "--functions", WEATHER) == "Mild in both.\n"
    assert "18 degrees in Rome" in json.dumps(proxy.asked()[-1]["messages"])


def test_a_schema_is_filled(llm: Callable[..., str], proxy: Proxy) -> None:
    proxy.play(Script.text('{"name": "Rex", "age": 5}'))
    assert json.loads(llm("A dog", "--schema", "name, age int")) == {"name": "Rex", "age": 5}


def test_a_conversation_goes_on(llm: Callable[..., str], proxy: Proxy) -> None:
    proxy.play(Script.text("Blue."), Script.text("I said blue."))
    llm("A colour?")
    assert llm("-c", "Which one?") == "I said blue.\n"
    assert "Blue." in json.dumps(proxy.asked()[-1]["messages"])


def test_an_endpoint_is_asked_without_any_setting_up(proxy: Proxy, tmp_path: Path) -> None:
    proxy.play(Script.tool_calls([("get_weather", {"city": "Paris"})]), Script.text("Mild."))
    words = [sys.executable, "-m", "llm", "openai", "endpoint", proxy.base_url, "-m", MODEL, "--key", "any"]
    asked = ["--responses", "--functions", WEATHER, "Weather in Paris?"]
    assert run([*words, *asked], tmp_path, LLM_USER_PATH=str(tmp_path)) == "Mild.\n"
    assert "18 degrees in Paris" in json.dumps(proxy.asked()[-1]["messages"])
