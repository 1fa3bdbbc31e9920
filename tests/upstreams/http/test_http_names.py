"""Names: one question for all who wait, and an answer that is remembered for a moment."""

import asyncio
import socket
from collections.abc import Sequence

import pytest

from claude_openai_proxy.errors import UpstreamConnectionError
from claude_openai_proxy.upstreams.http import URL, HTTPClient, Patience, Request
from claude_openai_proxy.upstreams.http.dial import TCPDialer
from claude_openai_proxy.upstreams.http.names import Address, Names
from upstreams.wild_server import always, ok, wild_server


class Resolver:
    """Answers when it may; counts the questions."""

    def __init__(self, error: OSError | None = None) -> None:
        self.questions: list[str] = []
        self.may_answer = asyncio.Event()
        self._error = error

    async def __call__(self, host: str, port: int) -> Sequence[tuple[int, Address]]:
        self.questions.append(host)
        await self.may_answer.wait()
        if self._error is not None:
            raise self._error
        return [(socket.AF_INET, ("127.0.0.1", port))]


async def fetch(client: HTTPClient, url: str) -> bytes:
    with await client.send(Request("GET", URL.parse(url)), Patience(silence=10)) as response:
        return await response.read_all()


async def test_forty_requests_look_a_name_up_once() -> None:
    resolver = Resolver()
    client = HTTPClient(dial=TCPDialer(Names(resolver)))
    async with wild_server(always(ok())) as server:
        asking = [asyncio.create_task(fetch(client, f"http://slow.test:{server.port}")) for _ in range(40)]
        await asyncio.sleep(0)
        resolver.may_answer.set()
        assert await asyncio.gather(*asking) == [b"ok"] * 40
        assert await fetch(client, f"http://slow.test:{server.port}") == b"ok"
        assert resolver.questions == ["slow.test"]
        await client.aclose()


async def test_a_failure_is_told_to_all_who_wait() -> None:
    resolver = Resolver(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"))
    resolver.may_answer.set()
    client = HTTPClient(dial=TCPDialer(Names(resolver)))
    failures = await asyncio.gather(*(fetch(client, "http://gone.test") for _ in range(10)), return_exceptions=True)
    assert {type(failure) for failure in failures} == {UpstreamConnectionError}
    assert resolver.questions == ["gone.test"]


async def test_one_who_leaves_does_not_stop_the_look_up_of_the_others() -> None:
    resolver = Resolver()
    names = Names(resolver)
    first, second = (asyncio.create_task(names.addresses("slow.test", 1)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    resolver.may_answer.set()
    assert await second == [(socket.AF_INET, ("127.0.0.1", 1))]


async def test_an_address_where_nobody_answers_is_looked_up_anew() -> None:
    resolver = Resolver()
    resolver.may_answer.set()
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    client = HTTPClient(dial=TCPDialer(Names(resolver)))
    for _ in range(2):
        with pytest.raises(UpstreamConnectionError, match="refuses"):
            await fetch(client, f"http://moved.test:{port}")
    assert len(resolver.questions) == 2


async def test_an_answer_grows_old() -> None:
    resolver = Resolver()
    resolver.may_answer.set()
    names = Names(resolver, known_seconds=0)
    await names.addresses("a.test", 1)
    await asyncio.sleep(0.01)
    await names.addresses("a.test", 1)
    assert len(resolver.questions) == 2
