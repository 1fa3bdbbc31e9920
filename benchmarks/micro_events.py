"""What one event of a stream costs on its way in: `python benchmarks/micro_events.py` prints µs per event.

In process, one thread, best of several rounds: compare the rows of one run, not figures of two machines.
"""

import time
from collections.abc import Callable

from claude_openai_proxy.translate.messages_api.events import decode_event, decode_together
from claude_openai_proxy.translate.messages_api.framing import EventCutter, payloads_of
from claude_openai_proxy.upstreams.http.parser import ResponseParser

EVENTS = 2000
ROUNDS = 15
DATA = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}          }'
FRAME = b"event: content_block_delta\ndata: " + DATA + b"\n\n"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNK = b"%x\r\n%s\r\n" % (len(FRAME), FRAME)


def best(work: Callable[[], object]) -> float:
    """Microseconds per event of the fastest round."""
    fastest = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        fastest = min(fastest, time.perf_counter() - started)
    return fastest / EVENTS * 1e6


def decode_alone() -> None:
    for _ in range(EVENTS):
        decode_event(DATA)


def frame_alone(events_per_read: int) -> None:
    cutter = EventCutter()
    read = FRAME * events_per_read
    for _ in range(EVENTS // events_per_read):
        payloads_of(cutter.feed(read))


def wire_to_events(events_per_read: int) -> None:
    """HTTP chunks, framing and decoding: all that happens between the socket and the translator."""
    response, cutter = ResponseParser(peer="benchmark"), EventCutter()
    response.feed(HEAD)
    read = CHUNK * events_per_read
    for _ in range(EVENTS // events_per_read):
        response.feed(read)
        whole = cutter.feed(response.take())
        if events_per_read > 1:
            decode_together(whole)
        else:
            decode_event(payloads_of(whole)[0])


def main() -> None:
    rows = {
        "decode": decode_alone,
        "frame, one event per read": lambda: frame_alone(1),
        "frame, 50 events per read": lambda: frame_alone(50),
        "wire to events, one per read": lambda: wire_to_events(1),
        "wire to events, 50 per read": lambda: wire_to_events(50),
    }
    for name, work in rows.items():
        print(f"{name:30} {best(work):6.2f} µs/event")


if __name__ == "__main__":
    main()
