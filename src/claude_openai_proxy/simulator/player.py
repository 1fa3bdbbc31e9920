"""Plays a script on a connection, byte for byte as it says."""

import asyncio
import itertools
from collections.abc import Iterable

from claude_openai_proxy.simulator.connection import Connection
from claude_openai_proxy.simulator.loose_json import JSONObject, compact, object_in
from claude_openai_proxy.simulator.message_events import assembled
from claude_openai_proxy.simulator.received import ReceivedRequest
from claude_openai_proxy.simulator.script import ERROR_TYPES, Script
from claude_openai_proxy.simulator.steps import Close, Cut, Gate, Hang, Pause, Step
from claude_openai_proxy.simulator.wire import LAST_CHUNK, STREAM_TYPE, Cutter, chunk, event_bytes, head

STATUS_OF_ERROR = {kind: status for status, kind in ERROR_TYPES.items()}


class _EndedEarlyError(Exception):
    """The script closed or cut the connection."""


class Player:
    """Plays one script as the answer to one request; `message_id` is the id where the script names none."""

    def __init__(self, script: Script, request: ReceivedRequest, connection: Connection, message_id: str) -> None:
        self._script = script
        self._request = request
        self._connection = connection
        self._message_id = message_id
        self._body = Cutter(script.split)
        self._wire = Cutter(script.wire_split)
        self._alone = script.split is not None or script.wire_split is not None
        self._held = b""

    async def play(self) -> None:
        """The whole answer. Cancelled when the caller leaves."""
        try:
            for step in self._script.before:
                await self._wait(step)
            if self._script.body is None and self._request.streams and self._script.status == 200:
                await self._stream()
            else:
                await self._whole()
        except _EndedEarlyError:
            return
        if not self._script.keep_alive or self._request.headers.get("connection", "").lower() == "close":
            self._connection.close()

    async def _stream(self) -> None:
        if not self._script.chunked:
            await self._stream_with_length()
            return
        await self._send_wire(self._head(STREAM_TYPE, ("transfer-encoding", "chunked")))
        for step in self._script.steps:
            if isinstance(step, (dict, bytes)):
                await self._send_body(self._encoded(step))
                continue
            await self._flush()
            await self._wait(step, farewell=LAST_CHUNK)
        await self._end([LAST_CHUNK])

    async def _stream_with_length(self) -> None:
        data = b"".join(self._encoded(step) for step in self._script.steps if isinstance(step, (dict, bytes)))
        await self._wait_for_all()
        await self._send_wire(self._head(STREAM_TYPE, ("content-length", str(len(data)))))
        await self._end(self._body.pieces(data))

    async def _whole(self) -> None:
        """An answer in one piece: an error, a message that is not streamed, or the script's own bytes."""
        status, data = document_of(self._script, self._request, self._message_id)
        kind = self._script.content_type or "application/json"
        whole_head = self._head(kind, ("content-length", str(len(data))), status=status)
        await self._wait_for_all(cut_short=whole_head + data[: len(data) // 2])
        await self._send_wire(whole_head)
        await self._end(self._body.pieces(data) if self._request.method != "HEAD" else ())

    async def _wait_for_all(self, *, cut_short: bytes = b"") -> None:
        for step in self._script.steps:
            if isinstance(step, (Cut, Close)) and cut_short:
                await self._send_wire(cut_short)
            if not isinstance(step, (dict, bytes)):
                await self._wait(step)

    async def _wait(self, step: Step, *, farewell: bytes = b"") -> None:
        match step:
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Gate(event):
                await event.wait()
            case Hang():
                await asyncio.Event().wait()
            case Cut():
                self._connection.cut()
                raise _EndedEarlyError
            case Close():
                if farewell:
                    await self._send_wire(farewell)
                await self._flush()
                self._connection.close()
                raise _EndedEarlyError

    def _encoded(self, step: JSONObject | bytes) -> bytes:
        if isinstance(step, bytes):
            return step
        script = self._script
        named = _named(step, self._request, self._message_id)
        encoded = event_bytes(named, padding=script.padding, line_end=script.line_end)
        if script.pings and step.get("type") != "message_stop":
            encoded += event_bytes({"type": "ping"}, padding=script.padding, line_end=script.line_end)
        return encoded

    def _head(self, kind: str, length: tuple[str, str], *, status: int = 200) -> bytes:
        own = [name.lower() for name, _ in self._script.headers]
        standard = [("content-type", kind), length, ("request-id", self._request.id)]
        if not self._script.keep_alive:
            standard.append(("connection", "close"))
        return head(status, [*(pair for pair in standard if pair[0] not in own), *self._script.headers])

    async def _send_body(self, data: bytes) -> None:
        for piece in self._body.pieces(data):
            await self._send_wire(chunk(piece))

    async def _send_wire(self, data: bytes) -> None:
        if self._script.together:
            self._held += data
            return
        await self._write(self._wire.pieces(data))

    async def _end(self, pieces: Iterable[bytes]) -> None:
        """What comes last. A caller that has read it may leave: nothing is waited for before it counts as answered."""
        if self._script.together:
            pieces, self._held = [self._held + b"".join(pieces)], b""
        cut = [part for piece in pieces for part in self._wire.pieces(piece) if part]
        await self._write(cut[:-1])
        for part in cut[-1:]:
            await self._connection.write(part, alone=self._alone, last=True)

    async def _flush(self) -> None:
        held, self._held = self._held, b""
        await self._write(self._wire.pieces(held))

    async def _write(self, pieces: Iterable[bytes]) -> None:
        for piece in itertools.filterfalse(lambda piece: not piece, pieces):
            await self._connection.write(piece, alone=self._alone)


def document_of(script: Script, request: ReceivedRequest, message_id: str) -> tuple[int, bytes]:
    """Status and body of the answer that is not streamed, put together of the events."""
    if script.body is not None:
        return script.status, script.body
    events = [step for step in script.steps if isinstance(step, dict)]
    for event in events:
        if event.get("type") == "error":
            kind = object_in(event.get("error")).get("type")
            status = STATUS_OF_ERROR.get(str(kind), 500) if script.status == 200 else script.status
            return status, compact({**event, "request_id": request.id}).encode()
    named = (_named(event, request, message_id) for event in events)
    return script.status, compact(assembled(named)).encode()


def _named(event: JSONObject, request: ReceivedRequest, message_id: str) -> JSONObject:
    """Fills in the id and the model of a message that has none."""
    message = object_in(event.get("message"))
    if event.get("type") != "message_start" or (message.get("id") and message.get("model")):
        return event
    named = {"id": message.get("id") or message_id, "model": message.get("model") or request.model}
    return {**event, "message": {**message, **named}}
