"""One response under way: its id, its events, what seals it, and what keeps it."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec
from msgspec import UNSET, Raw
from msgspec.structs import replace

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.protocols.openai_responses import ErrorBody, Response, ResponseEvent
from claude_openai_proxy.protocols.openai_responses_request import ResponsesRequest
from claude_openai_proxy.service.admission import Admission, AnswerHead
from claude_openai_proxy.service.answering import Answering
from claude_openai_proxy.service.envelopes import Envelopes, Kind
from claude_openai_proxy.service.reasoning import name_of, prefix_of
from claude_openai_proxy.service.socket_memory import SocketMemory
from claude_openai_proxy.service.stored_items import shown, stored
from claude_openai_proxy.service.underway import NOT_APPENDED, Underway
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.responses.draft import draft_of
from claude_openai_proxy.translate.responses.opened import LeftOut, published_reason
from claude_openai_proxy.translate.responses.request import ReadResponse
from claude_openai_proxy.translate.responses_answer.failures import to_error_body
from claude_openai_proxy.translate.responses_answer.stream import ResponseStream

Batch = list[ResponseEvent]

_encode: Final = msgspec.json.Encoder().encode


class Background(Protocol):
    """What runs a response in the background. (`Run` is one.)"""

    async def accept(self, stream: ResponseStream) -> None:
        """It could be translated; nobody has been asked."""
        ...

    def going_on(self, stream: ResponseStream) -> AbstractAsyncContextManager[Underway]:
        """Claude answers what was accepted."""
        ...


@dataclass(slots=True)
class Work:
    """One response under way. `created` in seconds since 1970; `keeps`: the response is to be kept."""

    id: str
    created: int
    request: ResponsesRequest
    keeps: bool
    new_id: Callable[[str], str]
    now: Callable[[], float]
    history: list[Raw] | None = None
    """Items before the input; None where it continues nothing."""
    sent: Sequence[bytes | Raw] = ()
    """The input as items, as it is kept."""
    compacts: bool = False
    """The answer is to be the conversation put together."""
    memory: SocketMemory | None = None
    """Of the socket on which it was asked."""
    stream: ResponseStream | None = None
    """Once there is something to translate for; the latest, where several ways were tried."""
    failing: list[ResponseEvent] = field(default_factory=list)
    background: Background | None = None
    """None where its client waits for it."""

    def told_by(self, stream: ResponseStream) -> None:
        """From now on; what an earlier way's has sent while that way was silent stands."""
        if self.stream is not None:
            stream.go_on_after(self.stream.sent)
        self.stream = stream

    def fail(self, error: ErrorBody) -> list[ResponseEvent]:
        """The events that tell a stream of it; the same again when asked again."""
        if not self.failing:
            self.failing = (self.stream or self._unasked()).fail(error)
        return self.failing

    def remember(self, stream: ResponseStream) -> None:
        """What nobody else keeps stays with the socket, if it was asked on one."""
        if self.memory is not None and stream.response.status in {"completed", "incomplete"}:
            said = [Raw(_encode(item)) for item in stream.kept]
            self.memory.keep(self.id, [*(self.history or ()), *(Raw(item) for item in self.sent), *said])

    def say_nothing(self) -> list[ResponseEvent]:
        """The events of a response without an answer, which can be gone on from."""
        stream = self._unasked()
        events = stream.say_nothing()
        self.remember(stream)
        return events

    def keep_alive(self) -> list[ResponseEvent]:
        """A sign of life that counts as an event; none before anybody was asked."""
        return self.stream.keep_alive() if self.stream else []

    def draft(self, read: ReadResponse, model: str) -> Response:
        """The response before anything is said; its store is what is hoped for."""
        return draft_of(
            read.asked, id_=self.id, created=self.created, model=model, store=self.keeps, left_out=read.left_out
        )

    def _unasked(self) -> ResponseStream:
        request = self.request
        model = request.model if isinstance(request.model, str) else ""
        draft = draft_of(request, id_=self.id, created=self.created, model=model, store=False)
        return ResponseStream(AnswerPlan(), draft, new_id=self.new_id, now=self.now)


class Sealing:
    """Seals what one answer says: to what it is bound is known once Claude has been asked."""

    def __init__(self, envelopes: Envelopes, admission: Admission) -> None:
        self._envelopes = envelopes
        self._principal = admission.record.principal.id
        self._upstream = admission.upstream
        self._prefix = ""
        self.answering: Answering[ResponseEvent] | None = None

    def __call__(self, kind: Kind, blocks: Sequence[Raw]) -> str | None:
        """See `Envelopes.sealed`."""
        assert self.answering is not None, "nothing is said before it is asked"
        asked = self.answering.asked
        self._prefix = self._prefix or prefix_of(asked).value
        return self._envelopes.sealed(
            kind,
            self._principal,
            blocks=blocks,
            model=asked.model,
            upstream=name_of(self._upstream.identity),
            prefix=self._prefix,
        )

    def summary(self, text: str) -> str | None:
        """See `Envelopes.sealed`."""
        return self._envelopes.sealed("compaction", self._principal, summary=text)


class ResponseAnswer:
    """An answer under way: what it says goes out once what it promises is kept."""

    def __init__(
        self, work: Work, stream: ResponseStream, head: AnswerHead, source: AsyncIterable[Batch], underway: Underway
    ) -> None:
        self.head = head
        self._work = work
        self._stream = stream
        self._source = source
        self._underway = underway
        stream.response = replace(stream.response, store=underway.kept)
        underway.so_far = self._cancelled

    async def __aiter__(self) -> AsyncIterator[Batch]:
        """Events, those of one upstream read together, never none; raises the kinds of `ProxyError`."""
        try:
            async for batch in self._source:
                yield batch if self._stream.finish_reason is None else await self._finished(batch)
        except ProxyError as error:
            self._work.fail(to_error_body(error))
            await self._keep()
            raise

    async def response(self) -> Response:
        """Read to the end: what the terminal event has."""
        async for _ in self:
            pass
        return self._stream.response

    async def _finished(self, batch: Batch) -> Batch:
        """The last batch, as it can be kept. In the background nobody waits for it: what is kept tells the end."""
        kept = await self._keep()
        self._work.remember(self._stream)
        if kept or self._underway.stays:
            return batch
        *before, end = batch
        if self._stream.response.conversation is not UNSET:
            return [*before, *self._stream.fail_instead(end, NOT_APPENDED)]
        self._stream.response = replace(self._stream.response, store=False)
        return [*before, replace(end, response=self._stream.response)]

    async def _keep(self) -> bool:
        stream = self._stream
        return await self._underway.finish(_encode(stream.response), [_encode(item) for item in stream.kept])

    def _cancelled(self) -> bytes:
        self._stream.cancel()
        return _encode(self._stream.response)


def tell_lost(stream: ResponseStream, lost: Sequence[tuple[str, str]]) -> None:
    """In the response: what the client carried of earlier thinking and could not be used."""
    if not lost:
        return
    told = stream.response.input_transformations
    before = [] if told is UNSET else list(told)
    after = [*before, *(LeftOut(id_ or None, published_reason(reason)) for id_, reason in lost)]
    stream.response = replace(stream.response, input_transformations=after)


def questions(work: Work) -> list[Raw]:
    """What the user said, of all that the work goes on from."""
    items = [item for item in (*(work.history or ()), *work.sent) if _role(item).role == "user"]
    return [shown(item.body) for item in stored(items, "input", lambda kind: work.new_id(f"{kind}_"))]


class _Role(msgspec.Struct, frozen=True):
    role: str = ""


_role: Final = msgspec.json.Decoder(_Role).decode
