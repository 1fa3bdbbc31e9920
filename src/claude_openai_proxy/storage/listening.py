"""What hears of changed client keys at once, on a connection of its own to PostgreSQL (`LISTEN`).

| state     | connection                                      | sure                   | leaves it             |
|-----------|-------------------------------------------------|------------------------|-----------------------|
| silent    | none                                            | never                  | somebody asks: lost   |
| lost      | tried every second                              | never                  | it is made: listening |
| listening | asked for a sign of life every `PING_SECONDS`   | for `SURE_SECONDS` of  | an error: lost;       |
|           |                                                 | each, from the asking  | nobody asks: silent   |
| closed    | none, ever again                                | never                  |                       |

Invariants: `count` moves after each `LISTEN` and with each notification, so what was read while it stood as it stands
now is what there is, unless that was changed since the last sign of life; the server sends what was notified before it
answers what is asked afterwards. A line that swallows everything is noticed by the missing sign of life, and one
through a pooler, which hands a connection to another client between two transactions, by another process's number.
"""

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import psycopg

CHANNEL: Final = "claude_openai_proxy_client_keys"
"""As in the step `key_changes`."""
PING_SECONDS: Final = 1.0
SURE_SECONDS: Final = 1.75
"""A little less than the two seconds after which a change of keys is known whatever happens."""
IDLE_SECONDS: Final = 60.0
RETRY_SECONDS: Final = 1.0

_NEVER: Final = float("-inf")

log: Final = logging.getLogger(__name__)


class KeyChanges:
    """See `Changes`. `connect` makes a connection that commits by itself; `clock` counts seconds."""

    def __init__(self, connect: "Callable[[], psycopg.Connection[Any]]", *, clock: Callable[[], float]) -> None:
        self._connect = connect
        self._clock = clock
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._asked = _NEVER
        self._alive = _NEVER
        """When the last sign of life was asked for."""
        self._count = 0
        self._wake: socket.socket | None = None
        """A byte on it wakes the thread."""

    # ---- anywhere ---------------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """See `Changes.count`."""
        return self._count

    def sure(self) -> bool:
        """See `Changes.sure`. Who asks keeps it listening."""
        self._asked = now = self._clock()
        if self._thread is None:
            self._start()
        return now - self._alive < SURE_SECONDS

    def close(self) -> None:
        """Listen no more. Waits for a connection that is being made."""
        with self._lock:
            self._closed, thread = True, self._thread
            if self._wake is not None:
                self._wake.send(b"\0")
        if thread is not None:
            thread.join()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed:
                self._wake, woken = socket.socketpair()
                self._thread = threading.Thread(target=self._run, args=(woken,), name="storage-listen", daemon=True)
                self._thread.start()

    # ---- on the thread ----------------------------------------------------------------------------------------------

    def _run(self, woken: socket.socket) -> None:
        while self._is_wanted(woken):
            with suppress(psycopg.Error, OSError):  # the database itself is asked, too, and tells of its trouble
                connection = self._connect()
                try:
                    self._listen(connection, woken)
                finally:
                    connection.close()
                    self._alive = _NEVER
            self._rest(RETRY_SECONDS, woken)

    def _is_wanted(self, woken: socket.socket) -> bool:
        """False only where the thread ends."""
        with self._lock:
            if self._in_use():
                return True
            if self._wake is not None:
                self._wake.close()
            woken.close()
            self._wake = self._thread = None
            return False

    def _in_use(self) -> bool:
        return not self._closed and self._clock() - self._asked < IDLE_SECONDS

    def _listen(self, connection: "psycopg.Connection[Any]", woken: socket.socket) -> None:
        """Until nobody wants it any more. Raises what the connection does."""
        connection.add_notify_handler(lambda _: self._changed())
        connection.execute(f"LISTEN {CHANNEL}")
        self._changed()
        while self._in_use():
            now = self._clock()
            ((process,),) = connection.execute("SELECT pg_backend_pid()").fetchall()
            if process != connection.info.backend_pid:
                self._give_up()
                return
            self._alive = now
            self._rest(PING_SECONDS, woken, connection)

    def _rest(self, seconds: float, *sources: "socket.socket | psycopg.Connection[Any]") -> None:
        """Until something comes on one of them."""
        with selectors.DefaultSelector() as selector:
            for source in sources:
                selector.register(source, selectors.EVENT_READ)
            selector.select(seconds)

    def _changed(self) -> None:
        self._count += 1

    def _give_up(self) -> None:
        log.info("A pooler stands before the database: client keys are read once a second. See docs/scaling.md.")
        self._closed = True
