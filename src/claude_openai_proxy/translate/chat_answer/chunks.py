"""Stream events of the Messages API into chunks of a chat completion; an answer that is not streamed is their sum."""

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic import (
    ContentBlockDelta,
    ContentBlockStart,
    ErrorEvent,
    Message,
    MessageDelta,
    MessageStart,
    MessageStop,
    StreamEvent,
    TextDelta,
    UnknownEvent,
)
from claude_openai_proxy.protocols.openai_chat_response import ChoiceDelta, ChunkChoice, CompletionUsage, FinishReason
from claude_openai_proxy.translate.chat_answer.finish_reason import CUT_REASONS, to_finish_reason
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.blocks import AnswerBlocks
from claude_openai_proxy.translate.messages_api.usage import UsageTally

REFUSED = "Claude declined to answer this request."
"""Stands in `refusal` where Claude gave no explanation."""


class ChoiceStream:
    """Events of one message, or of a paused turn and its continuations, into the chunks of one choice.

    Feed every event, then `finish`. Both raise `UpstreamProtocolError` where the events make no complete message.
    """

    def __init__(self, plan: AnswerPlan, *, index: int = 0) -> None:
        self._index = index
        self._legacy = plan.legacy_function_call
        self._structured = plan.schema is not None
        self._usage = UsageTally()
        self._blocks = AnswerBlocks(plan)
        self._started = False
        self._opened = False
        """The chunk with the role is out."""
        self._running = False
        """Between `message_start` and `message_stop`."""
        self._stop_reason: str | None = None
        self._refusal = REFUSED
        self._unknown_events = 0
        self.message_id = ""
        """Of the first message; "" until it starts."""
        self.model = ""
        self.paused = False
        """The last message ended with `pause_turn`: the answer goes on in the next one."""
        self.finish_reason: FinishReason | None = None
        """Set by `finish`."""

    @property
    def usage(self) -> CompletionUsage:
        """Of all messages so far."""
        return self._usage.total

    @property
    def service_tier(self) -> str | None:
        """OpenAI's name of the tier that answered."""
        return self._usage.service_tier

    @property
    def called(self) -> bool:
        """A call of a client's tool has started."""
        return self._blocks.calls > 0

    @property
    def cut(self) -> bool:
        """A stop text of the plan was reached: what is fed from now on counts for usage only."""
        return self._blocks.cut

    @property
    def skipped(self) -> int:
        """Events and blocks of unknown kinds, and calls that the client's form cannot hold."""
        return self._unknown_events + self._blocks.skipped

    def feed(self, event: StreamEvent) -> list[ChunkChoice]:
        """The chunks that this event makes; text, which is most of a stream, takes the short way."""
        if type(event) is ContentBlockDelta and event.index == self._blocks.plain_text and self._opened:
            delta = event.delta
            if type(delta) is TextDelta and (text := delta.text):
                self._blocks.length += len(text)
                return [ChunkChoice(index=self._index, delta=ChoiceDelta(content=text))]
        return self._chunks(self._deltas(event))

    def finish(self) -> list[ChunkChoice]:
        """The last chunks; the very last one has the finish reason."""
        if not self.cut and (self._running or not self._started):
            raise UpstreamProtocolError("Claude's answer broke off: message_stop never came")
        stop_reason = "stop_sequence" if self.cut else self._stop_reason or ""
        deltas = self._blocks.finish()
        if stop_reason == "refusal":
            deltas.append(ChoiceDelta(refusal=self._refusal))
        elif not (self._blocks.length or self.called):
            deltas.append(ChoiceDelta(content=""))
        self.finish_reason = to_finish_reason(
            stop_reason, calls=self.called, legacy=self._legacy, structured=self._structured
        )
        last = ChunkChoice(index=self._index, delta=ChoiceDelta(), finish_reason=self.finish_reason)
        return [*self._chunks(deltas), last]

    # ---- events ------------------------------------------------------------------------------------------------------

    def _deltas(self, event: StreamEvent) -> list[ChoiceDelta]:
        match event:
            case ContentBlockDelta():
                return self._blocks.grow(event)
            case ContentBlockStart():
                return self._blocks.start(event)
            case MessageDelta():
                return self._end_content(event)
            case MessageStart():
                self._start_message(event.message)
            case MessageStop():
                self._stop_message()
            case UnknownEvent():
                self._unknown_events += 1
            case ErrorEvent():
                raise UpstreamProtocolError(f"Claude's answer broke off: {event.error.message}")
        return []

    def _chunks(self, deltas: list[ChoiceDelta]) -> list[ChunkChoice]:
        """The very first is led by the one with the role; `content` is null there unless text follows, as at OpenAI."""
        if deltas and not self._opened:
            self._opened = True
            content = deltas[0].content
            opening = ChoiceDelta(role="assistant", content="" if isinstance(content, str) else None)
            deltas = [opening, *(deltas[1:] if content == "" else deltas)]
        return [ChunkChoice(index=self._index, delta=delta) for delta in deltas]

    def _start_message(self, message: Message) -> None:
        if self._started and not self.paused:
            raise UpstreamProtocolError("Claude sent a second message_start")
        self._running, self.paused, self._stop_reason = True, False, None
        self._usage.start(message.usage)
        if self._started:
            return
        self._started = True
        self.message_id, self.model = message.id, message.model

    def _end_content(self, event: MessageDelta) -> list[ChoiceDelta]:
        self._usage.update(event.usage)
        if event.delta.stop_reason is None:
            return []
        self._stop_reason = event.delta.stop_reason
        if event.delta.stop_details is not None and event.delta.stop_details.explanation:
            self._refusal = event.delta.stop_details.explanation
        return self._blocks.end(cut=self._stop_reason in CUT_REASONS)

    def _stop_message(self) -> None:
        if self._stop_reason is None:
            raise UpstreamProtocolError("Claude's answer ended without a stop_reason")
        self._running = False
        self.paused = self._stop_reason == "pause_turn" and not self.called and not self.cut
