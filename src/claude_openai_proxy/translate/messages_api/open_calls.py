"""The calls of a conversation, and which of them a result answers: in linear time, however many share an id or a name.

| a result with | answers |
|---|---|
| the id of calls | of those without a result the first in the latest turn that has any |
| an id that no call has | likewise of the calls that came without an id |
| no id, but the name of calls | likewise of the calls of that name |
| neither | likewise of all calls |
"""

from collections import deque
from collections.abc import Sequence

import msgspec
from msgspec import UNSET, Struct, UnsetType

from claude_openai_proxy.protocols.anthropic import (
    DocumentBlockParam,
    ImageBlockParam,
    TextBlockParam,
    ToolResultBlockParam,
)

SeenBlock = TextBlockParam | ImageBlockParam | DocumentBlockParam
"""What may stand in a user turn and in a tool result."""

ResultContent = str | list[SeenBlock] | UnsetType
"""What a tool returned: text, or blocks, or nothing; blank text counts as nothing."""


class Call(Struct, eq=False):
    """`turn` is the place of its turn. (A turn that is held by its own calls would be garbage to be searched for.)"""

    id: str
    name: str
    turn: int
    result: ToolResultBlockParam | None = None


class Candidates(Struct, eq=False):
    """Calls that a result may be meant for. `calls` may grow between two questions."""

    calls: Sequence[Call] = ()
    _looked_at: int = 0
    _turns: list[deque[Call]] = []
    _told: set[str | bytes] = set()

    def first_waiting(self) -> Call | None:
        """Of those without a result the first of the latest turn that has any."""
        while self._looked_at < len(self.calls):
            self._queue(self.calls[self._looked_at])
            self._looked_at += 1
        while self._turns:
            turn = self._turns[-1]
            while turn:
                if (result := turn[0].result) is None:
                    return turn[0]
                turn.popleft()
                self._told.add(_sense(result.content))
            self._turns.pop()
        return None

    def is_news(self, content: ResultContent) -> bool:
        """Asked once nothing waits any more: nobody has said that yet, in whatever form. From now on it is said."""
        sense = _sense(content)
        known = sense in self._told
        self._told.add(sense)
        return not known

    def _queue(self, call: Call) -> None:
        if self._turns and self._turns[-1] and self._turns[-1][-1].turn == call.turn:
            self._turns[-1].append(call)
        else:
            self._turns.append(deque((call,)))


class OpenCalls:
    """All calls, in their order, with the ids that the client gave them ("" for none)."""

    def __init__(self) -> None:
        self._all: list[Call] = []
        self._by_id: dict[str, list[Call]] = {}
        self._by_name: dict[str, list[Call]] = {}
        self._named = 0
        self._candidates: dict[tuple[str, str], Candidates] = {}

    def add(self, asked_id: str, call: Call) -> None:
        """One more; turns never go back."""
        self._all.append(call)
        self._by_id.setdefault(asked_id, []).append(call)

    def only(self, asked_id: str) -> Call | None:
        """The rule: one call has this id, and no result yet."""
        calls = self._by_id.get(asked_id) if asked_id else None
        return calls[0] if calls and len(calls) == 1 and calls[0].result is None else None

    def candidates(self, asked_id: str, name: str) -> Candidates:
        """The calls that a result with this id and this name ("" for none) may be meant for."""
        if asked_id:
            asked_id = asked_id if asked_id in self._by_id else ""
            return self._kept(("id", asked_id), self._by_id.get(asked_id, ()))
        named = self._of_name(name) if name else ()
        return self._kept(("name", name), named) if named else self._kept(("all", ""), self._all)

    @property
    def names(self) -> list[str]:
        """The client's names of the tools that were called, each once."""
        return list(dict.fromkeys(call.name for call in self._all))

    def _of_name(self, name: str) -> Sequence[Call]:
        for call in self._all[self._named :]:
            self._by_name.setdefault(call.name, []).append(call)
        self._named = len(self._all)
        return self._by_name.get(name, ())

    def _kept(self, key: tuple[str, str], calls: Sequence[Call]) -> Candidates:
        if not calls:
            return Candidates()
        kept = self._candidates.get(key)
        if kept is None:
            kept = self._candidates[key] = Candidates(calls)
        return kept


def _sense(content: ResultContent) -> str | bytes:
    """The same for what says the same: as text, as parts, with other white space."""
    if isinstance(content, str):
        return " ".join(content.split())
    if content is UNSET:
        return ""
    texts = [block.text for block in content if isinstance(block, TextBlockParam)]
    return " ".join(" ".join(texts).split()) if len(texts) == len(content) else msgspec.json.encode(content)
