"""More requests than may be with Claude at a time: a short fair line, then 503, by the API as through processes."""

import asyncio
from collections.abc import Mapping

import pytest

from claude_openai_proxy.simulator.script import Script
from robustness.whole_proxy import WholeProxy, until
from web.direct import HELLO, STREAM, Answer, call

FOUR = HELLO[:-1] + b',"n":4}'


@pytest.fixture
def environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {**environment, "MAX_CONCURRENT_REQUESTS": "2", "QUEUE_SECONDS": "0", "PROXY_API_KEYS": "ann:a,bob:b"}


def ask(proxy: WholeProxy, body: bytes, key: str = "a") -> asyncio.Task[Answer]:
    return asyncio.create_task(call(proxy.app, body=body, headers={"x-api-key": key}))


async def leave(asking: list[asyncio.Task[Answer]]) -> None:
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


async def listed(proxy: WholeProxy) -> None:
    """The first request of all also asks for the models."""
    await call(proxy.app, "GET", "/v1/models", headers={"x-api-key": "a"})


@pytest.mark.parametrize("body", [HELLO, STREAM], ids=["whole", "streamed"])
async def test_by_the_api_one_too_many_is_told_to_come_again(proxy: WholeProxy, body: bytes) -> None:
    proxy.simulator.play_when(lambda request: request.is_message, Script.hang())
    await listed(proxy)
    asking = [ask(proxy, body), ask(proxy, body, "b")]
    await proxy.simulator.received(2)
    refused = await ask(proxy, body)
    assert (refused.status, refused.error.code, refused.headers["retry-after"]) == (503, "overloaded", "5")
    assert "no place was free for this request within 0 s" in refused.error.message
    assert len([one for one in proxy.simulator.requests if one.is_message]) == 2
    await leave(asking)


async def test_each_choice_counts_and_those_beyond_come_one_after_the_other(proxy: WholeProxy) -> None:
    answer = await call(proxy.app, body=FOUR, headers={"x-api-key": "a"})
    assert answer.status == 200
    assert answer.body.count(b'"index":') == 4


async def test_of_four_choices_no_more_are_asked_for_at_once_than_there_are_places(proxy: WholeProxy) -> None:
    proxy.simulator.play_when(lambda request: request.is_message, Script.hang())
    await listed(proxy)
    asking = ask(proxy, FOUR)
    await proxy.simulator.received(2)
    assert (await ask(proxy, HELLO)).status == 503
    assert len([one for one in proxy.simulator.requests if one.is_message]) == 2
    await leave([asking])


async def test_a_place_is_free_again_however_a_request_ended(proxy: WholeProxy) -> None:
    proxy.simulator.play(Script.hang(), Script.error(500, "broken"), Script.text("whole"), Script.text("streamed"))
    await listed(proxy)
    asking = [ask(proxy, HELLO)]
    await proxy.simulator.received(1)
    await leave(asking)
    statuses = [(await ask(proxy, body)).status for body in (HELLO, HELLO, STREAM)]
    assert statuses == [500, 200, 200]
    proxy.simulator.play_when(lambda request: request.is_message, Script.hang())
    asking = [ask(proxy, HELLO), ask(proxy, HELLO)]
    async with asyncio.timeout(10):
        await until(lambda: len([one for one in proxy.simulator.requests if one.is_message]) == 6)
    await leave(asking)


async def test_what_asks_nothing_of_claude_needs_no_place(proxy: WholeProxy) -> None:
    proxy.simulator.play_when(lambda request: request.is_message, Script.hang())
    await listed(proxy)
    asking = [ask(proxy, HELLO), ask(proxy, HELLO)]
    await proxy.simulator.received(2)
    assert (await call(proxy.app, "GET", "/v1/models", headers={"x-api-key": "a"})).status == 200
    assert (await call(proxy.app, "GET", "/health")).status == 200
    await leave(asking)
