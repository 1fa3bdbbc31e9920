"""One streamed answer of the Messages API."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Final, Self

from claude_openai_proxy.errors import UpstreamError, UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic import ErrorEvent, StreamEvent
from claude_openai_proxy.translate.messages_api.error_status import decode_error
from claude_openai_proxy.translate.messages_api.events import (
    LAST_EVENTS,
    decode_event,
    decode_lone_delta,
    decode_together,
)
from claude_openai_proxy.translate.messages_api.framing import EventCutter, payloads_of
from claude_openai_proxy.translate.messages_api.whole_answer import events_of
from claude_openai_proxy.upstreams.api.errors import (
    MAX_ERROR_BYTES,
    event_error,
    excerpt,
    note_head,
)
from claude_openai_proxy.upstreams.http import Response
from claude_openai_proxy.upstreams.interface import AnswerFacts

MANY_BYTES: Final = 1024
"""Of events that came together: from here on they are decoded together, too."""


class AnswerStream:
    """A `MessageStream` and the context it lives in: entering sends the request, leaving closes what is left."""

    def __init__(
        self,
        send: Callable[[], Awaitable[Response]],
        facts: AnswerFacts,
        *,
        whole: bool = False,
        keeps_bytes: bool = False,
    ) -> None:
        """`whole`: a message in one piece was asked for; where a stream comes instead, it is read.

        `keeps_bytes`: each event is told as it came, too (`SentEvent`).
        """
        self._facts = facts
        self._whole = whole
        self._keeps_bytes = keeps_bytes
        self._send = send
        self._response: Response | None = None
        self._cutter = EventCutter()
        self._begun = False
        self._stopped = False
        self._failure: UpstreamError | None = None
        self._left: Sequence[StreamEvent] = ()
        """What was passed on, and not taken."""

    async def __aenter__(self) -> Self:
        response = self._response = await self._send()
        note_head(response, self._facts)
        if (response.header("content-type") or "").lower().startswith("text/event-stream"):
            self._whole = False
        elif not self._whole:
            with response:
                raise await self._not_a_stream(response)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._response is not None:
            self._response.close(whole=self._stopped)

    def __aiter__(self) -> AsyncIterator[Sequence[StreamEvent]]:
        return self

    def pass_on(self, take: Callable[[Sequence[StreamEvent]], bool]) -> None:
        """See `PassingStream.pass_on`."""

        def passed(data: bytes) -> bool:
            try:
                events = self._decode(data)
            except UpstreamError as error:
                self._failure = self._named(error)
                return False
            if not events or not (self._stopped or self._failure or not take(events)):
                return True
            self._left = events
            return False

        if self._response is not None and not self._whole:
            self._response.pass_on(passed)

    async def __anext__(self) -> Sequence[StreamEvent]:
        if self._failure is not None:
            raise self._failure
        if self._stopped or self._response is None:
            raise StopAsyncIteration
        try:
            if self._whole:
                return await self._read_whole(self._response)
            return await self._next(self._response)
        except UpstreamError as error:
            self._named(error)
            raise

    async def _next(self, response: Response) -> Sequence[StreamEvent]:
        while (data := await response.read_on()) is not None:
            if events := self._decode(data):
                return events
        left, self._left = self._left, ()
        if not left and self._failure is not None:
            raise self._failure
        return left

    def _named(self, error: UpstreamError) -> UpstreamError:
        error.request_id = error.request_id or self._facts.request_id or None
        return error

    async def _read_whole(self, response: Response) -> Sequence[StreamEvent]:
        body = await response.read_all()
        try:
            events = events_of(body)
        except UpstreamProtocolError as error:
            raise self._told(body, f"{_kind(response)} instead of a message") from error
        self._stopped = True
        return events

    def _decode(self, data: bytes) -> list[StreamEvent]:
        """The events that `data` completes. A failure behind some of them is kept for the next turn."""
        if not data:
            raise self._ended_early()
        events: list[StreamEvent] = []
        try:
            whole = self._cutter.feed(data)
            many = len(whole) > MANY_BYTES
            if not many and (lone := decode_lone_delta(whole)):
                self._begun = True
                return lone
            if many and not self._keeps_bytes and (together := decode_together(whole)):
                self._begun = True
                return self._end(together.pop(), together) if type(together[-1]) in LAST_EVENTS else together
            for payload in payloads_of(whole):
                event = decode_event(payload)
                if type(event) in LAST_EVENTS:
                    return self._end(event, events)
                events.append(event)
        except UpstreamProtocolError as error:
            self._keep_failure(error, events)
        self._begun = self._begun or bool(events)
        return events

    def _end(self, event: StreamEvent, events: list[StreamEvent]) -> list[StreamEvent]:
        if isinstance(event, ErrorEvent):
            facts = self._facts
            error = event_error(event, request_id=facts.request_id, rate_limits=facts.rate_limits)
            self._keep_failure(error, events)
        else:
            self._stopped = True
            events.append(event)
        return events

    def _keep_failure(self, error: UpstreamError, events: list[StreamEvent]) -> None:
        self._failure = error
        if not events:
            raise error

    def _ended_early(self) -> UpstreamProtocolError:
        if self._begun:
            return UpstreamProtocolError("Claude's answer ended in the middle: its stream has no message_stop")
        return UpstreamProtocolError("Claude's side answered with an empty stream")

    async def _not_a_stream(self, response: Response) -> UpstreamError:
        return self._told(await response.read_all(MAX_ERROR_BYTES), f"{_kind(response)} instead of an event stream")

    def _told(self, body: bytes, what: str) -> UpstreamError:
        """What a body says that is no answer."""
        if (told := decode_error(body)) is not None:
            return event_error(told, request_id=self._facts.request_id, rate_limits=self._facts.rate_limits)
        return UpstreamProtocolError(
            f"Claude's side answered with {what}: {excerpt(body) or 'nothing'}. Is ANTHROPIC_BASE_URL a Messages API?",
            request_id=self._facts.request_id or None,
        )


def _kind(response: Response) -> str:
    return (response.header("content-type") or "no content type").partition(";")[0]
