"""A JSON schema as it came: decoded, and what the references in it point at."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

import msgspec
from msgspec import Raw

from claude_openai_proxy.translate.schemas.allowance import Allowance, SchemaError

Schema = dict[str, object]

DEEPEST: Final = 100
"""Schemas nested deeper than this are refused."""


def decoded(raw: Raw) -> Schema:
    """The schema as a dict; PHP writes an empty one as `[]`. Raises `SchemaError`."""
    try:
        schema = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        schema = None
    if schema == [] and isinstance(schema, list):
        return {}
    if not isinstance(schema, dict):
        raise SchemaError("is not a JSON schema object")
    return schema


class Document:
    """What references inside one document point at: by path, by `$id`, by anchor."""

    def __init__(self, root: Schema, allowance: Allowance) -> None:
        self._root = root
        self._allowance = allowance
        self._named: dict[str, object] | None = None

    def target(self, ref: object) -> object:
        """What a reference points at. Raises `SchemaError` where that is nothing in here."""
        if isinstance(ref, str):
            base, hash_, fragment = ref.partition("#")
            start = self._root if not base else self._by_name(base)
            if not fragment.startswith("/") and fragment:
                start = self._by_name(hash_ + fragment)
            found = _walked(start, fragment)
            if found is not None:
                return found
        raise SchemaError("refers to what is not there")

    def _by_name(self, name: str) -> object:
        if self._named is None:
            self._named = {}
            for node in self._nodes():
                for key, mark in (("$id", ""), ("id", ""), ("$anchor", "#"), ("$dynamicAnchor", "#")):
                    if isinstance(value := node.get(key), str):
                        self._named.setdefault(mark + value.removesuffix("#"), node)
        return self._named.get(name)

    def _nodes(self) -> Iterator[Schema]:
        """Every object of the document, however deep."""
        waiting: list[object] = [self._root]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                self._allowance.spend()
                yield value
                waiting.extend(value.values())
            elif isinstance(value, list):
                waiting.extend(value)


def unescaped(step: str) -> str:
    """The key that one step of a JSON pointer in a URI fragment means."""
    return unquote(step).replace("~1", "/").replace("~0", "~")


def _walked(start: object, fragment: str) -> object:
    """Along a JSON pointer (RFC 6901); None where it leads nowhere."""
    target = start
    for step in fragment.split("/")[1:]:
        key = unescaped(step)
        if isinstance(target, list) and key.isdecimal() and len(key) < 8 and int(key) < len(target):
            target = target[int(key)]
        elif isinstance(target, dict):
            target = target.get(key)
        else:
            return None
    return target
