"""One answer of the Messages API that is no stream."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

from claude_openai_proxy.protocols.anthropic import StreamEvent
from claude_openai_proxy.translate.messages_api.events import decode_answer
from claude_openai_proxy.upstreams.api.errors import note_head
from claude_openai_proxy.upstreams.http import Response
from claude_openai_proxy.upstreams.interface import AnswerFacts


class AnswerDocument:
    """A `MessageStream` of one `WholeAnswer`: entering sends the request and returns once the answer is complete."""

    def __init__(self, send: Callable[[], Awaitable[Response]], facts: AnswerFacts) -> None:
        self._send = send
        self._facts = facts
        self._events: tuple[StreamEvent, ...] = ()

    async def __aenter__(self) -> Self:
        with await self._send() as response:
            note_head(response, self._facts)
            self._events = (decode_answer(await response.read_all()),)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing is under way any more."""

    async def __aiter__(self) -> AsyncIterator[Sequence[StreamEvent]]:
        yield self._events
