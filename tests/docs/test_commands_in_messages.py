"""Commands that messages name can be typed: the proxy's own are read by its parser, Claude Code's are run."""

import argparse
import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from claude_openai_proxy.commands.table import COMMANDS, read
from claude_openai_proxy.upstreams.claude_code.binary import shown_command, update_command
from docs.documents import ROOT

VALUE = "3001"
"""Stands where a message has something that varies."""
WORD = r"(?: (?:--?[a-z][\w-]*|[a-z][\w-]*|[A-Z]+|\.env|\d+|\"[^\"]+\"))"
OWN = re.compile(rf"\bclaude-openai-proxy({WORD}*)")
OF_CLAUDE_CODE = (("auth", "status"), ("update",), ("install", "2.1.332"), ("auth", "login"))


def messages() -> Iterator[str]:
    """Every text in the source that is no docstring."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = list(ast.walk(tree))
        alone = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        passed_over = alone | parts
        for node in nodes:
            if isinstance(node, ast.JoinedStr):
                yield "".join(_text(part) for part in node.values)
            elif isinstance(node, ast.Constant) and id(node) not in passed_over and isinstance(node.value, str):
                yield node.value


def _text(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    names = isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name) and part.value.id == "PROGRAM"
    return "claude-openai-proxy" if names else VALUE


def commands() -> set[str]:
    """The proxy's own, with as many of the words behind it as belong to it."""
    found = {match[1] for text in messages() for match in OWN.finditer(text)}
    return {f"claude-openai-proxy{' '.join(['', *_belonging(words.split())])}" for words in found}


def _belonging(words: list[str]) -> list[str]:
    """A message goes on in plain words behind its command."""
    if not words or (words[0] not in COMMANDS and not words[0].startswith("-")):
        return []
    return words


@pytest.mark.parametrize("command", sorted(commands()))
def test_a_command_of_the_proxy_is_one(command: str) -> None:
    words = shlex.split(command)[1:]
    assert isinstance(read(words), argparse.Namespace)


def test_those_that_matter_are_among_them() -> None:
    assert {
        "claude-openai-proxy login",
        "claude-openai-proxy models",
        "claude-openai-proxy --upstream api",
        f"claude-openai-proxy --port {VALUE}",
    } <= commands()


@pytest.mark.parametrize("words", OF_CLAUDE_CODE, ids=" ".join)
def test_a_command_of_claude_code_is_one(cli: str, words: tuple[str, ...], tmp_path: Path) -> None:
    shown = shlex.split(shown_command(Path(cli), *words, "--help"))
    environment = {"HOME": str(tmp_path), "CLAUDE_CONFIG_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    run = subprocess.run(shown, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert "Usage: claude" in run.stdout


def test_a_program_is_updated_by_what_brought_it(tmp_path: Path) -> None:
    assert update_command(tmp_path / "my tools" / "claude") == f"'{tmp_path}/my tools/claude' update"
    bundled = shlex.split(update_command(tmp_path / "claude_agent_sdk" / "_bundled" / "claude"))
    assert sys.executable in bundled
    assert ("pip", "install") in pairwise(bundled)
    assert bundled[-2:] == ["--upgrade", "claude-agent-sdk"]
