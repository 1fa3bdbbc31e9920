"""A paused turn (https://docs.anthropic.com/en/api/handling-stop-reasons) goes on when it is handed back as it came."""

from dataclasses import dataclass, field

import msgspec
from msgspec import Raw

from claude_openai_proxy.protocols.anthropic import (
    CitationsDelta,
    ContentBlock,
    ContentBlockDelta,
    ContentBlockParam,
    ContentBlockStart,
    InputJSONDelta,
    MessageParam,
    MessagesRequest,
    ServerToolUseBlock,
    SignatureDelta,
    StreamEvent,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
)


@dataclass(slots=True)
class _Recorded:
    """A block and what its deltas added."""

    block: ContentBlock
    pieces: list[str] = field(default_factory=list)
    """Text, thinking, or JSON text, whichever the block has."""
    citations: list[Raw] = field(default_factory=list)
    signature: str = ""

    def raw(self) -> Raw:
        """The whole block as JSON."""
        text = "".join(self.pieces)
        match self.block:
            case TextBlock():
                return _text(self.block.text + text, [*(self.block.citations or ()), *self.citations])
            case ThinkingBlock():
                whole = ThinkingBlock(self.block.thinking + text, self.signature or self.block.signature)
                return Raw(msgspec.json.encode(whole))
            case ToolUseBlock() | ServerToolUseBlock():
                whole_input = Raw(text.encode()) if text.strip() else self.block.input
                return Raw(msgspec.json.encode(msgspec.structs.replace(self.block, input=whole_input)))
            case UnknownBlock():
                return self.block.raw
        return Raw(msgspec.json.encode(self.block))


class TurnRecorder:
    """The content of one message, put together from its events."""

    def __init__(self) -> None:
        self._blocks: dict[int, _Recorded] = {}

    def feed(self, event: StreamEvent) -> None:
        """Any event of the message, in its order."""
        if type(event) is ContentBlockDelta:
            self._grow(event)
        elif type(event) is ContentBlockStart:
            self._blocks[event.index] = _Recorded(event.content_block)

    def content(self) -> list[Raw]:
        """The blocks, each as the JSON that Claude sent."""
        return [recorded.raw() for _, recorded in sorted(self._blocks.items())]

    def param(self) -> list[ContentBlockParam]:
        """The blocks as they may be handed back: Claude refuses text that is empty."""
        return [recorded.raw() for _, recorded in sorted(self._blocks.items()) if not _is_empty_text(recorded)]

    def _grow(self, event: ContentBlockDelta) -> None:
        recorded = self._blocks.get(event.index)
        if recorded is None:
            return
        match event.delta:
            case TextDelta(text=piece) | InputJSONDelta(partial_json=piece) | ThinkingDelta(thinking=piece):
                recorded.pieces.append(piece)
            case SignatureDelta():
                recorded.signature = event.delta.signature
            case CitationsDelta():
                recorded.citations.append(event.delta.citation)


def continued(request: MessagesRequest, recorder: TurnRecorder) -> MessagesRequest:
    """The request that lets the paused turn go on: the same one, ended by what Claude has said so far."""
    messages = list(request.messages)
    content = recorder.param()
    if messages and messages[-1].role == "assistant":
        content = [*messages.pop().content, *content]
    return msgspec.structs.replace(request, messages=[*messages, MessageParam("assistant", content)])


def _text(text: str, citations: list[Raw]) -> Raw:
    whole: dict[str, object] = {"type": "text", "text": text}
    if citations:
        whole["citations"] = citations
    return Raw(msgspec.json.encode(whole))


def _is_empty_text(recorded: _Recorded) -> bool:
    return isinstance(recorded.block, TextBlock) and not (recorded.block.text or any(recorded.pieces))
