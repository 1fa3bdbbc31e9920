"""Decoding what clients send beyond the types of a request: members that have no type, and PHP's `[]` for `{}`.

The types forbid members that they do not know, so a request without any is decoded in one go. Only where that fails
are its bytes read level by level, along the types: a member without one is taken out and named, an empty list where
only an object can stand becomes an empty object. All other bytes stay as they are, and are decoded again.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Final, Generic, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Raw, Struct

Decoded = TypeVar("Decoded")

Unknown = Mapping[str, Sequence[Raw]]
"""What stood in members without a type, by their names, as `messages[].name`, in their order."""

_NOTHING: Final[Unknown] = MappingProxyType({})
_object: Final = msgspec.json.Decoder(dict[str, Raw])
_list: Final = msgspec.json.Decoder(list[Raw])
_kind: Final = msgspec.json.Decoder(str)
_encode: Final = msgspec.json.Encoder().encode


class TolerantDecoder(Generic[Decoded]):
    """Decodes one type."""

    def __init__(self, type_: object) -> None:
        self._exact: msgspec.json.Decoder[Decoded] = msgspec.json.Decoder(type_)
        self._expected = _expected(type_)

    def decode(self, data: bytes | Raw) -> tuple[Decoded, Unknown]:
        """The value, and the members that it has no place for.

        Raises `msgspec.ValidationError` for a value of a wrong type, `msgspec.DecodeError` for what is no JSON.
        """
        try:
            return self._exact.decode(data), _NOTHING
        except msgspec.ValidationError:
            unknown: dict[str, list[Raw]] = {}
            mended = _known(Raw(data), self._expected, "", unknown)
        return self._exact.decode(mended), unknown


class _Expected(Struct, frozen=True, eq=False):
    """What may stand at one place. `objects` has the members of each kind, "" where there is one kind only."""

    decoder: msgspec.json.Decoder[Any]
    objects: Mapping[str, Mapping[str, "_Expected"]]
    tag_field: str = ""
    items: "_Expected | None" = None


_ANYTHING: Final = _Expected(msgspec.json.Decoder(), MappingProxyType({}))


@cache
def _expected(type_: object) -> _Expected:
    kinds = [kind for kind in _alternatives(type_) if isinstance(kind, type) and issubclass(kind, Struct)]
    lists = [kind for kind in _alternatives(type_) if get_origin(kind) is list]
    if not kinds and not lists:
        return _ANYTHING
    return _Expected(
        msgspec.json.Decoder(type_),
        {str(kind.__struct_config__.tag or ""): _members(kind) for kind in kinds},
        next((kind.__struct_config__.tag_field or "" for kind in kinds), ""),
        _expected(get_args(lists[0])[0]) if lists else None,
    )


def _alternatives(type_: object) -> tuple[object, ...]:
    if get_origin(type_) is Annotated:
        return _alternatives(get_args(type_)[0])
    if get_origin(type_) in {Union, UnionType}:
        return tuple(one for part in get_args(type_) for one in _alternatives(part))
    return () if get_origin(type_) is Literal else (type_,)


def _members(kind: type[Struct]) -> dict[str, _Expected]:
    return {field.encode_name: _expected(field.type) for field in msgspec.structs.fields(kind)}


def _known(value: Raw, expected: _Expected, place: str, unknown: dict[str, list[Raw]]) -> Raw:
    """`value` itself where nothing is to be mended, else without what has no type."""
    if expected is _ANYTHING:
        return value
    try:
        expected.decoder.decode(value)
    except msgspec.ValidationError:
        pass
    else:
        return value
    opening = bytes(value).lstrip()[:1]
    if opening == b"{" and expected.objects:
        return _known_members(value, expected, place, unknown)
    if opening == b"[" and expected.items is not None:
        items = [_known(item, expected.items, f"{place}[]", unknown) for item in _list.decode(value)]
        return Raw(b"[%b]" % b",".join(map(bytes, items)))
    return value


def _known_members(value: Raw, expected: _Expected, place: str, unknown: dict[str, list[Raw]]) -> Raw:
    members = _object.decode(value)
    known = expected.objects.get(_kind_of(members, expected.tag_field))
    if known is None:
        return value
    kept: list[bytes] = []
    for name, member in members.items():
        inside = f"{place}.{name}" if place else name
        if name in known:
            kept.append(_encode(name) + b":" + bytes(_known_member(member, known[name], inside, unknown)))
        elif name == expected.tag_field:
            kept.append(_encode(name) + b":" + bytes(member))
        else:
            unknown.setdefault(inside, []).append(member)
    return Raw(b"{%b}" % b",".join(kept))


def _known_member(value: Raw, expected: _Expected, place: str, unknown: dict[str, list[Raw]]) -> Raw:
    """An empty list is what PHP makes of an empty object: taken for one where a list cannot stand and that can."""
    if expected.objects and expected.items is None and bytes(value).lstrip()[:1] == b"[" and not _list.decode(value):
        try:
            expected.decoder.decode(b"{}")
        except msgspec.ValidationError:
            return value
        return Raw(b"{}")
    return _known(value, expected, place, unknown)


def _kind_of(members: Mapping[str, Raw], tag_field: str) -> str:
    """What its tag says; a type that is alone in its place needs none."""
    if not tag_field:
        return ""
    try:
        return _kind.decode(members.get(tag_field, b""))
    except msgspec.DecodeError:
        return ""
