"""A server's life: what is opened when it starts and closed when it ends."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from claude_openai_proxy.app.stores import Stores

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Life:
    """What is opened when the server starts, and closed, in this order, when it ends; `prepare` runs beside it."""

    stores: Stores
    opening: Sequence[Callable[[], Awaitable[None]]]
    closing: Sequence[Callable[[], Awaitable[None]]]
    prepare: Callable[[], Awaitable[None]]
    _preparing: list[asyncio.Task[None]] = field(default_factory=list)

    async def serve(self) -> None:
        """Start, and make ready in the background what the first request would have to wait for."""
        await self.start()
        self._preparing.append(asyncio.create_task(_awaited(self.prepare)))

    async def start(self) -> None:
        """A store that must not be used fails what needs it and nothing else; `start_refusal` comes before this."""
        if refusal := await self.stores.open():
            log.error("Storage: %s", refusal)
        for open_ in self.opening:
            await open_()

    async def end(self) -> None:
        """What is kept comes last: others may write to it until then."""
        for task in self._preparing:
            task.cancel()
            await asyncio.wait([task])
        for close in (*self.closing, self.stores.aclose):
            await close()


async def _awaited(prepare: Callable[[], Awaitable[None]]) -> None:
    await prepare()
