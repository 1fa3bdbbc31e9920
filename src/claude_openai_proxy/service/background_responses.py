"""Responses in the background: answered at once as queued, worked on without their client, asked for again later.

| state of a run | what is kept                            | leaves it                                              |
|----------------|-----------------------------------------|--------------------------------------------------------|
| unaccepted     | nothing; its client waits               | translated: accepted; an error: the client is told     |
| accepted       | queued; `created` and `queued`          | Claude answers: answered; an error: failed             |
| answered       | in_progress; events as they are numbered | its end, an error, a cancel, or the end of the server |
| ended          | a final status, then its terminal event | never                                                  |

Invariants: an event is kept before anybody is shown it; the final status is kept before the terminal event; who
follows sees each number once, in order. While the database is away a run goes on: what it says and how it ends is kept
once it is back. A run that could not keep its end itself, or whose process died, has no terminal event: who follows is
given one made of what is kept, so that every stream has exactly one.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final

import msgspec
from msgspec import Raw

from claude_openai_proxy.errors import InvalidRequestError, ProxyError
from claude_openai_proxy.protocols.openai_responses import ErrorBody, ResponseEvent
from claude_openai_proxy.records import Principal, RequestRecord
from claude_openai_proxy.service.response_state import DIED, ResponseState
from claude_openai_proxy.service.response_work import ResponseAnswer, Work
from claude_openai_proxy.service.stored_responses import StoredResponses
from claude_openai_proxy.service.underway import Underway, open_envelope
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.storage.responses import UNFINISHED, ResponseStore
from claude_openai_proxy.translate.responses_answer.stream import ResponseStream

NEIGHBOUR_SECONDS: Final = 0.5
"""Between two looks at a run of another process."""
WATCH_SECONDS: Final = 5.0
"""Between two looks at whether another process has cancelled a run of this one."""
SWEEP_SECONDS: Final = 600.0
"""What has expired is seen by nobody, and gone after so long at the latest."""
WHERE_ENDED: Final = {
    "completed": "response.completed",
    "incomplete": "response.incomplete",
    "failed": "response.failed",
    "cancelled": "response.incomplete",
}
"""The terminal event of each final status; the published API has none for a cancelled one."""

log: Final = logging.getLogger(__name__)

_encode: Final = msgspec.json.Encoder().encode


class _Typed(msgspec.Struct):
    """An event as far as its end must be known."""

    type: str
    sequence_number: int


_typed: Final = msgspec.json.Decoder(_Typed).decode


class Run:
    """One response in the background; `Work` is told of it, and tells it how far it has come."""

    def __init__(self, work: Work, state: ResponseState, record: RequestRecord) -> None:
        self.id = work.id
        self.principal = record.principal
        self.accepted: asyncio.Future[Raw] = asyncio.get_running_loop().create_future()
        """The queued response."""
        self.more = asyncio.Event()
        """Something has been kept since it was last looked at; another takes its place then."""
        self.task: asyncio.Task[None] | None = None
        self._work = work
        self._state = state
        self._record = record
        self.streamed = bool(work.request.stream)
        self._stack = AsyncExitStack()
        self._underway: Underway | None = None
        self._cancelled = False
        self._held: Sequence[ResponseEvent] = ()
        """What comes when Claude has answered."""
        self._unkept: Sequence[tuple[int, bytes]] = ()
        """Events that the database could not take."""

    async def accept(self, stream: ResponseStream) -> None:
        """It could be translated: keep it as queued. Raises `StorageUnavailableError`."""
        if self._underway is not None:
            return  # Another way is tried; its stream goes on where the first one's has opened.
        draft, opening = _encode(stream.response), stream.keep_alive()
        begun = self._state.begin(
            self.principal,
            draft,
            self._work.sent,
            include=self._work.request.include or (),
            streamed=self.streamed,
        )
        underway = await self._stack.enter_async_context(begun)
        if not underway.kept:
            raise StorageUnavailableError("The response cannot be kept now, as one in the background must be.")
        self._underway, self._held = underway, opening[-1:]
        await self.say(opening[:-1])
        self.accepted.set_result(Raw(draft))

    @asynccontextmanager
    async def going_on(self, stream: ResponseStream) -> AsyncIterator[Underway]:
        """Claude answers."""
        assert self._underway is not None, "accepted before anybody is asked"
        with suppress(StorageUnavailableError):  # It is taken for queued until it ends.
            await self._underway.go_on(_encode(stream.response))
        yield self._underway

    async def work(self, opening: AbstractAsyncContextManager[ResponseAnswer]) -> None:
        """From the request to the end. Raises `ProxyError` where it was not accepted."""
        async with self._stack:
            try:
                async with opening as answer:
                    async for batch in answer:
                        await self.say(batch)
            except ProxyError as error:
                if not self.accepted.done():
                    raise
                self._record.error = type(error).__name__
                await self._fail()
            finally:
                if self._unkept:
                    self._state.kept().add_events_soon(self.principal.id, self.id, self._unkept)
                if self._underway is not None and not self._cancelled:
                    self._underway.so_far = self._died

    async def say(self, events: Sequence[ResponseEvent]) -> None:
        """Keep events, those held back before them, and tell who follows."""
        if self.accepted.done():
            events, self._held = [*self._held, *events], ()
        if self.streamed:
            await self._keep([(event.sequence_number, _encode(event)) for event in events])
        self.tell()

    async def _keep(self, events: Sequence[tuple[int, bytes]]) -> None:
        """What could not be kept before comes with it; a terminal event whose status is not kept is left out."""
        assert self._underway is not None, "accepted before it says anything"
        if not self._underway.final:
            events = [event for event in events if _typed(event[1]).type not in WHERE_ENDED.values()]
        self._unkept = [*self._unkept, *events]
        try:
            status = await self._state.kept().add_events(self.principal.id, self.id, self._unkept)
        except StorageUnavailableError:
            return
        self._unkept = ()
        if not self._underway.ended:
            self.check(status)

    def tell(self) -> None:
        """Those who follow look again."""
        more, self.more = self.more, asyncio.Event()
        more.set()

    def stop(self, *, cancelled: bool) -> None:
        """Nobody wants it any more; not `cancelled`: the server stops, and it has failed."""
        self._cancelled = cancelled
        assert self.task is not None, "it was started"
        self.task.cancel()

    def check(self, status: str) -> None:
        """Where another process has cancelled or erased it, or given it up as failed, nobody wants the rest."""
        if status in ("cancelled", "failed", ""):
            self.stop(cancelled=True)

    async def _fail(self) -> None:
        stream = self._work.stream
        assert self._underway is not None, "it was accepted"
        assert stream is not None, "translated before it was accepted"
        await self._underway.fail(_encode(stream.response))
        await self.say(self._work.failing)

    def _died(self) -> bytes:
        self._work.fail(ErrorBody("server_error", "server_error", DIED, None))
        assert self._work.stream is not None, "it was accepted"
        return _encode(self._work.stream.response)


class BackgroundResponses:
    """Runs responses of this process; follows and cancels those of any. `stored`: those that are asked for again."""

    def __init__(self, state: ResponseState, *, watch_seconds: float = WATCH_SECONDS) -> None:
        self.state = state
        self._watch_seconds = watch_seconds
        self.stored = StoredResponses(state)
        self._runs: dict[str, Run] = {}
        self._sweeping: asyncio.Task[None] | None = None

    def run(self, work: Work, record: RequestRecord) -> Run:
        """What `Work` is to be told of before it begins. Raises `InvalidRequestError`."""
        self.state.kept("background")
        if work.request.store is False:
            raise InvalidRequestError(
                "A response in the background must be stored: leave out store, or background.", param="background"
            )
        work.background = run = Run(work, self.state, record)
        return run

    async def start(self, run: Run, opening: AbstractAsyncContextManager[ResponseAnswer]) -> Raw:
        """The queued response, once it is kept. Raises `ProxyError` where it is not accepted."""
        run.task = asyncio.create_task(run.work(opening))
        self._runs[run.id] = run
        run.task.add_done_callback(lambda task: self._ended(run, task))
        watch = asyncio.create_task(self._watch(run))
        run.task.add_done_callback(lambda _: watch.cancel())
        try:
            either: set[asyncio.Future[Any]] = {run.task, run.accepted}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            run.stop(cancelled=True)
            raise
        if not run.accepted.done():
            await run.task
        return run.accepted.result()

    async def _watch(self, run: Run) -> None:
        """Another process may cancel or erase it."""
        while True:
            await asyncio.sleep(self._watch_seconds)
            if run.accepted.done():
                with suppress(StorageUnavailableError):
                    row = await self.state.kept().one("response", run.principal.id, run.id, self.state.wall_clock())
                    run.check(row.status if row else "")

    def _ended(self, run: Run, task: "asyncio.Task[None]") -> None:
        del self._runs[run.id]
        run.tell()
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, ProxyError):
            log.error("a response in the background failed", exc_info=error)

    @property
    def under_way(self) -> int:
        """Responses that this process works on."""
        return len(self._runs)

    # ---- who comes back ---------------------------------------------------------------------------------------------

    async def cancel(self, id_: str, principal: Principal) -> Raw:
        """The response, which nobody works on any more. Raises as `StoredResponses.cancellable` does."""
        row = await self.stored.cancellable(id_, principal)
        if (run := self._runs.get(id_)) is not None and run.task is not None:
            run.stop(cancelled=True)
            await asyncio.wait([run.task])
            await self.state.settled()
        elif row.status in UNFINISHED:
            await self.stored.cancel(row)
        return await self.stored.one(id_, principal)

    async def follow(self, id_: str, principal: Principal, after: int) -> AsyncIterator[list[bytes]]:
        """Events with a higher number than `after`, as JSON, to the terminal one; while the database is away, none.

        Raises `NotStoredError`, and `InvalidRequestError` where none are kept.
        """
        run = self._runs.get(id_)
        own = run is not None and run.streamed and run.principal.id == principal.id
        if not own and not open_envelope((await self.stored.row(id_, principal)).body).streamed:
            raise InvalidRequestError(
                "Only a response that was created with background and stream can be streamed again.", param="stream"
            )
        return self._events(id_, principal, after)

    async def _events(self, id_: str, principal: Principal, after: int) -> AsyncIterator[list[bytes]]:
        store = self.state.kept()
        while True:
            run = self._runs.get(id_)
            more, end = run.more if run else None, None
            try:
                kept = await store.events(principal.id, id_, after)
                if not kept and more is None:
                    end = await self._end(id_, principal, after)
            except StorageUnavailableError:
                kept, more = [], None
            if kept:
                yield [event for _, event in kept]
                after = kept[-1][0]
                if _typed(kept[-1][1]).type in WHERE_ENDED.values():
                    return
            elif more is not None:
                await more.wait()
            elif end is None:
                await asyncio.sleep(NEIGHBOUR_SECONDS)
            else:
                if end:
                    yield end
                return

    async def _end(self, id_: str, principal: Principal, after: int) -> list[bytes] | None:
        """The terminal event of a response whose own was never kept; [] for who has seen it; None while it goes on."""
        status = (await self.stored.row(id_, principal)).status
        if status in UNFINISHED:
            return None
        kept = await self.state.kept().events(principal.id, id_, -1)
        last = _typed(kept[-1][1]) if kept else _Typed("", -1)
        if last.type in WHERE_ENDED.values():
            return []
        response = await self.stored.one(id_, principal)
        number = max(after, last.sequence_number) + 1
        return [_encode({"type": WHERE_ENDED[status], "sequence_number": number, "response": response})]

    async def open(self) -> None:
        """Have what has expired erased from time to time, unasked."""
        if self.state.store is not None:
            self._sweeping = asyncio.create_task(self._sweep(self.state.store))

    async def _sweep(self, store: ResponseStore) -> None:
        while True:
            store.sweep(self.state.wall_clock())
            await asyncio.sleep(SWEEP_SECONDS)

    async def aclose(self) -> None:
        """What still runs has failed; what is to be written is."""
        runs = list(self._runs.values())
        for run in runs:
            run.stop(cancelled=False)
        if tasks := [run.task for run in runs if run.task is not None]:
            await asyncio.wait(tasks)
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait([self._sweeping])
        await self.state.aclose()
