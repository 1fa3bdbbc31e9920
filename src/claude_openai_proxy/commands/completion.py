"""`completion`: what makes a shell complete commands and flags. The scripts are made with the program and shipped."""

import argparse
from pathlib import Path
from typing import Final

from claude_openai_proxy.commands.invocation import OK, PROGRAM, Invocation
from claude_openai_proxy.serving.streams import say

HELP = "print what makes a shell complete commands and flags"
SHELLS: Final = ("bash", "zsh", "fish")
FOLDER: Final = Path(__file__).parents[1] / "completions"

_ADVICE: Final = f"""For this shell alone:
  bash, zsh:  source <({PROGRAM} completion bash)
  fish:       {PROGRAM} completion fish | source
For every one: put that line into ~/.bashrc or ~/.config/fish/config.fish; for zsh write what `completion zsh` prints
to a file _{PROGRAM} in a folder of $fpath."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Which shell."""
    parser.add_argument("shell", choices=SHELLS)
    parser.epilog = _ADVICE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter


def run(invocation: Invocation) -> int:
    """Reads no settings."""
    say([file_of(invocation.arguments.shell).read_text(encoding="utf-8").rstrip("\n")])
    return OK


def file_of(shell: str) -> Path:
    """The script for a shell."""
    return FOLDER / f"{PROGRAM}.{shell}"
