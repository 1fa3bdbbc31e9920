"""One line in the log for each request: who, what, how long, how much; never what was said."""

import logging
from collections.abc import Callable

from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.telemetry.lines import Event, LineFormat
from claude_openai_proxy.telemetry.log_entry import level_of, log_entry


class LogLine:
    """Reads records; `write` takes a finished line, `wall_clock` gives seconds since 1970."""

    def __init__(
        self, *, level: int, lines: LineFormat, write: Callable[[str], None], wall_clock: Callable[[], float]
    ) -> None:
        self._level = level
        self._lines = lines
        self._write = write
        self._wall_clock = wall_clock

    def started(self, record: RequestRecord) -> None:
        """Told at debug level."""
        self._tell(logging.DEBUG, "request started", record)

    def first_token(self, record: RequestRecord) -> None:
        """Told at debug level."""
        self._tell(logging.DEBUG, "first token", record)

    def ended(self, record: RequestRecord) -> None:
        """The line."""
        self._tell(level_of(record), "request", record)

    def _tell(self, level: int, event: Event, record: RequestRecord) -> None:
        if level >= self._level:
            self._write(self._lines.request(self._wall_clock(), level, event, log_entry(record)))
