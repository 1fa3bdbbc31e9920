"""opencode with OpenAI's own provider, which speaks Responses; with the other one `test_setup.py` proves it."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from claude_openai_proxy.simulator import Script
from clients.codex import folders
from clients.installed import missing
from clients.proxies import MODEL, Proxy
from clients.running import run


def test_it_writes_a_file_by_responses(proxy: Proxy, tmp_path: Path) -> None:
    program = shutil.which("opencode", path=os.pathsep.join(folders())) or missing("opencode")
    provider = {
        "npm": "@ai-sdk/openai",
        "options": {"baseURL": proxy.base_url, "apiKey": "any"},
        "models": {MODEL: {"name": "Claude Sonnet", "tool_call": True, "reasoning": True}},
    }
    given = {"provider": {"claude": provider}, "permission": {"edit": "allow"}}
    call: tuple[str, dict[str, object]] = ("write", {"filePath": str(tmp_path / "note.txt"), "content": "Hello\n"})
    proxy.play(Script.tool_calls([call], text="I write it."), Script.text("Done."))
    said = run(
        [program, "run", "--title", "Note", "-m", f"claude/{MODEL}", "Write a note."],
        tmp_path,
        OPENCODE_CONFIG_CONTENT=json.dumps(given),
        OPENCODE_DISABLE_AUTOUPDATE="1",
    )
    assert said.split() == ["I", "write", "it.", "Done."]
    assert (tmp_path / "note.txt").read_text() == "Hello\n"
    asked: list[Any] = [request["messages"] for request in proxy.asked()]
    assert [len(turns) for turns in asked] == [1, 3]
