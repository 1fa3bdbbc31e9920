"""The development start: a server process that is started anew whenever a watched file changes."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

POLL_SECONDS = 0.25
GRACE_SECONDS = 2.0
"""How long running answers may hold up a restart."""
CLEAN_UP_SECONDS = 10.0

CANNOT_START = 2

_HANDED_ON = tuple(
    number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)

Snapshot = Mapping[Path, tuple[int, int]]


class Reloader:
    """Runs `command`; `watched` lists the files to look at, `say` tells a person of a restart."""

    def __init__(
        self, command: Sequence[str], *, watched: Callable[[], Iterable[Path]], say: Callable[[str], None]
    ) -> None:
        self._command = command
        self._watched = watched
        self._say = say
        self._signals: list[int] = []
        self._wake = threading.Event()
        self._lifeline, self._our_end = os.pipe()

    def run(self) -> int:
        """Until a signal comes; the exit code of the server. A first start that cannot be is not tried again."""
        handlers = {number: signal.signal(number, self._note) for number in _HANDED_ON}
        try:
            return self._supervise()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            os.close(self._lifeline)
            os.close(self._our_end)

    def _note(self, number: int, _: object) -> None:
        self._signals.append(number)
        self._wake.set()

    def _supervise(self) -> int:
        seen, changes = self._snapshot(), 0
        server = self._start()
        while not self._wake.wait(POLL_SECONDS):
            if changes == 0 and server.poll() == CANNOT_START:
                return CANNOT_START
            if (now := self._snapshot()) != seen:
                self._say(f"{_first_difference(seen, now)} changed: starting again.")
                seen, changes = now, changes + 1
                _end(server)
                server = self._start()
        return self._stop(server)

    def _start(self) -> subprocess.Popen[bytes]:
        """In a session of its own: a Ctrl-C of the terminal reaches the server once, through us.

        It ends with us, however we end: it reads from a pipe that nobody else writes to.
        """
        command = [*self._command, "--end-with", str(self._lifeline)]
        return subprocess.Popen(  # noqa: S603 - our own command line
            command, start_new_session=True, pass_fds=(self._lifeline,)
        )

    def _stop(self, server: subprocess.Popen[bytes]) -> int:
        """Each signal is handed on, so that the second one ends the drain."""
        handed_on = 0
        while server.poll() is None:
            for number in self._signals[handed_on:]:
                server.send_signal(number)
                handed_on += 1
            self._wake.clear()
            self._wake.wait(POLL_SECONDS)
        return server.returncode

    def _snapshot(self) -> Snapshot:
        return {path: stamp for path in self._watched() if (stamp := _stamp(path))}


def end_with(descriptor: int) -> None:
    """Stop this process, as SIGTERM would, when nobody holds the other end of a pipe any more."""

    def wait() -> None:
        with suppress(OSError):
            os.read(descriptor, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def _first_difference(before: Snapshot, after: Snapshot) -> str:
    return min(path.name for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def _end(server: subprocess.Popen[bytes]) -> None:
    """A drain, but a short one; then the second signal, and at last no asking any more."""
    for seconds in (GRACE_SECONDS, CLEAN_UP_SECONDS):
        server.terminate()
        try:
            server.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return
    server.kill()
    server.wait()
