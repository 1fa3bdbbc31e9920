"""A client that leaves cancels the work for it, at once."""

import asyncio
from types import TracebackType
from typing import Protocol, Self, cast

from claude_openai_proxy.web.exchange import Exchange


class ClientLeftError(Exception):
    """The client has closed the connection before its answer was complete."""


class Pulse(Protocol):
    """A stream that shows signs of life while it is silent."""

    def silence_left(self) -> float:
        """Seconds until the next sign of life is due."""
        ...

    async def keep_alive(self) -> None:
        """Send it, if it is due."""
        ...


class ClientWatch:
    """Inside it the current task is cancelled when the client leaves; outside, that is a `ClientLeftError`.

    The distinction from other cancellations follows `asyncio.timeout`.
    """

    __slots__ = ("_cancelling", "_exchange", "_left", "_pulse", "_task", "_watcher")

    def __init__(self, exchange: Exchange, pulse: Pulse | None = None) -> None:
        self._exchange = exchange
        self._pulse = pulse
        self._left = False

    async def __aenter__(self) -> Self:
        """Start watching."""
        self._task = cast("asyncio.Task[object]", asyncio.current_task())
        self._cancelling = self._task.cancelling()
        self._watcher = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop watching; name the cancellation if it was ours."""
        await self._stop()
        if self._left and self._task.uncancel() <= self._cancelling:
            if kind is None or issubclass(kind, asyncio.CancelledError):
                raise ClientLeftError from error
        elif self._task.cancelling() > self._cancelling and not (kind and issubclass(kind, asyncio.CancelledError)):
            raise asyncio.CancelledError from error

    async def _stop(self) -> None:
        self._watcher.cancel()
        try:
            await self._watcher
            # A cancellation that came too late for the work itself is still under way: it arrives here.
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            pass

    async def _watch(self) -> None:
        if self._pulse is None:
            await self._disconnected()
        else:
            await self._disconnected_or_silent(self._pulse)
        if not self._exchange.complete:
            self._left = True
            self._task.cancel()

    async def _disconnected_or_silent(self, pulse: Pulse) -> None:
        while True:
            try:
                async with asyncio.timeout(pulse.silence_left()):
                    return await self._disconnected()
            except TimeoutError:
                await pulse.keep_alive()

    async def _disconnected(self) -> None:
        while (await self._exchange.receive())["type"] != "http.disconnect":
            pass
