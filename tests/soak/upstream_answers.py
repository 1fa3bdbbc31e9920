"""What Claude's side, or what stands before it, may answer: whole answers in every shape, and every kind of failure.

Each is the bytes of a response after which the connection is kept, or is ended by the last step.
"""

import gzip
import json
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

End = Literal["keep", "close", "reset"]
Played = tuple[tuple[bytes, ...], End]
"""Pieces that are written one after the other, and what becomes of the connection."""

TEXT: Final = "Hi there"


def event(kind: str, **members: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), json.dumps({"type": kind, **members}).encode())


def delta(index: int, **members: object) -> bytes:
    return event("content_block_delta", index=index, delta=members)


START = event("message_start", message={"id": "m1", "model": "claude-x", "content": [], "usage": {"input_tokens": 3}})
OTHER = START.replace(b'"m1"', b'"m2"')
BLOCK = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
HI, THERE = delta(0, type="text_delta", text="Hi "), delta(0, type="text_delta", text="there")
BLOCK_END = event("content_block_stop", index=0)
END = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 2})
STOP = event("message_stop")
EVENTS: Final = (START, BLOCK, HI, THERE, BLOCK_END, END, STOP)
WHOLE: Final = b"".join(EVENTS)
BEGUN: Final = START + BLOCK + HI


def head(status: int = 200, *headers: str, kind: str = "text/event-stream") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} Said", f"content-type: {kind}", *headers, "", ""]).encode()


def sized(body: bytes, *headers: str, status: int = 200, kind: str = "text/event-stream") -> Played:
    return (head(status, f"content-length: {len(body)}", *headers, kind=kind), body), "keep"


def chunked(*pieces: bytes, end: End = "keep", last: bool = True, headers: tuple[str, ...] = ()) -> Played:
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    return (head(200, "transfer-encoding: chunked", *headers), *chunks, *([b"0\r\n\r\n"] if last else [])), end


def refused(status: int, type_: str, message: str, *headers: str) -> Played:
    document = {"type": "error", "error": {"type": type_, "message": message}}
    return sized(json.dumps(document).encode(), *headers, status=status, kind="application/json")


def _deflated(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


_PING = event("ping")
_TOOL = event(
    "content_block_start", index=1, content_block={"type": "mcp_tool_use", "id": "t", "name": "n", "input": {}}
)
_NEW = event("content_block_start", index=1, content_block={"type": "brand_new", "x": [1]})
_NULLS = WHOLE.replace(b'"content": []', b'"content": null').replace(b'"text": ""', b'"text": null')

ANSWERS: Final[Mapping[str, Played]] = MappingProxyType(
    {
        "sized": sized(WHOLE),
        "in one chunk": chunked(WHOLE),
        "an event a chunk": chunked(*EVENTS),
        "a byte a chunk": chunked(*(bytes([byte]) for byte in WHOLE)),
        "without a length": ((head(), WHOLE), "close"),
        "reset behind the end": chunked(WHOLE, end="reset", last=False),
        "the end never comes": chunked(WHOLE, last=False),
        "lines end with CR LF": sized(WHOLE.replace(b"\n", b"\r\n")),
        "no names of events": sized(WHOLE.replace(b"event: ", b": ")),
        "pings": chunked(*(piece for each in EVENTS for piece in (each, _PING))),
        "comments": chunked(b": hello\n\n", *EVENTS),
        "unknown events": chunked(START, event("fresh", x=1), *EVENTS[1:]),
        "unknown blocks": chunked(*EVENTS[:5], _NEW, delta(1, type="new_delta", y=2), *EVENTS[5:]),
        "blocks that nobody asked for": chunked(
            *EVENTS[:5], _TOOL, delta(1, type="input_json_delta", partial_json="{"), *EVENTS[5:]
        ),
        "nulls": sized(_NULLS),
        "a start twice": chunked(START, *EVENTS),
        "something behind the end": chunked(WHOLE, b"data: [DONE]\n\n"),
        "gzip": sized(gzip.compress(WHOLE), "content-encoding: gzip"),
        "gzip in chunks": chunked(*(gzip.compress(each) for each in EVENTS), headers=("content-encoding: gzip",)),
        "deflate": sized(zlib.compress(WHOLE), "content-encoding: deflate"),
        "deflate without its wrapper": sized(_deflated(WHOLE), "content-encoding: deflate"),
        "an interim answer first": ((b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", *sized(WHOLE)[0]), "keep"),
        "closed after": ((head(200, f"content-length: {len(WHOLE)}", "connection: close"), WHOLE), "close"),
    }
)
"""Each of them is `TEXT`."""

_JSON: Final = "application/json"
_HOW: Final[tuple[tuple[str, End, bool], ...]] = (
    ("closed", "close", False),
    ("reset", "reset", False),
    ("ended", "keep", True),
)
_CUTS: Final[dict[str, Played]] = {
    f"{how} after {count} events": chunked(*EVENTS[:count], end=end, last=last)
    for count in range(len(EVENTS))
    for how, end, last in _HOW
}
_STATUSES: Final[dict[str, Played]] = {
    f"{status} {type_}": refused(status, type_, "the reason", "request-id: req_1")
    for status, type_ in [
        *((400, "invalid_request_error"), (401, "authentication_error"), (402, "billing_error")),
        *((403, "permission_error"), (404, "not_found_error"), (413, "request_too_large"), (422, "x")),
        *((429, "rate_limit_error"), (500, "api_error"), (503, "x"), (504, "timeout_error"), (520, "x")),
        (529, "overloaded_error"),
    ]
}
_ERRORS: Final[dict[str, Played]] = {
    f"{type_} {when}": chunked(*before, event("error", error={"type": type_, "message": "broke"}))
    for type_ in ("api_error", "overloaded_error", "rate_limit_error", "invalid_request_error", "brand_new_error")
    for when, before in (("at once", ()), ("on the way", (BEGUN,)))
}

FAILURES: Final[Mapping[str, Played]] = MappingProxyType(
    {
        **_CUTS,
        **_STATUSES,
        **_ERRORS,
        "no stop reason": chunked(*EVENTS[:5], STOP),
        "half an event": chunked(BEGUN, END[:-9]),
        "garbage in an event": chunked(BEGUN, b"data: garbage\n\n"),
        "a malformed event": chunked(BEGUN, event("content_block_delta", index=0, delta={"type": "text_delta"})),
        "a delta of no block": chunked(BEGUN, delta(9, type="text_delta", text="?")),
        "another message": chunked(BEGUN, OTHER),
        "bad UTF-8": chunked(BEGUN, b'data: {"type":"ping","x":"\xff"}\n\n', b"data: \xff\n\n"),
        "deep nesting": chunked(BEGUN, b"data: " + b"[" * 20_000 + b"\n\n"),
        "an error in OpenAI's shape": chunked(BEGUN, b'data: {"error":{"message":"m","type":null,"code":429}}\n\n'),
        "no events": chunked(b": nothing\n\n"),
        "nothing": sized(b""),
        "a web page": sized(b"<html><title>Sign in</title></html>", kind="text/html"),
        "a document": sized(b'{"type":"message","content":[]}', kind=_JSON),
        "an error with 200": sized(b'{"type":"error","error":{"type":"api_error","message":"m"}}', kind=_JSON),
        "no content": ((b"HTTP/1.1 204 No Content\r\n\r\n",), "keep"),
        "another protocol": ((b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",), "close"),
        "closed before a word": ((), "close"),
        "reset before a word": ((), "reset"),
        "half a head": ((b"HTTP/1.1 200 OK\r\ncontent-",), "close"),
        "no HTTP": ((b"SSH-2.0-OpenSSH_9.6\r\n",), "close"),
        "a head without an end": ((b"HTTP/1.1 200 OK\r\nx: " + b"a" * 100_000,), "keep"),
        "a body too short": ((head(200, "content-length: 99999"), WHOLE[:200]), "close"),
        "a bad chunk": ((head(200, "transfer-encoding: chunked"), b"zz\r\n"), "close"),
        "a size without an end": (
            (head(200, "transfer-encoding: chunked"), b"5;" + b"a" * 70_000, b"a" * 70_000),
            "keep",
        ),
        "two lengths": ((head(200, "content-length: 3", "content-length: 4"), b"abcd"), "close"),
        "gzip that is none": sized(WHOLE, "content-encoding: gzip"),
        "gzip that is cut": sized(gzip.compress(BEGUN + HI * 500)[:-30], "content-encoding: gzip"),
        "an unknown coding": sized(WHOLE, "content-encoding: compress"),
        "400 in gzip": (
            (
                head(400, "content-encoding: gzip", f"content-length: {len(gzip.compress(b'{}'))}", kind=_JSON),
                gzip.compress(b"{}"),
            ),
            "keep",
        ),
        "500 as a web page": sized(b"<html><title>Oops</title></html>", status=500, kind="text/html"),
        "502 as a web page": sized(b"<html><title>Bad Gateway</title></html>", status=502, kind="text/html"),
        "503 without a word": sized(b"", status=503),
        "400 without a word": sized(b"", status=400),
        "400 nested deeply": sized(b'{"error":' * 20_000, status=400, kind=_JSON),
        "429 with a time": refused(429, "rate_limit_error", "Slow.", "retry-after: 7"),
        "429 in OpenAI's shape": sized(
            b'{"error":{"message":"m","code":"insufficient_quota"}}', status=429, kind=_JSON
        ),
        "a prompt too long": refused(400, "invalid_request_error", "prompt is too long: 2 tokens > 1 maximum"),
        "no credit": refused(400, "invalid_request_error", "Your credit balance is too low"),
        "a redirect": sized(b"", "location: https://elsewhere.test/", status=307),
        "a redirect to nowhere": sized(b"", status=308),
    }
)
"""None of them is an answer."""
