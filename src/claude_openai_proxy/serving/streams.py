"""Standard streams that nobody reads, or that were closed, must not end a server."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

_STANDARD: Final = (0, 1, 2)


def open_standard_streams() -> None:
    """Before anything else is opened: a socket must not become the stream that was closed before the start."""
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one


def say(lines: Sequence[str]) -> None:
    """Print at once, also into a pipe: whoever waits for these lines waits for the server.

    A pipe that was closed (`| head -1`) or a full disk loses the lines, and those that follow; nothing else.
    """
    try:
        print(*lines, sep="\n", flush=True)  # noqa: T201 - a person reads it
    except (OSError, ValueError):
        _give_up_stdout()


def _give_up_stdout() -> None:
    """What is still buffered would be written again when Python ends, and change the exit code."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
