"""The standard library's logging in the same two looks, so that the server's own words and tracebacks fit in."""

import logging
from collections.abc import Callable, Iterator
from traceback import format_tb
from typing import Literal, TextIO

from claude_openai_proxy.telemetry.line_writer import line_writer
from claude_openai_proxy.telemetry.lines import ConsoleLines, JsonLines, LineFormat
from claude_openai_proxy.telemetry.log_line import Later, LogLine
from claude_openai_proxy.telemetry.repeats import Messages

LogFormat = Literal["auto", "json", "console"]


class Log:
    """`requests` tells of the requests, whoever else logs; `install` makes every logger's lines look the same."""

    def __init__(self, requests: LogLine, handler: logging.Handler, level: int) -> None:
        self.requests = requests
        self._handler = handler
        self._level = level

    def install(self) -> None:
        """Take over the standard library's logging: for the whole process, so that a command decides it."""
        logging.basicConfig(handlers=[self._handler], level=self._level, force=True)
        _quiet_foreign_loggers(self._level)


def new_log(
    *,
    level: str,
    format_: LogFormat,
    stream: TextIO | None,
    wall_clock: Callable[[], float],
    later: Later | None = None,
    blot: Callable[[str], str] = str,
) -> Log:
    """A log whose lines go to `stream`. It has no effect on other logging yet.

    `auto` is console on a terminal, JSON elsewhere. None is a stream that was closed before the start. `later` calls
    something after so many seconds, for sums that nothing else would bring out. `blot` takes secrets out of a line.
    """
    on_terminal = stream is not None and stream.isatty()
    json = format_ == "json" or (format_ == "auto" and not on_terminal)
    lines: LineFormat = JsonLines() if json else ConsoleLines(colour=on_terminal)
    take = line_writer(stream, count_line=lambda count: _count_line(lines, wall_clock(), count))

    def write(line: str) -> None:
        take(blot(line))

    handler = _LineHandler(write, lines, wall_clock)
    handler.setFormatter(_LineFormatter(lines, wall_clock))
    number = logging.getLevelNamesMapping()[level.upper()]
    requests = LogLine(level=number, lines=lines, write=write, wall_clock=wall_clock, later=later)
    return Log(requests, handler, number)


def _count_line(lines: LineFormat, now: float, count: int) -> str:
    said = f"{count} log lines were dropped: nobody took them."
    return lines.event(now, logging.WARNING, "log lines dropped", [said])


class _LineHandler(logging.Handler):
    def __init__(self, write: Callable[[str], None], lines: LineFormat, wall_clock: Callable[[], float]) -> None:
        super().__init__()
        self._write = write
        self._lines = lines
        self._wall_clock = wall_clock
        self._messages = Messages()

    def emit(self, record: logging.LogRecord) -> None:
        now = self._wall_clock()
        shown, others = self._messages.told(record, now)
        if others:
            self._write(self._lines.event(now, record.levelno, "repeated", [f"Not told one by one: {others}"]))
        if shown:
            self._write(self.format(record))


class _LineFormatter(logging.Formatter):
    def __init__(self, lines: LineFormat, wall_clock: Callable[[], float]) -> None:
        super().__init__()
        self._lines = lines
        self._wall_clock = wall_clock

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        exception = "\n".join(_tracebacks(error)) if error else ""
        return self._lines.message(self._wall_clock(), record, exception=exception)


def _tracebacks(error: BaseException) -> Iterator[str]:
    """Where it was raised, its causes first. Not its words: those of a bug may quote a prompt or a secret."""
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier:
        yield from _tracebacks(earlier)
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _tracebacks(member)
    kind = type(error)
    yield f"{''.join(format_tb(error.__traceback__))}{kind.__qualname__}"


def _quiet_foreign_loggers(level: int) -> None:
    """uvicorn's own start lines and access log would say twice what is said here."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(max(level, logging.WARNING) if level > logging.DEBUG else logging.NOTSET)
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("asyncio").setLevel(max(level, logging.INFO))
