"""An emulated tool choice: the answer waits until it is known whether it calls a tool."""

from collections.abc import Sequence

from claude_openai_proxy.protocols.anthropic import ContentBlockStart, MessageDelta, StreamEvent, ToolUseBlock
from claude_openai_proxy.translate.messages_api.stop_reasons import CUT_REASONS


class ForcedToolGate:
    """Holds all events back until the first call of a client's tool starts; then everything passes."""

    def __init__(self) -> None:
        self._held: list[StreamEvent] = []
        self._called = False

    @property
    def called(self) -> bool:
        """A call has started."""
        return self._called

    @property
    def paused(self) -> bool:
        """The message that is held ended with `pause_turn`: the turn goes on, so nothing is decided yet."""
        return self._stop_reason == "pause_turn"

    @property
    def declined(self) -> bool:
        """The message that is held ended of its own accord, without a call. One that was refused or cut did not."""
        return self._stop_reason not in {None, "pause_turn", *CUT_REASONS}

    def feed(self, events: Sequence[StreamEvent]) -> list[StreamEvent]:
        """The events that may go on now: none while undecided, the held ones with the first call."""
        if self._called:
            return list(events)
        self._held += events
        if not any(_starts_call(event) for event in events):
            return []
        self._called = True
        return self.end()

    def end(self) -> list[StreamEvent]:
        """What is still held: an answer without a call."""
        held, self._held = self._held, []
        return held

    @property
    def _stop_reason(self) -> str | None:
        ends = [event for event in self._held if isinstance(event, MessageDelta)]
        return ends[-1].delta.stop_reason if ends else None


def _starts_call(event: StreamEvent) -> bool:
    return isinstance(event, ContentBlockStart) and isinstance(event.content_block, ToolUseBlock)
