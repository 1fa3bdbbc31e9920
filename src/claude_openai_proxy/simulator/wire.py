"""Bytes of an HTTP/1.1 answer and of a server-sent event; and how they are cut."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from claude_openai_proxy.simulator.loose_json import JSONObject, compact

LAST_CHUNK = b"0\r\n\r\n"
STREAM_TYPE = "text/event-stream; charset=utf-8"


def head(status: int, headers: Sequence[tuple[str, str]]) -> bytes:
    """Status line and headers."""
    phrases = {known.value: known.phrase for known in HTTPStatus}
    lines = [f"HTTP/1.1 {status} {phrases.get(status, 'Overloaded')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes) -> bytes:
    """One HTTP chunk; nothing for no data, which would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def event_bytes(event: JSONObject, *, padding: int = 0, line_end: str = "\n") -> bytes:
    """One server-sent event; `padding` spaces stand before its last brace."""
    data = compact(event)
    if padding:
        data = data[:-1] + " " * padding + "}"
    return f"event: {event.get('type')}{line_end}data: {data}{line_end}{line_end}".encode()


class Cutter:
    """Cuts a run of bytes that arrives in parts, every n bytes or at given positions of the whole."""

    def __init__(self, cuts: int | tuple[int, ...] | None) -> None:
        self._cuts = cuts
        self._position = 0

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """`data`, cut; nothing is held back."""
        edges = [cut - self._position for cut in self._cuts_until(self._position + len(data))]
        self._position += len(data)
        for start, end in zip([0, *edges], [*edges, len(data)], strict=True):
            if end > start:
                yield data[start:end]

    def _cuts_until(self, end: int) -> list[int]:
        if self._cuts is None:
            return []
        if isinstance(self._cuts, int):
            first = (self._position // self._cuts + 1) * self._cuts
            return list(range(first, end, self._cuts))
        return sorted({cut for cut in self._cuts if self._position < cut < end})
