"""The process's limit of open files: raised, because every connection and every process of Claude Code takes some."""

import sys
from contextlib import suppress

ENOUGH = 65_536
SOME = 10_240
"""What macOS gives at most, whatever it says of its own limit."""

_FALLBACK = 1_024


def raise_descriptor_limit(enough: int = ENOUGH) -> int:
    """Raise the soft limit as far as the hard one, and `enough`, allow; the limit that holds now."""
    if sys.platform == "win32":
        return _FALLBACK
    import resource  # noqa: PLC0415 - not on every platform

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (enough, SOME):
        goal = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft == resource.RLIM_INFINITY or soft >= goal:
            break
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
            return goal
    return enough if soft == resource.RLIM_INFINITY else soft


def most_connections(descriptors: int) -> int:
    """Three in four; the rest is for Claude's side, files and processes."""
    return max(16, descriptors * 3 // 4)
