"""Responses: OpenAI's newer dialect on both sides of an admission.

| moment | what happens |
|---|---|
| `begin` | the response has its id, and could be told to fail |
| `respond` is entered | files and envelopes are opened; the request is admitted, translated and asked, on any way |
| the answer is read | events, the last of which is the terminal one |
| `respond` is left by an error | `Work.failing` has the events that tell a stream of it |
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec
from msgspec import UNSET, Raw
from msgspec.structs import replace

from claude_openai_proxy.errors import InvalidRequestError, ProxyError
from claude_openai_proxy.protocols.openai_responses import ErrorBody, Response, ResponseEvent
from claude_openai_proxy.protocols.openai_responses_request import ResponsesRequest
from claude_openai_proxy.records import Principal, RequestRecord
from claude_openai_proxy.service.admission import Admission, Admissions, AnswerHead
from claude_openai_proxy.service.answering import Answering
from claude_openai_proxy.service.any_way import on_any_way
from claude_openai_proxy.service.envelopes import Envelopes, Kind
from claude_openai_proxy.service.files import Files, Hold
from claude_openai_proxy.service.reasoning import name_of, prefix_of
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.responses.declined import check_limits
from claude_openai_proxy.translate.responses.draft import draft_of
from claude_openai_proxy.translate.responses.items import kind_of
from claude_openai_proxy.translate.responses.opened import Envelopes as OpenedEnvelopes
from claude_openai_proxy.translate.responses.opened import LeftOut, published_reason
from claude_openai_proxy.translate.responses.request import ReadResponse, to_messages_request
from claude_openai_proxy.translate.responses_answer.compaction import COMPACT, CompactionStream
from claude_openai_proxy.translate.responses_answer.failures import to_error_body
from claude_openai_proxy.translate.responses_answer.searches import Included
from claude_openai_proxy.translate.responses_answer.stream import Manner, ResponseStream

Batch = list[ResponseEvent]

TRIGGER: Final = "compaction_trigger"
_SEALED: Final = b'"encrypted_content"'


@dataclass(slots=True)
class Work:
    """One response under way. `created` in seconds since 1970."""

    id: str
    created: int
    request: ResponsesRequest
    new_id: Callable[[str], str]
    now: Callable[[], float]
    stream: ResponseStream | None = None
    """Once there is something to translate for; the latest, where several ways were tried."""
    failing: list[ResponseEvent] = field(default_factory=list)

    def fail(self, error: ErrorBody) -> list[ResponseEvent]:
        """The events that tell a stream of it; the same again when asked again."""
        if not self.failing:
            self.failing = (self.stream or self._unasked()).fail(error)
        return self.failing

    def keep_alive(self) -> list[ResponseEvent]:
        """A sign of life that counts as an event; none before anybody was asked."""
        return self.stream.keep_alive() if self.stream else []

    def draft(self, read: ReadResponse, model: str) -> Response:
        """The response before anything is said."""
        left_out = read.left_out
        return draft_of(read.asked, id_=self.id, created=self.created, model=model, store=False, left_out=left_out)

    def _unasked(self) -> ResponseStream:
        request = self.request
        model = request.model if isinstance(request.model, str) else ""
        draft = draft_of(request, id_=self.id, created=self.created, model=model, store=False)
        return ResponseStream(AnswerPlan(), draft, new_id=self.new_id, now=self.now)


class ResponseAnswer:
    """An answer under way."""

    def __init__(self, head: AnswerHead, source: AsyncIterable[Batch], stream: ResponseStream) -> None:
        self.head = head
        self._source = source
        self._stream = stream

    def __aiter__(self) -> AsyncIterator[Batch]:
        """Events, those of one upstream read together, never none; raises the kinds of `ProxyError`."""
        return aiter(self._source)

    async def response(self) -> Response:
        """Read to the end: what the terminal event has."""
        async for _ in self:
            pass
        return self._stream.response


class _Sealing:
    """Seals what one answer says: to what it is bound is known once Claude has been asked."""

    def __init__(self, envelopes: Envelopes, admission: Admission) -> None:
        self._envelopes = envelopes
        self._admission = admission
        self._prefix = ""
        self.answering: Answering[ResponseEvent] | None = None

    def __call__(self, kind: Kind, blocks: Sequence[Raw]) -> str | None:
        """See `Envelopes.sealed`."""
        assert self.answering is not None, "nothing is said before it is asked"
        asked = self.answering.asked
        self._prefix = self._prefix or prefix_of(asked).value
        return self._envelopes.sealed(
            kind,
            self._admission.record.principal.id,
            blocks=blocks,
            model=asked.model,
            upstream=name_of(self._admission.upstream.identity),
            prefix=self._prefix,
        )

    def summary(self, text: str) -> str | None:
        """See `Envelopes.sealed`."""
        return self._envelopes.sealed("compaction", self._admission.record.principal.id, summary=text)


class ResponsesService:
    """Serves responses; ids and wall-clock time come from outside. `new_id` is given a prefix."""

    def __init__(
        self,
        *,
        admissions: Admissions,
        files: Files,
        envelopes: Envelopes,
        reject_unsupported: bool,
        new_id: Callable[[str], str],
        wall_clock: Callable[[], float],
    ) -> None:
        self._admissions = admissions
        self._files = files
        self._envelopes = envelopes
        self._reject_unsupported = reject_unsupported
        self._new_id = new_id
        self._wall_clock = wall_clock

    def begin(self, request: ResponsesRequest) -> Work:
        """A response that will be."""
        return Work(self._new_id("resp_"), int(self._wall_clock()), request, self._new_id, self._wall_clock)

    @asynccontextmanager
    async def respond(
        self, work: Work, *, unknown: tuple[str, ...], record: RequestRecord, hold: Hold, large: bool = False
    ) -> AsyncIterator[ResponseAnswer]:
        """Returns once upstream has answered; leaving cancels what still runs there. Raises `ProxyError`.

        A `large` request is translated on a thread of its own, so that it holds nobody else up. `hold` waits for room
        for the files that it names.
        """
        try:
            check_limits(work.request)
            work.request = await self._with_files(work.request, record.principal, hold)
            opened = self._opened(work.request, record.principal)
            async with self._asked(work, opened, unknown=unknown, record=record, large=large) as answer:
                yield answer
        except ProxyError as error:
            work.fail(to_error_body(error))
            raise

    @on_any_way
    @asynccontextmanager
    async def _asked(
        self, work: Work, opened: OpenedEnvelopes, *, unknown: tuple[str, ...], record: RequestRecord, large: bool
    ) -> AsyncIterator[ResponseAnswer]:
        request = work.request
        model = request.model if isinstance(request.model, str) else None
        async with self._admissions.admit(record, model=model, stream=bool(request.stream)) as admission:
            compacts = _compacts(request)
            translate = partial(
                to_messages_request,
                without_trigger(request) if compacts else request,
                facts=admission.model.facts,
                capabilities=admission.upstream.capabilities,
                envelopes=opened,
                unknown=unknown,
                ending=COMPACT if compacts else "",
                reject_unsupported=self._reject_unsupported,
            )
            read = await asyncio.to_thread(translate) if large else translate()
            sealing = _Sealing(self._envelopes, admission)
            stream = self._stream(work, read, admission, sealing, compacts=compacts)
            work.stream = stream
            source = await admission.ask(read.translation, [stream])
            assert isinstance(source, Answering), "one answer was asked for"
            sealing.answering = source
            _tell_lost(stream, admission.lost)
            yield ResponseAnswer(admission.head, source, stream)

    def _stream(
        self, work: Work, read: ReadResponse, admission: Admission, sealing: _Sealing, *, compacts: bool
    ) -> ResponseStream:
        asked = read.asked
        draft = work.draft(read, admission.model.asked)
        plan = read.translation.plan
        if compacts:
            return CompactionStream(plan, draft, new_id=self._new_id, now=self._wall_clock, sealed=sealing.summary)
        # Who keeps nothing here must carry everything itself.
        carries = asked.includes("reasoning.encrypted_content") or asked.store is False
        manner = Manner(
            forms=read.forms,
            seal=sealing if carries else None,
            included=Included(
                sources=asked.includes("web_search_call.action.sources"),
                results=asked.includes("web_search_call.results"),
            ),
            refusal_as_text=bool(asked.client_metadata),
        )
        return ResponseStream(plan, draft, new_id=self._new_id, now=self._wall_clock, manner=manner)

    async def _with_files(self, request: ResponsesRequest, principal: Principal, hold: Hold) -> ResponsesRequest:
        if not isinstance(request.input, list):
            return request
        items = await self._files.inlined_items(request.input, principal, hold)
        return request if items is request.input else replace(request, input=items)

    def _opened(self, request: ResponsesRequest, principal: Principal) -> OpenedEnvelopes:
        items = request.input if isinstance(request.input, list) else ()
        sealed = [content for raw in items if _SEALED in bytes(raw) and (content := _carried(raw))]
        return self._envelopes.opened(sealed, principal.id)


class _Carrying(msgspec.Struct, frozen=True):
    encrypted_content: str | None = None


_decode: Final = msgspec.json.Decoder(_Carrying).decode


def _carried(raw: Raw) -> str | None:
    """Where there is one that can be read; what is wrong about an item is said where it is translated."""
    try:
        return _decode(raw).encrypted_content
    except msgspec.DecodeError:
        return None


def _compacts(request: ResponsesRequest) -> bool:
    """Whether the conversation is to be put together. Raises `InvalidRequestError` where that is not asked last."""
    items = request.input if isinstance(request.input, list) else []
    places = [number for number, raw in enumerate(items) if kind_of(raw, f"input[{number}]") == TRIGGER]
    if places and places[0] != len(items) - 1:
        raise InvalidRequestError(f"{TRIGGER} must be the last item.", param=f"input[{places[0]}]")
    return bool(places)


def without_trigger(request: ResponsesRequest) -> ResponsesRequest:
    """The request that asks for the summary: tools are declared, as the history has them, and not called."""
    items = request.input if isinstance(request.input, list) else []
    return replace(request, input=items[:-1], tool_choice=Raw(b'"none"'), text=None)


def _tell_lost(stream: ResponseStream, lost: Sequence[tuple[str, str]]) -> None:
    """In the response: what the client carried of earlier thinking and could not be used."""
    if not lost:
        return
    told = stream.response.input_transformations
    before = [] if told is UNSET else list(told)
    after = [*before, *(LeftOut(id_ or None, published_reason(reason)) for id_, reason in lost)]
    stream.response = replace(stream.response, input_transformations=after)
