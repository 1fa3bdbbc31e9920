"""The completions that are shipped know every command and flag.

Where they do not: PYTHONPATH=tests python -m cli.completions
"""

import argparse
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_openai_proxy.commands.completion import SHELLS, file_of
from claude_openai_proxy.commands.table import COMMANDS, parser
from cli.running import finished

FILE = str(file_of("bash"))
SYNTAX = {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "--no-execute"]}


def flags(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Of a command and of its verbs."""
    for action in parser._actions:
        yield from (flag for flag in action.option_strings if flag.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for name, verb in action.choices.items():
                yield name
                yield from flags(verb)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_every_flag_is_known(shell: str) -> None:
    script = file_of(shell).read_text(encoding="utf-8")
    words = {*COMMANDS, *(word for name in COMMANDS for word in flags(parser(name)))}
    # fish writes a flag without its dashes.
    assert sorted(word for word in words if (word if shell != "fish" else word.lstrip("-")) not in script) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_takes_its_script(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([*SYNTAX[shell], str(file_of(shell))], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("claude-openai-proxy do", ["doctor"]),
        ("claude-openai-proxy doctor --no-r", ["--no-request"]),
        ("claude-openai-proxy keys ro", ["rotate"]),
        ("claude-openai-proxy completion z", ["zsh"]),
    ],
)
def test_bash_completes(words: str, completed: list[str]) -> None:
    typed = words.split()
    script = f"source {FILE}; COMP_WORDS=({words}); COMP_CWORD={len(typed) - 1}; "
    script += '_shtab_claude_openai_proxy claude-openai-proxy; printf "%s\\n" "${COMPREPLY[@]}"'
    run = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True)
    assert run.stdout.split() == completed


def test_the_command_prints_it(tmp_path: Path) -> None:
    run = finished("completion", "bash", home=tmp_path)
    assert run.stdout == file_of("bash").read_text(encoding="utf-8")
    assert finished("completion", "csh", home=tmp_path).returncode == 2
