"""Claude's names for the client's tools, and ids for its calls: what is outside Claude's alphabet gets an alias."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")

_FOREIGN = re.compile(r"[^a-zA-Z0-9_-]+")
_LONGEST = 128
_LONGEST_STEM = _LONGEST - 9


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
        if not TOOL_NAME.fullmatch(name) or not self._taken.take(name):
            return None
        return self._aliases.setdefault(name, name)

    def _invent(self, name: str) -> str:
        alias = self._taken.claim(_readable(name) or "tool")
        self._aliases.setdefault(name, alias)
        self._clients[alias] = name
        return alias


def names_alike(name: str, alias: str) -> bool:
    """Whether the alias shows the client's name: only signs of ASCII were put into others' place."""
    return name == alias or (name.isascii() and alias == _readable(name) and len(name) <= _LONGEST)


def _readable(name: str) -> str:
    return _FOREIGN.sub("_", name)[:_LONGEST]


class Taken:
    """Names in use, each once: in linear time, however many ask for the same one."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = set(names)
        self._numbers: dict[str, int] = {}

    def take(self, name: str) -> bool:
        """Take this very name; false where it is in use."""
        if name in self._names:
            return False
        self._names.add(name)
        return True

    def claim(self, name: str) -> str:
        """Take `name`, or `name_2`, `name_3` and so on, at most 128 characters."""
        if self.take(name):
            return name
        # What is numbered has one length, so that each number is tried once for all names that begin alike.
        stem = name[:_LONGEST_STEM]
        number = self._numbers.get(stem, 2)
        while not self.take(numbered := f"{stem}_{number}"):
            number += 1
        self._numbers[stem] = number + 1
        return numbered


def call_id(asked: str | None, taken: Taken) -> str:
    """An id for a call that no other call of the conversation has."""
    if asked and CALL_ID.fullmatch(asked) and taken.take(asked):
        return asked
    return taken.claim(_FOREIGN.sub("_", asked or "call")[:_LONGEST])
