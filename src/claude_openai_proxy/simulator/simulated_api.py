"""The simulated Messages API: a server on a real socket, and what it is told to answer."""

import asyncio
import itertools
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext

from claude_openai_proxy.simulator.answer import answer
from claude_openai_proxy.simulator.connection import Connection, Connections
from claude_openai_proxy.simulator.player import Player
from claude_openai_proxy.simulator.received import ReceivedRequest
from claude_openai_proxy.simulator.script import Script


class Simulator:
    """Answers like `api.anthropic.com`, by script or by itself; `keep` requests are remembered."""

    def __init__(self, *, keep: int = 1000) -> None:
        self.requests: deque[ReceivedRequest] = deque(maxlen=keep)
        self._scripts: deque[Script] = deque()
        self._routes: list[tuple[Callable[[ReceivedRequest], bool], Script]] = []
        self._numbers = itertools.count(1)
        self._arrived = asyncio.Event()
        self._connections = Connections(self._respond)

    def play(self, *scripts: Script) -> None:
        """Each following message takes the next script; when none is left the simulator answers by itself."""
        self._scripts.extend(scripts)

    def play_when(self, predicate: Callable[[ReceivedRequest], bool], script: Script) -> None:
        """Every message that `predicate` is true for gets `script`; this goes before the queue of `play`."""
        self._routes.append((predicate, script))

    async def received(self, count: int) -> list[ReceivedRequest]:
        """Waits until `count` messages have been asked for; all that are remembered."""
        while len(messages := [request for request in self.requests if request.is_message]) < count:
            self._arrived.clear()
            await self._arrived.wait()
        return messages

    @asynccontextmanager
    async def serve(
        self, host: str = "127.0.0.1", port: int = 0, *, ssl: SSLContext | None = None
    ) -> AsyncIterator[str]:
        """Listens while entered; lends its URL. Leaving aborts what still runs."""
        server = await asyncio.get_running_loop().create_server(self._connections.accept, host, port, ssl=ssl)
        bound = server.sockets[0].getsockname()[1]
        try:
            yield f"{'https' if ssl else 'http'}://{f'[{host}]' if ':' in host else host}:{bound}"
        finally:
            server.close()
            await self.aclose()
            await server.wait_closed()

    async def dial(
        self, protocol_factory: Callable[[], asyncio.Protocol]
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """A connection without a port: the caller's protocol on one end of a socket pair, ours on the other."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        await loop.connect_accepted_socket(self._connections.accept, ours)
        return await loop.create_connection(protocol_factory, sock=theirs)

    async def aclose(self) -> None:
        """Abort every connection."""
        await self._connections.aclose()

    async def _respond(self, request: ReceivedRequest, connection: Connection) -> None:
        number = next(self._numbers)
        request.id = f"req_sim{number:021d}"
        self.requests.append(request)
        self._arrived.set()
        await Player(self._script_for(request), request, connection, f"msg_sim{number:021d}").play()

    def _script_for(self, request: ReceivedRequest) -> Script:
        for predicate, script in self._routes:
            if predicate(request):
                return script
        return self._scripts.popleft() if self._scripts else answer(request)
