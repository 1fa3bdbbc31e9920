"""Log lines of requests for whoever looks on: the last ones, and each one as its request ends.

| a listener | gets | ends |
|---|---|---|
| keeps up | every line that it wants | when it leaves, or the server stops |
| does not | `MOST_UNREAD` of them, the oldest; how many were left out is told next | likewise |

There are `MOST_LISTENERS` at most, and `MOST_RECENT` lines are remembered. A line says what the log says, and no more.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from claude_openai_proxy.errors import QueueFullError
from claude_openai_proxy.records import CLIENT_LEFT, RecordReader, RequestRecord
from claude_openai_proxy.telemetry.lines import JsonLines
from claude_openai_proxy.telemetry.log_entry import LogEntry, level_of, log_entry

MOST_RECENT: Final = 100
MOST_LISTENERS: Final = 10
MOST_UNREAD: Final = 1_000

Line = tuple[float, int, LogEntry]
"""When the request ended (seconds since 1970), the level, and what is said of it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: of a key's name, of a client's name in part, of a status (`429`, `5xx`, `error`); "" for any."""

    key: str = ""
    client: str = ""
    status: str = ""

    def has(self, entry: LogEntry) -> bool:
        """Whether this line is one of them."""
        return (
            self.key in ("", entry.principal)
            and self.client.lower() in entry.client.lower()
            and (not self.status or _is_of(entry, self.status))
        )


def _is_of(entry: LogEntry, status: str) -> bool:
    if status == "error":
        return entry.status >= 400 or bool(entry.error)
    return all(wanted in ("x", digit) for wanted, digit in zip(status, str(entry.status).zfill(3), strict=True))


@dataclass(eq=False, slots=True)
class Listener:
    """One who looks on."""

    wanted: Wanted
    _waiting: deque[Line] = field(default_factory=deque)
    _left_out: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    def offer(self, line: Line) -> None:
        """A request has ended."""
        if not self.wanted.has(line[2]):
            return
        if len(self._waiting) < MOST_UNREAD:
            self._waiting.append(line)
        else:
            self._left_out += 1
        self._news.set()

    def end(self) -> None:
        """The server stops."""
        self.ended = True
        self._news.set()

    async def news(self) -> tuple[list[Line], int]:
        """What has come, and how many lines were left out behind it; returns at once when it has ended."""
        if not self.ended:
            await self._news.wait()
        self._news.clear()
        lines, left_out = list(self._waiting), self._left_out
        self._waiting.clear()
        self._left_out = 0
        return lines, left_out


class LiveLog(RecordReader):
    """A reader of records. `wall_clock`: seconds since 1970; `blot` takes secrets out of a line."""

    def __init__(self, *, wall_clock: Callable[[], float], blot: Callable[[str], str] = str) -> None:
        self._now = wall_clock
        self._blot = blot
        self._recent: deque[tuple[float, RequestRecord | LogEntry, int]] = deque(maxlen=MOST_RECENT)
        self._listeners: list[Listener] = []
        self.last_error: Line | None = None

    def ended(self, record: RequestRecord) -> None:
        """Tell whoever listens. A record without texts of the client's making is kept as it is: an entry costs time."""
        now, level = self._now(), level_of(record)
        plain = not (record.ignored or record.error or self._listeners)
        told = record if plain else log_entry(record)
        self._recent.append((now, told, level))
        if isinstance(told, LogEntry):
            self._tell(now, level, told)

    def _tell(self, now: float, level: int, entry: LogEntry) -> None:
        if entry.error and entry.status != CLIENT_LEFT and entry.principal != _NOBODY:
            self.last_error = now, level, entry
        for listener in self._listeners:
            listener.offer((now, level, entry))

    def recent(self, wanted: Wanted) -> list[Line]:
        """The last ones, oldest first."""
        lines = (
            (now, level, told if isinstance(told, LogEntry) else log_entry(told)) for now, told, level in self._recent
        )
        return [line for line in lines if wanted.has(line[2])]

    @contextmanager
    def listening(self, wanted: Wanted) -> Iterator[Listener]:
        """From now on. Raises `QueueFullError` where too many do already."""
        if len(self._listeners) >= MOST_LISTENERS:
            raise QueueFullError(f"{MOST_LISTENERS} look at the log already.", retry_after=_COME_BACK_SECONDS)
        listener = Listener(wanted)
        self._listeners.append(listener)
        try:
            yield listener
        finally:
            self._listeners.remove(listener)

    def text(self, line: Line) -> str:
        """As the log has it in JSON, with its newline."""
        now, level, entry = line
        return self._blot(JsonLines().request(now, level, "request", entry))


_NOBODY: Final = "anonymous"
_COME_BACK_SECONDS: Final = 30.0
