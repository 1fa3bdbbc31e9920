"""Standard streams that nobody reads, or that were closed, must not end a server."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, TextIO

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
    _print(lines, sys.stdout)


def say_on(text: str) -> None:
    """As `say`, without the end of a line."""
    _print([text], sys.stdout, end="")


def complain(lines: Sequence[str]) -> None:
    """As `say`, to the error stream."""
    _print(lines, sys.stderr)


def _print(lines: Sequence[str], stream: TextIO | None, end: str = "\n") -> None:
    """None is a stream that was closed before the start."""
    if stream is None or not lines:
        return
    try:
        print(*lines, sep="\n", end=end, file=stream, flush=True)
    except (OSError, ValueError):
        _give_up(stream)


def _give_up(stream: TextIO) -> None:
    """What is still buffered would be written again when Python ends, and change the exit code."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
