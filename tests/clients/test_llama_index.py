"""LlamaIndex's OpenAILike: completion, chat, streaming, tools, structured answers."""

from pathlib import Path

from claude_openai_proxy.simulator import Script
from clients.installed import older_python
from clients.proxies import MODEL, Proxy
from clients.running import PROGRAMS, run_for_json


def test_it_completes_chats_streams_calls_a_tool_and_fills_a_schema(proxy: Proxy, tmp_path: Path) -> None:
    python = older_python("llama_index.llms.openai_like", "llama-index-llms-openai-like")
    proxy.play(
        Script.text("Hello, 世界"),
        Script.text("Mild."),
        Script.text("One, two, three.", pieces=5),
        Script.tool_calls([("get_weather", {"city": "Paris"})]),
        Script.tool_calls([("Place", {"city": "Paris", "country": "France"})]),
    )
    program = PROGRAMS / "llama_index_client.py"
    scenarios = ["complete", "chat", "stream", "tools", "structured"]
    assert run_for_json([python, program, *scenarios], tmp_path, OPENAI_BASE_URL=proxy.base_url, MODEL=MODEL) == {
        "complete": "Hello, 世界",
        "chat": "Mild.",
        "stream": "One, two, three.",
        "tools": "18 degrees in Paris",
        "structured": {"city": "Paris", "country": "France"},
    }
    assert proxy.asked()[1]["system"] is not None
