"""Places for requests to Claude: the server's own, and those of an upstream that has few; fair between principals.

| a request | holds | is turned away |
|---|---|---|
| finds room at once | its places | |
| waits in a line | none of that line's places | after `patience`; in a full line, where its principal has most in it |
| was let in | its places, until it leaves | |

Invariants: places are asked for in one order, the server's first, so that nobody waits for one who waits for him; a
turn is in the line or inside or gone; who waits is let in by whoever leaves, so nobody waits beside a free place.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from types import TracebackType
from typing import Final

from msgspec import Struct

from claude_openai_proxy.errors import QueueFullError

QUEUE_SECONDS: Final = 10.0
"""A request waits so long at most, in each line."""
LONGEST_LINE: Final = 200
COME_BACK_SECONDS: Final = 5.0
"""When a client that was turned away may come back."""
WAITS_KEPT: Final = 200


class LineStatus(Struct, frozen=True):
    """Requests with Claude and in the lines now, an answer each; how long the last ones had to wait for a place."""

    running: int
    waiting: int
    median_ms: int
    longest_ms: int


@dataclass(slots=True, eq=False)
class _Turn:
    principal: str
    places: int
    let_in: asyncio.Future[bool]
    """False: turned away."""
    inside: bool = False


class WaitingLine:
    """Lets in as many as there are places; whoever waits is let in in turn, a request of each principal after another.

    `patience` in seconds.
    """

    def __init__(self, *, patience: float = QUEUE_SECONDS, longest: int = LONGEST_LINE) -> None:
        self._patience = patience
        self._longest = longest
        self._capacity = 0
        self.taken = 0
        """Places, now."""
        self._lines: dict[str, deque[_Turn]] = {}
        """By principal, none of them empty; the one whose turn it is comes first."""

    @property
    def waiting(self) -> int:
        """How many requests."""
        return sum(map(len, self._lines.values()))

    async def enter(self, capacity: int, principal: str, places: int) -> int:
        """Wait for `places` of `capacity`; how many are to be given back. Raises `QueueFullError`.

        More places than there are count as all of them.
        """
        self._capacity = capacity
        places = min(places, capacity)
        if not self._lines and self.taken + places <= capacity:
            self.taken += places
        else:
            await self._in_turn(_Turn(principal, places, asyncio.get_running_loop().create_future()))
        return places

    def leave(self, places: int) -> None:
        """They are free again."""
        self.taken -= places
        assert self.taken >= 0, "no more places are given back than were taken"
        self._admit()

    async def _in_turn(self, turn: _Turn) -> None:
        if self.waiting >= self._longest:
            self._make_room(turn.principal)
        self._lines.setdefault(turn.principal, deque()).append(turn)
        self._admit()
        entered = False
        try:
            async with asyncio.timeout(self._patience):
                entered = await turn.let_in
        except TimeoutError as error:
            message = f"Claude is busy: no place was free for this request within {self._patience:g} s."
            raise QueueFullError(message, retry_after=COME_BACK_SECONDS) from error
        finally:
            if not entered:
                self._give_up(turn)
        if not entered:
            raise self._too_long()

    def _make_room(self, principal: str) -> None:
        """The last one of whoever has most in the line goes, and that is the newcomer where it is his own principal."""
        longest = max(self._lines, key=lambda one: len(self._lines[one]), default=principal)
        own = len(self._lines.get(principal, ()))
        if longest == principal or len(self._lines[longest]) <= own + 1:
            raise self._too_long()
        turn = self._lines[longest][-1]
        self._forget(turn)
        if not turn.let_in.done():
            turn.let_in.set_result(False)

    def _too_long(self) -> QueueFullError:
        message = f"Claude is busy and {self._longest} requests wait already."
        return QueueFullError(message, retry_after=COME_BACK_SECONDS)

    def _admit(self) -> None:
        """Let in who is next, as long as there is room: a large request is not overtaken for ever by small ones."""
        while self._lines:
            principal = next(iter(self._lines))
            turn = self._lines[principal][0]
            gone = turn.let_in.done()
            if not gone and self.taken + turn.places > self._capacity:
                return
            line = self._lines.pop(principal)
            line.popleft()
            if line:
                self._lines[principal] = line
            if not gone:
                self.taken += turn.places
                turn.inside = True
                turn.let_in.set_result(True)

    def _give_up(self, turn: _Turn) -> None:
        if turn.inside:
            self.leave(turn.places)
        else:
            self._forget(turn)
            self._admit()

    def _forget(self, turn: _Turn) -> None:
        line = self._lines.get(turn.principal, deque())
        if turn in line:
            line.remove(turn)
            if not line:
                del self._lines[turn.principal]


class Places:
    """The places that requests take while Claude answers them.

    `most` is the server's bound whatever the upstream, None for none; `clock` counts seconds.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        most: int | None = None,
        patience: float = QUEUE_SECONDS,
        longest: int = LONGEST_LINE,
    ) -> None:
        self.clock = clock
        self.most = most
        self.server = WaitingLine(patience=patience, longest=longest)
        self.upstream = WaitingLine(patience=patience, longest=longest)
        self.waits: deque[float] = deque(maxlen=WAITS_KEPT)
        """Seconds that the last requests waited in all."""

    @property
    def status(self) -> LineStatus:
        """The lines as they are, and what the last requests waited."""
        waits, lines = self.waits or [0.0], (self.server, self.upstream)
        return LineStatus(
            running=max(line.taken for line in lines),
            waiting=sum(line.waiting for line in lines),
            median_ms=round(median(waits) * 1000),
            longest_ms=round(max(waits) * 1000),
        )

    def take(self, capacity: int | None, principal: str, *, places: int = 1) -> "TakenPlaces":
        """Places with the server and, of an upstream that has a `capacity`, with that; leaving frees them.

        Entering waits for them; it raises `QueueFullError`, and gives the seconds that were waited.
        """
        return TakenPlaces(self, capacity, principal, places)


class TakenPlaces:
    """Of one request; see `Places.take`."""

    __slots__ = ("_capacity", "_of_server", "_of_upstream", "_places", "_principal", "_wanted")

    def __init__(self, places: Places, capacity: int | None, principal: str, wanted: int) -> None:
        self._places = places
        self._capacity = capacity
        self._principal = principal
        self._wanted = wanted
        self._of_server = self._of_upstream = 0

    async def __aenter__(self) -> float:
        """Seconds that it took."""
        places = self._places
        since = places.clock()
        if places.most is not None:
            self._of_server = await places.server.enter(places.most, self._principal, self._wanted)
        if self._capacity is not None:
            try:
                self._of_upstream = await places.upstream.enter(self._capacity, self._principal, self._wanted)
            finally:
                if not self._of_upstream:
                    self._leave()
        waited = places.clock() - since
        places.waits.append(waited)
        return waited

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Free them."""
        self._leave()

    def _leave(self) -> None:
        if self._of_upstream:
            self._places.upstream.leave(self._of_upstream)
        if self._of_server:
            self._places.server.leave(self._of_server)
