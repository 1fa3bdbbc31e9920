"""One choice of an answer: its upstream stream from opening to finish, with repairs and continuations on the way."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Generic, Self

from claude_openai_proxy.errors import ProxyError, UpstreamError, UpstreamStatusError
from claude_openai_proxy.protocols.anthropic import (
    ContentBlockDelta,
    MessagesRequest,
    MessageStop,
    StreamEvent,
    Usage,
    WebSearchTool,
)
from claude_openai_proxy.service.answer_meter import AnswerMeter
from claude_openai_proxy.service.answer_parts import Keeper, Piece, Translator
from claude_openai_proxy.translate.messages_api.continuation import TurnRecorder, continued
from claude_openai_proxy.translate.messages_api.forced_tool import ForcedToolGate
from claude_openai_proxy.translate.messages_api.repairs import repair_for
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.messages_api.usage import add_usage, usage_of
from claude_openai_proxy.translate.messages_api.whole_answer import joined, may_come_whole
from claude_openai_proxy.upstreams.interface import AnswerFacts, MessageStream, PassingStream, Upstream

READ_ON_DELTAS = 256
"""After an emulated stop the stream is read on for so many deltas (a token or more each), for the sake of its usage."""

_MENDED = (400, 403)
"""Statuses of what is refused for its content."""

CONTINUATIONS = 10
"""A paused turn is continued at most so often."""


def _nobody_asks() -> None:
    """Nobody wants to know when all is known."""


class Answering(Generic[Piece]):
    """Entering it returns once upstream has answered; iterating yields the pieces of each upstream read together.

    What an answer said before it failed is yielded before the failure is raised, whether both came in one read or in
    many: the status that a client sees never depends on how upstream's bytes were cut.
    """

    _opened: MessageStream | None = None
    _take: Callable[[list[Piece]], bool] | None = None
    """Who takes pieces on the spot (`pass_on`)."""
    _left: list[Piece] | None = None
    """Of events that were translated on the spot, and not taken."""

    def __init__(
        self,
        upstream: Upstream,
        translation: Translation,
        translator: Translator[Piece],
        facts: AnswerFacts,
        *,
        whole: bool = False,
        keeper: Keeper | None = None,
        meter: AnswerMeter | None = None,
        answered: Callable[[], None] = _nobody_asks,
    ) -> None:
        """`whole`: nobody looks at the answer before its end. `meter`: its key has limits. `answered` learns that all
        is known, before the last pieces are yielded (those of a cut one: after).
        """
        self.meter = meter
        self._answered = answered
        self._upstream = upstream
        self._translation = translation
        self.translator = translator
        self.facts = facts
        """What came with upstream's answer, and what was done to get it."""
        self.asked = self._request = translation.request
        """What Claude answers with this turn, however often the turn goes on."""
        self._whole = whole and may_come_whole(translation.request, translation.plan)
        self._joins = whole and not self._whole and not translation.plan.stop_texts
        self._stream: AbstractAsyncContextManager[MessageStream] | None = None
        """What is to be left: it changes hands between entering and leaving this."""
        self._events: AsyncIterator[Sequence[StreamEvent]] = _no_events()
        self._answer = translator.answer
        self._gate = ForcedToolGate() if translation.plan.forced_tool else None
        self._recorder = TurnRecorder() if _is_continued(translation) else None
        self._keeper = keeper
        self._plain = not (meter or self._joins or self._recorder or keeper or self._gate)
        """Nobody but the translator is told of events."""
        self._discarded: Usage | None = None
        self._failure: ProxyError | None = None
        """Found behind events whose pieces go out first."""
        self._paused = 0

    @property
    def usage(self) -> Usage:
        """What is known so far; final once the iteration has ended."""
        usage = self._answer.usage
        return add_usage(self._discarded, usage) if self._discarded else usage

    @property
    def messages(self) -> tuple[Usage, ...]:
        """The same for each message by itself: a price may depend on how much one request had."""
        messages = self._answer.messages
        return (self._discarded, *messages) if self._discarded else messages

    async def __aenter__(self) -> Self:
        """Open the stream; a request that upstream refuses for a reason with a known remedy is mended once."""
        try:
            await self._open(self._request)
        except UpstreamStatusError as error:
            mended = error.status in _MENDED and not self._translation.as_asked
            truncates = self._translation.truncates
            remedy = repair_for(error.message, self._request, truncates=truncates) if mended else None
            if remedy is None:
                raise
            name, self._request = remedy
            self.asked = self._request
            self.facts.note(name)
            if self._keeper:
                self._keeper.begin_again(self._request)
            await self._open(self._request)
        return self

    def release(self) -> None:
        """It tells nobody any more: it and who asked hold each other, and with them the whole request."""
        self._answered = _nobody_asks

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Cancel what still runs upstream."""
        await self._close()

    async def __aiter__(self) -> AsyncIterator[list[Piece]]:
        """The pieces, to the translator's last."""
        while True:
            async for events in self._events:
                left, self._left = self._left, None
                if batch := self._translate(events) if left is None else left:
                    yield batch
                if self._failure is not None:
                    raise self._failure
                if self._answer.cut:
                    yield self._end()
                    await self._read_on(events)
                    self._answered()
                    return
            if (again := self._next_request()) is None:
                break
            await self._open(again)
        if batch := await self._complete():
            yield batch
        if self._failure is not None:
            raise self._failure

    def pass_on(self, take: Callable[[list[Piece]], bool]) -> None:
        """From now on pieces that come while the next ones are waited for are given to `take`, on the spot, without a
        turn of the task; where that says false they are the next ones.
        """
        self._take = take
        self._let_pass()

    def _let_pass(self) -> None:
        if self._take is not None and isinstance(self._opened, PassingStream):
            self._opened.pass_on(self._passed)

    def _passed(self, events: Sequence[StreamEvent]) -> bool:
        """Translated once in any case; a failure, an emulated stop and what follows it are left to whoever iterates."""
        if self._take is None:
            return False
        batch = self._translate_all(events) if self._plain else self._translate(events)
        if self._answer.cut:
            self._take = None
        elif self._failure is None and (not batch or self._take(batch)):
            return True
        self._left = batch
        return False

    # ---- steps --------------------------------------------------------------------------------------------------

    async def _open(self, request: MessagesRequest) -> None:
        await self._close()
        if self.meter:
            await self.meter.ask(request)
        stream = self._upstream.stream(request, self.facts, whole=self._whole)
        try:
            opened = self._opened = await stream.__aenter__()
            self._events = aiter(opened)
        except ProxyError as error:
            if self.meter:
                self.meter.failed(error)
            raise
        self._stream = stream
        self._let_pass()

    async def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.__aexit__(None, None, None)

    def _translate(self, events: Sequence[StreamEvent]) -> list[Piece]:
        if self.meter:
            self.meter.feed(events)
        if self._joins:
            events = joined(events)
        if self._recorder:
            for event in events:
                self._recorder.feed(event)
        if self._keeper:
            self._keeper.feed(events)
        return self._translate_all(self._gate.feed(events) if self._gate else events)

    def _translate_all(self, events: Sequence[StreamEvent]) -> list[Piece]:
        batch: list[Piece] = []
        try:
            for event in events:
                batch += self.translator.feed(event)
        except ProxyError as error:
            self._failure = error
        return batch

    async def _complete(self) -> list[Piece]:
        batch = self._finish()
        if self._failure is None:
            if self._keeper:
                await self._keeper.keep()
            self._answered()
        return batch

    def _finish(self) -> list[Piece]:
        batch = self._translate_all(self._gate.end()) if self._gate else []
        if self._failure is None:
            try:
                batch += self._end()
            except ProxyError as error:
                self._failure = error
        return batch

    def _end(self) -> list[Piece]:
        batch = self.translator.finish()
        if self._answer.unfenced:
            self.facts.note("code_fence_removed")
        return batch

    def _next_request(self) -> MessagesRequest | None:
        """After a message: a paused turn's continuation, or the one retry of a tool choice that was not followed."""
        undecided = self._gate is not None and not self._gate.called
        if self._recorder and (self._gate.paused if self._gate and undecided else self._answer.paused):
            return self._continue(self._recorder)
        if self._gate and self._gate.declined and self._discarded is None and self._translation.retry:
            return self._retry_forced_tool(self._gate, self._translation.retry)
        return None

    def _continue(self, recorder: TurnRecorder) -> MessagesRequest | None:
        self._paused += 1
        if self._paused > CONTINUATIONS:
            return None
        self._request = continued(self._request, recorder)
        if self._keeper:
            self._keeper.go_on()
        self._recorder = TurnRecorder()
        return self._request

    def _retry_forced_tool(self, gate: ForcedToolGate, retry: MessagesRequest) -> MessagesRequest:
        self._discarded = usage_of(gate.end())
        self._gate = ForcedToolGate()
        self.asked = self._request = retry
        if self._keeper:
            self._keeper.begin_again(retry)
        self._recorder = TurnRecorder() if self._recorder else None
        self.facts.note("tool_choice_retried")
        return retry

    async def _read_on(self, events: Sequence[StreamEvent]) -> None:
        """After a stop emulated in `events`: the usage comes at the end, so a little more is read unseen."""
        unseen = 0
        while not any(isinstance(event, MessageStop) for event in events):
            following = await self._one_more() if unseen < READ_ON_DELTAS else None
            if following is None:
                self.facts.note("usage_of_cut_answer_is_partial")
                return
            events = following
            if self.meter:
                self.meter.feed(events)
            self._translate_all(events)
            unseen += sum(isinstance(event, ContentBlockDelta) for event in events)

    async def _one_more(self) -> Sequence[StreamEvent] | None:
        try:
            return await anext(self._events, None)
        except UpstreamError:
            # The answer is whole as the client wanted it; only its usage is lost.
            return None


async def _no_events() -> AsyncIterator[Sequence[StreamEvent]]:
    return
    yield


def _is_continued(translation: Translation) -> bool:
    """Only turns with tools of Anthropic's side end with `pause_turn`."""
    return not translation.as_asked and any(isinstance(tool, WebSearchTool) for tool in translation.request.tools or ())
