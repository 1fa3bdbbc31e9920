"""Requests of strangers, summed up: whoever has no key must not be able to fill the log with lines."""

from collections import Counter
from typing import Final

from claude_openai_proxy.records import RequestRecord

WINDOW_SECONDS: Final = 10.0
SHOWN: Final = 20
"""Lines of strangers in one window; what comes beyond them is only counted."""


class Strangers:
    """Counts in windows that begin with a stranger's request. `now` is in seconds of one clock."""

    def __init__(self) -> None:
        self._began = float("-inf")
        self._shown = 0
        self._hidden: Counter[str] = Counter()

    def hides(self, record: RequestRecord, now: float) -> bool:
        """Whether the record is one too many for a line of its own, and counted instead."""
        if not _is_strangers(record):
            return False
        if self.over(now):
            self._began, self._shown = now, 0
        self._shown += 1
        if self._shown <= SHOWN:
            return False
        self._hidden[f"{record.status} {record.code or record.route}"] += 1
        return True

    def over(self, now: float) -> bool:
        """Whether the window has ended."""
        return now - self._began >= WINDOW_SECONDS

    @property
    def hiding(self) -> bool:
        """Whether there is something to sum up."""
        return bool(self._hidden)

    def sum_up(self) -> str:
        """What was only counted, in a sentence; afterwards nothing is."""
        kinds = ", ".join(f"{count} x {kind}" for kind, count in self._hidden.most_common())
        self._hidden.clear()
        return f"More requests without a key than are told one by one: {kinds}"


def _is_strangers(record: RequestRecord) -> bool:
    """What fails by a fault of the proxy is always told."""
    return record.principal.name == "anonymous" and record.status != 500
