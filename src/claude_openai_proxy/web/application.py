"""The server's outermost layer, raw ASGI: lets requests in, finds their route, records them, answers what fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Final, Literal, Self

from claude_openai_proxy.errors import ClientRefusedError, ProxyError, StoppingError, UpstreamStatusError
from claude_openai_proxy.records import CLIENT_LEFT, RecordReader, RequestRecord
from claude_openai_proxy.web.asgi import Receive, Scope, Send
from claude_openai_proxy.web.client_watch import ClientLeftError
from claude_openai_proxy.web.doors import Doors, preflight_headers
from claude_openai_proxy.web.errors import INTERNAL_ERROR, Failure, reason, to_failure
from claude_openai_proxy.web.exchange import ANONYMOUS, NO_PROXIES, Exchange
from claude_openai_proxy.web.response_headers import header_value
from claude_openai_proxy.web.routes import Endpoint, Route, Router, dialect_meant
from claude_openai_proxy.web.socket import Socket
from claude_openai_proxy.web.visitor import TrustedProxies

_Moment = Literal["started", "first_token", "ended"]
"""Of a request, as `RecordReader` names them."""

log: Final = logging.getLogger(__name__)


async def _nothing() -> None:
    pass


class _Surviving:
    """The one place that takes any exception at all: a bug costs what it is in, and nothing else. `bug` is told of."""

    __slots__ = ("bug",)

    def __init__(self) -> None:
        self.bug: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if not isinstance(error, Exception):
            return False
        self.bug = error
        return True


class Application:
    """`clock` counts seconds, `wall_clock` seconds since 1970; `new_id` names requests that come without a name.

    `blot` takes out of a text what must not go out.
    `upstream_retries`: how often a request to Claude is tried again before its failure is told.
    """

    def __init__(
        self,
        *,
        router: Router,
        doors: Doors,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        new_id: Callable[[], str],
        upstream_retries: int = 1,
        readers: Sequence[RecordReader] = (),
        trusted: TrustedProxies = NO_PROXIES,
        blot: Callable[[str], str] = str,
        startup: Callable[[], Awaitable[None]] = _nothing,
        shutdown: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self._router = router
        self._doors = doors
        self._clock = clock
        self._wall_clock = wall_clock
        self._new_id = new_id
        self._retried = upstream_retries > 0
        self._told: dict[_Moment, list[tuple[str, Callable[[RequestRecord], None]]]] = {
            "started": [], "first_token": [], "ended": []
        }  # fmt: skip
        """Whom, with the name of the reader's class."""
        for reader in readers:
            self.read_by(reader)
        self._broken = set[str]()
        """Names of the readers that have raised: each is told of once."""
        self._trusted = trusted
        self._blot = blot
        self._startup = startup
        self._shutdown = shutdown

    def read_by(self, reader: RecordReader) -> None:
        """Tell it, too, of every record, at the moments that it has a method for."""
        kind = type(reader)
        for moment, told in self._told.items():
            if getattr(kind, moment) is not getattr(RecordReader, moment):
                told.append((kind.__name__, getattr(reader, moment)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the server's life."""
        if scope["type"] == "http":
            exchange = Exchange(
                scope,
                receive,
                send,
                clock=self._clock,
                new_id=self._new_id,
                begun=self._first_token,
                ended=self._ended,
                trusted=self._trusted,
                blot=self._blot,
            )
            await self._serve(exchange)
        elif scope["type"] == "websocket":
            await Socket(scope, receive, send, self).offer()
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            if (await receive())["type"] == "lifespan.startup":
                await self._startup()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._shutdown()
                return await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, exchange: Exchange) -> None:
        record = exchange.record
        try:
            with _Surviving() as tried:
                await self._answer_or_refuse(exchange)
            if tried.bug is not None:
                if record.ended is None:
                    record.error = type(tried.bug).__name__
                log.error("request failed", exc_info=tried.bug, extra={"request_id": record.id})
                await exchange.fail(exchange.dialect.failure(INTERNAL_ERROR, None, record))
        finally:
            if exchange.lasts is None:
                self._ended(record)
            else:
                record.when_settled = self._ended
                exchange.lasts.add_done_callback(lambda _: self._ended(record))

    async def _answer_or_refuse(self, exchange: Exchange) -> None:
        record = exchange.record
        try:
            await self._answer(exchange)
        except ClientLeftError as error:
            if exchange.lasts is None and record.ended is None:
                record.status, record.error = CLIENT_LEFT, "ClientLeftError"
            _let_go(error)
        except ProxyError as error:
            await self._fail(exchange, error)
            _let_go(error)
        except asyncio.CancelledError:  # Only the server itself cancels a request: when it stops.
            await self._fail(exchange, StoppingError())

    def _ended(self, record: RequestRecord) -> None:
        if record.ended is None:
            record.ended = self._clock()
            self._tell("ended", record)

    def _first_token(self, record: RequestRecord) -> None:
        self._tell("first_token", record)

    def _tell(self, moment: _Moment, record: RequestRecord) -> None:
        """Each reader, whatever becomes of the others: behind one that fails the next ones go on."""
        readers, name = iter(self._told[moment]), ""
        while True:
            with _Surviving() as tried:
                for name, tell in readers:  # noqa: B007 - told below
                    tell(record)
            if tried.bug is None:
                return
            if name not in self._broken:
                self._broken.add(name)
                log.error("%s cannot read the records of requests", name, exc_info=tried.bug)

    async def _fail(self, exchange: Exchange, error: ProxyError) -> None:
        failure = to_failure(error, now=self._wall_clock(), retried=self._retried)
        if exchange.record.ended is None:
            _note(exchange.record, error, failure)
        await exchange.fail(exchange.dialect.failure(failure, error, exchange.record))

    async def _answer(self, exchange: Exchange) -> None:
        try:
            if self._doors.keys.stale:
                await self._doors.keys.refresh()
            endpoint = self._let_in(exchange)
        finally:
            _log_structure(exchange)
            self._tell("started", exchange.record)
        await endpoint(exchange)

    def _let_in(self, exchange: Exchange) -> Endpoint:
        """Where the request goes, once every door has opened."""
        found = self._router.find(exchange.path)
        route, exchange.rest = found or (None, "")
        exchange.record.route = route.name if route else "unknown"
        exchange.dialect = route.dialect(exchange) if route else dialect_meant(exchange)
        exchange.record.path = header_value(exchange.path[:200]).decode()
        if exchange.method == "OPTIONS" and route:
            self._doors.enter_preflight(exchange)
            return lambda exchange: _options(exchange, route)
        exchange.record.principal = self._doors.enter(exchange, route.access(exchange) if route else "key")
        if exchange.record.principal is not ANONYMOUS:
            exchange.server.vouch()
        if route is None:
            raise self._unknown_route(exchange)
        endpoint = route.endpoint_of(exchange.method)
        if endpoint is None:
            raise _wrong_method(exchange, route)
        return endpoint

    def _unknown_route(self, exchange: Exchange) -> ClientRefusedError:
        asked = f"{header_value(exchange.method[:50]).decode()} {exchange.record.path}"
        return ClientRefusedError(
            f"There is no {asked} here.{self._router.advice(exchange.path)} Offered: {self._router.offered}.",
            status=404,
            code="unknown_url",
        )


async def _options(exchange: Exchange, route: Route) -> None:
    if exchange.cors and exchange.header(b"access-control-request-method"):
        await exchange.answer(204, headers=preflight_headers(exchange, route.methods))
    else:
        await exchange.answer(204, headers=[(b"allow", route.methods.encode())])


def _wrong_method(exchange: Exchange, route: Route) -> ClientRefusedError:
    method = header_value(exchange.method[:50]).decode()
    return ClientRefusedError(
        f"{route.name} does not take {method}, only {route.methods}.",
        status=405,
        code="method_not_allowed",
        headers=(("allow", route.methods),),
    )


def _let_go(error: BaseException | None) -> None:
    """The frames that it came through hold it, and it them, and with them all that the request had."""
    while error is not None and error.__traceback__ is not None:  # each once, though they name each other as causes
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _note(record: RequestRecord, error: ProxyError, failure: Failure) -> None:
    """What the log says of it."""
    record.error = _error_name(error)
    record.code = failure.error.code or ""
    record.param = failure.error.param or ""
    record.reason = reason(error)


def _error_name(error: ProxyError) -> str:
    kind = error.error_type if isinstance(error, UpstreamStatusError) else ""
    return f"{type(error).__name__} {kind}".rstrip()


def _log_structure(exchange: Exchange) -> None:
    if log.isEnabledFor(logging.DEBUG):
        names = ", ".join(sorted(name.decode("latin-1") for name in exchange.headers))
        log.debug("request headers: %s", names, extra={"request_id": exchange.record.id})
