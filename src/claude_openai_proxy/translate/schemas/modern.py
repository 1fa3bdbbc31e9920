"""A JSON schema of whatever dialect -> JSON Schema 2020-12 of the same meaning, valid by its metaschema.

Older drafts' spellings, other APIs' words for types and slips of the pen are mended; references lead to `$defs`. A
keyword that nothing can be made of moves into the description, where the model reads it, and that is reported.
"""

import msgspec
from msgspec import Struct

from claude_openai_proxy.translate.schemas.allowance import Allowance, SchemaError
from claude_openai_proxy.translate.schemas.document import DEEPEST, Document, Schema, unescaped
from claude_openai_proxy.translate.schemas.keywords import (
    ABSENT,
    LOST,
    OF_DOCUMENTS,
    OF_LISTS,
    OF_NAMES,
    OF_ONE,
    mended,
)
from claude_openai_proxy.translate.schemas.old_spellings import lifted_required, modern_spelling
from claude_openai_proxy.translate.schemas.patterns import equal_pattern
from claude_openai_proxy.translate.schemas.types import type_named, types_named


class Modern(Struct, frozen=True):
    """`reduced`: something was left out of the keywords, and is told in words."""

    schema: Schema
    reduced: bool


def modern_schema(root: Schema, allowance: Allowance) -> Modern:
    """The whole document. Raises `SchemaError` where it is nested too deeply, and `SchemaTooLargeError`."""
    writing = _Modernizing(root, allowance)
    return Modern(writing.whole(), writing.reduced)


def with_words(schema: Schema, lost: Schema) -> Schema:
    """The schema with these keywords in words at the end of its description."""
    if not lost:
        return schema
    words = ", ".join(f"{key}: {msgspec.json.encode(value).decode()}" for key, value in lost.items())
    said = schema.get("description")
    return {**schema, "description": f"{said} ({words})" if said else f"({words})"}


class _Modernizing:
    """`_moved` names the targets of references that go into `$defs`; each is rewritten once, whoever refers to it."""

    def __init__(self, root: Schema, allowance: Allowance) -> None:
        self._root = root
        self._document = Document(root, allowance)
        self._allowance = allowance
        self._moved: dict[int, str] = {}
        self._waiting: list[tuple[str, object]] = []
        self._known = {key: names for key in ("$defs", "definitions") if isinstance(names := root.get(key), dict)}
        self._used: set[str] = set()
        self._number = 1
        self.reduced = False

    def whole(self) -> Schema:
        out = self._object(self._root, 0)
        moved: Schema = {}
        while self._waiting:
            name, target = self._waiting.pop()
            moved[name] = self.node(target, 1)
        if moved:
            defs = out.get("$defs")
            out["$defs"] = {**(defs if isinstance(defs, dict) else {}), **moved}
        return out

    def node(self, schema: object, depth: int) -> Schema | bool:
        """What is no schema allows anything, and is told in words."""
        if isinstance(schema, bool):
            self._allowance.spend()
            return schema
        if isinstance(schema, dict):
            return self._object(schema, depth)
        self._allowance.spend()
        if schema is None or schema == []:
            return {}
        if isinstance(schema, str):
            type_ = type_named(schema)
            return {"description": schema} if type_ is None else {"type": type_} if type_ else {}
        self.reduced = True
        return with_words({}, {"schema": schema})

    def _object(self, schema: Schema, depth: int) -> Schema:
        if depth > DEEPEST:
            raise SchemaError("is nested too deeply")
        self._allowance.spend(characters=8 * len(schema))
        out: Schema = {}
        lost: Schema = {}
        for key, value in modern_spelling(schema).items():
            kept = self._kept(key, value, depth, lost)
            if kept is LOST:
                lost[key] = value
            elif kept is not ABSENT:
                out[key] = kept
        self.reduced = self.reduced or bool(lost)
        return with_words(lifted_required(schema, out), lost)

    def _kept(self, key: str, value: object, depth: int, lost: Schema) -> object:
        if key in OF_ONE:
            return ABSENT if value is None else self.node(value, depth + 1)
        if key in OF_NAMES:
            return self._by_name(key, value, depth, lost)
        if key in OF_LISTS:
            return self._listed(value, depth)
        if key == "$ref":
            return self._reference(value)
        if key == "type":
            types = types_named(value)
            return LOST if types is None else (types[0] if len(types) == 1 else types) if types else ABSENT
        if key in OF_DOCUMENTS:
            return ABSENT
        self._allowance.spend(0, characters=_size(value))
        return mended(key, value)

    def _by_name(self, key: str, value: object, depth: int, lost: Schema) -> object:
        if value is None or value == []:
            return {} if key == "properties" else ABSENT
        if not isinstance(value, dict):
            return LOST
        self._allowance.spend(0, characters=sum(map(len, value)))
        if key != "patternProperties":
            return {name: self.node(child, depth + 1) for name, child in value.items()}
        named = {name: equal_pattern(name) for name in value}
        if foreign := {name: value[name] for name, equal in named.items() if equal is None}:
            lost[key] = foreign
        return {equal: self.node(value[name], depth + 1) for name, equal in named.items() if equal is not None}

    def _listed(self, value: object, depth: int) -> object:
        if value is None or value == []:
            return ABSENT
        children = value if isinstance(value, list) else [value] if isinstance(value, dict) else None
        return LOST if children is None else [self.node(child, depth + 1) for child in children]

    def _reference(self, ref: object) -> object:
        if ref is None:
            return ABSENT
        try:
            target = self._document.target(ref)
        except SchemaError:
            return LOST
        head, _, name = str(ref)[2:].partition("/")
        if "/" not in name and unescaped(name) in self._known.get(head, ()):
            return ref
        if not isinstance(target, dict | str | bool):
            return LOST
        moved = self._moved.get(id(target))
        if moved is None:
            moved = self._moved[id(target)] = self._unused_name(str(ref))
            self._waiting.append((moved, target))
        return f"#/$defs/{moved}"

    def _unused_name(self, ref: str) -> str:
        last = ref.rpartition("/")[2].lstrip("#")
        stem = last if last.isascii() and last.isidentifier() and len(last) <= 64 else "schema" if last else "whole"
        name = stem
        while name in self._known.get("$defs", ()) or name in self._used:
            self._number += 1
            name = f"{stem}_{self._number}"
        self._used.add(name)
        return name


def _size(value: object) -> int:
    """About how many bytes it takes."""
    if isinstance(value, str):
        return len(value)
    return len(msgspec.json.encode(value)) if isinstance(value, list | dict) else 8
