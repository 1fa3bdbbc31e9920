"""Responses: OpenAI's newer dialect on both sides of an admission, with what is kept of it.

| moment | what happens |
|---|---|
| `begin` | the response has its id, and could be told to fail |
| `respond` is entered | what it goes on from is found; then, on any way, it is admitted, translated and asked |
| upstream has answered | the response is kept as begun |
| the answer is read | events; before the terminal one goes out, the response is kept whole |
| `respond` is left by an error | `Work.failing` has the events that tell a stream of it |
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from claude_openai_proxy.errors import InvalidRequestError, NotStoredError, ProxyError
from claude_openai_proxy.protocols.openai_responses import ResponseEvent
from claude_openai_proxy.protocols.openai_responses_request import ResponsesRequest
from claude_openai_proxy.records import Principal, RequestRecord
from claude_openai_proxy.service.admission import Admission
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.answering import Answering
from claude_openai_proxy.service.any_way import on_any_way
from claude_openai_proxy.service.envelopes import Envelopes
from claude_openai_proxy.service.files import Files, Hold
from claude_openai_proxy.service.response_state import ResponseState
from claude_openai_proxy.service.response_work import ResponseAnswer, Sealing, Work, tell_lost
from claude_openai_proxy.service.socket_memory import SocketMemory
from claude_openai_proxy.service.underway import Underway
from claude_openai_proxy.translate.responses.declined import check_limits
from claude_openai_proxy.translate.responses.items import kind_of, wrong
from claude_openai_proxy.translate.responses.opened import Envelopes as OpenedEnvelopes
from claude_openai_proxy.translate.responses.request import ReadResponse, to_messages_request
from claude_openai_proxy.translate.responses_answer.compaction import COMPACT, CompactionStream
from claude_openai_proxy.translate.responses_answer.failures import to_error_body
from claude_openai_proxy.translate.responses_answer.manner import Included, Manner
from claude_openai_proxy.translate.responses_answer.stream import ResponseStream

TRIGGER: Final = "compaction_trigger"
_encode: Final = msgspec.json.Encoder().encode


class ResponsesService:
    """Serves responses; ids and wall-clock time come from outside. `new_id` is given a prefix."""

    def __init__(
        self,
        *,
        admissions: Admissions,
        files: Files,
        envelopes: Envelopes,
        state: ResponseState,
        reject_unsupported: bool,
        new_id: Callable[[str], str],
        wall_clock: Callable[[], float],
    ) -> None:
        self._admissions = admissions
        self._files = files
        self._envelopes = envelopes
        self._state = state
        self._reject_unsupported = reject_unsupported
        self._new_id = new_id
        self._wall_clock = wall_clock

    def begin(self, request: ResponsesRequest, memory: SocketMemory | None = None) -> Work:
        """A response that will be; `memory` is that of the socket on which it was asked."""
        keeps = request.store is not False and self._state.keeps
        work = Work(self._new_id("resp_"), int(self._wall_clock()), request, keeps, self._new_id, self._wall_clock)
        work.memory = memory
        return work

    @asynccontextmanager
    async def respond(
        self, work: Work, *, unknown: tuple[str, ...], record: RequestRecord, hold: Hold, large: bool = False
    ) -> AsyncIterator[ResponseAnswer]:
        """Returns once upstream has answered; leaving cancels what still runs there. Raises `ProxyError`.

        A `large` request is translated on a thread of its own, so that it holds nobody else up. `hold` waits for room
        for the files that it names.
        """
        request, principal = work.request, record.principal
        try:
            check_limits(request)
            if request.prompt is not None:
                raise NotStoredError(f"Prompt with id {request.prompt.id[:200]!r} not found.")
            if not self._state.keeps and request.store:
                unknown = (*unknown, "store")
            async with AsyncExitStack() as stack:
                if (conversation := request.conversation_id) is not None and not request.previous_response_id:
                    await stack.enter_async_context(self._state.locked(principal, conversation))
                await self._recall(work, principal)
                await self._open_files(work, principal, hold)
                asked = self._asked(work, unknown=unknown, record=record, large=large)
                yield await stack.enter_async_context(asked)
        except ProxyError as error:
            if work.memory is not None and request.previous_response_id is not None:
                work.memory.forget(request.previous_response_id)
            work.fail(to_error_body(error))
            raise

    async def warm_up(self, work: Work, *, record: RequestRecord) -> list[ResponseEvent]:
        """The events of a response that nobody is asked for: its items can be gone on from. Raises `ProxyError`."""
        assert work.memory is not None, "only a socket is warmed up"
        check_limits(work.request)
        await self._recall(work, record.principal)
        work.sent = _items(work.request)
        return work.say_nothing()

    async def count(
        self, request: ResponsesRequest, *, unknown: tuple[str, ...], record: RequestRecord, hold: Hold
    ) -> int:
        """Input tokens of a request that is not sent. Raises `ProxyError`; `NotOfferedError` where nobody counts."""
        work = self.begin(replace(request, store=False))
        check_limits(request)
        await self._recall(work, record.principal)
        await self._open_files(work, record.principal, hold)
        model = request.model if isinstance(request.model, str) else None
        async with self._admissions.admit(record, model=model, stream=False) as admission:
            read = self._translate(work, admission, unknown=unknown)()
            return await admission.upstream.count_tokens(read.translation.request)

    def compaction(self, request: ResponsesRequest) -> Work:
        """A response that will be nothing but the conversation put together."""
        asked = [*map(Raw, _items(request)), Raw(_encode({"type": TRIGGER}))]
        return self.begin(replace(request, input=asked, store=False, stream=False, background=None))

    # ---- before Claude is asked -------------------------------------------------------------------------------------

    async def _recall(self, work: Work, principal: Principal) -> None:
        """Put into the work what its request only names: earlier items, one by one and as a whole."""
        request, known = work.request, None
        if work.memory is not None and request.previous_response_id is not None and not request.conversation_id:
            known = work.memory.items(request.previous_response_id)
        if known is not None:
            work.history = list(known)
        elif request.previous_response_id is not None or request.conversation_id is not None:
            work.history = await self._state.history(
                principal,
                previous_response_id=request.previous_response_id,
                conversation=request.conversation_id,
            )
        if isinstance(request.input, list):
            items = [await self._resolved(raw, f"input[{n}]", principal) for n, raw in enumerate(request.input)]
            work.request = replace(request, input=items)

    async def _resolved(self, raw: Raw, place: str, principal: Principal) -> Raw:
        """A reference's item; of thinking that came without what was sealed of it, the kept one."""
        kind = kind_of(raw, place)
        if kind == "item_reference":
            named = _carried(raw, place).id or ""
            self._state.kept(f"{place}.id")
            found = await self._state.item(principal, named)
            if found is None:
                raise NotStoredError(
                    f"Item with id {named[:200]!r} not found. Items are not persisted when `store` is set to false. "
                    "Try again with `store` set to true, or remove this item from your input.",
                    param="input",
                )
            return found
        if kind == "reasoning" and (item := _carried(raw, place)).id and not item.encrypted_content:
            found = await self._state.item(principal, item.id)
            return found if found is not None and kind_of(found, place) == "reasoning" else raw
        return raw

    async def _open_files(self, work: Work, principal: Principal, hold: Hold) -> None:
        """Files that are named by id stand in what Claude is asked, and not in what is kept."""
        request, work.sent = work.request, _items(work.request)
        if work.history is not None:
            work.history = await self._files.inlined_items(work.history, principal, hold)
        if isinstance(request.input, list):
            work.request = replace(request, input=await self._files.inlined_items(request.input, principal, hold))

    def _opened(self, request: ResponsesRequest, before: list[Raw] | None, principal: Principal) -> OpenedEnvelopes:
        items = [*(before or ()), *(request.input if isinstance(request.input, list) else ())]
        sealed = [content for raw in items if b'"encrypted_content"' in bytes(raw) and (content := _sealed(raw))]
        return self._envelopes.opened(sealed, principal.id)

    # ---- Claude is asked --------------------------------------------------------------------------------------------

    @on_any_way
    @asynccontextmanager
    async def _asked(
        self, work: Work, *, unknown: tuple[str, ...], record: RequestRecord, large: bool
    ) -> AsyncIterator[ResponseAnswer]:
        model = work.request.model if isinstance(work.request.model, str) else None
        async with self._admissions.admit(record, model=model, stream=bool(work.request.stream)) as admission:
            translate = self._translate(work, admission, unknown=unknown)
            read = await asyncio.to_thread(translate) if large else translate()
            del translate  # It holds the request, which may be large, and an answer may take long.
            sealing = Sealing(self._envelopes, admission)
            stream = self._stream(work, read, admission, sealing)
            work.told_by(stream)
            if work.background is not None:
                await admission.reserve([read.translation])  # Who is over a limit is told so at once.
                await work.background.accept(stream)
            source = await admission.ask(read.translation, [stream])
            assert isinstance(source, Answering), "one answer was asked for"
            sealing.answering = source
            tell_lost(stream, admission.lost)
            try:
                async with self._kept(work, stream, record.principal) as underway:
                    yield ResponseAnswer(work, stream, admission.head, source, underway)
            finally:
                sealing.answering = None  # Each holds the other, and with it the whole request.

    def _kept(self, work: Work, stream: ResponseStream, principal: Principal) -> AbstractAsyncContextManager[Underway]:
        if work.background is not None:
            return work.background.going_on(stream)
        include = work.request.include or ()
        return self._state.begin(principal, _encode(stream.response), work.sent, include=include)

    def _translate(self, work: Work, admission: Admission, *, unknown: tuple[str, ...]) -> Callable[[], ReadResponse]:
        request, before = work.request, work.history
        work.compacts = _compacts(request)
        return partial(
            to_messages_request,
            _without_trigger(request) if work.compacts else request,
            facts=admission.model.facts,
            capabilities=admission.upstream.capabilities,
            before=before,
            envelopes=self._opened(request, before, admission.record.principal),
            unknown=unknown,
            ending=COMPACT if work.compacts else "",
            reject_unsupported=self._reject_unsupported,
        )

    def _stream(self, work: Work, read: ReadResponse, admission: Admission, sealing: Sealing) -> ResponseStream:
        asked = read.asked
        draft = work.draft(read, admission.model.asked)
        plan = read.translation.plan
        if work.compacts:
            return CompactionStream(plan, draft, new_id=self._new_id, now=self._wall_clock, sealed=sealing.summary)
        # Who keeps nothing here must carry everything itself.
        carries = asked.includes("reasoning.encrypted_content") or asked.store is False
        manner = Manner(
            forms=read.forms,
            seal=sealing if carries or self._state.keeps else None,
            carries=carries,
            included=Included(
                sources=asked.includes("web_search_call.action.sources"),
                results=asked.includes("web_search_call.results"),
            ),
            refusal_as_text=bool(asked.client_metadata),
        )
        return ResponseStream(plan, draft, new_id=self._new_id, now=self._wall_clock, manner=manner)


class _Carrying(msgspec.Struct, frozen=True):
    id: str | None = None
    encrypted_content: str | None = None


_carrying: Final = msgspec.json.Decoder(_Carrying).decode


def _carried(raw: Raw, place: str) -> _Carrying:
    """Raises `InvalidRequestError` where a member is none of its type."""
    try:
        return _carrying(raw)
    except msgspec.DecodeError as error:
        raise wrong(error, place) from None


def _sealed(raw: Raw) -> str | None:
    """Where there is one that can be read; what is wrong about an item is said where it is translated."""
    try:
        return _carrying(raw).encrypted_content
    except msgspec.DecodeError:
        return None


def _items(request: ResponsesRequest) -> list[bytes | Raw]:
    """The input as items."""
    if isinstance(request.input, str):
        return [_encode({"type": "message", "role": "user", "content": request.input})]
    return list(request.input or ())


def _compacts(request: ResponsesRequest) -> bool:
    """Whether the conversation is to be put together. Raises `InvalidRequestError` where that is not asked last."""
    items = request.input if isinstance(request.input, list) else []
    places = [number for number, raw in enumerate(items) if kind_of(raw, f"input[{number}]") == TRIGGER]
    if places and places[0] != len(items) - 1:
        raise InvalidRequestError(f"{TRIGGER} must be the last item.", param=f"input[{places[0]}]")
    return bool(places)


def _without_trigger(request: ResponsesRequest) -> ResponsesRequest:
    """The request that asks for the summary: tools are declared, as the history has them, and not called."""
    items = request.input if isinstance(request.input, list) else []
    return replace(request, input=items[:-1], tool_choice=Raw(b'"none"'), text=None)
