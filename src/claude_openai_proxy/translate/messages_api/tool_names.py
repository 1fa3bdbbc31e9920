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
        self._taken = Taken(reserved)
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
        alias = self._taken.claim(_FOREIGN.sub("_", name)[:_LONGEST] or "tool")
        self._aliases.setdefault(name, alias)
        self._clients[alias] = name
        return alias


class Taken:
    """Names in use. How far each was counted is remembered: one that comes often costs no more each time."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = set(names)
        self._next: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def add(self, name: str) -> None:
        """Take `name` as it is."""
        self._names.add(name)

    def claim(self, name: str) -> str:
        """Take `name`, or `name_2`, `name_3` and so on, at most 128 characters."""
        candidate, number = name, self._next.get(name, 2)
        while candidate in self._names:
            suffix = f"_{number}"
            candidate, number = name[: _LONGEST - len(suffix)] + suffix, number + 1
        self._next[name] = number
        self._names.add(candidate)
        return candidate


def call_id(asked: str | None, taken: Taken) -> str:
    """An id for a call that no other call of the conversation has."""
    if asked and asked not in taken and CALL_ID.fullmatch(asked):
        taken.add(asked)
        return asked
    return taken.claim(_FOREIGN.sub("_", asked or "call"))
