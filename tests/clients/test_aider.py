"""aider edits a file of a git repository."""

import json
import subprocess
from pathlib import Path

import pytest

from claude_openai_proxy.simulator import Script
from clients.installed import older_python
from clients.proxies import MODEL, Proxy
from clients.running import run

EDIT = """I add the name.

greeting.py
```python
<<<<<<< SEARCH
print("Hello")
=======
print("Hello, 世界")
>>>>>>> REPLACE
```
"""
OPTIONS = [
    "--yes-always", "--no-auto-commits", "--no-dirty-commits", "--no-gitignore", "--no-pretty", "--no-fancy-input",
    "--no-analytics", "--no-check-update", "--no-show-release-notes", "--no-show-model-warnings", "--no-auto-lint",
    "--no-detect-urls", "--no-suggest-shell-commands", "--disable-playwright", "--map-tokens", "0",
    "--edit-format", "diff",
]  # fmt: skip


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """With one file; in it the home too, where aider finds the prices of models that it would fetch otherwise."""
    prices = tmp_path / ".aider" / "caches" / "model_prices_and_context_window.json"
    prices.parent.mkdir(parents=True)
    prices.write_text(json.dumps({f"openai/{MODEL}": {"max_input_tokens": 200_000, "max_output_tokens": 32_000}}))
    (tmp_path / "greeting.py").write_text('print("Hello")\n')
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    return tmp_path


def test_a_file_is_edited(proxy: Proxy, repository: Path) -> None:
    python = older_python("aider", "aider-chat")
    proxy.play(Script.text(EDIT, pieces=12))
    said = run(
        [
            python, "-m", "aider", "--model", f"openai/{MODEL}", "--weak-model", f"openai/{MODEL}", *OPTIONS,
            "--message", "Greet the world", "greeting.py",
        ],
        repository,
        OPENAI_API_BASE=proxy.base_url,
        OPENAI_API_KEY="any value",
    )  # fmt: skip
    assert (repository / "greeting.py").read_text() == 'print("Hello, 世界")\n', said
    assert "Greet the world" in json.dumps(proxy.asked()[0]["messages"])
