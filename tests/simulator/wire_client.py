"""A caller that shows every byte and every read."""

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Received:
    """The reads as they came, and how the connection ended."""

    reads: list[bytes]
    reset: bool = False

    @property
    def raw(self) -> bytes:
        return b"".join(self.reads)

    @property
    def head(self) -> str:
        return self.raw.partition(b"\r\n\r\n")[0].decode()

    @property
    def body(self) -> bytes:
        """The body, taken out of its HTTP chunks where it came in some."""
        return b"".join(self.chunks) if "transfer-encoding: chunked" in self.head else self._after_head

    @property
    def chunks(self) -> list[bytes]:
        rest, chunks = self._after_head, []
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size, 16)
            if length:
                chunks.append(rest[:length])
            rest = rest[length + 2 :]
        return chunks

    @property
    def _after_head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]


def message_request(*, stream: bool = True, **fields: object) -> bytes:
    """A request for a message, and for the connection's end after it."""
    asked = {"model": "claude-opus-4-8", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
    body = json.dumps({**asked, "stream": stream, **fields}).encode()
    head = "POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: k\r\nanthropic-version: 2023-06-01\r\nconnection: close"
    return f"{head}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


class Caller(asyncio.Protocol):
    """Collects what comes, read by read."""

    def __init__(self) -> None:
        self.reads: list[bytes] = []
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.reads.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set_result(exc is not None)


async def sent(url: str, request: bytes) -> Received:
    """Sends, and reads until the connection ends."""
    place = urlsplit(url)
    transport, caller = await asyncio.get_running_loop().create_connection(Caller, "127.0.0.1", place.port or 80)
    transport.write(request)
    reset = await caller.ended
    return Received(caller.reads, reset=reset)
