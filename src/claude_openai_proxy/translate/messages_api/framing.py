r"""From the bytes of a stream to the data of its server-sent events, without I/O.

https://html.spec.whatwg.org/multipage/server-sent-events.html. Lines end with `\n` or `\r\n` and nothing else: a text
may hold U+2028, U+2029 and U+0085. Names, ids and comments are dropped, since every Messages API event repeats its type
in its data.
"""

import re
from typing import Final

from claude_openai_proxy.errors import UpstreamProtocolError

MAX_EVENT_BYTES: Final = 32 * 1024 * 1024
"""Larger than any event of the API: a whole web page in a search result stays far below."""

_LONGEST_MARK: Final = 3
_one_line_events: Final = re.compile(rb"\ndata: ?(.+)\n(?=\n)").findall


class EventCutter:
    """Cuts a stream of bytes behind the blank lines between its events, however the bytes are split."""

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._unfinished = bytearray()
        """What came since the last blank line."""

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes as they come; return the events that they complete, b"" where it is none.

        Raises `UpstreamProtocolError` when one event grows beyond `max_event_bytes`.
        """
        unfinished = self._unfinished
        if not unfinished and chunk.endswith(b"\n\n"):
            return chunk
        seen = max(0, len(unfinished) - _LONGEST_MARK)
        unfinished += chunk
        end = max(_behind_last(b"\n\n", unfinished, seen), _behind_last(b"\n\r\n", unfinished, seen))
        whole = bytes(unfinished[:end])
        del unfinished[:end]
        if len(unfinished) > self._max_event_bytes:
            raise UpstreamProtocolError(
                f"Claude's side sent an event of more than {self._max_event_bytes} bytes; it was not read further"
            )
        return whole


def payloads_of(whole: bytes) -> list[bytes]:
    """The data of each of these events that has some."""
    if b"\r\n" in whole:
        whole = whole.replace(b"\r\n", b"\n")
    events: list[bytes] = _one_line_events(whole)
    if len(events) != whole.count(b"\ndata:") or whole.startswith(b"data:"):
        return _payloads_by_line(whole)
    return events


def _payloads_by_line(whole: bytes) -> list[bytes]:
    """Where the plain form, in which the API writes all of its events, is not what came."""
    events: list[bytes] = []
    data: list[bytes] = []
    for line in whole[:-1].split(b"\n"):
        if line[:5] == b"data:":
            data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif data and not line:
            events.append(b"\n".join(data))
            data.clear()
    return [event for event in events if event]


def _behind_last(mark: bytes, text: bytearray, start: int) -> int:
    """0 where there is none."""
    at = text.rfind(mark, start)
    return at + len(mark) if at >= 0 else 0
