"""The loopback endpoint of the contract check: takes Messages requests and answers with a short tool call."""

import asyncio
from types import TracebackType
from typing import Final, Self

_EVENTS: Final = (
    rb"""{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],
    "stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}""".replace(b"\n", b""),
    b'{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t_1","name":"Bash","input":{}}}',
    b'{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{}"}}',
    b'{"type":"content_block_stop","index":0}',
    b'{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":1}}',
    b'{"type":"message_stop"}',
)
_BODY: Final = b"".join(b"event: message\ndata: " + event + b"\n\n" for event in _EVENTS)
_ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\ncontent-length: "
    + str(len(_BODY)).encode()
    + b"\r\n\r\n"
    + _BODY
)


class ContractEndpoint:
    """Keeps the body of every `POST`; the context is its life."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.url = ""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0].strip()
            body = await reader.readexactly(int(length or b"0"))
            if head.startswith(b"post "):
                self.received.append(body)
            writer.write(_ANSWER)
            await writer.drain()
        except (OSError, EOFError, ValueError):
            pass  # Whoever it was, it was not the CLI with a whole request.
        finally:
            writer.close()
