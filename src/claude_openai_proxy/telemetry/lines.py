"""How a log line looks: JSON for machines, aligned words for people."""

import logging
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal, Protocol

import msgspec

from claude_openai_proxy.telemetry.log_entry import LogEntry

Event = Literal["request started", "first token", "request"]

_INDENT: Final = " " * 10
"""As wide as the time at the beginning of a line."""
_ROOM: Final = 120 - len(_INDENT)

_encode: Final = msgspec.json.Encoder().encode
_NAMES: Final = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}
_COLOURS: Final = {logging.DEBUG: "2", logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "31;1"}


class LineFormat(Protocol):
    """Makes lines, each with its newline at the end; `now` in seconds since 1970."""

    def request(self, now: float, level: int, event: Event, entry: LogEntry) -> str:
        """About a request."""
        ...

    def event(self, now: float, level: int, event: str, said: Sequence[str]) -> str:
        """About the server, in sentences."""
        ...

    def message(self, now: float, record: logging.LogRecord, *, exception: str) -> str:
        """About anything else; `exception` is a traceback, or ""."""
        ...


class _ServerEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    time: str
    level: str
    event: str
    said: Sequence[str] = ()


class _Message(msgspec.Struct, frozen=True, omit_defaults=True):
    time: str
    level: str
    event: str
    logger: str
    message: str
    request_id: str = ""
    exception: str = ""


class JsonLines:
    """One JSON object a line, time in UTC."""

    def request(self, now: float, level: int, event: Event, entry: LogEntry) -> str:
        """Time, level, event and the entry's fields."""
        return f'{{"time":"{_utc(now)}","level":"{_name(level)}","event":"{event}",{_encode(entry)[1:].decode()}\n'

    def event(self, now: float, level: int, event: str, said: Sequence[str]) -> str:
        """Time, level, event, what is said."""
        return f"{_encode(_ServerEvent(_utc(now), _name(level), event, said)).decode()}\n"

    def message(self, now: float, record: logging.LogRecord, *, exception: str) -> str:
        """Time, level, event (`message`), logger, message."""
        line = _Message(
            _utc(now),
            _name(record.levelno),
            "message",
            record.name,
            record.getMessage(),
            _request_id(record),
            exception,
        )
        return f"{_encode(line).decode()}\n"


class ConsoleLines:
    """Columns for a person, in colour where the stream is a terminal. What is too long goes on below, indented."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def request(self, now: float, level: int, event: Event, entry: LogEntry) -> str:
        """Status, route, then whatever there is to say."""
        said = _story(entry) if event == "request" else [event, entry.request_id]
        status = str(entry.status) if event == "request" else "   "
        return self._line(now, level, [f"{status} {entry.method:<4} {entry.path or entry.route}", *said])

    def event(self, now: float, level: int, event: str, said: Sequence[str]) -> str:  # noqa: ARG002 - the protocol's
        """What is wrong; that it started was said in words already."""
        if level < logging.WARNING:
            return ""
        return "".join(self._line(now, level, [sentence]) for sentence in said)

    def message(self, now: float, record: logging.LogRecord, *, exception: str) -> str:
        """Level and message; a traceback follows."""
        of_request = f" ({request_id})" if (request_id := _request_id(record)) else ""
        line = f"{_name(record.levelno)}: {record.getMessage()}{of_request}"
        return self._line(now, record.levelno, [line]) + (f"{exception}\n" if exception else "")

    def _line(self, now: float, level: int, parts: Sequence[str]) -> str:
        time = datetime.fromtimestamp(now).astimezone().strftime("%H:%M:%S")
        shown = _folded([_printable(part) for part in parts if part])
        colour = _COLOURS.get(level) if self._colour else None
        return f"{time}  \x1b[{colour}m{shown}\x1b[0m\n" if colour else f"{time}  {shown}\n"


def _printable(text: str) -> str:
    """A name with line breaks in it must not write lines of its own."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def _folded(parts: Sequence[str]) -> str:
    """In one line where it fits; broken between parts, or inside of one that is too long, where it does not."""
    lines = [""]
    for part in parts:
        if len(lines[-1]) + 2 + len(part) <= _ROOM:
            lines[-1] += f"  {part}" if lines[-1] else part
        else:
            lines += textwrap.wrap(part, _ROOM)
    return f"\n{_INDENT}".join(line for line in lines if line)


def _story(entry: LogEntry) -> list[str]:
    model = f"{entry.model} → {entry.model_used}" if entry.model_used not in ("", entry.model) else entry.model
    return [
        model,
        entry.code or entry.error or entry.finish_reason,
        f"at {entry.param}" if entry.param else "",
        _tokens(entry),
        _times(entry),
        entry.principal if entry.principal != "local" else "",
        entry.address if entry.address not in ("", "127.0.0.1", "::1") else "",
        f"ignored {', '.join(entry.ignored)}" if entry.ignored else "",
        f"repairs {', '.join(entry.repairs)}" if entry.repairs else "",
        f"{entry.request_id} ({entry.own_id})" if entry.own_id else entry.request_id,
        entry.reason,
    ]


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
    return f"{_utc_second(int(now))}.{int(now * 1000) % 1000:03}Z"


@lru_cache(maxsize=1)
def _utc_second(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S")
