"""Limits and budgets of keys through the whole proxy: many at once, every dialect, over a restart."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from claude_openai_proxy.records import KeyLimits
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.simulator.script import Script
from claude_openai_proxy.storage.client_keys import StoredKey, new_secret
from robustness.whole_proxy import WholeProxy, whole_proxy
from web.direct import CHAT, HELLO, STREAM, Answer, call

MESSAGES = b'{"model":"custom-claude-4-opus","max_tokens":1000,"messages":[{"role":"user","content":"Hi"}]}'
LIMITED = b'{"model":"claude-opus-5-5","max_tokens":1000,"messages":[{"role":"user","content":"Hi"}]}'
RESERVED = 0.0200
"""US dollars: 1,000 tokens of output at 20 a million, and a little input."""


@pytest.fixture
def environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {**environment, "STATE": "sqlite"}


async def key(proxy: WholeProxy, limits: KeyLimits) -> dict[str, str]:
    """A client's header."""
    secret = new_secret()
    doors = proxy.app._doors
    await doors.keys._store.add(StoredKey("key_1", "ann", limits=limits), secret)
    await doors.keys.refresh()
    return {"x-api-key": secret}


def answers(proxy: WholeProxy, output_tokens: int) -> None:
    usage: dict[str, object] = {"input_tokens": 0, "output_tokens": output_tokens}
    proxy.simulator.play_when(lambda request: request.is_message, Script.text("Hello.", usage=usage))


async def many(proxy: WholeProxy, count: int, headers: dict[str, str], body: bytes = LIMITED) -> list[Answer]:
    return await asyncio.gather(*(call(proxy.app, body=body, headers=headers) for _ in range(count)))


@pytest.mark.parametrize(("path", "body"), [(CHAT, HELLO), (CHAT, STREAM), ("/v1/messages", MESSAGES)])
async def test_of_requests_at_the_same_time_as_many_are_let_in_as_the_minute_has(
    proxy: WholeProxy, path: str, body: bytes
) -> None:
    headers = await key(proxy, KeyLimits(requests_a_minute=5))
    got = await asyncio.gather(*(call(proxy.app, path=path, body=body, headers=headers) for _ in range(30)))
    assert Counter(answer.status for answer in got) == {200: 5, 429: 25}
    refused = next(answer for answer in got if answer.status == 429)
    assert refused.headers["x-ratelimit-limit-requests"] == "5"
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert 55 <= int(refused.headers["retry-after"]) <= 60
    assert (
        b"Rate limit reached for the key ann on requests per min (RPM): Limit 5, Used 5, Requested 1." in refused.body
    )
    let_in = next(answer for answer in got if answer.status == 200)
    assert let_in.headers["x-ratelimit-limit-requests"] == "5"
    assert len([one for one in proxy.simulator.requests if one.is_message]) == 5
    if path == CHAT:
        assert (refused.error.type, refused.error.code) == ("requests", "rate_limit_exceeded")
    else:
        assert msgspec.json.decode(refused.body)["error"]["type"] == "rate_limit_error"


async def test_a_budget_is_not_overrun_by_requests_at_the_same_time(proxy: WholeProxy) -> None:
    headers = await key(proxy, KeyLimits(dollars_a_day=5 * RESERVED + 0.003))
    answers(proxy, 500)
    for _ in range(10):
        await many(proxy, 20, headers)
    records = proxy.ledger.records
    spent = sum(record.list_price for record in records)
    assert 5 * RESERVED + 0.003 - RESERVED - 0.003 < spent <= 5 * RESERVED + 0.003
    refused = await call(proxy.app, body=LIMITED, headers=headers)
    assert (refused.status, refused.error.code) == (429, "insufficient_quota")
    assert "retry-after" not in refused.headers
    assert (refused.headers["x-should-retry"], refused.headers["x-ratelimit-remaining-requests"]) == ("false", "0")
    assert "The client key's budget is 0.103 US dollars a day" in refused.error.message


async def test_it_is_overrun_by_what_answers_under_way_take_beyond_their_reservations(proxy: WholeProxy) -> None:
    """Five fit at a time by what is reserved; each says half as much again."""
    budget = 5 * RESERVED + 0.003
    headers = await key(proxy, KeyLimits(dollars_a_day=budget))
    answers(proxy, 1500)
    got = await many(proxy, 50, headers)
    assert Counter(answer.status for answer in got)[200] <= 5
    spent = sum(record.list_price for record in proxy.ledger.records)
    assert spent <= budget + 5 * 0.5 * RESERVED
    assert (await call(proxy.app, body=LIMITED, headers=headers)).error.code == "insufficient_quota"


async def test_what_was_spent_outlives_a_restart(
    environment: dict[str, str], simulator: Simulator, tmp_path: Path
) -> None:
    settings = load_settings(Flags(), environment, tmp_path)
    async with whole_proxy(settings, simulator) as proxy:
        headers = await key(proxy, KeyLimits(dollars_a_day=2 * RESERVED))
        answers(proxy, 900)
        assert (await call(proxy.app, body=LIMITED, headers=headers)).status == 200
    async with whole_proxy(settings, simulator) as proxy:
        assert (await call(proxy.app, body=LIMITED, headers=headers)).status == 200
        assert (await call(proxy.app, body=LIMITED, headers=headers)).error.code == "insufficient_quota"
        told = msgspec.json.decode((await call(proxy.app, "GET", "/v1/key", headers=headers)).body)
        budget = told["limits"]["dollars_per_day"]
        assert (budget["limit"], budget["reserved"]) == (2 * RESERVED, 0)
        assert budget["spent"] == pytest.approx(2 * 900 * 20 / 1e6, abs=0.002)


async def test_in_the_background_too_who_is_over_a_limit_is_told_so_at_once(proxy: WholeProxy) -> None:
    headers = await key(proxy, KeyLimits(requests_a_minute=1))
    body = b'{"model":"claude-opus-5-5","max_output_tokens":1000,"input":"Hi","background":true}'
    answers(proxy, 5)
    let_in = await call(proxy.app, path="/v1/responses", body=body, headers=headers)
    refused = await call(proxy.app, path="/v1/responses", body=body, headers=headers)
    assert (let_in.status, refused.status, "retry-after" in refused.headers) == (200, 429, True)
    assert len([request for request in proxy.simulator.requests if request.is_message]) <= 1
