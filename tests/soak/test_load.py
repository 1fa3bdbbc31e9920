"""The real command under load: many streams at once, guesses at its keys, an upstream that is gone for a while."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from cli.running import running
from soak.hostile import CHAT, WHOLE, figure, largest_memory, many
from web.raw_client import Connection, connected

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.timeout(170),
]
PATH = "/v1/chat/completions"
PACE_SECONDS = 0.1
GUESSERS = 16


def _event(type_: str, **members: object) -> bytes:
    return f"event: {type_}\ndata: {json.dumps({'type': type_, **members})}\n\n".encode()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
START = _event(
    "message_start",
    message={
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5", "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
    },
) + _event("content_block_start", index=0, content_block={"type": "text", "text": ""})  # fmt: skip
END = (
    _event("content_block_stop", index=0)
    + _event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 2})
    + _event("message_stop")
)


@asynccontextmanager
async def paced_upstream(events: int, port: int = 0) -> AsyncIterator[int]:
    """A Messages API whose answers count up to `events`, one each `PACE_SECONDS`; yields its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not (await reader.readuntil(b"\r\n\r\n")).startswith(b"POST"):
                writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                return
            writer.write(HEAD + START)
            for number in range(events):
                writer.write(_event("content_block_delta", index=0, delta={"type": "text_delta", "text": f"{number} "}))
                await asyncio.sleep(PACE_SECONDS)
            writer.write(END)
            await writer.drain()
        finally:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", port, backlog=1024) as server:
        yield server.sockets[0].getsockname()[1]


def keyed(upstream: int) -> dict[str, str]:
    return {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{upstream}"}


async def streamed(client: Connection) -> str:
    """The text of one streamed answer."""
    await client.send("POST", PATH, json.dumps({**CHAT, "stream": True}).encode())
    status, _ = await client.head()
    assert status == 200
    lines = (await client.rest()).decode().splitlines()
    events = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    deltas = [json.loads(event)["choices"][0]["delta"] for event in events[:-1]]
    return "".join(delta.get("content") or "" for delta in deltas)


async def asked(port: int, **headers: str) -> int:
    """The status of one request."""
    async with connected(f"http://127.0.0.1:{port}") as client:
        await client.send("POST", PATH, json.dumps(CHAT).encode(), **headers)
        status, answer = await client.head()
        await client.sized_body(answer)
    return status


async def test_many_paced_streams_lose_no_event(tmp_path: Path) -> None:
    streams, events = many(500, 20), many(600, 5)
    expected = "".join(f"{number} " for number in range(events))
    async with paced_upstream(events) as upstream, AsyncExitStack() as clients:
        with running("--upstream", "api", "--port", "0", home=tmp_path, extra=keyed(upstream)) as command:
            port = await asyncio.to_thread(command.port)
            url = f"http://127.0.0.1:{port}"
            waiting = [await clients.enter_async_context(connected(url)) for _ in range(streams)]
            started = time.monotonic()
            texts = await asyncio.gather(*map(streamed, waiting))
            seconds = time.monotonic() - started
            assert set(texts) == {expected}
            figure(
                f"{streams} streams of {events} events", f"{seconds:.1f} s, {largest_memory(command):.0f} MiB at most"
            )


async def test_who_guesses_keys_disturbs_nobody(tmp_path: Path) -> None:
    guesses = many(40_000, 400)
    extra = {"PROXY_API_KEYS": "ann:a-key-that-nobody-guesses"}
    with running("--demo", "--port", "0", home=tmp_path, extra=extra) as command:
        port = await asyncio.to_thread(command.port)
        started = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            guessing = [tasks.create_task(guess(port, guesses // GUESSERS)) for _ in range(GUESSERS)]
            begun = time.monotonic()
            assert await asked(port, authorization="Bearer a-key-that-nobody-guesses") == 200
            honest = time.monotonic() - begun
        assert {status for one in guessing for status in one.result()} == {401}
        rate = guesses / (time.monotonic() - started)
        figure(f"an honest request beside {rate:,.0f} guesses a second", f"{honest * 1000:.0f} ms")


async def guess(port: int, count: int) -> set[int]:
    """The statuses of as many wrong keys, on one connection."""
    statuses = set()
    async with connected(f"http://127.0.0.1:{port}") as client:
        for number in range(count):
            await client.send("GET", "/v1/models", authorization=f"Bearer guess-{number}")
            status, headers = await client.head()
            await client.sized_body(headers)
            statuses.add(status)
    return statuses


async def test_an_upstream_that_is_gone_for_a_while_is_found_again(tmp_path: Path) -> None:
    async with paced_upstream(2) as upstream:
        pass
    extra = keyed(upstream)
    with running("--upstream", "api", "--port", "0", home=tmp_path, extra=extra) as command:
        port = await asyncio.to_thread(command.port)
        async with paced_upstream(2, upstream):
            assert await asked(port) == 200
        failed = 0
        started = time.monotonic()
        while failed < 3 or (WHOLE and time.monotonic() - started < 30):
            assert await asked(port) == 502
            failed += 1
        async with paced_upstream(2, upstream):
            begun = time.monotonic()
            assert await asked(port) == 200
            figure(f"the first request after {failed:,} that failed", f"{(time.monotonic() - begun) * 1000:.0f} ms")
