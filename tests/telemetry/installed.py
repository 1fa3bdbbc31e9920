"""A log that everybody who logs writes to."""

from typing import Any

from claude_openai_proxy.telemetry.log_line import LogLine
from claude_openai_proxy.telemetry.logging_setup import new_log


def set_up_logging(**options: Any) -> LogLine:
    """Make it and install it; the reader that adds the lines of the requests."""
    log = new_log(**options)
    log.install()
    return log.requests
