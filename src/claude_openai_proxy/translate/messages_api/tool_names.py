"""Claude's names for the client's tools, and ids for its calls: what is outside Claude's alphabet gets an alias."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")

_FOREIGN = re.compile(r"[^a-zA-Z0-9_-]+")
_LONGEST = 128


class ToolNames:
    """Aliases that collide neither with each other nor with a name that needs none."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._taken = set(reserved)
        self._aliases: dict[str, str] = {}
        self._clients: dict[str, str] = {}

    def declare_all(self, names: Iterable[str]) -> list[str]:
        """Claude's name for each declared tool, in order; a name declared twice gets two."""
        listed = list(names)
        claude_names: list[str | None] = [self._keep(name) for name in listed]
        return [kept or self._invent(name) for kept, name in zip(claude_names, listed, strict=True)]

    def alias(self, name: str) -> str:
        """Claude's name for a tool that was declared, or that only the history knows."""
        return self._aliases.get(name) or self._keep(name) or self._invent(name)

    @property
    def client_names(self) -> Mapping[str, str]:
        """Claude's name -> the client's, where they differ."""
        return MappingProxyType(self._clients)

    def _keep(self, name: str) -> str | None:
        if name in self._taken or not TOOL_NAME.fullmatch(name):
            return None
        self._taken.add(name)
        return self._aliases.setdefault(name, name)

    def _invent(self, name: str) -> str:
        alias = unused(_FOREIGN.sub("_", name)[:_LONGEST] or "tool", self._taken)
        self._taken.add(alias)
        self._aliases.setdefault(name, alias)
        self._clients[alias] = name
        return alias


def call_id(asked: str | None, taken: set[str]) -> str:
    """An id for a call that no other call of the conversation has; it is added to `taken`."""
    valid = asked and CALL_ID.fullmatch(asked) and asked not in taken
    chosen = asked if asked and valid else unused(_FOREIGN.sub("_", asked or "call"), taken)
    taken.add(chosen)
    return chosen


def unused(name: str, taken: set[str]) -> str:
    """`name`, or `name_2`, `name_3` and so on, at most 128 characters."""
    candidate, number = name, 2
    while candidate in taken:
        suffix = f"_{number}"
        candidate, number = name[: _LONGEST - len(suffix)] + suffix, number + 1
    return candidate
