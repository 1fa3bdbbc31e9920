"""uvicorn, started our way: own sockets, own connections, own signals, a drain that always ends, exit code 0.

| the server is | until | requests |
|---|---|---|
| serving | SIGINT, SIGTERM or SIGHUP | are answered |
| draining | all are answered, `drain_seconds` are over, or another signal | go on, in the background too; no new ones |
| ending | the last has been told, `_CLEAN_UP_SECONDS` at most | those still running are answered with 503 |
| closing | the application has closed what it opened | none |
"""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from types import FrameType
from typing import Any, Final, cast

import uvicorn

from claude_openai_proxy.serving.connection import Connection
from claude_openai_proxy.serving.connections import Connections
from claude_openai_proxy.serving.descriptors import most_connections, raise_descriptor_limit
from claude_openai_proxy.serving.limits import Limits
from claude_openai_proxy.serving.response_head import StandingHeaders
from claude_openai_proxy.serving.sockets import BACKLOG
from claude_openai_proxy.serving.websocket import websocket

_GC_THRESHOLDS = (50_000, 20, 20)
_DATE_SECONDS = 1.0
_TICK_SECONDS = 0.05
_CLEAN_UP_SECONDS = 5.0

log: Final = logging.getLogger(__name__)


def limits_here(*, client_stall_seconds: float, message_bytes: int = 0) -> Limits:
    """Those of this installation; makes room for as many connections as the system allows."""
    return Limits(
        client_stall_seconds=client_stall_seconds,
        message_bytes=message_bytes,
        most_connections=most_connections(raise_descriptor_limit()),
    )


def server_config(application: Callable[..., Awaitable[None]], limits: Limits) -> uvicorn.Config:
    """uvicorn, with connections of our own."""
    return uvicorn.Config(
        application,
        loop="auto",
        http=cast("type[asyncio.Protocol]", _protocol(limits)),
        ws=cast("type[asyncio.Protocol]", websocket) if limits.message_bytes else "none",
        ws_max_size=limits.message_bytes,
        ws_per_message_deflate=False,
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        forwarded_allow_ips=[],
        server_header=False,
        workers=1,
        backlog=BACKLOG,
    )


def _protocol(limits: Limits) -> Callable[..., Connection]:
    """What uvicorn calls for each connection. The clock is the loop's, which is not there yet."""

    def now() -> float:
        return asyncio.get_running_loop().time()

    return partial(Connection, connections=Connections(limits, now), limits=limits, standing=StandingHeaders())


class DrainingServer(uvicorn.Server):
    """The first signal lets running answers finish for `drain_seconds`, the second one ends them.

    `announce` is awaited once requests are answered; `say` tells a person that the server stops, and for what it waits.
    `under_way` counts what the application works on though no client waits for it.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        drain_seconds: float,
        announce: Callable[[], Coroutine[None, None, None]],
        under_way: Callable[[], int],
        say: Callable[[str], None],
    ) -> None:
        super().__init__(config)
        self._under_way = under_way
        self._drain_seconds = drain_seconds
        self._announce = announce
        self._say = say
        self._wake: Callable[[], object] = _nobody_sleeps

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn's, and the end of the terminal; one that was started to outlive it (nohup) goes on."""
        with super().capture_signals():
            hangup = getattr(signal, "SIGHUP", None)
            elsewhere = threading.current_thread() is not threading.main_thread()
            if hangup is None or elsewhere or signal.getsignal(hangup) is signal.SIG_IGN:
                yield
                return
            before = signal.signal(hangup, self.handle_exit)
            try:
                yield
            finally:
                signal.signal(hangup, before)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Stop, or stop at once. Not kept for being raised again: a stop that was asked for is no failure."""
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True
        self._wake()

    async def main_loop(self) -> None:
        """Run until a signal comes."""
        _settle_garbage_collector()
        async with asyncio.TaskGroup() as beside:
            announcing = beside.create_task(self._announce())
            await self._until_told_to_stop()
            announcing.cancel()

    async def _until_told_to_stop(self) -> None:
        """uvicorn's own loop looks ten times a second whether it shall stop; here that is told, and it looks for the
        sake of the `date` header alone.
        """
        loop, told = asyncio.get_running_loop(), asyncio.Event()
        self._wake = partial(loop.call_soon_threadsafe, told.set)
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DATE_SECONDS):
                    await told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connection, let answers finish, end the rest, then close what the application opened."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if running := len(self.server_state.tasks) + self._under_way():
            self._say(_waiting_for(running, self._drain_seconds))
        await self._until_closed(self._drain_seconds, unless_forced=True, under_way=self._under_way)
        await self._end_requests()
        await self.lifespan.shutdown()
        self._say("Stopped.")

    async def _until_closed(
        self, seconds: float, *, unless_forced: bool, under_way: Callable[[], int] = lambda: 0
    ) -> None:
        """uvicorn has no event for the last connection, hence the ticks; they also see the second signal."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while (self.server_state.connections or under_way()) and not (unless_forced and self.force_exit):  # noqa: ASYNC110
                    await asyncio.sleep(_TICK_SECONDS)

    async def _end_requests(self) -> None:
        requests = list(self.server_state.tasks)
        if requests:
            log.warning("stopped with %d unfinished: each was told so", len(requests))
        for request in requests:
            request.cancel()
        if requests:
            await asyncio.wait(requests, timeout=_CLEAN_UP_SECONDS)
            await self._until_closed(_TICK_SECONDS * 10, unless_forced=False)
        for connection in list(self.server_state.connections):
            cast("Any", connection).abort()


def serve(
    application: Callable[..., Awaitable[None]],
    sockets: list[socket.socket],
    *,
    limits: Limits,
    drain_seconds: float,
    announce: Callable[[], Coroutine[None, None, None]],
    under_way: Callable[[], int],
    say: Callable[[str], None],
) -> None:
    """Serve an ASGI application until SIGINT, SIGTERM or SIGHUP."""
    config = server_config(application, limits)
    server = DrainingServer(config, drain_seconds=drain_seconds, announce=announce, under_way=under_way, say=say)
    server.run(sockets)


def _nobody_sleeps() -> None:
    """A signal came before there is anything to wake."""


def _waiting_for(running: int, seconds: float) -> str:
    requests, them = ("1 request", "it") if running == 1 else (f"{running} requests", "them")
    return f"Stopping: {requests} still running, up to {seconds:g} s. Ctrl-C again ends {them} now."


def _settle_garbage_collector() -> None:
    """What is there after the start stays: it need not be looked through again and again (a third off the p99)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
