"""Where log lines go. Nobody who logs waits for whoever reads: a pipe that is full, a terminal that was stopped.

| state | what a line does |
|---|---|
| reader keeps up | it is written by a thread of its own, with what else comes within `GATHER_SECONDS` |
| reader does not | it waits, up to `MOST_BYTES` of lines in all |
| no room left | it is dropped and counted; the count is told once there is room again |
| nobody can take lines any more (closed pipe, full disk) | it is gone; no reason to fail a request |
"""

import atexit
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final, TextIO
from weakref import WeakSet

MOST_BYTES: Final = 4 * 1024 * 1024
GATHER_SECONDS: Final = 0.01
"""Waking the thread for every line would cost a busy server a fifth of its time."""
THREAD_IDLE_SECONDS: Final = 5.0
"""A thread without lines ends after so long."""
LAST_SECONDS: Final = 1.0
"""At the end of the program lines may take so long."""
_FULL_SECONDS: Final = 0.05


class LineWriter:
    """`count_line` makes the line that tells how many were dropped."""

    def __init__(self, fd: int, *, count_line: Callable[[int], str], most_bytes: int = MOST_BYTES) -> None:
        self._fd = fd
        self._count_line = count_line
        self._most_bytes = most_bytes
        self._waiting: SimpleQueue[bytes | threading.Event] = SimpleQueue()
        """Lines, and who waits until those before them are out."""
        self._lock = threading.Lock()
        """Over what follows, and over what is put into the queue."""
        self._size = 0
        self._dropped = 0
        self._thread: threading.Thread | None = None
        _WRITERS.add(self)

    def __call__(self, line: str) -> None:
        """Take a line, which has its newline; never waits for a reader."""
        data = line.encode("utf-8", "backslashreplace")
        with self._lock:
            if self._size + len(data) > self._most_bytes:
                self._dropped += 1
                return
            self._size += len(data)
            self._waiting.put(data)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()

    def drain(self, seconds: float) -> bool:
        """Wait until every line is out, but not longer than this; whether it is."""
        with self._lock:
            if self._thread is None:
                return True
            out = threading.Event()
            self._waiting.put(out)
        return out.wait(seconds)

    def _run(self) -> None:
        while waiting := self._next():
            with suppress(OSError):
                _write_all(self._fd, b"".join(line for line in waiting if isinstance(line, bytes)))
            for out in waiting:
                if isinstance(out, threading.Event):
                    out.set()

    def _next(self) -> list[bytes | threading.Event]:
        """All that wait; none where no line came for long, and the thread is to end."""
        try:
            first = self._waiting.get(timeout=THREAD_IDLE_SECONDS)
            time.sleep(GATHER_SECONDS)
        except Empty:
            first = None
        with self._lock:
            waiting = [self._waiting.get_nowait() for _ in range(self._waiting.qsize())]
            if first is not None:
                waiting.insert(0, first)
            if not waiting:
                self._thread = None
            elif self._dropped:
                waiting.append(self._count_line(self._dropped).encode())
            self._size = self._dropped = 0
            return waiting


def line_writer(stream: TextIO | None, *, count_line: Callable[[int], str]) -> Callable[[str], None]:
    """The way to `stream`; None is a standard stream that was closed before the start."""
    if stream is None:
        return lambda _: None
    try:
        return LineWriter(stream.fileno(), count_line=count_line)
    except (OSError, ValueError):
        return _direct(stream)


def _direct(stream: TextIO) -> Callable[[str], None]:
    """What is no file of the system keeps nobody waiting."""

    def write(line: str) -> None:
        with suppress(OSError, ValueError):
            stream.write(line)
            stream.flush()

    return write


def _write_all(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:  # a terminal that another program made non-blocking
            time.sleep(_FULL_SECONDS)


_WRITERS: Final[WeakSet[LineWriter]] = WeakSet()


@atexit.register
def _drain_all() -> None:
    for writer in list(_WRITERS):
        writer.drain(LAST_SECONDS)
