"""Message Batches over HTTPS: made once, read line by line."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from claude_openai_proxy.errors import UpstreamError, UpstreamProtocolError, UpstreamStatusError
from claude_openai_proxy.protocols.anthropic_batches import (
    MessageBatchErroredResult,
    MessageBatchIndividualResponse,
    MessageBatchSucceededResult,
)
from claude_openai_proxy.simulator import Script, Simulator
from claude_openai_proxy.upstreams.api.batches import MessageBatches
from claude_openai_proxy.upstreams.api.upstream import MessagesAPI
from claude_openai_proxy.upstreams.http import HTTPClient
from upstreams.fixed_credentials import FixedCredentials
from upstreams.wild_server import always, ok, once, wild_server

HOUR = 3600.0


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def requests(*ids: str, max_tokens: int = 50) -> bytes:
    params = {"model": "claude-sonnet-5-5", "max_tokens": max_tokens, "messages": [{"role": "user", "content": "Hi"}]}
    return json.dumps({"requests": [{"custom_id": id_, "params": params} for id_ in ids]}).encode()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def simulator(clock: Clock) -> Simulator:
    return Simulator(batch_seconds=HOUR, now=clock)


@pytest.fixture
async def batches(simulator: Simulator) -> AsyncIterator[MessageBatches]:
    async with simulator.serve() as url:
        api = api_at(url)
        yield api.batches
        await api.aclose()


def api_at(url: str) -> MessagesAPI:
    return MessagesAPI(client=HTTPClient(), credentials=FixedCredentials(url), pause=0)


async def read(
    batches: MessageBatches, batch_id: str, into: list[MessageBatchIndividualResponse] | None = None
) -> list[MessageBatchIndividualResponse]:
    """All results; `into` has those that came before a failure, too."""
    read = [] if into is None else into
    async with batches.results(batch_id) as results:
        async for result in results:
            read.append(result)
    return read


async def test_from_its_making_to_its_results(batches: MessageBatches, simulator: Simulator, clock: Clock) -> None:
    simulator.play(Script.text("One."), Script.error(429))
    batch = await batches.create(requests("a", "b"))
    assert (batch.processing_status, batch.request_counts.processing) == ("in_progress", 2)
    clock.now += HOUR
    batch = await batches.retrieve(batch.id)
    assert (batch.processing_status, batch.request_counts.succeeded, batch.request_counts.errored) == ("ended", 1, 1)
    found = {row.custom_id: row.result for row in await read(batches, batch.id)}
    succeeded, errored = found["a"], found["b"]
    assert isinstance(succeeded, MessageBatchSucceededResult)
    assert json.loads(bytes(succeeded.message))["content"][-1]["text"] == "One."
    assert isinstance(errored, MessageBatchErroredResult)
    assert errored.error.error.type == "rate_limit_error"
    await batches.delete(batch.id)
    with pytest.raises(UpstreamStatusError) as caught:
        await batches.retrieve(batch.id)
    assert caught.value.status == 404


async def test_a_cancelled_one_and_the_list(batches: MessageBatches) -> None:
    made = [(await batches.create(requests("a"))).id for _ in range(3)]
    assert (await batches.cancel(made[0])).processing_status == "canceling"
    page = await batches.list(limit=2)
    assert ([batch.id for batch in page.data], page.has_more) == (made[:0:-1], True)
    assert page.last_id is not None
    rest = await batches.list(limit=2, after_id=page.last_id)
    assert [(batch.id, batch.request_counts.canceled) for batch in rest.data] == [(made[0], 1)]


async def test_a_refused_one_tells_which_request_it_was(batches: MessageBatches) -> None:
    with pytest.raises(UpstreamStatusError, match=r"requests\.1\.custom_id"):
        await batches.create(requests("a", "b c"))


FAILS = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"


async def test_its_making_is_never_sent_twice() -> None:
    async with wild_server(always(FAILS)) as server:
        api = api_at(server.url)
        with pytest.raises(UpstreamStatusError):
            await api.batches.create(requests("a"))
        assert len(server.requests) == 1
        with pytest.raises(UpstreamStatusError):
            await api.batches.retrieve("x")
        assert len(server.requests) == 3
        await api.aclose()


LINE = b'{"custom_id":"a","result":{"type":"expired"}}'


@pytest.mark.parametrize(
    ("body", "count"),
    [(b"", 0), (LINE, 1), (LINE + b"\n", 1), (LINE + b"\r\n\n" + LINE, 2), (b"\n" * 5 + LINE, 1)],
)
async def test_lines_are_read_however_they_end(body: bytes, count: int) -> None:
    async with wild_server(always(ok(body))) as server:
        api = api_at(server.url)
        assert len(await read(api.batches, "x")) == count
        await api.aclose()


@pytest.mark.parametrize("body", [LINE + b"\n" + LINE[:20], b"<html>", b"[]", b'{"custom_id":"a"}', b"\xff\n"])
async def test_what_is_no_result_is_an_error(body: bytes) -> None:
    async with wild_server(always(ok(body))) as server:
        api = api_at(server.url)
        with pytest.raises(UpstreamProtocolError):
            await read(api.batches, "x")
        with pytest.raises(UpstreamProtocolError):
            await api.batches.retrieve("x")
        await api.aclose()


async def test_results_that_are_cut_raise() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"
    async with wild_server(once(head + LINE + b"\n")) as server:
        api = api_at(server.url)
        seen: list[MessageBatchIndividualResponse] = []
        with pytest.raises(UpstreamError):
            await read(api.batches, "x", seen)
        assert len(seen) == 1
        await api.aclose()
