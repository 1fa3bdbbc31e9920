"""One line in the log for each request: who, what, how long, how much; never what was said."""

import logging
from collections.abc import Callable, Sequence

from claude_openai_proxy.records import RecordReader, RequestRecord
from claude_openai_proxy.telemetry.lines import Event, LineFormat
from claude_openai_proxy.telemetry.log_entry import level_of, log_entry
from claude_openai_proxy.telemetry.repeats import WINDOW_SECONDS, Window, stranger

Later = Callable[[float, Callable[[], None]], object]
"""Calls something after so many seconds."""


class LogLine(RecordReader):
    """Reads records; `write` takes a finished line, `wall_clock` gives seconds since 1970."""

    def __init__(
        self,
        *,
        level: int,
        lines: LineFormat,
        write: Callable[[str], None],
        wall_clock: Callable[[], float],
        later: Later | None = None,
    ) -> None:
        self._level = level
        self._lines = lines
        self._write = write
        self._wall_clock = wall_clock
        self._later = later
        self._strangers = Window()

    def started(self, record: RequestRecord) -> None:
        """Told at debug level."""
        self._tell(logging.DEBUG, "request started", record)

    def first_token(self, record: RequestRecord) -> None:
        """Told at debug level."""
        self._tell(logging.DEBUG, "first token", record)

    def ended(self, record: RequestRecord) -> None:
        """The line, or the sum of many."""
        now = self._wall_clock()
        if self._strangers.hiding and self._strangers.over(now):
            self._sum_up()
        kind, hid = stranger(record), self._strangers.hiding
        if not (kind and self._strangers.hides(kind, now)):
            self._tell(level_of(record), "request", record)
        elif not hid and self._later:
            self._later(WINDOW_SECONDS, self._sum_up)

    def told(self, event: str, said: Sequence[str]) -> None:
        """`started`, `stopped`: for machines; a person is told in words elsewhere."""
        if self._level <= logging.INFO:
            self._write(self._lines.event(self._wall_clock(), logging.INFO, event, said))

    def _sum_up(self) -> None:
        if self._strangers.hiding and self._level <= logging.WARNING:
            said = f"More requests without a key than are told one by one: {self._strangers.sum_up()}"
            self._write(self._lines.event(self._wall_clock(), logging.WARNING, "strangers", [said]))

    def _tell(self, level: int, event: Event, record: RequestRecord) -> None:
        if level >= self._level:
            self._write(self._lines.request(self._wall_clock(), level, event, log_entry(record)))
