"""What comes again and again is summed up: strangers must not be able to fill the log with lines.

That is requests without a key, and warnings that whatever comes in can set off (malformed HTTP).
"""

import logging
from collections import Counter
from typing import Final

from claude_openai_proxy.records import RequestRecord

WINDOW_SECONDS: Final = 10.0
SHOWN: Final = 20
"""Lines of one window; what comes beyond them is only counted."""
MOST_KINDS: Final = 200
"""Of messages. They are written in programs, so that there are few; this is for the case that one is not."""


class Window:
    """Counts in windows that begin with what is counted. `now` is in seconds of one clock."""

    def __init__(self) -> None:
        self._began = float("-inf")
        self._shown = 0
        self._hidden: Counter[str] = Counter()

    def hides(self, kind: str, now: float) -> bool:
        """Whether this is one too many for a line of its own, and counted instead."""
        if self.over(now):
            self._began, self._shown = now, 0
        self._shown += 1
        if self._shown <= SHOWN:
            return False
        self._hidden[kind] += 1
        return True

    def over(self, now: float) -> bool:
        """Whether the window has ended."""
        return now - self._began >= WINDOW_SECONDS

    @property
    def hiding(self) -> bool:
        """Whether there is something to sum up."""
        return bool(self._hidden)

    def sum_up(self) -> str:
        """What was only counted, by kind; afterwards nothing is."""
        kinds = ", ".join(f"{count} x {kind}" for kind, count in self._hidden.most_common())
        self._hidden.clear()
        return kinds


class Messages:
    """The windows of warnings, one for each message as it stands in a program."""

    def __init__(self) -> None:
        self._windows: dict[str, Window] = {}

    def told(self, record: logging.LogRecord, now: float) -> tuple[bool, str]:
        """Whether it gets a line, and what is to be said first of those of its kind that got none."""
        if record.levelno < logging.WARNING:
            return True, ""
        if len(self._windows) > MOST_KINDS:
            self._windows.clear()
        kind = type(record.exc_info[1]).__qualname__ if record.exc_info else ""
        window = self._windows.setdefault(f"{record.name} {record.msg} {kind}", Window())
        first = window.sum_up() if window.hiding and window.over(now) else ""
        return not window.hides(str(record.msg), now), first


def stranger(record: RequestRecord) -> str:
    """The kind of a request without a key; "" for others, and for what fails by a fault of the proxy."""
    if record.principal.name != "anonymous" or record.status == 500:
        return ""
    return f"{record.status} {record.code or record.route}"
