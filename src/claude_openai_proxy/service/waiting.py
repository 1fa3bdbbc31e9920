"""The waiting line before an upstream that works on a limited number of requests at a time; fair between principals."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from msgspec import Struct

from claude_openai_proxy.errors import QueueFullError

QUEUE_SECONDS: Final = 30.0
"""A request waits so long at most."""
LONGEST_LINE: Final = 200
COME_BACK_SECONDS: Final = 5.0
"""When a client that was turned away may come back."""
WAITS_KEPT: Final = 200


class LineStatus(Struct, frozen=True):
    """How long the last requests had to wait for a place, and how many do now."""

    waiting: int
    median_ms: int
    longest_ms: int


@dataclass(slots=True, eq=False)
class _Turn:
    principal: str
    places: int
    since: float
    inside: bool = False
    admitted: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class WaitingLine:
    """Lets in as many as there are places; whoever waits is let in in turn, a request of each principal after another.

    `patience` in seconds; `clock` measures the waits.
    """

    def __init__(
        self, *, clock: Callable[[], float], patience: float = QUEUE_SECONDS, longest: int = LONGEST_LINE
    ) -> None:
        self._clock = clock
        self._patience = patience
        self._longest = longest
        self._taken = 0
        self._capacity = 0
        self._lines: dict[str, deque[_Turn]] = {}
        """By principal; the one whose turn it is comes first."""
        self._waits: deque[float] = deque(maxlen=WAITS_KEPT)

    @property
    def status(self) -> LineStatus:
        """The line as it is, and what the last requests waited."""
        waits = self._waits or [0.0]
        return LineStatus(self._length(), round(median(waits) * 1000), round(max(waits) * 1000))

    def place(self, capacity: int | None, principal: str, *, places: int = 1) -> AbstractAsyncContextManager[None]:
        """Wait for `places` of the upstream's `capacity` (None: there is no limit); leaving frees them.

        More places than there are count as all of them. Raises `QueueFullError`.
        """
        return nullcontext() if capacity is None else self._place(capacity, principal, places)

    @asynccontextmanager
    async def _place(self, capacity: int, principal: str, places: int) -> AsyncIterator[None]:
        self._capacity = capacity
        turn = _Turn(principal, min(places, capacity), self._clock())
        with ExitStack() as undo:
            undo.callback(self._leave, turn)
            await self._admission(turn)
            self._waits.append(self._clock() - turn.since)
            yield

    async def _admission(self, turn: _Turn) -> None:
        if self._length() >= self._longest:
            message = f"Claude is busy and {self._longest} requests wait already."
            raise QueueFullError(message, retry_after=COME_BACK_SECONDS)
        self._lines.setdefault(turn.principal, deque()).append(turn)
        self._admit()
        try:
            async with asyncio.timeout(self._patience):
                await turn.admitted
        except TimeoutError as error:
            message = f"Claude is busy: no place was free for this request within {self._patience:g} s."
            raise QueueFullError(message, retry_after=COME_BACK_SECONDS) from error

    def _admit(self) -> None:
        """Let in who is next, as long as there is room: a large request is not overtaken for ever by small ones."""
        while self._lines:
            principal = next(iter(self._lines))
            turn = self._lines[principal][0]
            gone = turn.admitted.done()
            if not gone and self._taken + turn.places > self._capacity:
                return
            line = self._lines.pop(principal)
            line.popleft()
            if line:
                self._lines[principal] = line
            if not gone:
                self._taken += turn.places
                turn.inside = True
                turn.admitted.set_result(None)

    def _leave(self, turn: _Turn) -> None:
        if turn.inside:
            self._taken -= turn.places
        else:
            turn.admitted.cancel()
        self._admit()

    def _length(self) -> int:
        return sum(not turn.admitted.done() for line in self._lines.values() for turn in line)
