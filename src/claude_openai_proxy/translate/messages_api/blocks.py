"""The content blocks of an answer, as they stream, into what they add to the choice."""

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic import (
    CitationsDelta,
    ContentBlock,
    ContentBlockDelta,
    ContentBlockStart,
    InputJSONDelta,
    ServerToolUseBlock,
    SignatureDelta,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
)
from claude_openai_proxy.protocols.openai_chat_response import ChoiceDelta
from claude_openai_proxy.translate.messages_api.annotations import AnnotationList
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.calls import CallStream, open_call
from claude_openai_proxy.translate.messages_api.stop_texts import StopTextCutter

NO_BLOCK = -1


class AnswerBlocks:
    """One block is open at a time; it ends where the next one starts or the message ends.

    Only there is it known whether `max_tokens` cut it, so `content_block_stop` says nothing of use.
    """

    def __init__(self, plan: AnswerPlan) -> None:
        self._plan = plan
        self._annotations = AnnotationList()
        self._stop_texts = StopTextCutter(plan.stop_texts) if plan.stop_texts else None
        self._block: ContentBlock | None = None
        self._index = NO_BLOCK
        self._call: CallStream | None = None
        self._thought = False
        self._between_thoughts = False
        self.plain_text = NO_BLOCK
        """Index of the open block while its text goes out just as it comes."""
        self.length = 0
        """Characters of content so far: annotations point into it."""
        self.calls = 0
        self.skipped = 0
        """Blocks of an unknown kind, and calls that `function_call` cannot hold."""
        self.cut = False
        """A stop text was reached: no block adds anything any more."""

    def start(self, event: ContentBlockStart) -> list[ChoiceDelta]:
        """A block opens, perhaps with content already; the one before it has ended."""
        if self.cut:
            return []
        deltas = self.end(cut=False)
        self._block, self._index = event.content_block, event.index
        match event.content_block:
            case TextBlock() as block:
                return deltas + self._start_text(block)
            case ThinkingBlock(thinking=thinking):
                self._between_thoughts = self._thought
                return deltas + self._think(thinking)
            case ToolUseBlock() as block:
                return deltas + self._start_call(block)
            case UnknownBlock():
                self.skipped += 1
        return deltas

    def grow(self, event: ContentBlockDelta) -> list[ChoiceDelta]:
        """The open block grows."""
        if self.cut:
            return []
        delta, block = event.delta, self._block
        if event.index != self._index or block is None:
            raise UpstreamProtocolError(f"Claude sent a delta for block {event.index}, which is not open")
        match delta, block:
            case InputJSONDelta(), ToolUseBlock():
                return self._call.feed(delta.partial_json) if self._call else []
            case TextDelta(), TextBlock():
                return self._text(delta.text)
            case ThinkingDelta(), ThinkingBlock():
                return self._think(delta.thinking)
            case CitationsDelta(), TextBlock():
                self._annotations.add(delta.citation)
                return []
            case (SignatureDelta(), ThinkingBlock()) | (InputJSONDelta(), ServerToolUseBlock()) | (_, UnknownBlock()):
                return []
        raise UpstreamProtocolError(f"Claude sent a {type(delta).__name__} for a {type(block).__name__}")

    def end(self, *, cut: bool) -> list[ChoiceDelta]:
        """The open block is over; `cut`: the tokens ran out within it."""
        call, self._call = self._call, None
        if isinstance(self._block, TextBlock):
            self._annotations.close(self._offset)
        self._block, self._index, self.plain_text = None, NO_BLOCK, NO_BLOCK
        return call.end(cut=cut) if call else []

    def finish(self) -> list[ChoiceDelta]:
        """The answer is over: text held back, and the annotations.

        All annotations go out at once: the official SDK's accumulator takes a second list of them for an error.
        """
        deltas = self._release_text()
        if annotations := self._annotations.take():
            deltas.append(ChoiceDelta(annotations=annotations))
        return deltas

    # ---- kinds of blocks ---------------------------------------------------------------------------------------------

    def _start_text(self, block: TextBlock) -> list[ChoiceDelta]:
        self._annotations.open(self._offset, block.citations or ())
        if self._stop_texts is None:
            self.plain_text = self._index
        return self._text(block.text)

    def _text(self, text: str) -> list[ChoiceDelta]:
        if self._stop_texts is not None:
            text = self._stop_texts.feed(text)
        self.length += len(text)
        if self._stop_texts is not None and self._stop_texts.reached:
            self.end(cut=True)
            self.cut = True
        return [ChoiceDelta(content=text)] if text else []

    def _release_text(self) -> list[ChoiceDelta]:
        held = self._stop_texts.end() if self._stop_texts is not None else ""
        self.length += len(held)
        return [ChoiceDelta(content=held)] if held else []

    @property
    def _offset(self) -> int:
        """Where the next character of content will stand."""
        return self.length + (self._stop_texts.held if self._stop_texts is not None else 0)

    def _think(self, thinking: str) -> list[ChoiceDelta]:
        if not thinking or not self._plan.reasoning:
            return []
        if self._between_thoughts:
            thinking = "\n\n" + thinking
        self._thought, self._between_thoughts = True, False
        return [ChoiceDelta(reasoning_content=thinking)]

    def _start_call(self, block: ToolUseBlock) -> list[ChoiceDelta]:
        self._call = open_call(block, self._plan, self.calls)
        if self._call is None:
            self.skipped += 1
            return []
        self.calls += 1
        return [*self._release_text(), self._call.opening()]
