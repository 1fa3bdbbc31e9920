"""What an answer says into the texts of a legacy completion; one that is not streamed is their sum."""

from collections.abc import Iterable, Sequence

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic import StreamEvent
from claude_openai_proxy.protocols.openai_completions import CompletionChoice, FinishReason
from claude_openai_proxy.translate.messages_api.answer import AnswerStream
from claude_openai_proxy.translate.messages_api.answer_events import AnswerEvent, Stopped, Text
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.stop_reasons import LENGTH_REASONS


class CompletionStream:
    """Events of one message into the pieces of one text; `echo` is the prompt, where it is to come first.

    Feed every event, then `finish`. Both raise `UpstreamProtocolError` where the events make no complete message.
    """

    def __init__(self, plan: AnswerPlan, *, index: int, echo: str = "") -> None:
        self.answer = AnswerStream(plan)
        self._index = index
        self._ahead = echo
        """Goes out with the first piece."""
        self.finish_reason: FinishReason | None = None

    def feed(self, event: StreamEvent) -> list[CompletionChoice]:
        """The pieces that this event makes."""
        return self._pieces(self.answer.feed(event))

    def finish(self) -> list[CompletionChoice]:
        """The last ones; the very last has the finish reason."""
        *said, stopped = self.answer.finish()
        assert isinstance(stopped, Stopped), "the last event"
        pieces = self._pieces(said)
        self.finish_reason = to_text_finish(stopped.stop_reason)
        ahead, self._ahead = self._ahead, ""
        return [*pieces, CompletionChoice(text=ahead, index=self._index, finish_reason=self.finish_reason)]

    def _pieces(self, events: Iterable[AnswerEvent]) -> list[CompletionChoice]:
        pieces = []
        for event in events:
            if isinstance(event, Text):
                pieces.append(CompletionChoice(text=self._ahead + event.text, index=self._index))
                self._ahead = ""
        return pieces


def to_text_finish(stop_reason: str) -> FinishReason:
    """Claude's word in OpenAI's; one that this version does not know ended the text somehow, hence `stop`."""
    if stop_reason == "refusal":
        return "content_filter"
    return "length" if stop_reason in LENGTH_REASONS or stop_reason == "pause_turn" else "stop"


def put_together(pieces: Sequence[CompletionChoice], count: int) -> list[CompletionChoice]:
    """The `count` whole choices, in order. Raises `UpstreamProtocolError` where the last piece of one has not come."""
    texts: list[list[str]] = [[] for _ in range(count)]
    reasons: list[FinishReason | None] = [None] * count
    for piece in pieces:
        texts[piece.index].append(piece.text)
        reasons[piece.index] = piece.finish_reason or reasons[piece.index]
    if None in reasons:
        raise UpstreamProtocolError("Claude's answer has no end")
    return [
        CompletionChoice(text="".join(text), index=index, finish_reason=reason)
        for index, (text, reason) in enumerate(zip(texts, reasons, strict=True))
    ]
