"""Arguments of calls in a history: JSON text at OpenAI, an object at Claude. Nothing is refused, nothing is lost.

What was read in another way than it was written is noted as `arguments_mended`.
"""

import json

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.translate.messages_api.custom_input import CUSTOM_INPUT
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.schemas.nesting import DEEPEST, is_deeper
from claude_openai_proxy.translate.schemas.surrogates import with_whole_characters

WRAPPED = "arguments"
"""The property that holds what is not an object."""


class _Object(Struct):
    """Any object: all of it is looked at, none of it is kept."""


_objects = msgspec.json.Decoder(_Object)


def call_input(arguments: str | dict[str, object] | list[object] | None, notes: Notes) -> Raw:
    """The object that `arguments` is or holds; unchanged where it already is one, wrapped where it cannot be one."""
    if not isinstance(arguments, str):
        return _from_value(arguments, notes)
    if len(arguments) > DEEPEST and is_deeper(arguments.encode(), DEEPEST):
        return _wrapped(arguments, notes)
    try:
        _objects.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return _mended(arguments, notes)
    return Raw(arguments)


def custom_input(text: str) -> Raw:
    """The input of a free-form tool's call, as the object that Claude knows."""
    return Raw(msgspec.json.encode({CUSTOM_INPUT: text}))


def object_input(value: Raw, notes: Notes) -> Raw:
    """A call's input that came as JSON: the object itself, or what it is wrapped."""
    if bytes(value).lstrip().startswith(b"{"):
        return value
    try:
        decoded: object = msgspec.json.decode(value)
    except msgspec.ValidationError:  # a number that fits into none of ours
        notes.repair("arguments_mended")
        return Raw(b'{"%b":%b}' % (WRAPPED.encode(), bytes(value)))
    return call_input(decoded, notes) if isinstance(decoded, str | list | None) else _wrapped(decoded, notes)


def _from_value(value: dict[str, object] | list[object] | None, notes: Notes) -> Raw:
    if isinstance(value, dict):
        return Raw(msgspec.json.encode(value))
    return _wrapped(value, notes) if value else Raw(b"{}")


def _mended(text: str, notes: Notes) -> Raw:
    """Half a character, raw control characters, NaN, a second layer of quoting: read leniently; else kept as text."""
    if not text.strip():
        return Raw(b"{}")
    whole = with_whole_characters(text.encode()).decode()
    if whole != text:
        notes.repair("arguments_mended")
        return call_input(whole, notes)
    try:
        value = json.loads(text, strict=False, parse_constant=str)
        if isinstance(value, str):
            value = json.loads(value, strict=False, parse_constant=str)
    except (ValueError, RecursionError):
        return _wrapped(text, notes)
    if value is None or value == []:  # PHP writes an empty object as an empty list
        return Raw(b"{}")
    if not isinstance(value, dict):
        return _wrapped(value, notes)
    notes.repair("arguments_mended")
    return _encoded(value)


def _wrapped(value: object, notes: Notes) -> Raw:
    notes.repair("arguments_mended")
    return _encoded({WRAPPED: value})


def _encoded(value: dict[str, object]) -> Raw:
    """So deep a nesting that nobody reads it becomes text."""
    try:
        text = msgspec.json.encode(value)
        is_deep = is_deeper(text, DEEPEST + 1)  # it may be wrapped already
        return Raw(msgspec.json.encode({WRAPPED: text.decode()}) if is_deep else text)
    except UnicodeEncodeError:  # half a character in a second layer of quoting
        return Raw(with_whole_characters(json.dumps(value).encode()))
    except RecursionError:
        return Raw(msgspec.json.encode({WRAPPED: str(value)}))
