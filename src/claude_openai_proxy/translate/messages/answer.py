"""The way back to a client of the Messages API: every event as it is, or one message put together of them."""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic import (
    CitationsDelta,
    ContentBlockDelta,
    ContentBlockStart,
    InputJSONDelta,
    MessageDelta,
    MessageStart,
    SignatureDelta,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    Usage,
    WholeAnswer,
)
from claude_openai_proxy.translate.messages_api.usage import UsageTally

_encode: Final = msgspec.json.Encoder().encode
_decode_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_NO_INPUT: Final = Raw(b"{}")


class PassedAnswer:
    """A `Translator` that hands on what comes, and looks for what the record wants to know."""

    cut = False
    paused = False
    """Whoever speaks the Messages API continues a paused turn itself."""
    skipped = 0
    unfenced = False

    def __init__(self) -> None:
        self._tally = UsageTally()
        self.finish_reason: str | None = None

    @property
    def answer(self) -> "PassedAnswer":
        """It is its own progress."""
        return self

    @property
    def usage(self) -> Usage:
        """So far."""
        return self._tally.total

    @property
    def messages(self) -> tuple[Usage, ...]:
        """The one."""
        return self._tally.messages

    def feed(self, event: StreamEvent) -> list[StreamEvent]:
        """The event."""
        if isinstance(event, MessageStart):
            self._tally.start(event.message.usage)
        elif isinstance(event, MessageDelta):
            self._tally.update(event.usage)
            self.finish_reason = event.delta.stop_reason
        elif isinstance(event, WholeAnswer):
            self._tally.start(event.usage)
            self.finish_reason = event.stop_reason
        return [event]

    def finish(self) -> list[StreamEvent]:
        """Nothing: an upstream's events are complete, or it raises."""
        return []


def event_json(event: StreamEvent) -> bytes:
    """As it came; of an event that the proxy made up itself, what the API would have written."""
    if event.sent:
        return event.sent
    if not isinstance(event, MessageDelta):
        return _encode(event)
    counts = {name: getattr(event.usage, name) for name in event.usage.__struct_fields__}
    usage = {"output_tokens": 0} | {name: count for name, count in counts.items() if count is not None}
    details = event.delta.stop_details
    told = details and {"type": "refusal", "category": details.category, "explanation": details.explanation}
    delta = {"stop_reason": event.delta.stop_reason, "stop_sequence": event.delta.stop_sequence, "stop_details": told}
    return _encode({"type": "message_delta", "delta": delta, "usage": usage})


class _Block(Struct):
    """A content block under way: its members as they came, and what grows."""

    members: dict[str, Raw]
    text: list[str]
    thinking: list[str]
    signature: list[str]
    input: list[str]
    citations: list[Raw]

    @classmethod
    def opened(cls, event: ContentBlockStart) -> "_Block":
        sent = bytes(event.sent_block) or _encode(event.content_block)
        return cls(_decode_members(sent), [], [], [], [], [])

    def grow(self, delta: object) -> None:
        match delta:
            case TextDelta():
                self.text.append(delta.text)
            case ThinkingDelta():
                self.thinking.append(delta.thinking)
            case SignatureDelta():
                self.signature.append(delta.signature)
            case InputJSONDelta():
                self.input.append(delta.partial_json)
            case CitationsDelta():
                self.citations.append(delta.citation)

    def closed(self) -> dict[str, Raw]:
        """The block with what it grew to. Raises `UpstreamProtocolError` where a call's input is cut."""
        for name in ("text", "thinking", "signature"):
            if pieces := getattr(self, name):
                begun = msgspec.json.decode(self.members.get(name, Raw(b'""')), type=str)
                self.members[name] = Raw(_encode(begun + "".join(pieces)))
        if text := "".join(self.input):
            self.members["input"] = _whole_input(text)
        if self.citations:
            self.members["citations"] = Raw(_encode(self.citations))
        return self.members


def _whole_input(text: str) -> Raw:
    """A call that ran out of tokens has no whole input: as the API does it, it is handed out without."""
    try:
        return msgspec.json.decode(text, type=Raw)
    except msgspec.DecodeError:
        return _NO_INPUT


class MessageBuilder:
    """One `Message` document from the events of a stream, for a client that wanted no stream. Feed all, then `json`."""

    def __init__(self) -> None:
        self._message: dict[str, Raw] = {}
        self._usage: dict[str, Raw] = {}
        self._blocks: dict[int, _Block] = {}

    def feed(self, event: StreamEvent) -> None:
        """The next event."""
        match event:
            case MessageStart():
                self._message = _decode_members(_member(event, "message"))
                self._usage = _decode_members(self._message.get("usage", b"{}"))
            case ContentBlockStart():
                self._blocks[event.index] = _Block.opened(event)
            case ContentBlockDelta():
                if block := self._blocks.get(event.index):
                    block.grow(event.delta)
            case MessageDelta():
                members = _decode_members(event_json(event))
                self._message |= _decode_members(members["delta"])
                self._usage |= _told(_decode_members(members.get("usage", b"{}")))

    def json(self) -> bytes:
        """The message. Raises `UpstreamProtocolError` without one."""
        if not self._message:
            raise UpstreamProtocolError("Claude's answer has no message_start")
        content = [block.closed() for _, block in sorted(self._blocks.items())]
        return _encode(self._message | {"content": content, "usage": self._usage})


def _member(event: StreamEvent, name: str) -> Raw:
    return _decode_members(event_json(event))[name]


def _told(members: dict[str, Raw]) -> dict[str, Raw]:
    """Without nulls: counts are cumulative, and an absent one keeps its value."""
    return {name: value for name, value in members.items() if bytes(value) != b"null"}
