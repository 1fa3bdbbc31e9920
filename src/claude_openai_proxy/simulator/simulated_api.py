"""The simulated Messages API: a server on a real socket, and what it is told to answer."""

import asyncio
import itertools
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from ssl import SSLContext

from claude_openai_proxy.simulator.answer import answer
from claude_openai_proxy.simulator.batches import PATH as BATCHES
from claude_openai_proxy.simulator.batches import Batches
from claude_openai_proxy.simulator.connection import Connection, Connections
from claude_openai_proxy.simulator.earlier_thinking import as_read
from claude_openai_proxy.simulator.endpoints import (
    Account,
    asked_of,
    json_answer,
    other_route,
    refused_login,
    refused_version,
)
from claude_openai_proxy.simulator.model_table import MODELS, Model
from claude_openai_proxy.simulator.player import Player, document_of
from claude_openai_proxy.simulator.prompt_cache import PromptCache
from claude_openai_proxy.simulator.received import ReceivedRequest
from claude_openai_proxy.simulator.rules import refusal_of
from claude_openai_proxy.simulator.script import Script


class Simulator:
    """Answers like `api.anthropic.com`, by script or by itself.

    `keep` requests are remembered; `pace` seconds lie between the deltas of an answer of its own. Keys are accepted
    unless `accept_keys` names the good ones or `refuse_keys` the bad ones; `not_in_plan` names models that exist but
    that the caller may not use. All four live in `account` and may be changed there at any time. A Message Batch takes
    `batch_seconds`; `now` is in seconds since 1970.
    """

    def __init__(
        self,
        *,
        models: Sequence[Model] = MODELS,
        keep: int = 1000,
        pace: float = 0.0,
        accept_keys: Collection[str] | None = None,
        refuse_keys: Collection[str] = (),
        not_in_plan: Collection[str] = (),
        batch_seconds: float = 0.0,
        now: Callable[[], float] = time.time,
        cache_minimum: int | None = None,
    ) -> None:
        """`cache_minimum`: tokens of the shortest prefix that is cached, instead of each model's own."""
        self.account = Account(models, accept_keys, set(refuse_keys), set(not_in_plan))
        self.requests: deque[ReceivedRequest] = deque(maxlen=keep)
        self._scripts: deque[Script] = deque()
        self._routes: list[tuple[Callable[[ReceivedRequest], bool], Script]] = []
        self._pace = pace
        self._cache = PromptCache()
        self._least = cache_minimum
        self._numbers = itertools.count(1)
        self._arrived = asyncio.Event()
        self._connections = Connections(self._respond)
        self.batches = Batches(self._run, now=now, seconds=batch_seconds)

    def play(self, *scripts: Script) -> None:
        """Each following message takes the next script; when none is left the simulator answers by itself."""
        self._scripts.extend(scripts)

    def play_when(self, predicate: Callable[[ReceivedRequest], bool], script: Script) -> None:
        """Every message that `predicate` is true for gets `script`; this goes before the queue of `play`."""
        self._routes.append((predicate, script))

    def forget(self) -> None:
        """As it was at first: no scripts, no requests."""
        self._scripts.clear()
        self._routes.clear()
        self.requests.clear()

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
        judged = request.method == "POST" and request.path in {"/v1/messages", "/v1/messages/count_tokens"}
        queued = self._queued(request) if request.is_message else None
        if queued is not None and queued.skip_rules:
            return self._taken(queued)
        refused = refused_login(request, self.account) if request.path != "/" else None
        if refused is not None:
            return refused
        if request.path.startswith(BATCHES):
            return refused_version(request) or self.batches.script(request)
        if not judged:
            return other_route(request, self.account)
        return refused_version(request) or self._judged(request, queued)

    def _run(self, request: ReceivedRequest) -> tuple[int, bytes]:
        """A request of a batch, as the live route would answer it."""
        number = next(self._numbers)
        request.id = f"req_sim{number:021d}"
        script = self._judged(request, self._queued(request))
        return document_of(script, request, f"msg_sim{number:021d}")

    def _judged(self, request: ReceivedRequest, queued: Script | None) -> Script:
        asked = asked_of(request, self.account)
        refusal = refusal_of(asked)
        if refusal is not None:
            request.broken_rule = refusal.rule.name
            return Script.error(refusal.rule.status, refusal.message, error_type=refusal.rule.error_type)
        if asked.counting:
            return json_answer({"input_tokens": asked.tokens})
        if queued is not None:
            return self._taken(queued)
        used = self._cache.use(as_read(asked.body, asked.model), minimum=self._cache_minimum(asked.model))
        request.cache = used
        return answer(asked, used.usage(), pace=self._pace)

    def _cache_minimum(self, model: Model | None) -> int:
        if self._least is not None:
            return self._least
        return model.cache_minimum if model else 0

    def _queued(self, request: ReceivedRequest) -> Script | None:
        """The script that is next for this message; a refused message leaves it in the queue."""
        routed = next((script for predicate, script in self._routes if predicate(request)), None)
        return routed or (self._scripts[0] if self._scripts else None)

    def _taken(self, script: Script) -> Script:
        if self._scripts and self._scripts[0] is script:
            self._scripts.popleft()
        return script
