"""Which call a result belongs to: by its id, by its tool's name, or, where it names neither, by its order.

Invariants: a call is in line under its id, under its name, and under nothing at all; whoever takes it from one line
leaves it in the others, where it is passed over later; every call is passed over once in each line, so that all results
together cost no more than the calls.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from claude_openai_proxy.protocols.anthropic import TextBlockParam, ToolResultBlockParam

EVERY: Final = ("", "")

_encode: Final = msgspec.json.Encoder().encode


class Call(Struct, eq=False):
    """`turn` is the place of its turn. (A turn that is held by its own calls would be garbage to be searched for.)"""

    id: str
    name: str
    turn: int
    result: ToolResultBlockParam | None = None


class _Line:
    """Calls that wait, the latest turn's last; and what was answered already."""

    __slots__ = ("_turns", "told")

    def __init__(self) -> None:
        self._turns: list[deque[Call]] = []
        self.told: set[str | bytes] = set()

    def add(self, call: Call) -> None:
        if not self._turns or self._turns[-1][-1].turn != call.turn:
            self._turns.append(deque())
        self._turns[-1].append(call)

    def take(self) -> Call | None:
        """The first that waits of the latest turn in which any does."""
        while self._turns:
            waiting = self._turns[-1]
            while waiting:
                call = waiting.popleft()
                if call.result is None:
                    if not waiting:
                        self._turns.pop()
                    return call
            self._turns.pop()
        return None


class OpenCalls:
    """The calls of a conversation that have no result yet."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], _Line] = {}

    def add(self, call: Call, asked_id: str | None) -> None:
        """A call under the id that the client gave it, if any."""
        for key in (("id", asked_id or call.id), ("name", call.name), EVERY):
            line = self._lines.get(key)
            if line is None:
                line = self._lines[key] = _Line()
            line.add(call)

    def take(self, id_: str, name: str) -> Call | None:
        """The call that a result with this id answers; without an id one of this name, without either the next."""
        line = self._line(id_, name)
        return line.take() if line else None

    def knows(self, id_: str, name: str) -> bool:
        """Whether there ever was such a call."""
        return self._line(id_, name) is not None

    def tell(self, id_: str, name: str, content: object) -> bool:
        """Note what such a call has returned; false where it said the same before."""
        line = self._line(id_, name)
        if line is None:
            return True
        said = _said(content)
        if said in line.told:
            return False
        line.told.add(said)
        return True

    def _line(self, id_: str, name: str) -> _Line | None:
        return self._lines.get(("id", id_) if id_ else ("name", name) if name else EVERY)


def _said(content: object) -> str | bytes:
    """The same for text that came as a string and as parts."""
    if isinstance(content, list) and all(isinstance(block, TextBlockParam) for block in content):
        return "".join(block.text for block in content)
    return content if isinstance(content, str) else _encode(content if isinstance(content, Sequence) else None)
