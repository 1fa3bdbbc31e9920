"""gzip and deflate, in time that grows with the bytes alone, given up when nobody waits for it any more."""

import asyncio
import threading
import zlib

from claude_openai_proxy.errors import ClientRefusedError, InvalidRequestError

HIGHEST_RATIO = 1_032
"""What deflate makes of one byte at most."""
MOST_MEMBERS = 1_000
"""Of a gzip file. Each costs a new decompressor; programs that cut at every 64 KiB stay well below."""
WINDOW = 65_536
"""Bytes that are handed over at once: zlib copies what a member leaves of them."""

_RAW_DEFLATE = -zlib.MAX_WBITS
_ANY_WRAPPER = zlib.MAX_WBITS | 32


async def decompressed(data: bytes, encoding: str, *, limit: int, too_large: ClientRefusedError) -> bytes:
    """`data`, off the loop. Raises `too_large` beyond `limit` bytes, `InvalidRequestError` for what is broken."""
    abandoned = threading.Event()
    try:
        made = await asyncio.to_thread(decompress, data, encoding, limit=limit, abandoned=abandoned)
    finally:
        abandoned.set()
    if made is None:
        raise too_large
    return made


def decompress(data: bytes, encoding: str, *, limit: int, abandoned: threading.Event) -> bytes | None:
    """All members of a gzip file; None beyond `limit` bytes, of which no more than one is made."""
    wrapper = _RAW_DEFLATE if encoding == "deflate" and not _has_zlib_header(data) else _ANY_WRAPPER
    pieces: list[bytes] = []
    room, start = limit + 1, 0
    for _ in range(MOST_MEMBERS):
        member = zlib.decompressobj(wrapper)
        while not member.eof and start < len(data) and not abandoned.is_set():
            window = data[start : start + WINDOW]
            try:
                piece = member.decompress(window, room)
            except zlib.error:
                raise _broken(encoding) from None
            pieces.append(piece)
            room -= len(piece)
            if room <= 0:
                return None
            start += len(window) - len(member.unused_data)
        if not member.eof:
            raise _broken(encoding)
        if not data[start : start + WINDOW].strip(b"\0") and not data[start:].strip(b"\0"):
            return b"".join(pieces)
    raise InvalidRequestError(f"The request's body is gzip of more than {MOST_MEMBERS} members. Compress it as one.")


def _has_zlib_header(data: bytes) -> bool:
    """RFC 1950; some clients send bare RFC 1951 data under the same name."""
    return len(data) >= 2 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0


def _broken(encoding: str) -> InvalidRequestError:
    return InvalidRequestError(f"The request's body is not complete, valid {encoding} data.")
