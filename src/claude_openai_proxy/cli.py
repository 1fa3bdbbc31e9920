"""The console command: reads the command line and the environment, and leaves the work to `commands/`."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from claude_openai_proxy.commands.invocation import PROGRAM, WRONG_SETTING, Invocation
from claude_openai_proxy.commands.table import command, read
from claude_openai_proxy.logins.login import UntrustedLoginError
from claude_openai_proxy.serving.sockets import AddressError
from claude_openai_proxy.serving.streams import complain, open_standard_streams
from claude_openai_proxy.settings import SettingsError

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. What the user can mend is told in a line each, with exit code 2."""
    open_standard_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = read(words)
    try:
        return command(arguments.command).run(Invocation(arguments, words, dict(os.environ), _working_directory()))
    except (SettingsError, AddressError, UntrustedLoginError) as error:
        complain([f"{PROGRAM}: {line}" for line in str(error).splitlines()])
        return WRONG_SETTING
    except KeyboardInterrupt:
        return INTERRUPTED


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise SettingsError("The working directory is gone. Change to one that exists, and start again.") from None
