"""`POST /v1/responses`, and what is asked of a conversation without an answer: its size, and a shorter one."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Final

import msgspec
from msgspec import UNSET

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.openai_responses import CompactedResponse, ErrorBody, InputTokens
from claude_openai_proxy.service.background_responses import BackgroundResponses, Run
from claude_openai_proxy.service.response_work import Batch, ResponseAnswer, Work, questions
from claude_openai_proxy.service.responses import ResponsesService
from claude_openai_proxy.web.body import LARGE_BODY, Bodies, Body, decode_body
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import check_json
from claude_openai_proxy.web.errors import Failure
from claude_openai_proxy.web.event_stream import COMMENT, KEEP_ALIVE_SECONDS, EventStream
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.response_headers import answer_headers
from claude_openai_proxy.web.responses.decode import DecodedResponses, decode_responses_request
from claude_openai_proxy.web.responses.event_encoder import encode_events
from claude_openai_proxy.web.responses.stored import follow

Opening = AbstractAsyncContextManager[ResponseAnswer]
"""An answer that is being asked for."""

COMMENTS_FOR_EACH_EVENT: Final = 4
"""Comments keep proxies content; some clients' timers look at events alone, and get one after so many signs of life."""

_encode: Final = msgspec.json.Encoder().encode


class Responses:
    """`clock` counts seconds of silence, `wall_clock` seconds since 1970."""

    def __init__(
        self,
        service: ResponsesService,
        background: BackgroundResponses,
        *,
        bodies: Bodies,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        self._service = service
        self._background = background
        self._bodies = bodies
        self._clock = clock
        self._wall_clock = wall_clock
        self._keep_alive_seconds = keep_alive_seconds

    async def __call__(self, exchange: Exchange) -> None:
        """Answer, whole or streamed as the client asked."""
        async with self._decoded(exchange) as (decoded, body, large):
            work = self._service.begin(decoded.request, exchange.memory)
            if exchange.memory is not None and exchange.memory.warms:
                await self._warm_up(exchange, work)
                return
            run = self._background.run(work, exchange.record) if decoded.request.background else None
            opening = self._opening(exchange, work, decoded.unknown, body, large=large)
            del decoded
            if run is not None:
                await self._in_background(exchange, run, opening, body)
            elif work.request.stream:
                await self._stream(exchange, work, opening, body)
            else:
                await self._whole(exchange, opening, body)

    async def compact(self, exchange: Exchange) -> None:
        """The conversation put together: what the user said, and one item for all the rest."""
        async with self._decoded(exchange) as (decoded, body, large):
            if decoded.request.model is UNSET:
                raise InvalidRequestError(
                    "Missing required parameter: 'model'.", param="model", code="missing_required_parameter"
                )
            work = self._service.compaction(decoded.request)
            opening = self._opening(exchange, work, decoded.unknown, body, large=large)
            async with ClientWatch(exchange), opening as answer:
                body.release()
                exchange.answer_headers = answer_headers(answer.head, now=self._wall_clock())
                response = await answer.response()
                output = [*questions(work), *response.output]
                compaction = CompactedResponse(response.id, response.created_at, output, response.usage)
                await exchange.answer(200, _encode(compaction))

    async def input_tokens(self, exchange: Exchange) -> None:
        """How many tokens the request would take in."""
        async with self._decoded(exchange) as (decoded, body, _), ClientWatch(exchange):
            count = await self._service.count(
                decoded.request,
                unknown=decoded.unknown,
                record=exchange.record,
                hold=partial(self._bodies.hold_more, body),
            )
            await exchange.answer(200, _encode(InputTokens(count)))

    @asynccontextmanager
    async def _decoded(self, exchange: Exchange) -> AsyncIterator[tuple[DecodedResponses, Body, bool]]:
        """The request, its body, and whether that is large."""
        check_json(exchange)
        async with self._bodies.read(exchange) as body:
            data = body.take()
            large = len(data) >= LARGE_BODY
            decoded = await decode_body(decode_responses_request, data)
            del data
            exchange.record.repairs += decoded.repairs
            yield decoded, body, large

    def _opening(self, exchange: Exchange, work: Work, unknown: tuple[str, ...], body: Body, *, large: bool) -> Opening:
        hold = partial(self._bodies.hold_more, body)
        return self._service.respond(work, unknown=unknown, record=exchange.record, hold=hold, large=large)

    async def _in_background(self, exchange: Exchange, run: Run, opening: Opening, body: Body) -> None:
        """Answered as queued; what is known of the request is known once it has ended."""
        async with ClientWatch(exchange):
            queued = await self._background.start(run, opening)
            body.release()
            exchange.lasts = run.task
            if not run.streamed:
                await exchange.answer(200, bytes(queued))
        if run.streamed:
            await follow(self._background, exchange, run.id, clock=self._clock)

    async def _warm_up(self, exchange: Exchange, work: Work) -> None:
        stream = EventStream(exchange, clock=self._clock)
        events = await self._service.warm_up(work, record=exchange.record)
        await stream.send(_once(events), encode_events, bytes)

    async def _stream(self, exchange: Exchange, work: Work, opening: Opening, body: Body) -> None:
        signs = SignsOfLife(work)
        stream = EventStream(
            exchange, keep_alive=signs.next, keep_alive_seconds=self._keep_alive_seconds, clock=self._clock
        )
        exchange.failure_event = lambda failure: encode_events(work.fail(_error_body(failure)))
        async with ClientWatch(exchange, stream), opening as answer:
            body.release()
            exchange.answer_headers = answer_headers(answer.head, now=self._wall_clock())
            await stream.send(answer, signs.encode, bytes)

    async def _whole(self, exchange: Exchange, opening: Opening, body: Body) -> None:
        async with ClientWatch(exchange), opening as answer:
            body.release()
            exchange.answer_headers = answer_headers(answer.head, now=self._wall_clock())
            response = _encode(await answer.response())
            exchange.first_token()
            await exchange.answer(200, response)


async def _once(events: Batch) -> AsyncIterator[Batch]:
    yield events


class SignsOfLife:
    """What a silent stream says: comments, and now and then an event."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._silent = 0

    def encode(self, events: Batch) -> bytes:
        """Events are signs of life, too."""
        self._silent = 0
        return encode_events(events)

    def next(self) -> bytes:
        """One more."""
        self._silent += 1
        events = [] if self._silent % COMMENTS_FOR_EACH_EVENT else self._work.keep_alive()
        return encode_events(events) if events else COMMENT


def _error_body(failure: Failure) -> ErrorBody:
    """For what no error of upstream's has told already."""
    error = failure.error
    return ErrorBody(error.type, error.code or "server_error", error.message, error.param)
