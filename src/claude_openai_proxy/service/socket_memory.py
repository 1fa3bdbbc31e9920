"""What one connection remembers: responses that nobody else keeps, for whoever goes on from them on the same socket."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from msgspec import Raw

MOST_RESPONSES: Final = 32
MOST_BYTES: Final = 32 * 1_048_576
"""Of one connection; then the oldest are forgotten."""


class SocketMemory:
    """By the ids of responses, each with all items that lead to it and its own. `warms`: no answer is asked for."""

    def __init__(self) -> None:
        self._items: OrderedDict[str, tuple[Sequence[Raw], int]] = OrderedDict()
        self._bytes = 0
        self.warms = False

    def keep(self, id_: str, items: Sequence[Raw]) -> None:
        """What a response ends with."""
        self.forget(id_)
        size = sum(len(item) for item in items)
        self._items[id_] = (items, size)
        self._bytes += size
        while self._items and (len(self._items) > MOST_RESPONSES or self._bytes > MOST_BYTES):
            _, (_, gone) = self._items.popitem(last=False)
            self._bytes -= gone

    def items(self, id_: str) -> Sequence[Raw] | None:
        """None where it is not known."""
        known = self._items.get(id_)
        return known[0] if known else None

    def forget(self, id_: str) -> None:
        """One that could not be gone on from."""
        if known := self._items.pop(id_, None):
            self._bytes -= known[1]
