"""A real server on a loopback port, in this process."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import uvicorn

from claude_openai_proxy.serving.limits import Limits
from claude_openai_proxy.serving.server import server_config
from claude_openai_proxy.web.asgi import Receive, Scope, Send

ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

PLAIN = Limits()


@asynccontextmanager
async def served(application: ASGIApplication, limits: Limits = PLAIN) -> AsyncIterator[str]:
    """Base URL, such as `http://127.0.0.1:41753`, of `application` while the block runs."""
    async with serving_with(server_config(application, limits)) as url:
        yield url


@asynccontextmanager
async def serving_with(config: uvicorn.Config) -> AsyncIterator[str]:
    """The same, for a server of its own kind."""
    config.timeout_graceful_shutdown = 5
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = _Server(config)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        started = asyncio.create_task(server.up.wait())
        try:
            await asyncio.wait({running, started}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            started.cancel()
            server.should_exit = True
            await running


class _Server(uvicorn.Server):
    """Says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.up.set()
