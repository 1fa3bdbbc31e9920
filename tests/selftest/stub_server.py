"""A server that says what a test tells it to, on a thread of its own."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Said:
    """One answer: a document, or the data of events."""

    body: Any = None
    status: int = 200
    events: list[Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def data(self) -> bytes:
        if self.events is None:
            return json.dumps(self.body).encode()
        texts = [event if isinstance(event, str) else json.dumps(event) for event in self.events]
        return "".join(f"data: {text}\n\n" for text in texts).encode()


@dataclass
class Stub:
    """`said` is handed out in its order, the last one again and again; `asked` is what came."""

    root: str
    said: dict[str, list[Said]]
    asked: list[Any] = field(default_factory=list)

    def next(self, path: str) -> Said:
        left = self.said.get(path, [Said({"error": {"message": "Nothing here.", "code": "unknown_url"}}, 404)])
        return left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def stub_server(**said: list[Said]) -> Iterator[Stub]:
    """Routes by name: `chat`, `responses`, `models`, `health`."""
    paths = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "models": "/v1/models", "health": "/health"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            stub.asked.append(json.loads(self.rfile.read(length)))
            self._answer()

        def _answer(self) -> None:
            told = stub.next(self.path)
            data = told.data()
            self.send_response(told.status)
            for name, value in {"content-length": str(len(data)), **told.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub = Stub(f"http://127.0.0.1:{server.server_port}", {paths[name]: answers for name, answers in said.items()})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
