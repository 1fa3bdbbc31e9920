"""How a log line looks: JSON for machines, aligned words for people."""

import logging
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

import msgspec

from claude_openai_proxy.telemetry.log_entry import LogEntry

Event = Literal["request started", "first token", "request"]

_encode: Final = msgspec.json.Encoder().encode
_NAMES: Final = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}
_COLOURS: Final = {logging.DEBUG: "2", logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "31;1"}


class LineFormat(Protocol):
    """Makes lines, each with its newline at the end; `now` in seconds since 1970."""

    def request(self, now: float, level: int, event: Event, entry: LogEntry) -> str:
        """About a request."""
        ...

    def message(self, now: float, record: logging.LogRecord, *, exception: str) -> str:
        """About anything else; `exception` is a traceback, or ""."""
        ...


class _Head(msgspec.Struct, frozen=True):
    time: str
    level: str
    event: str


class _Message(msgspec.Struct, frozen=True, omit_defaults=True):
    time: str
    level: str
    logger: str
    message: str
    request_id: str = ""
    exception: str = ""


class JsonLines:
    """One JSON object a line, time in UTC."""

    def request(self, now: float, level: int, event: Event, entry: LogEntry) -> str:
        """Time, level, event and the entry's fields."""
        head = _encode(_Head(_utc(now), _name(level), event))
        return f"{head[:-1].decode()},{_encode(entry)[1:].decode()}\n"

    def message(self, now: float, record: logging.LogRecord, *, exception: str) -> str:
        """Time, level, logger, message."""
        line = _Message(
            _utc(now), _name(record.levelno), record.name, record.getMessage(), _request_id(record), exception
        )
        return f"{_encode(line).decode()}\n"


class ConsoleLines:
    """Columns for a person; in colour where the stream is a terminal."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def request(self, now: float, level: int, event: Event, entry: LogEntry) -> str:
        """Status, route, then whatever there is to say."""
        said = _story(entry) if event == "request" else event
        status = str(entry.status) if event == "request" else "   "
        line = f"{status} {entry.method:<4} {entry.route:<20}  {said}  {entry.request_id}"
        return self._line(now, level, line)

    def message(self, now: float, record: logging.LogRecord, *, exception: str) -> str:
        """Level and message; a traceback follows."""
        of_request = f" ({request_id})" if (request_id := _request_id(record)) else ""
        line = f"{_name(record.levelno)}: {record.getMessage()}{of_request}"
        return self._line(now, record.levelno, line) + (f"{exception}\n" if exception else "")

    def _line(self, now: float, level: int, text: str) -> str:
        time = datetime.fromtimestamp(now).astimezone().strftime("%H:%M:%S")
        # A name with line breaks in it must not write lines of its own.
        shown = text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
        colour = _COLOURS.get(level) if self._colour else None
        return f"{time}  \x1b[{colour}m{shown}\x1b[0m\n" if colour else f"{time}  {shown}\n"


def _story(entry: LogEntry) -> str:
    model = f"{entry.model} → {entry.model_used}" if entry.model_used not in ("", entry.model) else entry.model
    parts = [
        f"{model:<44}" if model else "",
        entry.error or entry.finish_reason,
        _tokens(entry),
        _times(entry),
        f"ignored {', '.join(entry.ignored)}" if entry.ignored else "",
        f"repairs {', '.join(entry.repairs)}" if entry.repairs else "",
        entry.principal if entry.principal != "local" else "",
    ]
    return "  ".join(part for part in parts if part)


def _tokens(entry: LogEntry) -> str:
    if not (entry.input_tokens or entry.output_tokens):
        return ""
    cached = f" ({entry.cached_tokens} cached)" if entry.cached_tokens else ""
    return f"{entry.input_tokens} in{cached}, {entry.output_tokens} out"


def _times(entry: LogEntry) -> str:
    first = f"first token {entry.first_token_ms} ms, " if entry.stream and entry.first_token_ms is not None else ""
    return f"{first}{entry.total_ms} ms" if entry.total_ms is not None else first


def _request_id(record: logging.LogRecord) -> str:
    return str(getattr(record, "request_id", ""))


def _name(level: int) -> str:
    return _NAMES.get(level) or logging.getLevelName(level).lower()


def _utc(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
