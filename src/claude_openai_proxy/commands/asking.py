"""Questions to whoever sits at the terminal."""

import sys


def somebody_is_here() -> bool:
    """Whether anybody can answer."""
    return sys.stdin.isatty()


def agreed(question: str) -> bool:
    """Whether they said yes; whoever just presses the key has not."""
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
