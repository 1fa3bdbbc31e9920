"""An answer that is a conversation put together: one item, whatever Claude said on the way."""

from collections.abc import Callable
from typing import Final

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols import openai_responses as published
from claude_openai_proxy.protocols.openai_responses import Response, ResponseEvent
from claude_openai_proxy.translate.messages_api.answer_events import AnswerEvent, Stopped, Text
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.responses_answer.stream import ResponseStream

COMPACT: Final = (
    "The conversation above is about to be replaced by a summary of it. Write that summary now, for yourself: what the "
    "user wants, what was decided and why, what was done and found out (with names, paths, figures and exact wordings "
    "that matter), what is under way, and what comes next. Call no tool. Write the summary only."
)


class CompactionStream(ResponseStream):
    """As `ResponseStream`, with one item at the end. `sealed` makes `encrypted_content` of the summary."""

    def __init__(
        self,
        plan: AnswerPlan,
        draft: Response,
        *,
        new_id: Callable[[str], str],
        now: Callable[[], float],
        sealed: Callable[[str], str | None],
    ) -> None:
        super().__init__(plan, draft, new_id=new_id, now=now)
        self._sealed = sealed
        self._pieces: list[str] = []

    def finish(self) -> list[ResponseEvent]:
        """The item, and the end. Raises `UpstreamProtocolError` also where there is no summary to make it of."""
        *held, stopped = self.answer.finish()
        assert isinstance(stopped, Stopped), "the last event"
        for said in held:
            self._say(said)
        summary = "" if stopped.stop_reason == "refusal" else "".join(self._pieces).strip()
        envelope = self._sealed(summary) if summary else None
        if envelope is None:
            raise UpstreamProtocolError("Claude gave no summary of the conversation that could be kept.")
        item = published.CompactionItem(self._new_id("cmp_"), envelope)
        self._output.append(item)
        self.kept.append(item)
        return [
            published.OutputItemAdded(self._number(), 0, item),
            published.OutputItemDone(self._number(), 0, item),
            self._end("completed"),
        ]

    def _say(self, said: AnswerEvent) -> list[ResponseEvent]:
        if isinstance(said, Text):
            self._pieces.append(said.text)
        return []
