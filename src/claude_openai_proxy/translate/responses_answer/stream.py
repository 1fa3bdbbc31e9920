"""What an answer says into a response and the events of its stream.

| state | what happens |
|---|---|
| nothing has come | the first event of Claude's brings `response.created` and `response.in_progress` |
| an item is open | it grows; what belongs to another closes it as completed and opens that one |
| Claude has stopped | now it is known whether the open item was cut: it is closed; the terminal event is last |
| it has failed | the open item is closed as incomplete; `error` and `response.failed` are last |

Invariants: at most one item is open; after the terminal event nothing comes; `output` is what the done events said.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from msgspec import UNSET, Raw
from msgspec.structs import replace

from claude_openai_proxy.protocols import openai_responses as published
from claude_openai_proxy.protocols.anthropic import (
    ContentBlockDelta,
    ContentBlockStart,
    MessageStart,
    ServerToolUseBlock,
    StreamEvent,
    TextDelta,
    WebSearchToolResultBlock,
)
from claude_openai_proxy.protocols.openai_responses import Response, ResponseEvent
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
    ThinkingPiece,
)
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.call_forms import CallForm
from claude_openai_proxy.translate.messages_api.continuation import TurnRecorder
from claude_openai_proxy.translate.messages_api.stop_reasons import LENGTH_REASONS
from claude_openai_proxy.translate.responses_answer.manner import PLAIN, Manner, SealKind
from claude_openai_proxy.translate.responses_answer.open_items import (
    OpenCall,
    OpenItem,
    OpenMessage,
    OpenOwnCall,
    OpenReasoning,
    Place,
    Sent,
    open_call,
)
from claude_openai_proxy.translate.responses_answer.searches import OpenSearch, Searches
from claude_openai_proxy.translate.responses_answer.usage import to_response_usage
from claude_openai_proxy.translate.wishes.service_tier import to_openai_tier

REFUSED: Final = "Claude declined to answer this request."
"""Stands in the refusal where Claude gave no explanation."""


class ResponseStream:
    """Events of one message, or of a paused turn and its continuations, into those of one response.

    Feed every event, then `finish`. Both raise `UpstreamProtocolError` where the events make no complete message.
    `draft` is the response with all that it says of its request; `new_id` is given a prefix; `now` is in seconds since
    1970.
    """

    def __init__(
        self,
        plan: AnswerPlan,
        draft: Response,
        *,
        new_id: Callable[[str], str],
        now: Callable[[], float],
        manner: Manner = PLAIN,
    ) -> None:
        self._plan = plan
        self.answer = AnswerStream(plan)
        """What is known of the answer beside its events."""
        self._blocks = self.answer.blocks
        self._manner = manner
        self._new_id = new_id
        self._now = now
        self.response = draft
        """As far as it has come."""
        self.sent = Sent()
        """How far the client has been told."""
        self._number = self.sent.number
        self._recorder = TurnRecorder()
        self._item: OpenItem | None = None
        self._message: OpenMessage | None = None
        """The open item, where it is one whose text goes on."""
        self._output: list[published.OutputItem] = []
        self.kept: list[published.OutputItem] = []
        """The same with all that can be kept of them."""
        self._searches = Searches()
        self._said = 0
        """Characters of text."""
        self._block = 0
        """The index of Claude's block that is looked at."""
        self.finish_reason: str | None = None
        """Once it has ended: the status, or what tells more: why it is incomplete, or that it is a refusal."""

    def feed(self, event: StreamEvent) -> list[ResponseEvent]:
        """The events that this one makes; text, which is most of a stream, takes the short way."""
        if type(event) is ContentBlockDelta and event.index == self._blocks.plain_text and self._message is not None:
            delta = event.delta
            if type(delta) is TextDelta and (text := delta.text):
                self._blocks.length += len(text)
                self._said += len(text)
                return [self._message.more(text)]
        events = [] if self.sent.opened else self._open()
        if isinstance(event, MessageStart):
            self._recorder = TurnRecorder()
        self._recorder.feed(event)
        if isinstance(event, ContentBlockStart):
            self._block = event.index
        for said in self.answer.feed(event):
            events += self._say(said)
        if isinstance(event, ContentBlockStart) and not self.answer.cut:
            events += self._search(event)
        return events

    def finish(self) -> list[ResponseEvent]:
        """The last ones; the very last is the terminal event."""
        *held, stopped = self.answer.finish()
        assert isinstance(stopped, Stopped), "the last event"
        events = [event for said in held for event in self._say(said)]
        cut = stopped.stop_reason in LENGTH_REASONS or stopped.stop_reason == "pause_turn"
        if stopped.stop_reason == "refusal":
            if self._message is None:
                events += self._close("incomplete")
            events += self._refuse(stopped.explanation or REFUSED)
        events += self._close("incomplete" if cut else "completed")
        events += self._carry_searches()
        details = published.IncompleteDetails("max_output_tokens") if cut else None
        end = self._end("incomplete" if cut else "completed", incomplete_details=details)
        if stopped.stop_reason == "refusal":
            self.finish_reason = "refusal"
        return [*events, end]

    def say_nothing(self) -> list[ResponseEvent]:
        """A response that is complete before anybody was asked."""
        return [*self._open(), self._end("completed")]

    def fail(self, error: published.ErrorBody) -> list[ResponseEvent]:
        """The answer broke off: `error`, at which SDKs raise, and `response.failed`. Nothing where it has ended."""
        if self.finish_reason is not None:
            return []
        events = [] if self.sent.opened else self._open()
        events += self._close("incomplete")
        events.append(published.ErrorEvent(self._number(), error, error.code, error.message, error.param))
        return [*events, self._end("failed", error=published.ResponseError(error.code, error.message))]

    def fail_instead(self, end: ResponseEvent, error: published.ErrorBody) -> list[ResponseEvent]:
        """What goes out in place of the terminal event `end`, which has not gone out."""
        self.finish_reason = None
        told = published.ErrorEvent(end.sequence_number, error, error.code, error.message, error.param)
        return [told, self._end("failed", error=published.ResponseError(error.code, error.message))]

    def cancel(self) -> None:
        """Nobody wants it any more: `response` has what was said so far. Nothing where it has ended."""
        if self.finish_reason is not None:
            return
        self._close("incomplete")
        self._settle("cancelled")

    def keep_alive(self) -> list[ResponseEvent]:
        """A sign of life. The very first event is never this one, at which the official SDK would raise."""
        if self.finish_reason is not None:
            return []
        return [published.Keepalive(self._number())] if self.sent.opened else self._open()

    def go_on_after(self, sent: Sent) -> None:
        """Before anything is fed: take the place of a stream that told no more than that there is a response."""
        self.sent, self._number = sent, sent.number
        if sent.opened:
            self.response = replace(self.response, status="in_progress")

    # ---- the response -----------------------------------------------------------------------------------------------

    def _open(self) -> list[ResponseEvent]:
        self.sent.opened = True
        queued = self.response.status == "queued"
        events: list[ResponseEvent] = [published.ResponseCreated(self._number(), self.response)]
        if queued:
            events.append(published.ResponseQueued(self._number(), self.response))
        self.response = replace(self.response, status="in_progress")
        if not queued:
            events[0] = replace(events[0], response=self.response)
        return [*events, published.ResponseInProgress(self._number(), self.response)]

    def _end(
        self,
        status: Literal["completed", "incomplete", "failed"],
        *,
        error: published.ResponseError | None = None,
        incomplete_details: published.IncompleteDetails | None = None,
    ) -> ResponseEvent:
        assert self._item is None, "every item is closed"
        self._settle(status, error=error, incomplete_details=incomplete_details)
        kinds: Mapping[str, Callable[[int, Response], ResponseEvent]] = {
            "completed": published.ResponseCompleted,
            "incomplete": published.ResponseIncomplete,
            "failed": published.ResponseFailed,
        }
        return kinds[status](self._number(), self.response)

    def _settle(
        self,
        status: published.ResponseStatus,
        *,
        error: published.ResponseError | None = None,
        incomplete_details: published.IncompleteDetails | None = None,
    ) -> None:
        usage = self.answer.usage
        counted = bool(usage.input_tokens or usage.output_tokens or usage.cache_read_input_tokens)
        self.finish_reason = incomplete_details.reason if incomplete_details else status
        self.response = replace(
            self.response,
            status=status,
            output=self._output,
            error=error,
            incomplete_details=incomplete_details,
            completed_at=int(self._now()) if status == "completed" else None,
            usage=to_response_usage(usage) if counted or status in {"completed", "incomplete"} else None,
            service_tier=to_openai_tier(usage.service_tier) or "default",
        )

    # ---- items ------------------------------------------------------------------------------------------------------

    def _say(self, said: AnswerEvent) -> list[ResponseEvent]:
        match said:
            case Text(text=text):
                events = self._in_message()
                assert self._message is not None, "it was opened"
                self._said += len(text)
                return [*events, *self._message.say(text)]
            case CallPiece(text=text) if isinstance(self._item, OpenCall | OpenOwnCall):
                return self._item.grow(text)
            case ThinkingPiece(text=text) if isinstance(self._item, OpenReasoning) and self._plan.reasoning:
                return self._item.think(text)
            case CallBegun():
                return self._call(said)
            case ThinkingBegun() | RedactedThinking():
                return self._think()
            case answer_events.Annotation(start=start, end=end, title=title, url=url):
                events = self._in_message()
                assert self._message is not None, "it was opened"
                return [*events, *self._message.annotate(start, end, title, url)]
        return []

    def _in_message(self) -> list[ResponseEvent]:
        """Nothing where one is open; its sources are counted from where it begins."""
        if self._message is not None:
            return []
        events = [*self._close("completed"), *self._carry_searches()]
        self._message = message = OpenMessage(self._place("msg_"), self._said)
        self._item = message
        return [*events, *message.begin()]

    def _call(self, call: CallBegun) -> list[ResponseEvent]:
        events = [*self._close("completed"), *self._carry_searches()]
        form = self._manner.forms.get(call.name) or CallForm(
            "custom_tool_call" if call.custom else "function_call", call.name
        )
        self._item = item = open_call(form, self._place, call.id)
        return [*events, *item.begin()]

    def _think(self) -> list[ResponseEvent]:
        events = [*self._close("completed"), *self._carry_searches()]
        recorder, index = self._recorder, self._block
        return [*events, *self._reasoning(lambda: [recorder.block(index)])]

    def _reasoning(self, blocks: Callable[[], Sequence[Raw]], kind: SealKind = "thinking") -> list[ResponseEvent]:
        seal = self._manner.seal
        item = OpenReasoning(
            self._place("rs_"), lambda: seal(kind, blocks()) if seal else None, shown=self._manner.carries
        )
        self._item = item
        return item.begin()

    def _search(self, start: ContentBlockStart) -> list[ResponseEvent]:
        block, recorder, index = start.content_block, self._recorder, start.index
        if isinstance(block, ServerToolUseBlock):
            events = [] if isinstance(self._item, OpenSearch) else self._close("completed")
            self._searches.call(block.id, lambda: recorder.block(index))
            return [*events, *self._next_search()]
        if not isinstance(block, WebSearchToolResultBlock):
            return []
        self._searches.find(block.tool_use_id, block.content, lambda: recorder.block(index))
        events = []
        while isinstance(self._item, OpenSearch) and self._item.over:
            events += [*self._close_one("completed"), *self._next_search()]
        return events

    def _next_search(self) -> list[ResponseEvent]:
        """The item of who has waited longest, unless another is open."""
        if self._item is not None or (search := self._searches.next()) is None:
            return []
        self._item = item = OpenSearch(self._place("ws_"), search, self._manner.included)
        return item.begin()

    def _carry_searches(self) -> list[ResponseEvent]:
        """An item that has no words, for what of a search no other form can hold."""
        searched = self._searches.carried()
        if not searched or self._manner.seal is None:
            return []
        events = self._reasoning(lambda: searched, "search")
        return [*events, *self._close("completed")]

    def _refuse(self, why: str) -> list[ResponseEvent]:
        events = self._in_message()
        assert self._message is not None, "it was opened"
        told = self._message.say(why) if self._manner.refusal_as_text else self._message.refuse(why)
        return [*events, *told]

    def _place(self, prefix: str) -> Place:
        return Place(self._new_id(prefix), len(self._output), self._number)

    def _close(self, status: published.ItemStatus) -> list[ResponseEvent]:
        """What is open, and the searches that wait for it."""
        events = self._close_one(status)
        while began := self._next_search():
            events += [*began, *self._close_one(status)]
        return events

    def _close_one(self, status: published.ItemStatus) -> list[ResponseEvent]:
        if self._item is None:
            return []
        events, item = self._item.close(status)
        self.kept.append(item)
        if isinstance(item, published.ReasoningItem) and not self._manner.carries:
            item = replace(item, encrypted_content=UNSET)
        self._output.append(item)
        self._item = self._message = None
        return events
