"""The examples of README work as printed, against the console command with `--demo`; only the port is replaced."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.demo_server import START_LINES, DemoServer, clean_environment
from docs.documents import READMES, ROOT, Block, blocks

NODE_EXAMPLE = Block("javascript", (ROOT / "examples" / "function_calling.mjs").read_text(encoding="utf-8"))
ALL = [*{block: None for readme in READMES for block in blocks(readme)}, NODE_EXAMPLE]

# What an example is known by -> what it must print.
PRINTED = {
    '"stream": true': ("data: [DONE]",),
    "tool_calls": ("call: get_weather", "Paris", "Rome", "18", "24"),
    "image_url": ("image/png",),
    "response_format": ("name=", "day=", "people="),
    "Say hello in five words.": ("Say hello in five words.",),
    "Count from one to ten.": ("Count from one to ten.",),
    "你好！请用一句话介绍你自己。": ("你好！请用一句话介绍你自己。",),
    "请从一数到十。": ("请从一数到十。",),
    "/health": ('"status":"ok"', "custom-claude-4-opus"),
}


def examples(language: str, start: str = "") -> list[Block]:
    return [block for block in ALL if block.language == language and block.code.startswith(start)]


def known_by(block: Block) -> str:
    """The mark that tells what an example is."""
    return next(mark for mark in PRINTED if mark in block.code)


def run(command: list[str], directory: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=directory,
        env=clean_environment(directory, **environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_printed(block: Block, printed: str) -> None:
    for word in PRINTED[known_by(block)]:
        assert word in printed


def with_address(block: Block, address: str) -> str:
    assert "http://localhost:3000" in block.code
    return block.code.replace("http://localhost:3000", address)


def test_the_start_lines_are_those_of_readme(demo: DemoServer) -> None:
    printed = next(block.code for block in ALL if block.code.startswith("Listening on")).splitlines()
    port = demo.address.rpartition(":")[2]
    said = [line.replace(f":{port}", ":3000") for line in demo.said]

    assert len(printed) == START_LINES
    assert said[0] in (printed[0], printed[0].partition(" and ")[0])  # some machines have no IPv6
    assert said[1:] == printed[1:]


def test_every_kind_of_example_is_there() -> None:
    assert [len(examples("bash", "curl")), len(examples("python")), len(examples("javascript"))] == [5, 7, 5]


@pytest.mark.parametrize("block", examples("bash", "curl"), ids=known_by)
def test_a_curl_example_works_as_printed(block: Block, demo: DemoServer, tmp_path: Path) -> None:
    assert_printed(block, run(["bash", "-euo", "pipefail", "-c", with_address(block, demo.address)], tmp_path))


@pytest.mark.parametrize("block", examples("python"), ids=known_by)
def test_a_python_example_works_as_printed(block: Block, demo: DemoServer, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(with_address(block, demo.address), encoding="utf-8")

    assert_printed(block, run([sys.executable, "-W", "error", script.name], tmp_path))


@pytest.mark.parametrize("block", examples("javascript"), ids=known_by)
def test_a_node_example_works_as_printed(block: Block, demo: DemoServer, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    # Modules are looked for beside the importing file, never in NODE_PATH.
    (tmp_path / "node_modules").symlink_to(node_packages(), target_is_directory=True)
    script = tmp_path / "example.mjs"
    script.write_text(with_address(block, demo.address), encoding="utf-8")

    assert_printed(block, run([node, script.name], tmp_path))


def node_packages() -> Path:
    """The folder with the package `openai`: one of NODE_PATH, or the checkout's own `node_modules`."""
    for folder in [*os.environ.get("NODE_PATH", "").split(os.pathsep), str(ROOT / "node_modules")]:
        if folder and (Path(folder) / "openai" / "package.json").is_file():
            return Path(folder)
    pytest.skip("the Node package 'openai' is not installed")
