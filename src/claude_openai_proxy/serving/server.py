"""uvicorn, started our way: own sockets, own signals, a drain that always ends, exit code 0."""

import asyncio
import contextlib
import gc
import socket
from collections.abc import Awaitable, Callable, Coroutine
from types import FrameType

import uvicorn

from claude_openai_proxy.serving.sockets import BACKLOG

KEEP_ALIVE_SECONDS = 75
"""Longer than the clients keep an idle connection, so that it is rarely us who close one while a request comes in."""

_GC_THRESHOLDS = (50_000, 20, 20)
_TICK_SECONDS = 0.05
_CLEAN_UP_SECONDS = 5.0


def serve(
    application: Callable[..., Awaitable[None]],
    sockets: list[socket.socket],
    *,
    drain_seconds: float,
    announce: Callable[[], Coroutine[None, None, None]],
) -> None:
    """Serve an ASGI application until SIGINT or SIGTERM; `announce` is awaited once requests are answered."""
    config = uvicorn.Config(
        application,
        loop="auto",
        http="httptools",
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        forwarded_allow_ips=[],
        server_header=False,
        workers=1,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    DrainingServer(config, drain_seconds=drain_seconds, announce=announce).run(sockets)


class DrainingServer(uvicorn.Server):
    """The first signal lets running answers finish for `drain_seconds`, the second one ends them."""

    def __init__(
        self, config: uvicorn.Config, *, drain_seconds: float, announce: Callable[[], Coroutine[None, None, None]]
    ) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._announce = announce

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Stop, or stop at once. Not kept for being raised again: a stop that was asked for is no failure."""
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True

    async def main_loop(self) -> None:
        """Run until a signal comes."""
        _settle_garbage_collector()
        async with asyncio.TaskGroup() as beside:
            announcing = beside.create_task(self._announce())
            await super().main_loop()
            announcing.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connection, let answers finish, cancel the rest, then close what the application opened."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._drain(self._drain_seconds)
        await self._cancel_requests()
        await self.lifespan.shutdown()

    async def _drain(self, seconds: float) -> None:
        """uvicorn has no event for the last connection, hence the ticks; they also see the second signal."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.server_state.connections and not self.force_exit:  # noqa: ASYNC110
                    await asyncio.sleep(_TICK_SECONDS)

    async def _cancel_requests(self) -> None:
        requests = list(self.server_state.tasks)
        for request in requests:
            request.cancel()
        if requests:
            await asyncio.wait(requests, timeout=_CLEAN_UP_SECONDS)


def _settle_garbage_collector() -> None:
    """What is there after the start stays: it need not be looked through again and again (a third off the p99)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
