"""Writes the completions that are shipped, after a command or a flag has changed:

PYTHONPATH=tests python -m cli.completions
"""

import argparse
import re

import shtab

from claude_openai_proxy.commands.completion import FOLDER, SHELLS, file_of
from claude_openai_proxy.commands.invocation import PROGRAM
from claude_openai_proxy.commands.table import COMMANDS, DEFAULT, command


def whole_parser() -> argparse.ArgumentParser:
    """All commands as one parser, as shells know them."""
    parser = argparse.ArgumentParser(prog=PROGRAM, allow_abbrev=False)
    parser.add_argument("--version", "-V", action="store_true", help="print the version")
    command(DEFAULT).add_flags(parser)
    commands = parser.add_subparsers(dest="command")
    for name in COMMANDS:
        about = command(name).HELP
        command(name).add_flags(commands.add_parser(name, help=about, description=about, allow_abbrev=False))
    return parser


def write() -> None:
    """Without the marks of the version that made them, and with one line end at the end."""
    FOLDER.mkdir(exist_ok=True)
    for shell in SHELLS:
        script = shtab.complete(whole_parser(), shell=shell)
        script = re.sub(r"(?m)^# AUTOMATICALLY GENERATED.*\n", "# Made by tests/cli/completions.py.\n", script)
        lines = (line.rstrip() for line in script.splitlines())
        file_of(shell).write_text("\n".join(lines).rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
