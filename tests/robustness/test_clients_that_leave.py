"""A client may leave when it likes: upstream's work ends, nothing is left behind, and the record says 499."""

import asyncio
from collections.abc import Iterator

import pytest

from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.simulator.message_events import block_events, message_end, message_start
from claude_openai_proxy.simulator.script import Script
from claude_openai_proxy.simulator.steps import Hang, Step
from robustness.whole_proxy import WholeProxy, until
from web.direct import CHAT, HELLO, STREAM
from web.raw_client import Connection, connected
from web.serving import served

MANY = HELLO[:-1] + b',"n":4}'
SECONDS = 1.0
"""Within which upstream must have been told."""


def half_an_answer() -> Script:
    """Three deltas, then silence."""
    block: dict[str, object] = {"type": "text", "text": "one two three"}
    begun = list(block_events(0, block, ["one ", "two ", "three"]))[:-1]
    return Script.events([message_start(), *begun, Hang()])


async def ended(proxy: WholeProxy, tasks: int, count: int) -> list[RequestRecord]:
    """Waits, not for long, until nothing of the requests is left on either side; their records."""
    async with asyncio.timeout(10):
        records = await proxy.ledger.ends(count)
        for request in proxy.simulator.requests:
            if request.is_message:
                await request.gone.wait()
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
        await until(lambda: proxy.upstream_connections <= 1)
    return records


async def warm_up(client: Connection) -> None:
    """The first request also asks for the models."""
    await client.send("GET", "/v1/models")
    await client.sized_body((await client.head())[1])


@pytest.mark.parametrize("count", [1, 100])
@pytest.mark.parametrize("body", [HELLO, STREAM, MANY], ids=["whole", "streamed", "four choices"])
@pytest.mark.parametrize("script", [Script.hang(), half_an_answer()], ids=["before the answer", "in the middle"])
async def test_upstream_is_told_at_once_and_nothing_is_left(
    proxy: WholeProxy, count: int, body: bytes, script: Script
) -> None:
    proxy.simulator.play_when(lambda request: request.is_message, script)
    each = 4 if body is MANY else 1
    async with served(proxy.app) as url:
        async with connected(url) as client:
            await warm_up(client)
        await proxy.ledger.ends(1)
        tasks = len(asyncio.all_tasks())
        clients = [await _asking(url, body) for _ in range(count)]
        asked = await proxy.simulator.received(count * each)
        if body is STREAM and script.steps:
            for client in clients:
                assert (await client.head())[0] == 200
                await client.chunk()
        for client in clients:
            client.leave()
        async with asyncio.timeout(SECONDS * 5 if count > 1 else SECONDS):
            for request in asked:
                await request.gone.wait()
        records = await ended(proxy, tasks, count + 1)
    assert [record.status for record in records[1:]] == [499] * count


async def _asking(url: str, body: bytes) -> Connection:
    host, port = url.removeprefix("http://").split(":")
    client = Connection(*await asyncio.open_connection(host, int(port)))
    await client.send("POST", CHAT, body)
    return client


async def test_a_hundred_clients_that_leave_while_they_upload_never_reach_upstream(proxy: WholeProxy) -> None:
    async with served(proxy.app) as url:
        tasks = len(asyncio.all_tasks())
        host, port = url.removeprefix("http://").split(":")
        for number in range(100):
            client = Connection(*await asyncio.open_connection(host, int(port)))
            await client.send("POST", CHAT, HELLO[:40], content_length=str(len(HELLO) + number))
            client.leave()
        async with asyncio.timeout(10):
            records = await proxy.ledger.ends(1)
            await until(lambda: len(asyncio.all_tasks()) <= tasks)
    assert {record.status for record in records} == {499}
    assert not proxy.simulator.requests


async def test_a_client_that_sends_no_more_but_still_listens_is_there_until_it_leaves(proxy: WholeProxy) -> None:
    """The zero that asks whether it is there is the first digit of the next chunk's length."""
    proxy.simulator.play(half_an_answer())
    async with served(proxy.app) as url, connected(url) as client:
        await client.send("POST", CHAT, STREAM)
        await client.head()
        await client.chunk()
        client.writer.write_eof()
        (asked,) = await proxy.simulator.received(1)
        await client.reader.readuntil(b"\r\n00")
        assert not asked.gone.is_set()
        client.leave()
        async with asyncio.timeout(SECONDS):
            await asked.gone.wait()
            records = await proxy.ledger.ends(1)
    assert records[0].status == 499


async def test_a_client_that_reads_slowly_slows_upstream_down_and_costs_no_memory(proxy: WholeProxy) -> None:
    written = 0

    def endless() -> Iterator[Step]:
        nonlocal written
        yield message_start()
        start, *_ = block_events(0, {"type": "text", "text": ""}, [])
        yield start
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x" * 10_000}}
        while written < 10_000:
            written += 1
            yield delta
        yield {"type": "content_block_stop", "index": 0}
        yield from message_end("end_turn")

    class Endless(tuple[Step, ...]):
        """Steps that are made when they are played."""

        __slots__ = ()

        def __iter__(self) -> Iterator[Step]:
            return endless()

    proxy.simulator.play(Script(steps=Endless()))
    async with served(proxy.app) as url, connected(url) as client:
        await client.send("POST", CHAT, STREAM)
        await client.head()
        before = -1
        async with asyncio.timeout(20):
            while written != before:  # until it stalls
                before = written
                await asyncio.sleep(0.3)
        assert 0 < written < 5_000  # of 100 MB at most what the sockets' buffers hold
        client.leave()
        (asked,) = await proxy.simulator.received(1)
        async with asyncio.timeout(SECONDS):
            await asked.gone.wait()
            records = await proxy.ledger.ends(1)
    assert records[0].status == 499


async def test_a_connection_is_of_use_again_after_every_kind_of_answer(proxy: WholeProxy) -> None:
    async with served(proxy.app) as url, connected(url) as client:
        for method, path, body, expected in (
            ("POST", CHAT, b"{", 400),
            ("POST", CHAT, HELLO, 200),
            ("GET", "/nothing", b"", 404),
            ("DELETE", CHAT, b"", 405),
            ("OPTIONS", CHAT, b"", 204),
            ("POST", CHAT, STREAM, 200),
            ("GET", "/health", b"", 200),
            ("POST", CHAT, HELLO.replace(b"custom", b"no"), 404),
            ("POST", CHAT, HELLO, 200),
        ):
            await client.send(method, path, body)
            status, headers = await client.head()
            assert status == expected
            if "content-length" in headers:
                await client.sized_body(headers)
            elif status != 204:
                await client.rest()


@pytest.mark.parametrize("path", ["/v1/models", "/health", "/", "/v1/models/custom-claude-4-opus"])
async def test_head_is_get_without_the_body(proxy: WholeProxy, path: str) -> None:
    async with served(proxy.app) as url, connected(url) as client:
        await client.send("GET", path)
        status, headers = await client.head()
        size = len(await client.sized_body(headers))
        await client.send("HEAD", path)
        head_status, head_headers = await client.head()
        assert (head_status, head_headers.keys()) == (status, headers.keys())
        await client.send("GET", path)
        assert len(await client.sized_body((await client.head())[1])) == size


async def test_pipelined_requests_get_their_answers_in_order(proxy: WholeProxy) -> None:
    async with served(proxy.app) as url, connected(url) as client:
        for number, body in enumerate((HELLO, b"{", HELLO)):
            await client.send("POST", CHAT, body, x_request_id=f"id-{number}")
        seen = []
        for _ in range(3):
            status, headers = await client.head()
            seen.append((status, headers["x-request-id"]))
            await client.sized_body(headers)
    assert seen == [(200, "id-0"), (400, "id-1"), (200, "id-2")]
