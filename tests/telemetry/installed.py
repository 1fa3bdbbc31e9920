"""A log that everybody who logs writes to."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from claude_openai_proxy.telemetry.log_line import LogLine
from claude_openai_proxy.telemetry.logging_setup import new_log


def set_up_logging(**options: Any) -> LogLine:
    """Make it and install it; the reader that adds the lines of the requests."""
    log = new_log(**options)
    log.install()
    return log.requests


@contextmanager
def logging_as_it_was() -> Iterator[None]:
    """What a log does to the loggers of this process is undone: other tests look at them."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    names = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "asyncio")
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)
        logging.getLogger(name).disabled = False
