"""Stream events of the Messages API into what the answer says, in no dialect's shape."""

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
    UnknownEvent,
    Usage,
)
from claude_openai_proxy.translate.messages_api.answer_events import AnswerEvent, Stopped
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.blocks import AnswerBlocks
from claude_openai_proxy.translate.messages_api.stop_reasons import CUT_REASONS
from claude_openai_proxy.translate.messages_api.usage import UsageTally


class AnswerStream:
    """Events of one message, or of a paused turn and its continuations.

    Feed every event, then `finish`. Both raise `UpstreamProtocolError` where the events make no complete message.
    """

    def __init__(self, plan: AnswerPlan) -> None:
        self._tally = UsageTally()
        self.blocks = AnswerBlocks(plan)
        """An encoder may look into them to take a shorter way for plain text."""
        self._started = False
        self._running = False
        """Between `message_start` and `message_stop`."""
        self._running_id = ""
        self._stop_reason: str | None = None
        self._explanation = ""
        self._unknown_events = 0
        self.message_id = ""
        """Of the first message; "" until it starts."""
        self.model = ""
        self.paused = False
        """The last message ended with `pause_turn`: the answer goes on in the next one."""

    @property
    def usage(self) -> Usage:
        """Of all messages so far; the service tier is the latest one's."""
        return self._tally.total

    @property
    def messages(self) -> tuple[Usage, ...]:
        """The usage of each message by itself."""
        return self._tally.messages

    @property
    def called(self) -> bool:
        """A call of a client's tool has started."""
        return self.blocks.calls > 0

    @property
    def cut(self) -> bool:
        """A stop text of the plan was reached: what is fed from now on counts for usage only."""
        return self.blocks.cut

    @property
    def skipped(self) -> int:
        """Events and blocks of unknown kinds, and calls that the client's form cannot hold."""
        return self._unknown_events + self.blocks.skipped

    @property
    def unfenced(self) -> bool:
        """A code fence around the JSON that was asked for has been taken off. Final after `finish`."""
        return self.blocks.unfenced

    def feed(self, event: StreamEvent) -> list[AnswerEvent]:
        """What this event adds. Raises `UpstreamProtocolError` for one that does not belong there."""
        match event:
            case ContentBlockDelta():
                return self.blocks.grow(event)
            case ContentBlockStart():
                return self.blocks.start(event)
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

    def finish(self) -> list[AnswerEvent]:
        """Text that was held back, and the stop. Raises `UpstreamProtocolError` where the answer has no end."""
        if not self.cut and (self._running or not self._started):
            raise UpstreamProtocolError("Claude's answer broke off: message_stop never came")
        stop_reason = "stop_sequence" if self.cut else self._stop_reason or ""
        return [*self.blocks.finish(), Stopped(stop_reason, self._explanation)]

    # ---- events ------------------------------------------------------------------------------------------------------

    def _start_message(self, message: Message) -> None:
        if self._running and message.id == self._running_id:
            # Some gateways say it twice: it is the same message.
            self._tally.update(message.usage)
            return
        if self._started and not self.paused:
            raise UpstreamProtocolError("Claude sent a second message_start")
        self._running, self.paused, self._stop_reason = True, False, None
        self._running_id = message.id
        self._tally.start(message.usage)
        if self._started:
            return
        self._started = True
        self.message_id, self.model = message.id, message.model

    def _end_content(self, event: MessageDelta) -> list[AnswerEvent]:
        self._tally.update(event.usage)
        if event.delta.stop_reason is None:
            return []
        self._stop_reason = event.delta.stop_reason
        if event.delta.stop_details is not None and event.delta.stop_details.explanation:
            self._explanation = event.delta.stop_details.explanation
        return self.blocks.end(cut=self._stop_reason in CUT_REASONS)

    def _stop_message(self) -> None:
        if self._stop_reason is None:
            raise UpstreamProtocolError("Claude's answer ended without a stop_reason")
        self._running = False
        self.paused = self._stop_reason == "pause_turn" and not self.called and not self.cut
