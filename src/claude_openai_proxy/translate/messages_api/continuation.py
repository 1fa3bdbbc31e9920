"""A paused turn (https://docs.anthropic.com/en/api/handling-stop-reasons) goes on when it is handed back as it came."""

from dataclasses import dataclass, field

import msgspec
from msgspec import Raw

from claude_openai_proxy.protocols.anthropic import (
    CitationsDelta,
    ContentBlockDelta,
    ContentBlockParam,
    ContentBlockStart,
    InputJSONDelta,
    MessageDelta,
    MessageParam,
    MessagesRequest,
    RedactedThinkingBlock,
    ServerToolUseBlock,
    SignatureDelta,
    StreamEvent,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
)


@dataclass(slots=True)
class _Recorded:
    """A block's start and what its deltas added."""

    start: ContentBlockStart
    pieces: list[str] = field(default_factory=list)
    """Text, thinking, or JSON text, whichever the block has."""
    citations: list[Raw] = field(default_factory=list)
    signature: str = ""

    def raw(self) -> Raw:
        """The whole block as JSON: what its deltas brought, and every other member as Claude sent it."""
        sent = bytes(self.start.sent_block) or msgspec.json.encode(self.start.content_block)
        brought = {name: value for name, value in self._brought().items() if value}
        if not brought:
            return Raw(sent)
        members = msgspec.json.decode(sent, type=dict[str, Raw])
        return Raw(msgspec.json.encode({**members, **brought}))

    def _brought(self) -> dict[str, object]:
        """The members that grew; empty where nothing came."""
        text = "".join(self.pieces)
        match self.start.content_block:
            case TextBlock(text=before, citations=cited):
                more = [*(cited or ()), *self.citations] if self.citations else []
                return {"text": text and before + text, "citations": more}
            case ThinkingBlock(thinking=before):
                return {"thinking": text and before + text, "signature": self.signature}
            case ToolUseBlock() | ServerToolUseBlock():
                return {"input": text.strip() and Raw(text.encode())}
        return {}


class TurnRecorder:
    """The content of one message, put together from its events."""

    def __init__(self) -> None:
        self._blocks: dict[int, _Recorded] = {}
        self.thought = False
        """A block of thinking has started."""
        self.stop_reason: str | None = None
        """Of the message, once it has ended."""

    def feed(self, event: StreamEvent) -> None:
        """Any event of the message, in its order."""
        if type(event) is ContentBlockDelta:
            self._grow(event)
        elif type(event) is ContentBlockStart:
            self._blocks[event.index] = _Recorded(event)
            self.thought = self.thought or isinstance(event.content_block, ThinkingBlock | RedactedThinkingBlock)
        elif type(event) is MessageDelta:
            self.stop_reason = event.delta.stop_reason

    def content(self) -> list[Raw]:
        """The blocks as Claude sent them, but for text that is empty: that it does not take back."""
        return [recorded.raw() for _, recorded in sorted(self._blocks.items()) if not _is_empty_text(recorded)]

    def block(self, index: int) -> Raw:
        """One block as Claude sent it, as far as it has come."""
        return self._blocks[index].raw()

    def _grow(self, event: ContentBlockDelta) -> None:
        recorded = self._blocks.get(event.index)
        if recorded is None:
            return
        delta = event.delta
        if type(delta) is TextDelta:  # Most of a stream; the cases below take longer.
            recorded.pieces.append(delta.text)
            return
        match delta:
            case InputJSONDelta(partial_json=piece) | ThinkingDelta(thinking=piece):
                recorded.pieces.append(piece)
            case SignatureDelta():
                recorded.signature = delta.signature
            case CitationsDelta():
                recorded.citations.append(delta.citation)


def continued(request: MessagesRequest, recorder: TurnRecorder) -> MessagesRequest:
    """The request that lets the paused turn go on: the same one, ended by what Claude has said so far."""
    messages = list(request.messages)
    content: list[ContentBlockParam] = [*recorder.content()]
    if messages and messages[-1].role == "assistant":
        content = [*messages.pop().content, *content]
    return msgspec.structs.replace(request, messages=[*messages, MessageParam("assistant", content)])


def _is_empty_text(recorded: _Recorded) -> bool:
    block = recorded.start.content_block
    return isinstance(block, TextBlock) and not (block.text or any(recorded.pieces))
