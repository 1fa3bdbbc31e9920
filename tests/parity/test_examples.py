"""The examples of README work as printed through `--upstream claude-code` as well."""

import asyncio
import shutil
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from claude_openai_proxy.simulator import Simulator
from cli.running import running
from docs.documents import Block
from docs.test_examples import assert_printed, examples, known_by, node_packages, run, with_address
from parity.conftest import CLAUDE_CODE


@pytest.fixture(scope="module")
async def address(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The console command as a user starts it, with a made-up login and a simulated API."""
    directory = tmp_path_factory.mktemp("command")
    words = ("--upstream", "claude-code", "--port", "0")
    async with Simulator().serve() as upstream:
        extra = {**environment, **CLAUDE_CODE, "ANTHROPIC_BASE_URL": upstream}
        with running(*words, home=directory, extra=extra) as command:
            listening = await asyncio.to_thread(command.line, r"http://localhost:\d+")
            while b'"checking"' in await asyncio.to_thread(health, listening[0]):
                pass  # each of them waits for the login
            yield listening[0]
            command.signal(signal.SIGTERM)
            assert await asyncio.to_thread(command.end) == 0


def health(address: str) -> bytes:
    with urllib.request.urlopen(f"{address}/health", timeout=60) as answer:
        told: bytes = answer.read()
        return told


@pytest.mark.parametrize("block", examples("bash", "curl"), ids=known_by)
async def test_a_curl_example_works_as_printed(block: Block, address: str, tmp_path: Path) -> None:
    code = with_address(block, address)

    assert_printed(block, await asyncio.to_thread(run, ["bash", "-euo", "pipefail", "-c", code], tmp_path))


@pytest.mark.parametrize("block", examples("python"), ids=known_by)
async def test_a_python_example_works_as_printed(block: Block, address: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(with_address(block, address), encoding="utf-8")

    assert_printed(block, await asyncio.to_thread(run, [sys.executable, "-W", "error", script.name], tmp_path))


@pytest.mark.parametrize("block", examples("javascript"), ids=known_by)
async def test_a_node_example_works_as_printed(block: Block, address: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    (tmp_path / "node_modules").symlink_to(node_packages(), target_is_directory=True)
    script = tmp_path / "example.mjs"
    script.write_text(with_address(block, address), encoding="utf-8")

    assert_printed(block, await asyncio.to_thread(run, [node, script.name], tmp_path))
