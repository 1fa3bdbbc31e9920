"""Connections that wait for their next request."""

import asyncio
from collections import defaultdict, deque

from claude_openai_proxy.upstreams.http.address import Origin
from claude_openai_proxy.upstreams.http.connection import Connection
from claude_openai_proxy.upstreams.http.news import has_news


class Pool:
    """Keeps at most `per_origin` connections to each origin, none unused for longer than `idle_seconds`."""

    def __init__(self, *, per_origin: int, idle_seconds: float) -> None:
        self._per_origin = per_origin
        self._idle_seconds = idle_seconds
        self._idle: defaultdict[Origin, deque[Connection]] = defaultdict(deque)
        self._sweeper: asyncio.TimerHandle | None = None

    def take(self, origin: Origin) -> Connection | None:
        """The connection that was used last (the others may then grow old), None where there is none."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.reusable and not has_news(connection.transport):
                return connection
            connection.abort()
        return None

    def put(self, connection: Connection) -> None:
        """Keep it, or close it where enough are kept."""
        idle = self._idle[connection.origin]
        if len(idle) >= self._per_origin:
            connection.abort()
            return
        connection.rest()
        idle.append(connection)
        if self._sweeper is None:
            self._sweep_later()

    def close(self) -> None:
        """Stop keeping anything; the connections are their owner's to close."""
        self._idle.clear()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None

    def _sweep_later(self) -> None:
        # One timer for all, and none per request: a connection may live for up to twice its time.
        self._sweeper = asyncio.get_running_loop().call_later(self._idle_seconds, self._sweep)

    def _sweep(self) -> None:
        oldest = asyncio.get_running_loop().time() - self._idle_seconds
        for origin, idle in list(self._idle.items()):
            while idle and (idle[0].lost or idle[0].idle_since <= oldest):
                idle.popleft().abort()
            if not idle:
                del self._idle[origin]
        self._sweeper = None
        if self._idle:
            self._sweep_later()
