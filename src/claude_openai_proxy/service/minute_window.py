"""How much was taken within the last minute: a window that moves on with time, and does not begin anew at its end.

Invariants: what is taken counts for `MINUTE` seconds; the total is that of what still counts; none of it is negative.
"""

from collections import deque
from typing import Final

MINUTE: Final = 60.0


class Taken:
    """Something that was taken, when, and whether it still counts."""

    __slots__ = ("amount", "at", "counts")

    def __init__(self, at: float, amount: int) -> None:
        self.at = at
        self.amount = amount
        self.counts = True


class MinuteWindow:
    """Times in seconds of one clock, never going back."""

    __slots__ = ("_taken", "_total")

    def __init__(self) -> None:
        self._taken: deque[Taken] = deque()
        self._total = 0

    def used(self, now: float) -> int:
        """Within the minute before `now`."""
        while self._taken and self._taken[0].at <= now - MINUTE:
            gone = self._taken.popleft()
            gone.counts = False
            self._total -= gone.amount
        assert self._total >= 0, "no more ends than was taken"
        return self._total

    def take(self, amount: int, now: float) -> Taken:
        """Count `amount` from now on."""
        taken = Taken(now, amount)
        self._taken.append(taken)
        self._total += amount
        return taken

    def correct(self, taken: Taken, amount: int, now: float) -> None:
        """It was `amount`: less counts for less at once, more for more, and where its minute is over from now on."""
        self.used(now)
        if taken.counts:
            self._total += amount - taken.amount
            taken.amount = amount
        elif amount > taken.amount:
            self.take(amount - taken.amount, now)

    def wait(self, amount: int, limit: int, now: float) -> float | None:
        """Seconds until `amount` more is within `limit`: 0 where it is now, None where it never is."""
        if amount > limit:
            return None
        over = self.used(now) + amount - limit
        if over <= 0:
            return 0.0
        for taken in self._taken:
            over -= taken.amount
            if over <= 0:
                return taken.at + MINUTE - now
        return 0.0

    def reset(self, now: float) -> float:
        """Seconds until nothing of what was taken counts any more."""
        return max(0.0, self._taken[-1].at + MINUTE - now) if self._taken else 0.0
