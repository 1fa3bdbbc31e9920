"""The guides are run as they are printed: against the simulator, on another port, with `setup` told yes.

Blocks marked `bash` are run in their order, in one shell; of a block marked `text` behind one, each line is what it
printed, `…` standing for anything. Other shell commands must be marked as not run.
"""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from docs.demo_server import clean_environment
from docs.documents import READMES, ROOT, blocks

IN_CHINESE = sorted((ROOT / "docs" / "guides").glob("*.zh-CN.md"))
"""Their commands are the English ones, which are run (test_languages.py)."""
GUIDES = [
    path
    for path in sorted((ROOT / "docs" / "guides").glob("*.md"))
    if path not in IN_CHINESE and path.name != "README.md"
]
FOLDERS = [
    *(f"{folder}/.bin" for folder in os.environ.get("NODE_PATH", "").split(":") if folder),
    str(Path(sys.executable).parent),
]
PROGRAMS = ("codex", "opencode")
STARTS = re.compile(r"^(?:[A-Z_]+=\S+ )*claude-openai-proxy(?: --.*)?\n$")
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
ELSEWHERE = re.compile(r"--host \S+")
"""Tests listen on this machine's loopback alone."""

SERVER = """
exec {{lines}}< <({command} --host 127.0.0.1 2>server.log & echo "$!" > server.pid; wait)
trap 'kill "$(cat server.pid)"' EXIT
while read -r line <&$lines && [[ $line != Listening* ]]; do :; done
[[ $line == Listening* ]]
"""


@dataclass
class Step:
    command: str
    printed: list[str] = field(default_factory=list)


def steps(guide: Path) -> list[Step]:
    found: list[Step] = []
    for block in FENCE.finditer(guide.read_text(encoding="utf-8")):
        if block["language"] == "bash":
            found.append(Step(block["code"]))
        elif block["language"] == "text":
            found[-1].printed = block["code"].splitlines()
    return found


def script(found: list[Step], port: int) -> str:
    """Each block's output goes into a file of its own."""
    lines = ["set -euo pipefail"]
    for number, step in enumerate(found):
        command = step.command.replace("localhost:3000", f"localhost:{port}")
        if STARTS.match(step.command):
            command = SERVER.format(command=ELSEWHERE.sub("", command).strip())
        lines += [f"exec >out.{number} 2>&1", command]
    return "\n".join(lines)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def missing_program(found: list[Step]) -> str:
    path = os.pathsep.join([*FOLDERS, os.environ["PATH"]])
    used = [name for name in PROGRAMS if any(step.command.startswith(f"{name} ") for step in found)]
    return next((name for name in used if shutil.which(name, path=path) is None), "")


def in_order(pieces: list[str], text: str) -> bool:
    place = 0
    for piece in pieces:
        place = text.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return True


async def printed_by(found: list[Step], port: int, simulator_url: str, home: Path) -> list[str]:
    """What each step printed, in a home of its own, by a login at the simulator."""
    program = home / "bin" / "claude-openai-proxy"
    program.parent.mkdir()
    agreed = '[ "$1" = setup ] && set -- "$@" --yes'
    program.write_text(f'#!/bin/sh\n{agreed}\nexec "{sys.executable}" -m claude_openai_proxy "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    path = os.pathsep.join([str(program.parent), *FOLDERS, os.environ["PATH"]])
    login = {"ANTHROPIC_API_KEY": "sk-ant-made-up", "ANTHROPIC_BASE_URL": simulator_url}
    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", script(found, port)],
        cwd=home,
        env={**clean_environment(home, **login), "PATH": path, "PORT": str(port)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    files = [home / f"out.{number}" for number in range(len(found))]
    printed = [file.read_text(encoding="utf-8") for file in files if file.exists()]
    assert done.returncode == 0, printed
    return printed


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
async def test_a_guide_does_what_it_says(guide: Path, simulator_url: str, tmp_path: Path) -> None:
    whole, port = steps(guide), free_port()
    lacking = missing_program(whole)
    found = [step for step in whole if not lacking or not step.command.startswith(f"{lacking} ")]
    for step, printed in zip(found, await printed_by(found, port, simulator_url, tmp_path), strict=True):
        for line in step.printed:
            pieces = line.replace("localhost:3000", f"localhost:{port}").replace(":3000", f":{port}").split("…")
            assert in_order(pieces, printed), (line, printed)
    if lacking:
        pytest.skip(f"client {lacking} is not installed")


@pytest.mark.parametrize(("client", "said"), [("codex", "tokens used"), ("llm", "You said: Say hello in five words.")])
async def test_readme_leads_from_nothing_to_an_answer(
    client: str, said: str, simulator_url: str, tmp_path: Path
) -> None:
    (block,) = [block.code for block in blocks(READMES[0]) if f"claude-openai-proxy setup {client}" in block.code]
    if shutil.which(client, path=os.pathsep.join([*FOLDERS, os.environ["PATH"]])) is None:
        pytest.skip(f"client {client} is not installed")
    found = [Step("claude-openai-proxy\n"), Step(block.replace(".venv/bin/", ""))]
    _, printed = await printed_by(found, free_port(), simulator_url, tmp_path)
    assert said in printed


@pytest.mark.parametrize("guide", [*GUIDES, *IN_CHINESE], ids=lambda guide: guide.stem)
def test_what_is_not_run_says_so(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    for block in FENCE.finditer(text):
        assert block["language"] in ("bash", "text", "sh"), block["code"]
        if block["language"] == "sh":
            before = text[: block.start()].rstrip().rpartition("\n\n")[2]
            assert re.search(r"[Nn]ot run by the tests|未由测试运行", before), block["code"]


def test_every_guide_is_listed() -> None:
    listed = re.findall(r"\]\((\w[\w-]*\.md)\)", (ROOT / "docs" / "guides" / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(guide.name for guide in GUIDES)
