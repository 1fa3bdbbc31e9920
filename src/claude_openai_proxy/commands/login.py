"""`login`: the login of the Claude Code program that the proxy found, in the foreground."""

import argparse
import subprocess

from claude_openai_proxy.commands.invocation import OK, PROGRAM, Invocation, add_settings_flags
from claude_openai_proxy.serving.streams import say
from claude_openai_proxy.settings import SettingsError
from claude_openai_proxy.upstreams.claude_code.binary import INSTALL, find_cli

HELP = "log in with Claude Code"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Those of the settings, and what Claude Code's own command takes."""
    add_settings_flags(parser)
    parser.add_argument(
        "--console", action="store_true", help="with an account of the Claude Console instead of a plan"
    )


def run(invocation: Invocation) -> int:
    """Its exit code. Raises `SettingsError` where there is no such program."""
    settings = invocation.settings()
    cli = find_cli(settings.claude_cli_path or "", settings.environment)
    if cli is None or not cli.is_file():
        raise SettingsError(f"The Claude Code program was not found{f' at {cli}' if cli else ''}. {INSTALL}")
    command = [str(cli), "auth", "login", *(["--console"] if invocation.arguments.console else [])]
    say([f"Running {' '.join(command)}"])
    try:
        code = subprocess.run(command, env=dict(invocation.environment), check=False).returncode  # noqa: S603
    except OSError as error:
        raise SettingsError(f"{cli} could not be started: {error.strerror}.") from None
    if code == OK:
        say([f"A proxy that runs already finds the login by itself; to start one: {PROGRAM}"])
    return code
