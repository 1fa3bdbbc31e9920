"""A Messages API that costs next to nothing: pre-rendered answers, so that what is measured is the proxy.

`python benchmarks/fake_upstream.py PORT`. The model's name chooses the answer: `…-paced` sends an event every 50 ms,
any other a whole stream in one write; a request that is not streamed gets one message. Every answer has 200 tokens of
text, a paced one 40.
"""

import asyncio
import json
import sys

TOKENS = 200
PACED_TOKENS = 40
PACE_SECONDS = 0.05

_MESSAGE: dict[str, object] = {
    "id": "msg_bench",
    "type": "message",
    "role": "assistant",
    "model": "claude-bench",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 300, "output_tokens": 1},
}


def event(kind: str, **members: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


def token(number: int) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": f" token{number:03}"})


BEGIN = event("message_start", message=_MESSAGE) + event(
    "content_block_start", index=0, content_block={"type": "text", "text": ""}
)
END = (
    event("content_block_stop", index=0)
    + event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 200})
    + event("message_stop")
)
STREAM = BEGIN + b"".join(token(number) for number in range(TOKENS)) + END
WHOLE = json.dumps(
    {
        **_MESSAGE,
        "content": [{"type": "text", "text": "".join(f" token{number:03}" for number in range(TOKENS))}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 300, "output_tokens": 200},
    }
).encode()
NOT_FOUND = b'{"type":"error","error":{"type":"not_found_error","message":"Not found"}}'


def head(status: str, kind: str, length: int | None) -> bytes:
    framing = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    return f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nrequest-id: req_bench\r\n{framing}\r\n\r\n".encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while request := await reader.readuntil(b"\r\n\r\n"):
            length = next(
                (int(line[15:]) for line in request.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0
            )
            body = await reader.readexactly(length)
            if not request.startswith(b"POST /v1/messages"):
                writer.write(head("404 Not Found", "application/json", len(NOT_FOUND)) + NOT_FOUND)
            elif b'"stream":true' not in body.replace(b": ", b":"):
                writer.write(head("200 OK", "application/json", len(WHOLE)) + WHOLE)
            elif b"-paced" in body[:500]:
                await paced(writer)
            else:
                writer.write(head("200 OK", "text/event-stream", None) + chunk(STREAM) + b"0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def paced(writer: asyncio.StreamWriter) -> None:
    writer.write(head("200 OK", "text/event-stream", None) + chunk(BEGIN))
    for number in range(PACED_TOKENS):
        await asyncio.sleep(PACE_SECONDS)
        writer.write(chunk(token(number)))
    writer.write(chunk(END) + b"0\r\n\r\n")


async def main(port: int) -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", port, limit=64 * 1024 * 1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
