"""What clients write for `type`: JSON Schema's seven words, and those of programming languages and of older APIs."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

TYPES: Final = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})

ANY: Final = frozenset({"any", "mixed", "unknown", "*", ""})
"""Words for a value of any type, which JSON Schema says by naming none."""

_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {word: type_ for type_ in TYPES for word in (type_, type_.upper())}
    | dict.fromkeys(("str", "text", "char", "varchar"), "string")
    | dict.fromkeys(("int", "int8", "int16", "int32", "int64", "uint", "uint32", "uint64", "long", "short"), "integer")
    | dict.fromkeys(("float", "float32", "float64", "double", "decimal", "num", "real"), "number")
    | dict.fromkeys(("dict", "dictionary", "map", "record", "hash"), "object")
    | dict.fromkeys(("list", "tuple", "set", "sequence"), "array")
    | {"bool": "boolean", "none": "null", "nil": "null"}
)


def type_named(word: str) -> str | None:
    """The type that a word means, "" for any; None where it is no word for a type."""
    plain = word.strip().lower()
    return "" if plain in ANY else _WORDS.get(plain)


def types_named(named: object) -> list[str] | None:
    """The types that a `type` means, none for any; None where it is not all understood."""
    if named is None:
        return []
    found = [type_named(word) if isinstance(word, str) else None for word in _listed(named)]
    known = [type_ for type_ in found if type_ is not None]
    if len(known) < len(found):
        return None
    return [] if "" in known else list(dict.fromkeys(known))


def _listed(named: object) -> Iterator[object]:
    for one in named if isinstance(named, list) else [named]:
        yield from one.split("|") if isinstance(one, str) and one else [one]
