"""What the documents, the page and `setup` tell Codex users to write is what Codex takes, word for word."""

import re
from html import unescape
from pathlib import Path

import httpx2 as httpx
import pytest

from claude_openai_proxy.simulator import Script
from clients.codex import Codex
from clients.proxies import Proxy
from docs.documents import ROOT, blocks

DOCUMENTS = [ROOT / "docs" / "clients.md", ROOT / "docs" / "clients.zh-CN.md"]


def answers(codex: Codex, proxy: Proxy) -> None:
    proxy.play(Script.text("ready"))
    ended = codex.asked("Reply with the word ready", sandbox="read-only")
    assert (ended.said, ended.status, ended.troubles) == ("ready", 0, [])
    assert "apply_patch" in str(proxy.asked()[-1]["tools"])
    assert "You are a coding agent" in str(proxy.asked()[-1]["system"])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_the_documents_say(document: Path, proxy: Proxy, tmp_path: Path) -> None:
    (block,) = [block for block in blocks(document) if block.language == "toml"]
    assert "http://localhost:3000/v1" in block.code
    answers(Codex(tmp_path).told(block.code.replace("http://localhost:3000/v1", proxy.base_url)), proxy)


def test_what_the_page_says(proxy: Proxy, tmp_path: Path) -> None:
    page = httpx.get(proxy.native_url, headers={"accept": "text/html"}, trust_env=False).text
    (written,) = re.findall(r'<pre id="codex"[^>]*>(.*?)</pre>', page, re.DOTALL)
    answers(Codex(tmp_path).told(unescape(written)), proxy)


def test_a_key_is_read_from_the_variable(proxy: Proxy, tmp_path: Path) -> None:
    (block,) = [block for block in blocks(DOCUMENTS[0]) if block.language == "toml"]
    keyed = block.code.replace("http://localhost:3000/v1", proxy.base_url).replace(
        'experimental_bearer_token = "any"', 'env_key = "CLAUDE_OPENAI_PROXY_KEY"'
    )
    assert "env_key" in keyed
    answers(Codex(tmp_path, {"CLAUDE_OPENAI_PROXY_KEY": "sk-made-up"}).told(keyed), proxy)
