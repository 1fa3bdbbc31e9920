"""Items that still grow: each tells its events as it goes, and is an item of the output once it is closed.

| item | opens with | grows with | closes with |
|---|---|---|---|
| message | added; its first part added | text, annotations, a refusal | each part done, item done |
| reasoning | added | summary part and text | summary done, item done with its sealed blocks |
| function or custom call | added | arguments or input | done, unless it was cut; item done |
| shell, patch, tool search | nothing: its object is known at the end | | added, item done |
| web search (`searches`) | added, in progress, searching | | completed, item done |
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

import msgspec
from msgspec import UNSET, Raw, Struct

from claude_openai_proxy.protocols import openai_responses as published
from claude_openai_proxy.protocols.openai_responses import ItemStatus, OutputItem, ResponseEvent
from claude_openai_proxy.translate.messages_api.call_forms import CallForm

Number = Callable[[], int]
"""Gives the next event's number."""


def numbers() -> Number:
    """From 0 on, without a gap."""
    return itertools.count().__next__


@dataclass(slots=True)
class Sent:
    """What of a stream is out: so many events, and `opened` once `response.created` is among them."""

    number: Number = field(default_factory=numbers)
    opened: bool = False


class Place(Struct, frozen=True):
    """Of an item: its id, its index in the output, and who numbers its events."""

    id: str
    index: int
    number: Number


class OpenItem(Protocol):
    """An item that has begun."""

    def close(self, status: ItemStatus) -> tuple[list[ResponseEvent], OutputItem]:
        """The events that end it, and what it has become, with all that can be kept of it."""
        ...


class OpenMessage:
    """Text, its sources, and perhaps a refusal. `offset`: characters of the answer before it."""

    def __init__(self, place: Place, offset: int) -> None:
        self._place = place
        self._offset = offset
        self._pieces: list[str] = []
        self._annotations: list[published.URLCitation] = []
        self._parts: list[published.OutputPart] = []
        self._writing = False
        """A text part is open."""

    def begin(self) -> list[ResponseEvent]:
        """The item, without a part."""
        place = self._place
        item = published.OutputMessage(place.id, "in_progress", [])
        return [published.OutputItemAdded(place.number(), place.index, item)]

    def say(self, text: str) -> list[ResponseEvent]:
        """More text; the part opens with the first of it."""
        if self._writing:
            return [self.more(text)]
        self._writing = True
        place = self._place
        added = published.ContentPartAdded(
            place.number(), place.id, place.index, len(self._parts), published.OutputText("")
        )
        return [added, self.more(text)]

    def more(self, text: str) -> published.OutputTextDelta:
        """More text of the open part."""
        place = self._place
        self._pieces.append(text)
        return published.OutputTextDelta(place.number(), place.id, place.index, len(self._parts), text)

    def annotate(self, start: int, end: int, title: str, url: str) -> list[ResponseEvent]:
        """A source; `start` and `end` in characters of the whole answer."""
        events = [] if self._writing else self.say("")
        place = self._place
        source = published.URLCitation(max(start - self._offset, 0), max(end - self._offset, 0), title, url)
        self._annotations.append(source)
        count = len(self._annotations) - 1
        return [
            *events,
            published.AnnotationAdded(place.number(), place.id, place.index, len(self._parts), count, source),
        ]

    def refuse(self, why: str) -> list[ResponseEvent]:
        """A part of its own after the text."""
        events, place = self._end_part(), self._place
        at = (place.id, place.index, len(self._parts))
        part = published.Refusal(why)
        self._parts.append(part)
        return [
            *events,
            published.ContentPartAdded(place.number(), *at, published.Refusal("")),
            published.RefusalDelta(place.number(), *at, why),
            published.RefusalDone(place.number(), *at, why),
            published.ContentPartDone(place.number(), *at, part),
        ]

    def close(self, status: ItemStatus) -> tuple[list[ResponseEvent], OutputItem]:
        """See `OpenItem.close`."""
        events, place = self._end_part(), self._place
        item = published.OutputMessage(place.id, status, self._parts)
        return [*events, published.OutputItemDone(place.number(), place.index, item)], item

    def _end_part(self) -> list[ResponseEvent]:
        if not self._writing:
            return []
        self._writing = False
        place = self._place
        at = (place.id, place.index, len(self._parts))
        text = "".join(self._pieces)
        part = published.OutputText(text, self._annotations)
        self._parts.append(part)
        return [
            published.OutputTextDone(place.number(), *at, text),
            published.ContentPartDone(place.number(), *at, part),
        ]


class OpenReasoning:
    """A block of thinking; `sealed` gives what can be kept of it, once it is whole; `shown`: to the client as well."""

    def __init__(self, place: Place, sealed: Callable[[], str | None], *, shown: bool) -> None:
        self._place = place
        self._sealed = sealed
        self._shown = shown
        self._pieces: list[str] = []

    def begin(self) -> list[ResponseEvent]:
        """The item, without a word."""
        place = self._place
        item = published.ReasoningItem(place.id, [], "in_progress")
        return [published.OutputItemAdded(place.number(), place.index, item)]

    def think(self, text: str) -> list[ResponseEvent]:
        """More of the summary; its part opens with the first of it."""
        place, events = self._place, list[ResponseEvent]()
        if not self._pieces:
            part = published.SummaryText("")
            events.append(published.SummaryPartAdded(place.number(), place.id, place.index, 0, part))
        self._pieces.append(text)
        return [*events, published.SummaryTextDelta(place.number(), place.id, place.index, 0, text)]

    def close(self, status: ItemStatus) -> tuple[list[ResponseEvent], OutputItem]:
        """See `OpenItem.close`. What was cut has no signature, and is not sealed."""
        place = self._place
        events: list[ResponseEvent] = []
        summary: list[published.SummaryText] = []
        if self._pieces:
            text = "".join(self._pieces)
            summary = [published.SummaryText(text)]
            events += [
                published.SummaryTextDone(place.number(), place.id, place.index, 0, text),
                published.SummaryPartDone(place.number(), place.id, place.index, 0, summary[0]),
            ]
        sealed = self._sealed() if status == "completed" else None
        item = published.ReasoningItem(place.id, summary, status, UNSET if sealed is None else sealed)
        told = item if self._shown else published.ReasoningItem(place.id, summary, status)
        return [*events, published.OutputItemDone(place.number(), place.index, told)], item


class OpenCall:
    """A call of a function or of a free-form tool."""

    def __init__(self, place: Place, form: CallForm, call_id: str) -> None:
        self._place = place
        self._form = form
        self._call_id = call_id
        self._custom = form.type == "custom_tool_call"
        self._pieces: list[str] = []

    def begin(self) -> list[ResponseEvent]:
        """The item, with its name."""
        return [published.OutputItemAdded(self._place.number(), self._place.index, self._item("in_progress"))]

    def grow(self, text: str) -> list[ResponseEvent]:
        """More of its arguments or its input."""
        place = self._place
        self._pieces.append(text)
        kind = published.CustomInputDelta if self._custom else published.ArgumentsDelta
        return [kind(place.number(), place.id, place.index, text)]

    def close(self, status: ItemStatus) -> tuple[list[ResponseEvent], OutputItem]:
        """See `OpenItem.close`. Who runs a call when it is done must not run one that was cut."""
        place, item = self._place, self._item(status)
        events: list[ResponseEvent] = []
        if status == "completed":
            text = "".join(self._pieces)
            events.append(
                published.CustomInputDone(place.number(), place.id, place.index, text)
                if self._custom
                else published.ArgumentsDone(place.number(), place.id, place.index, text, self._form.name)
            )
        return [*events, published.OutputItemDone(place.number(), place.index, item)], item

    def _item(self, status: ItemStatus) -> OutputItem:
        text, namespace = "".join(self._pieces), self._form.namespace or UNSET
        kind = published.CustomToolCall if self._custom else published.FunctionToolCall
        return kind(self._place.id, self._call_id, self._form.name, text, status, namespace)


class OpenOwnCall:
    """A call whose arguments are an object in the item: nothing of it can be told before it is whole."""

    def __init__(self, place: Place, form: CallForm, call_id: str) -> None:
        self._place = place
        self._form = form
        self._call_id = call_id
        self._pieces: list[str] = []

    def begin(self) -> list[ResponseEvent]:
        """Nothing."""
        return []

    def grow(self, text: str) -> list[ResponseEvent]:
        """Nothing."""
        self._pieces.append(text)
        return []

    def close(self, status: ItemStatus) -> tuple[list[ResponseEvent], OutputItem]:
        """See `OpenItem.close`. Arguments that are not what the item must have stay the text that they are."""
        place = self._place
        item = self._item("".join(self._pieces), status)
        begun: OutputItem = msgspec.structs.replace(item, status="in_progress")
        events: list[ResponseEvent] = [
            published.OutputItemAdded(place.number(), place.index, begun),
            published.OutputItemDone(place.number(), place.index, item),
        ]
        return events, item

    def _item(self, text: str, status: ItemStatus) -> OutputItem:
        head = (self._place.id, self._call_id)
        members = _members(text)
        match self._form.type:
            case "local_shell_call" if "command" in members:
                action = _object({"type": "exec", "env": {}, **members})
                return published.LocalShellCall(*head, action, status)
            case "shell_call" if "commands" in members:
                action = _object({"timeout_ms": None, "max_output_length": None, **members})
                return published.ShellCall(*head, action, status, self._form.environment)
            case "apply_patch_call" if "operation" in members:
                return published.ApplyPatchCall(*head, members["operation"], status)
            case "tool_search_call" if text.strip():
                return published.ToolSearchCall(*head, _object(members), status)
        return published.FunctionToolCall(*head, self._form.name, text, status)


def _members(text: str) -> dict[str, Raw]:
    """Empty where it is no object."""
    try:
        return msgspec.json.decode(text, type=dict[str, Raw])
    except msgspec.DecodeError:
        return {}


def _object(members: object) -> Raw:
    return Raw(msgspec.json.encode(members))


_PREFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "function_call": "fc_",
        "custom_tool_call": "ctc_",
        "local_shell_call": "lsh_",
        "shell_call": "sh_",
        "apply_patch_call": "apc_",
        "tool_search_call": "tsc_",
    }
)
_WITH_TEXT: Final = frozenset({"function_call", "custom_tool_call"})
"""Calls whose item holds text, which can be told as it comes."""


def open_call(form: CallForm, place: Callable[[str], Place], call_id: str) -> OpenCall | OpenOwnCall:
    """The item of a call, at the place that is made for the prefix of its id."""
    kind = OpenCall if form.type in _WITH_TEXT else OpenOwnCall
    return kind(place(_PREFIXES[form.type]), form, call_id)
