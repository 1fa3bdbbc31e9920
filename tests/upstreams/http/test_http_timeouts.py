"""Silence in each phase, and what is not silence."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from claude_openai_proxy.errors import UpstreamTimeoutError
from claude_openai_proxy.upstreams.http import URL, HTTPClient, Patience, Request
from upstreams.wild_server import LAST_CHUNK, STREAM_HEAD, Behaviour, Visit, always, chunk, ok, wild_server

SHORT = 0.2


@pytest.fixture
async def client() -> AsyncIterator[HTTPClient]:
    client = HTTPClient()
    yield client
    await client.aclose()


async def fetch(client: HTTPClient, url: str, patience: Patience) -> bytes:
    with await client.send(Request("GET", URL.parse(url)), patience) as response:
        return await response.read_all()


def silent_after(data: bytes) -> Behaviour:
    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.send(data)
        await visit.caller_leaves()

    return behave


@pytest.mark.parametrize(
    ("said", "phase"),
    [
        (b"", "first byte"),
        (b"HTTP/1.1 20", "first byte"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "first byte"),
        (STREAM_HEAD, "between events"),
        (STREAM_HEAD + chunk(b"a"), "between events"),
    ],
)
async def test_silence_is_told_with_its_phase(client: HTTPClient, said: bytes, phase: str) -> None:
    async with wild_server(silent_after(said)) as server:
        with pytest.raises(UpstreamTimeoutError, match=r"was silent for 0\.2 s") as caught:
            await fetch(client, server.url, Patience(silence=SHORT))
        assert caught.value.phase == phase
        async with asyncio.timeout(1):
            await server.left.wait()
        assert client.open_connections == 0


async def test_a_connection_that_does_not_come_about_is_told() -> None:
    async def dials_for_ever(*_: object) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        await asyncio.Event().wait()
        raise AssertionError

    client = HTTPClient(dial=dials_for_ever)
    with pytest.raises(UpstreamTimeoutError, match=r"No connection to api\.test:443 within 0\.2 s") as caught:
        await fetch(client, "https://api.test", Patience(silence=SHORT))
    assert caught.value.phase == "connect"


async def test_the_whole_request_may_have_a_time_of_its_own(client: HTTPClient) -> None:
    async def talks_for_ever(visit: Visit) -> None:
        await visit.request()
        await visit.send(STREAM_HEAD)
        while True:
            await visit.send(chunk(b": ping\n\n"))
            await asyncio.sleep(0.01)

    deadline = asyncio.get_running_loop().time() + 4 * SHORT
    async with wild_server(talks_for_ever) as server:
        with pytest.raises(UpstreamTimeoutError, match="time for the whole request was over") as caught:
            await fetch(client, server.url, Patience(silence=10, deadline=deadline))
    assert caught.value.phase == "total"


async def test_the_time_for_the_whole_request_can_end_while_connecting() -> None:
    async def dials_for_ever(*_: object) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        await asyncio.Event().wait()
        raise AssertionError

    client = HTTPClient(dial=dials_for_ever)
    deadline = asyncio.get_running_loop().time() + SHORT
    with pytest.raises(UpstreamTimeoutError) as caught:
        await fetch(client, "http://api.test", Patience(silence=10, deadline=deadline))
    assert caught.value.phase == "total"


async def test_every_byte_starts_the_silence_anew(client: HTTPClient) -> None:
    async def slow_but_steady(visit: Visit) -> None:
        await visit.request()
        await visit.send(ok(b"0123456789")[:-10])
        for byte in b"0123456789":
            await asyncio.sleep(0.08)
            await visit.send(bytes([byte]))

    async with wild_server(slow_but_steady) as server:
        assert await fetch(client, server.url, Patience(silence=0.6)) == b"0123456789"


async def test_what_came_while_the_loop_stood_still_is_read_before_silence_is_judged(client: HTTPClient) -> None:
    head_is_there = asyncio.Event()

    async def stands_still(visit: Visit) -> None:
        await visit.request()
        await visit.send(ok(b"0123456789")[:-5])
        await head_is_there.wait()
        await visit.send(b"56789")
        time.sleep(2 * SHORT)  # noqa: ASYNC251 - the loop is to stand still

    async with wild_server(stands_still) as server:
        with await client.send(Request("GET", URL.parse(server.url)), Patience(silence=SHORT)) as response:
            head_is_there.set()
            assert await response.read_all() == b"0123456789"


async def test_a_reader_that_takes_its_time_is_not_silence(client: HTTPClient) -> None:
    body = b"x" * 5_000_000
    async with wild_server(always(STREAM_HEAD + chunk(body) + LAST_CHUNK)) as server:
        request = Request("GET", URL.parse(server.url))
        with await client.send(request, Patience(silence=SHORT)) as response:
            await asyncio.sleep(4 * SHORT)
            assert await response.read_all() == body


async def test_a_request_that_is_still_going_out_is_not_silence(client: HTTPClient) -> None:
    async def sips(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        for _ in range(50):
            await visit.reader.readexactly(200_000)
            await asyncio.sleep(0.02)
        await visit.reader.readexactly(40_000_000 - 10_000_000)
        await visit.send(ok())

    async with wild_server(sips) as server:
        request = Request("POST", URL.parse(server.url), (), b"x" * 40_000_000)
        with await client.send(request, Patience(silence=0.5)) as response:
            assert await response.read_all() == b"ok"


async def test_a_kept_connection_does_not_inherit_the_old_clock(client: HTTPClient) -> None:
    async with wild_server(always(ok())) as server:
        await fetch(client, server.url, Patience(silence=SHORT))
        await asyncio.sleep(2 * SHORT)
        assert await fetch(client, server.url, Patience(silence=5)) == b"ok"
        assert server.visits == 1


async def test_an_exchange_on_a_kept_connection_has_its_own_patience(client: HTTPClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.send(ok())
        await visit.request()
        await asyncio.sleep(2 * SHORT)
        await visit.send(ok())
        await visit.request()
        await visit.caller_leaves()

    async with wild_server(behave) as server:
        assert await fetch(client, server.url, Patience(silence=SHORT)) == b"ok"
        assert await fetch(client, server.url, Patience(silence=5)) == b"ok"
        async with asyncio.timeout(2):
            with pytest.raises(UpstreamTimeoutError, match=r"was silent for 0\.2 s"):
                await fetch(client, server.url, Patience(silence=SHORT))
        assert server.visits == 1
