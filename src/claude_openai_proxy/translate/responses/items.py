"""Input items, each by its own type: one that nobody knows stays what it is."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols import openai_responses_request as published
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.schemas.tolerant import TolerantDecoder
from claude_openai_proxy.translate.wishes.effect import has_effect

Decoded = TypeVar("Decoded")

_decoders: Final[Mapping[str, TolerantDecoder[Any]]] = MappingProxyType(
    {
        type_: TolerantDecoder(kind)
        for kind, types in (
            (published.Message, ("message",)),
            (published.FunctionCall, ("function_call",)),
            (published.CustomToolCall, ("custom_tool_call",)),
            (
                published.CallOutput,
                (
                    "function_call_output",
                    "custom_tool_call_output",
                    "local_shell_call_output",
                    "shell_call_output",
                    "apply_patch_call_output",
                ),
            ),
            (published.ReasoningItem, ("reasoning",)),
            (published.ShellCall, ("local_shell_call", "shell_call")),
            (published.ApplyPatchCall, ("apply_patch_call",)),
            (published.ToolSearchCall, ("tool_search_call",)),
            (published.ToolSearchOutput, ("tool_search_output",)),
            (published.AdditionalTools, ("additional_tools",)),
            (published.WebSearchCall, ("web_search_call",)),
            (published.Compaction, ("compaction", "context_compaction", "compaction_summary")),
            (published.ConfigurationUpdate, ("configuration_update",)),
        )
        for type_ in types
    }
)


class _Kind(Struct, frozen=True):
    """What an item is."""

    type: str | None = None
    role: str | None = None
    id: str | None = None


class Placed(Struct, frozen=True):
    """An item and where it stands. `item` is None for a type without one of ours: `raw` is all there is then."""

    place: str
    type: str
    item: Any
    raw: Raw


_kind: Final = msgspec.json.Decoder(_Kind).decode


def read_items(items: Sequence[Raw], place: str, notes: Notes) -> list[Placed]:
    """In their order; `place` is the client's name of the list. Raises `InvalidRequestError` at one that is none.

    Raises `UnsupportedParameterError` for a member without a meaning where the user wants that refused.
    """
    return [_read(raw, f"{place}[{number}]", notes) for number, raw in enumerate(items)]


def kind_of(raw: Raw, place: str) -> str:
    """An item's type: without one it is a message by its role, a reference by its id. Raises `InvalidRequestError`."""
    try:
        kind = _kind(raw)
    except msgspec.DecodeError as error:
        raise wrong(error, place) from None
    if kind.type is not None:
        return kind.type
    if kind.role is not None:
        return "message"
    if kind.id is not None:
        return "item_reference"
    raise InvalidRequestError(
        f"Missing required parameter: '{place}.type'.", param=f"{place}.type", code="missing_required_parameter"
    )


def decode(decoder: TolerantDecoder[Decoded], raw: Raw, place: str, notes: Notes) -> Decoded:
    """By its type; members that it does not have are declined if they say anything. Raises `InvalidRequestError`."""
    try:
        value, unknown = decoder.decode(raw)
    except msgspec.DecodeError as error:
        raise wrong(error, place) from None
    for name, values in unknown.items():
        if any(map(has_effect, values)):
            notes.decline(f"{_general(place)}.{name}")
    return value


def wrong(error: msgspec.DecodeError, place: str) -> InvalidRequestError:
    """msgspec's words as a sentence about a place inside `place`."""
    sentence, _, inside = str(error).partition(" - at `$")
    where = f"{place}{inside.rstrip('`')}"
    return InvalidRequestError(f"Invalid value for {where!r}: {sentence[:1].lower()}{sentence[1:]}.", param=where)


def _read(raw: Raw, place: str, notes: Notes) -> Placed:
    type_ = kind_of(raw, place)
    decoder = _decoders.get(type_)
    item = None if decoder is None else decode(decoder, raw, place, notes)
    return Placed(place, type_, item, raw)


def _general(place: str) -> str:
    """`input[3].content[0]` as `input[].content[]`: a name for the report, which is the same for all items."""
    return "".join(part.rpartition("[")[0] + "[]" if "[" in part else part for part in place.split("]"))
