"""`GET /v1/responses` with an upgrade: responses over a WebSocket, one after the other.

A message `{"type": "response.create", …}` is a request for a streamed response; its events come back as messages, each
the JSON of one, and an error before them as `{"type": "error", "status": …, "error": …}`. What the responses of a
socket leave behind without being kept (`store: false`) is remembered by the socket.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.errors import ClientRefusedError, InvalidRequestError
from claude_openai_proxy.protocols.openai_errors import Error
from claude_openai_proxy.service.socket_memory import SocketMemory
from claude_openai_proxy.web.asgi import SendEvent
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.json_body import decoded
from claude_openai_proxy.web.socket import GOING_AWAY, Socket

SILENCE_SECONDS: Final = 900.0
"""A socket on which nothing is asked for so long is closed."""
LONGEST_SECONDS: Final = 3_600.0
"""As at OpenAI: then a client has to connect again."""
MOST_SOCKETS: Final = 64
"""Of one client key at a time."""
SWITCHING: Final = 101
OFF: Final = "WebSockets are switched off here (WEBSOCKET=no), or this was none: use POST /v1/responses."

_CREATE: Final = "response.create"
_DATA: Final = b"data: "
_members: Final = msgspec.json.Decoder(dict[str, Raw])
_encode: Final = msgspec.json.Encoder().encode
_word: Final = msgspec.json.Decoder(str).decode


class _Refused(Struct, frozen=True):
    """An error in place of an answer."""

    status: int
    error: Raw | Error
    type: str = "error"


class ResponsesSocket:
    """`clock` counts seconds."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open: Counter[str] = Counter()

    async def __call__(self, exchange: Exchange) -> None:
        """Take the offer, if it is one. Raises `ClientRefusedError` (426, 429)."""
        socket, owner = exchange.socket, exchange.record.principal.id
        if socket is None:
            raise ClientRefusedError(OFF, status=426, code="websocket_required", headers=(("upgrade", "websocket"),))
        if self._open[owner] >= MOST_SOCKETS:
            raise ClientRefusedError(
                f"{MOST_SOCKETS} sockets are open with this key: close one first.", status=429, code="too_many_sockets"
            )
        self._open[owner] += 1
        try:
            await socket.accept()
            exchange.started = exchange.complete = True
            exchange.record.status = SWITCHING
            await self._serve(socket)
        finally:
            self._open[owner] -= 1
            if not self._open[owner]:
                del self._open[owner]

    async def _serve(self, socket: Socket) -> None:
        memory, since = SocketMemory(), self._clock()
        async for message in socket.messages(silence_seconds=SILENCE_SECONDS):
            if self._clock() - since > LONGEST_SECONDS:
                limit = Error("This connection is an hour old: connect again.", "invalid_request_error")
                await _refuse(socket, msgspec.structs.replace(limit, code="websocket_connection_limit_reached"))
                await socket.close(GOING_AWAY)
                return
            body = await _request_of(message, socket)
            if body is not None:
                memory.warms = body.pop("generate", Raw(b"true")) == Raw(b"false")
                answer = _Answer(socket)
                await socket.request(
                    "/v1/responses",
                    _encode({**body, "stream": True}),
                    answer.send,
                    {"claude_openai_proxy_memory": memory},
                )


async def _request_of(message: str | bytes, socket: Socket) -> dict[str, Raw] | None:
    """The members of a request; None where the message is none, which the client has been told."""
    try:
        members = decoded(message.encode() if isinstance(message, str) else message, _members)
    except InvalidRequestError as error:
        await _refuse(socket, Error(error.message, "invalid_request_error", error.param, error.code))
        return None
    try:
        kind = _word(members.pop("type", Raw(b'""')))
    except msgspec.DecodeError:
        told = "Invalid type for 'type': expected a string."
        await _refuse(socket, Error(told, "invalid_request_error", "type", "invalid_type"))
        return None
    if kind != _CREATE:
        told = f"Messages of the type {kind[:60]!r} are not supported: send {_CREATE}."
        await _refuse(socket, Error(told, "invalid_request_error", "type", "unsupported"))
        return None
    members.pop("stream", None)
    return members


async def _refuse(socket: Socket, error: Error) -> None:
    await socket.say(_encode(_Refused(400, error)).decode())


class _Answer:
    """The sending side of one request: its events as messages."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._status = 0
        self._streams = False
        self._pieces: list[bytes] = []

    async def send(self, event: SendEvent) -> None:
        """As of an ASGI server. Every event comes whole in one piece (`event_encoder`)."""
        if event["type"] == "http.response.start":
            self._status = event["status"]
            self._streams = dict(event["headers"]).get(b"content-type", b"").startswith(b"text/event-stream")
        elif event["type"] == "http.response.body" and self._streams:
            for line in event["body"].split(b"\n"):
                if line.startswith(_DATA):
                    await self._socket.say(line[len(_DATA) :].decode())
        elif event["type"] == "http.response.body":
            self._pieces.append(event["body"])
            if not event["more_body"]:
                await self._socket.say(_encode(_Refused(self._status, _error_of(b"".join(self._pieces)))).decode())


def _error_of(body: bytes) -> Raw:
    members: Mapping[str, Raw] = _members.decode(body)
    return members["error"]
