"""What an answer says into the chunks of a chat completion; an answer that is not streamed is their sum."""

from collections.abc import Iterable
from typing import Literal

from msgspec import UNSET, UnsetType

from claude_openai_proxy.protocols.anthropic import ContentBlockDelta, StreamEvent, TextDelta
from claude_openai_proxy.protocols.openai_chat_response import (
    Annotation,
    AnnotationURLCitation,
    ChoiceDelta,
    ChunkChoice,
    CustomToolCallDelta,
    FinishReason,
    FunctionCallDelta,
    ReasoningDetail,
    ToolCallDelta,
)
from claude_openai_proxy.protocols.openai_usage import CompletionUsage
from claude_openai_proxy.translate.chat_answer.finish_reason import to_finish_reason
from claude_openai_proxy.translate.chat_answer.usage import to_completion_usage
from claude_openai_proxy.translate.messages_api import answer_events
from claude_openai_proxy.translate.messages_api.answer import AnswerStream
from claude_openai_proxy.translate.messages_api.answer_events import (
    AnswerEvent,
    CallBegun,
    CallPiece,
    RedactedThinking,
    Stopped,
    Text,
    ThinkingBegun,
    ThinkingEnded,
    ThinkingPiece,
)
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.wishes.service_tier import to_openai_tier

CLAUDE_FORMAT = "anthropic-claude-v1"
"""Whose signatures they are, in the gateways' word for it."""

REFUSED = "Claude declined to answer this request."
"""Stands in `refusal` where Claude gave no explanation."""


class ChoiceStream:
    """Events of one message, or of a paused turn and its continuations, into the chunks of one choice.

    Feed every event, then `finish`. Both raise `UpstreamProtocolError` where the events make no complete message.
    `legacy`: the client sent `functions`, and its call comes back as `function_call`.
    """

    def __init__(self, plan: AnswerPlan, *, index: int = 0, legacy: bool = False) -> None:
        self._plan = plan
        self._index = index
        self._legacy = legacy
        self.answer = AnswerStream(plan)
        """What is known of the answer beside its chunks."""
        self._blocks = self.answer.blocks
        self._opened = False
        """The chunk with the role is out."""
        self._thought = False
        self._between_thoughts = False
        self._thinking: list[str] = []
        """Of the open block."""
        self._details = 0
        self._annotations: list[Annotation] = []
        self.finish_reason: FinishReason | None = None
        """Set by `finish`."""

    @property
    def usage(self) -> CompletionUsage:
        """Of all messages so far."""
        return to_completion_usage(self.answer.usage)

    @property
    def service_tier(self) -> str | None:
        """OpenAI's name of the tier that answered."""
        return to_openai_tier(self.answer.usage.service_tier)

    def feed(self, event: StreamEvent) -> list[ChunkChoice]:
        """The chunks that this event makes; text, which is most of a stream, takes the short way."""
        if type(event) is ContentBlockDelta and event.index == self._blocks.plain_text and self._opened:
            delta = event.delta
            if type(delta) is TextDelta and (text := delta.text):
                self._blocks.length += len(text)
                return [ChunkChoice(index=self._index, delta=ChoiceDelta(content=text))]
        events = self.answer.feed(event)
        if not events:
            return []
        if len(events) == 1 and self._opened:
            only = self._delta(events[0])
            return [] if only is None else [ChunkChoice(index=self._index, delta=only)]
        return self._chunks(self._deltas(events))

    def finish(self) -> list[ChunkChoice]:
        """The last chunks; the very last one has the finish reason."""
        *said, stopped = self.answer.finish()
        assert isinstance(stopped, Stopped), "the last event"
        chunks = self._chunks(self._deltas(said) + self._stop(stopped))
        return [*chunks, ChunkChoice(index=self._index, delta=ChoiceDelta(), finish_reason=self.finish_reason)]

    # ---- deltas ------------------------------------------------------------------------------------------------------

    def _deltas(self, events: Iterable[AnswerEvent]) -> list[ChoiceDelta]:
        return [delta for event in events if (delta := self._delta(event)) is not None]

    def _delta(self, event: AnswerEvent) -> ChoiceDelta | None:
        """What one event adds; None where this dialect has no word for it, or not yet."""
        match event:
            case CallPiece():
                return self._call_piece(event)
            case ThinkingPiece():
                return self._think(event.text)
            case Text():
                return ChoiceDelta(content=event.text)
            case CallBegun():
                return self._call_head(event)
            case ThinkingBegun():
                self._between_thoughts = self._thought
                self._thinking = []
            case ThinkingEnded(signature=signature):
                return self._signed(signature)
            case RedactedThinking(data=data):
                return self._detail("reasoning.encrypted", data=data)
            case answer_events.Annotation(start=start, end=end, title=title, url=url):
                self._annotations.append(Annotation(AnnotationURLCitation(start, end, title, url)))
        return None

    def _think(self, text: str) -> ChoiceDelta | None:
        """Thinking blocks are one text here: a blank line stands between them."""
        if not self._plan.reasoning:
            return None
        self._thinking.append(text)
        if self._between_thoughts:
            text = "\n\n" + text
        self._thought, self._between_thoughts = True, False
        return ChoiceDelta(reasoning_content=text)

    def _signed(self, signature: str) -> ChoiceDelta | None:
        """A whole block at its end: only then is its signature known. One that was cut has none, and cannot go back."""
        text = "".join(self._thinking)
        return self._detail("reasoning.text", text=text, signature=signature) if signature else None

    def _detail(
        self,
        type_: Literal["reasoning.text", "reasoning.encrypted"],
        *,
        text: str | UnsetType = UNSET,
        signature: str | UnsetType = UNSET,
        data: str | UnsetType = UNSET,
    ) -> ChoiceDelta | None:
        """Only for who asked to see the thinking."""
        if not self._plan.reasoning:
            return None
        index, self._details = self._details, self._details + 1
        detail = ReasoningDetail(
            type=type_, index=index, format=CLAUDE_FORMAT, text=text, signature=signature, data=data
        )
        return ChoiceDelta(reasoning_details=[detail])

    def _call_head(self, call: CallBegun) -> ChoiceDelta:
        """Id, type and name; `function_call` has a name only."""
        if self._legacy:
            return ChoiceDelta(function_call=FunctionCallDelta(name=call.name, arguments=""))
        if call.custom:
            custom = CustomToolCallDelta(name=call.name, input="")
            return ChoiceDelta(tool_calls=[ToolCallDelta(index=call.index, id=call.id, type="custom", custom=custom)])
        function = FunctionCallDelta(name=call.name, arguments="")
        return ChoiceDelta(tool_calls=[ToolCallDelta(index=call.index, id=call.id, type="function", function=function)])

    def _call_piece(self, piece: CallPiece) -> ChoiceDelta:
        if self._legacy:
            return ChoiceDelta(function_call=FunctionCallDelta(arguments=piece.text))
        if piece.custom:
            custom = CustomToolCallDelta(input=piece.text)
            return ChoiceDelta(tool_calls=[ToolCallDelta(index=piece.index, custom=custom)])
        function = FunctionCallDelta(arguments=piece.text)
        return ChoiceDelta(tool_calls=[ToolCallDelta(index=piece.index, function=function)])

    def _stop(self, event: Stopped) -> list[ChoiceDelta]:
        """All annotations go out at once: the official SDK's accumulator takes a second list of them for an error."""
        deltas = [ChoiceDelta(annotations=self._annotations)] if self._annotations else []
        called = self.answer.called
        if event.stop_reason == "refusal":
            deltas.append(ChoiceDelta(refusal=event.explanation or REFUSED))
        elif not (self._blocks.length or called):
            deltas.append(ChoiceDelta(content=""))
        self.finish_reason = to_finish_reason(
            event.stop_reason, calls=called, legacy=self._legacy, structured=self._plan.structured
        )
        return deltas

    def _chunks(self, deltas: list[ChoiceDelta]) -> list[ChunkChoice]:
        """The very first is led by the one with the role; `content` is null there unless text follows, as at OpenAI."""
        if deltas and not self._opened:
            self._opened = True
            content = deltas[0].content
            opening = ChoiceDelta(role="assistant", content="" if isinstance(content, str) else None)
            deltas = [opening, *(deltas[1:] if content == "" else deltas)]
        return [ChunkChoice(index=self._index, delta=delta) for delta in deltas]
