"""A client that leaves cancels the work for it, at once; but for a response in the background, which goes on.

Every endpoint that waits for anything but the body opens a `ClientWatch`. What follows from a leaving:

| where | what |
|---|---|
| `serving.served_request` | hears of it and tells the watch; a client that has half closed is asked with a byte |
| here | the request's task is cancelled, and that is named `ClientLeftError` |
| `service.answering` | is left, and with it the upstream's stream: by the API the connection is closed |
| `upstreams.claude_code.upstream` | interrupts its process, or ends one that does not listen |
| `service.admission` | the place is free, and the record has what was used |
| `service.underway` | keeps a response as cancelled, with what was said |
| `web.application`, `telemetry` | the record has `records.CLIENT_LEFT`, and the log says so |

While a body is read, `web.body` hears of it itself; under another server than ours, `web.other_server`; on a WebSocket,
`web.socket`. A response in the background (`service.background_responses`) lasts longer than its request:
`Exchange.lasts` is set, and the record ends with the work.
"""

import asyncio
from contextlib import suppress
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

    The distinction from other cancellations follows `asyncio.timeout`. Watching takes no task, and a pulse one only
    while it beats.
    """

    __slots__ = ("_beat", "_cancelling", "_exchange", "_left", "_pulse", "_task", "_timer")

    def __init__(self, exchange: Exchange, pulse: Pulse | None = None) -> None:
        self._exchange = exchange
        self._pulse = pulse
        self._left = False
        self._timer: asyncio.TimerHandle | None = None
        self._beat: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start watching."""
        self._task = cast("asyncio.Task[object]", asyncio.current_task())
        self._cancelling = self._task.cancelling()
        self._exchange.server.when_client_leaves(self._leave)
        if self._pulse:
            self._beat_later(self._pulse)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop watching; name the cancellation if it was ours."""
        self._exchange.server.when_client_leaves(None)
        if self._timer:
            self._timer.cancel()
        if self._beat:
            await self._stop_beating(self._beat)
        if self._left and self._task.uncancel() <= self._cancelling:
            if kind is None or issubclass(kind, asyncio.CancelledError):
                raise ClientLeftError from error
        elif self._task.cancelling() > self._cancelling and not (kind and issubclass(kind, asyncio.CancelledError)):
            raise asyncio.CancelledError from error

    def _leave(self) -> None:
        if not self._exchange.complete:
            self._left = True
            self._task.cancel()

    def _beat_later(self, pulse: Pulse) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(pulse.silence_left(), self._begin_to_beat, pulse)

    def _begin_to_beat(self, pulse: Pulse) -> None:
        self._beat = asyncio.get_running_loop().create_task(self._beats(pulse))

    async def _beats(self, pulse: Pulse) -> None:
        await pulse.keep_alive()
        self._beat_later(pulse)

    async def _stop_beating(self, beat: asyncio.Task[None]) -> None:
        """Nothing of it is written after this; what was wrong with it is raised."""
        beat.cancel()
        with suppress(asyncio.CancelledError):
            await beat
