"""Arguments of calls in a history: JSON text at OpenAI, an object at Claude. Nothing is refused, nothing is lost."""

import json

import msgspec
from msgspec import Raw

from claude_openai_proxy.translate.nesting import DEEPEST, is_deeper

WRAPPED = "arguments"
"""The property that holds what is not an object."""

_objects = msgspec.json.Decoder(dict[str, Raw])


def call_input(arguments: str | dict[str, object] | list[object] | None) -> Raw:
    """The object that `arguments` is or holds; unchanged where it already is one, wrapped where it cannot be one."""
    if isinstance(arguments, str):
        return _from_text(arguments)
    if isinstance(arguments, dict):
        return Raw(msgspec.json.encode(arguments))
    return Raw(b"{}") if arguments is None else _wrapped(arguments)


def object_input(value: Raw) -> Raw:
    """A call's input that came as JSON: the object itself, or what it is wrapped."""
    if bytes(value).lstrip().startswith(b"{"):
        return value
    try:
        decoded: object = msgspec.json.decode(value)
    except msgspec.ValidationError:  # a number that fits into none of ours
        return Raw(b'{"%b":%b}' % (WRAPPED.encode(), bytes(value)))
    return call_input(decoded) if isinstance(decoded, str | list | None) else _wrapped(decoded)


def _from_text(text: str) -> Raw:
    try:
        _objects.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _mended(text)
    return _wrapped(text) if is_deeper(text.encode(), DEEPEST) else Raw(text)


def _mended(text: str) -> Raw:
    """Raw control characters, NaN, a second layer of quoting: read leniently; anything else is kept as text."""
    if not text.strip():
        return Raw(b"{}")
    try:
        value = json.loads(text, strict=False, parse_constant=str)
        if isinstance(value, str):
            value = json.loads(value, strict=False, parse_constant=str)
    except (ValueError, RecursionError):
        return _wrapped(text)
    if value is None:
        return Raw(b"{}")
    return _encoded(value) if isinstance(value, dict) else _wrapped(value)


def _wrapped(value: object) -> Raw:
    return _encoded({WRAPPED: value})


def _encoded(value: dict[str, object]) -> Raw:
    """Lone surrogates, which no UTF-8 has, become question marks; so deep a nesting that it cannot be written, text."""
    try:
        return Raw(msgspec.json.encode(value))
    except UnicodeEncodeError:
        return Raw(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    except RecursionError:
        return Raw(msgspec.json.encode({WRAPPED: str(value)}))
