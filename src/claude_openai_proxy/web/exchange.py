"""One HTTP request with its answer under way."""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import parse_qs

from claude_openai_proxy.records import Principal, RequestRecord
from claude_openai_proxy.service.socket_memory import SocketMemory
from claude_openai_proxy.web.asgi import Extensions, Header, HTTPScope, OwnServer, Receive, Send
from claude_openai_proxy.web.dialect import OPENAI, Dialect
from claude_openai_proxy.web.errors import Failure
from claude_openai_proxy.web.other_server import OtherServer
from claude_openai_proxy.web.socket import Socket
from claude_openai_proxy.web.visitor import TrustedProxies

JSON: Final = b"application/json"
NO_PROXIES: Final = TrustedProxies()

_NO_EXTENSIONS: Final[Extensions] = {}
ANONYMOUS: Final = Principal("anonymous", "anonymous")
"""Nobody was asked to say who they are, or nobody did."""

_SANE_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_PRODUCT: Final = re.compile(r"[A-Za-z0-9_.+/ -]{1,64}")


def _nobody_listens(_: RequestRecord) -> None:
    """Nobody wants to know when a body begins, and when it ends."""


def _event_of(failure: Failure) -> bytes:
    return failure.event


class Exchange:
    """A request, and the means to answer it once. `started`: its status is out; `complete`: nothing more will come.

    `streams`: errors after the start are events.
    """

    __slots__ = (
        "_begun", "_blot", "_clock", "_ended", "_extensions", "_send", "answer_headers", "complete", "cors", "dialect",
        "failure_event", "headers", "lasts", "method", "path", "query", "receive", "record", "rest", "server",
        "started", "streams", "visitor",
    )  # fmt: skip

    def __init__(
        self,
        scope: HTTPScope,
        receive: Receive,
        send: Send,
        *,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        begun: Callable[[RequestRecord], None] = _nobody_listens,
        ended: Callable[[RequestRecord], None] = _nobody_listens,
        trusted: TrustedProxies = NO_PROXIES,
        blot: Callable[[str], str] = str,
    ) -> None:
        self.method = scope["method"]
        self.path = scope["path"]
        self.query = scope["query_string"]
        self.headers = dict(scope["headers"])
        self.visitor = trusted.visitor((scope.get("client") or ("",))[0], self.header)
        self.receive = receive
        self._extensions = extensions = scope.get("extensions", _NO_EXTENSIONS)
        self.server: OwnServer = extensions.get("claude_openai_proxy") or OtherServer(receive)
        self.rest = ""
        """What follows the route's path: the id of a model."""
        self.dialect: Dialect = OPENAI
        """Of the route."""
        self.cors: tuple[Header, ...] = ()
        self.answer_headers: list[Header] = []
        self.started = False
        self.complete = False
        self.streams = False
        self.lasts: asyncio.Task[None] | None = None
        """What goes on for the request when it has been answered: its record ends with it."""
        self.failure_event: Callable[[Failure], bytes] = _event_of
        """How an error is told inside the stream."""
        self._send = send
        self._clock = clock
        self._blot = blot
        self._begun = begun
        self._ended = ended
        self.record = self._new_record(new_id(), clock())

    @property
    def socket(self) -> Socket | None:
        """Where an upgrade is offered."""
        return self._extensions.get("claude_openai_proxy_socket")

    @property
    def memory(self) -> SocketMemory | None:
        """Of the socket on which this was asked."""
        return self._extensions.get("claude_openai_proxy_memory")

    def header(self, name: bytes) -> str:
        """A request header, "" where it is absent."""
        value = self.headers.get(name)
        return value.decode("latin-1") if value else ""

    def asks_for(self, flag: str) -> bool:
        """Whether the query has `?flag`, with a value that does not say no."""
        values = parse_qs(self.query.decode("latin-1"), keep_blank_values=True).get(flag)
        return values is not None and values[-1].lower() not in ("0", "false", "no")

    # ---- the answer ---------------------------------------------------------------------------------------------

    async def answer(
        self,
        status: int,
        body: bytes = b"",
        *,
        content_type: bytes = JSON,
        headers: Sequence[Header] = (),
    ) -> None:
        """The whole answer at once."""
        length = (b"content-length", b"%d" % len(body))
        await self.start(status, content_type, [length, *headers] if status != 204 else headers)
        await self.write(b"" if self.method == "HEAD" else body, more=False)

    async def start(self, status: int, content_type: bytes, headers: Sequence[Header]) -> None:
        """Status and headers; from here on an error has no status of its own."""
        self.started = True
        record = self.record
        record.status = status
        took = int((self._clock() - record.started) * 1000)
        head: list[Header] = [
            (b"content-type", content_type),
            (b"x-request-id", record.id.encode()),
            (b"x-content-type-options", b"nosniff"),
            *self.cors,
            *self._blotted(self.answer_headers),
            *headers,
        ]
        head += self.dialect.headers(record, took, head)
        if record.repairs:
            head.append((b"x-repairs", ", ".join(dict.fromkeys(record.repairs)).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": head})

    def _blotted(self, headers: Sequence[Header]) -> Sequence[Header]:
        """They hold words of Claude's side. Looked through at once: this is done for every answer."""
        values = b"\n".join([value for _, value in headers]).decode("latin-1")
        told = self._blot(values)
        if told == values:
            return headers
        return [(name, value.encode("latin-1")) for (name, _), value in zip(headers, told.split("\n"), strict=True)]

    async def write(self, data: bytes, *, more: bool = True) -> None:
        """A piece of the body."""
        if not more:
            self.complete = True
            self.ends()
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def fail(self, failure: Failure) -> None:
        """An error with its status, or inside the stream, or, for an answer that is half out, nothing."""
        failure = failure.blotted(self._blot)
        if not self.started:
            await self.answer(failure.status, failure.body, headers=failure.headers)
        elif self.streams and not self.complete:
            await self.write(self.failure_event(failure), more=False)

    def ends(self) -> None:
        """Tell who wants to know that the last of the answer is about to go out, if the request ends with it."""
        if self.lasts is None:
            self._ended(self.record)

    def first_token(self) -> None:
        """Tell who wants to know that the answer's body begins."""
        self.record.first_token = self._clock()
        self._begun(self.record)

    # ---- who asks -----------------------------------------------------------------------------------------------

    def _new_record(self, own_id: str, started: float) -> RequestRecord:
        return RequestRecord(
            id=self._chosen_id() or own_id,
            own_id=own_id,
            principal=ANONYMOUS,
            method=self.method,
            route="",
            started=started,
            client=self._client(),
            address=self.visitor.address,
        )

    def _chosen_id(self) -> str:
        """The client's own name for the request, "" without a sane one."""
        chosen = self.header(b"x-request-id")
        return chosen if _SANE_ID.fullmatch(chosen) else ""

    def _client(self) -> str:
        """The client's name for itself, as far as it can be shown."""
        match = _PRODUCT.match(self.header(b"user-agent"))
        return match[0].strip() if match else ""
