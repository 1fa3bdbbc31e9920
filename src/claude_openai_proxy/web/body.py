"""Reading a request's body: never more than the limit, never for ever, compressed or not."""

import asyncio
import zlib
from contextlib import suppress
from typing import Final

from claude_openai_proxy.errors import ClientRefusedError, InvalidRequestError
from claude_openai_proxy.web.client_watch import ClientLeftError
from claude_openai_proxy.web.exchange import Exchange

IDLE_SECONDS = 30.0
LINGER_SECONDS = 2.0

_CLOSE: Final = (("connection", "close"),)
_RAW_DEFLATE = -zlib.MAX_WBITS
_ANY_WRAPPER = zlib.MAX_WBITS | 32


async def read_body(exchange: Exchange, *, limit: int, idle_seconds: float = IDLE_SECONDS) -> bytes:
    """The body, decompressed; never over `limit` bytes. Raises `ClientRefusedError`, `ClientLeftError`."""
    encoding = _encoding(exchange)
    _check_declared_length(exchange, limit)
    body = await _collect(exchange, limit, idle_seconds)
    if encoding == "identity":
        return body
    return await asyncio.to_thread(_decompress, body, encoding, limit)


async def drop_rest(exchange: Exchange) -> None:
    """After a refusal: closing at once while the client still sends would tear the answer from its hands."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while (event := await exchange.receive())["type"] == "http.request" and event.get("more_body", False):
                pass
    await exchange.write(b"", more=False)


def _encoding(exchange: Exchange) -> str:
    encoding = exchange.header(b"content-encoding").strip().lower() or "identity"
    if encoding not in ("identity", "gzip", "x-gzip", "deflate"):
        raise ClientRefusedError(
            "The request's content encoding is not one of those read here: send gzip, deflate, or no encoding.",
            status=415,
            code="unsupported_content_encoding",
            headers=(("accept-encoding", "gzip, deflate"), *_CLOSE),
        )
    return encoding


def _check_declared_length(exchange: Exchange, limit: int) -> None:
    length = exchange.header(b"content-length")
    if length.isdigit() and (len(length) > 15 or int(length) > limit):
        raise _too_large(limit, unread=True)


async def _collect(exchange: Exchange, limit: int, idle_seconds: float) -> bytes:
    """One piece is the rule, and is not copied."""
    pieces: list[bytes] = []
    size = 0
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(idle_seconds) as idle:
            while True:
                event = await exchange.receive()
                if event["type"] != "http.request":
                    raise ClientLeftError
                piece = event.get("body", b"")
                pieces.append(piece)
                size += len(piece)
                more = event.get("more_body", False)
                if size > limit:
                    raise _too_large(limit, unread=more)
                if not more:
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
                idle.reschedule(loop.time() + idle_seconds)
    except TimeoutError:
        raise ClientRefusedError(
            f"The request's body did not come: nothing for {idle_seconds:g} seconds.", status=408, headers=_CLOSE
        ) from None


def _decompress(data: bytes, encoding: str, limit: int) -> bytes:
    """All members of a gzip file; never makes more than one byte over the limit."""
    raw = encoding == "deflate" and not _has_zlib_header(data)
    pieces: list[bytes] = []
    room = limit + 1
    while True:
        member = zlib.decompressobj(_RAW_DEFLATE if raw else _ANY_WRAPPER)
        try:
            piece = member.decompress(data, room)
        except zlib.error:
            raise _broken(encoding) from None
        pieces.append(piece)
        room -= len(piece)
        if room <= 0:
            raise _too_large(limit, unread=False)
        if not member.eof:
            raise _broken(encoding)
        data = member.unused_data
        if not data.strip(b"\0"):
            return b"".join(pieces)


def _has_zlib_header(data: bytes) -> bool:
    """RFC 1950; some clients send bare RFC 1951 data under the same name."""
    return len(data) >= 2 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0


def _too_large(limit: int, *, unread: bool) -> ClientRefusedError:
    return ClientRefusedError(
        f"The request's body is larger than {limit / 1_048_576:g} MiB. Send less, or raise MAX_BODY_MB.",
        status=413,
        code="request_too_large",
        headers=_CLOSE if unread else (),
    )


def _broken(encoding: str) -> InvalidRequestError:
    return InvalidRequestError(f"The request's body is not complete, valid {encoding} data.")
