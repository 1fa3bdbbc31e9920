"""The content blocks of an answer, as they stream, into what the answer says."""

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic import (
    CitationsDelta,
    ContentBlock,
    ContentBlockDelta,
    ContentBlockStart,
    InputJSONDelta,
    RedactedThinkingBlock,
    ServerToolUseBlock,
    SignatureDelta,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
    WebSearchToolResultBlock,
)
from claude_openai_proxy.translate.messages_api.annotations import OpenCitations
from claude_openai_proxy.translate.messages_api.answer_events import (
    AnswerEvent,
    CallBegun,
    CallEnded,
    CallPiece,
    RedactedThinking,
    Text,
    ThinkingBegun,
    ThinkingEnded,
    ThinkingPiece,
)
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.calls import CallInput, CustomInput, FunctionInput
from claude_openai_proxy.translate.messages_api.json_fence import JSONFence
from claude_openai_proxy.translate.messages_api.stop_texts import StopTextCutter

NO_BLOCK = -1


class AnswerBlocks:
    """One block is open at a time; it ends where the next one starts or the message ends.

    Only there is it known whether `max_tokens` cut it, so `content_block_stop` says nothing of use.
    """

    def __init__(self, plan: AnswerPlan) -> None:
        self._plan = plan
        self._citations = OpenCitations()
        self._stop_texts = StopTextCutter(plan.stop_texts) if plan.stop_texts else None
        self._fence = JSONFence() if plan.structured else None
        self._block: ContentBlock | None = None
        self._index = NO_BLOCK
        self._call: CallInput | None = None
        """Of the open block, unless it is skipped."""
        self._custom = False
        self._signature = ""
        self.plain_text = NO_BLOCK
        """Index of the open block while its text goes out just as it comes.

        Whoever hands a delta of it on without `grow` adds to `length`.
        """
        self.length = 0
        """Characters of text so far: annotations point into it."""
        self.calls = 0
        self.skipped = 0
        """Blocks of an unknown kind, and calls beyond the one that the client's form holds."""
        self.cut = False
        """A stop text was reached: no block adds anything any more."""

    def start(self, event: ContentBlockStart) -> list[AnswerEvent]:
        """A block opens, perhaps with content already; the one before it has ended.

        Raises `UpstreamProtocolError` for a citation that cannot be read.
        """
        if self.cut:
            return []
        events = self.end(cut=False)
        self._block, self._index = event.content_block, event.index
        match event.content_block:
            case TextBlock() as block:
                events += self._start_text(block)
            case ThinkingBlock() as block:
                self._signature = block.signature
                events.append(ThinkingBegun())
                if block.thinking:
                    events.append(ThinkingPiece(block.thinking))
            case ToolUseBlock() as block:
                events += self._start_call(block)
            case RedactedThinkingBlock(data=data):
                events.append(RedactedThinking(data))
            case UnknownBlock():
                self.skipped += 1
        return events

    def grow(self, event: ContentBlockDelta) -> list[AnswerEvent]:
        """The open block grows. Raises `UpstreamProtocolError` for a delta that does not belong to it."""
        if self.cut:
            return []
        delta, block = event.delta, self._block
        if event.index != self._index or block is None:
            raise UpstreamProtocolError(f"Claude sent a delta for block {event.index}, which is not open")
        match delta, block:
            case InputJSONDelta(), ToolUseBlock():
                piece = self._call.feed(delta.partial_json) if self._call else ""
                return [CallPiece(self.calls - 1, piece, self._custom)] if piece else []
            case TextDelta(), TextBlock():
                return self._text(delta.text)
            case ThinkingDelta(), ThinkingBlock():
                return [ThinkingPiece(delta.thinking)] if delta.thinking else []
            case CitationsDelta(), TextBlock():
                self._citations.add(delta.citation)
                return self._uncover()
            case SignatureDelta(), ThinkingBlock():
                self._signature = delta.signature
                return []
            case _, ServerToolUseBlock() | WebSearchToolResultBlock() | RedactedThinkingBlock() | UnknownBlock():
                # Nobody is told how these grow: what is odd about it is no reason to lose the answer.
                return []
        raise UpstreamProtocolError(f"Claude sent a {type(delta).__name__} for a {type(block).__name__}")

    def end(self, *, cut: bool) -> list[AnswerEvent]:
        """The open block is over; `cut`: the tokens ran out within it."""
        events: list[AnswerEvent] = []
        if isinstance(self._block, TextBlock):
            events += self._citations.close(self._offset)
        elif isinstance(self._block, ThinkingBlock):
            events.append(ThinkingEnded(self._signature))
        elif self._call is not None:
            if rest := self._call.end(cut=cut):
                events.append(CallPiece(self.calls - 1, rest, self._custom))
            events.append(CallEnded(self.calls - 1))
        self._block, self._index, self.plain_text, self._call = None, NO_BLOCK, NO_BLOCK, None
        return events

    def finish(self) -> list[AnswerEvent]:
        """The answer is over: text held back turned out to be text."""
        held = self._stop_texts.end() if self._stop_texts is not None else ""
        if self._fence is not None:
            held = self._fence.feed(held) + self._fence.end()
        return self._said(held)

    @property
    def unfenced(self) -> bool:
        """A code fence around the JSON that was asked for has been taken off."""
        return self._fence is not None and self._fence.removed

    # ---- kinds of blocks ---------------------------------------------------------------------------------------------

    def _start_text(self, block: TextBlock) -> list[AnswerEvent]:
        self._citations.open(self._offset, block.citations or ())
        events = self._uncover() if block.citations else []
        return [*events, *self._text(block.text)]

    def _text(self, text: str) -> list[AnswerEvent]:
        if self._stop_texts is not None:
            text = self._stop_texts.feed(text)
        if self._fence is not None:
            text = self._fence.feed(text)
        if self._stop_texts is None and (self._fence is None or self._fence.open):
            self.plain_text = self._index
        events = self._said(text)
        if self._stop_texts is not None and self._stop_texts.reached:
            events += self.end(cut=True)
            self.cut = True
        return events

    def _uncover(self) -> list[AnswerEvent]:
        """Text with a source stays as it came: the source says where it stands."""
        return self._said(self._fence.give_up()) if self._fence is not None else []

    def _said(self, text: str) -> list[AnswerEvent]:
        self.length += len(text)
        return [Text(text)] if text else []

    @property
    def _offset(self) -> int:
        """Where the next character of text will stand."""
        held = self._stop_texts.held if self._stop_texts is not None else 0
        return self.length + held + (self._fence.held if self._fence is not None else 0)

    def _start_call(self, block: ToolUseBlock) -> list[AnswerEvent]:
        if self.calls and self._plan.single_call:
            self.skipped += 1
            return []
        name = self._plan.tool_names.get(block.name, block.name)
        self._custom = name in self._plan.custom_tools
        self._call = CustomInput(block) if self._custom else FunctionInput(block)
        self.calls += 1
        return [*self.finish(), CallBegun(self.calls - 1, block.id, name, self._custom)]
