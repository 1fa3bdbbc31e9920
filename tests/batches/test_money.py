"""What batches cost, as the ledger tells it: half of each rate, once for each line, whatever is polled."""

import asyncio
import json
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from batches.files import JSONObject, chat, create, ended, jsonl, line
from batches.test_crashes import freed, started
from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.records import KeyLimits
from claude_openai_proxy.settings import Flags, Settings, load_settings
from claude_openai_proxy.simulator import Script, Simulator
from claude_openai_proxy.storage.client_keys import StoredKey, new_id, new_secret
from robustness.whole_proxy import WholeProxy

MILLION = 1_000_000
SONNET: JSONObject = {"model": "claude-sonnet-5-5"}
"""2 dollars for a million tokens in, 10 for a million out, 0.1 from the cache, 2.5 into it, 4 for an hour."""


async def rows(client: AsyncOpenAI) -> JSONObject:
    """The ledger's sums, all together."""
    root = client.copy(base_url=str(client.base_url).removesuffix("/v1/"))
    answer = await root.get("/usage?by=model", cast_to=str, options={"headers": {"accept": "application/json"}})
    told: JSONObject = json.loads(answer)
    return told


async def test_each_line_has_a_row_at_half_of_every_rate(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    usage: JSONObject = {
        "input_tokens": MILLION,
        "output_tokens": MILLION,
        "cache_read_input_tokens": MILLION,
        "cache_creation_input_tokens": 2 * MILLION,
        "cache_creation": {"ephemeral_1h_input_tokens": MILLION},
        "server_tool_use": {"web_search_requests": 1},
    }
    proxy.simulator.play(Script.text("a", usage=usage), Script.error(500, "No."))
    lines = [line(id_, chat() | SONNET) for id_ in "ab"] + [line("c", chat(n=0) | SONNET)]
    batch = await ended(client, await create(client, jsonl(lines)))
    for _ in range(3):
        await client.batches.retrieve(batch.id)
    told = await rows(client)
    half = (2 + 10 + 0.1 + 2.5 + 4) / 2
    assert told["total"]["requests"] == 2
    assert told["total"]["list_price_usd"] == round(half + 0.01, 6)


async def with_key(stack: AsyncExitStack, settings: Settings, *, dollars: float) -> tuple[AsyncOpenAI, Stores]:
    """A proxy, and a client with a key that may use so much a day."""
    client, kept = await started(stack, settings)
    secret = new_secret()
    key = StoredKey(new_id(), "ann", created=time.time(), limits=KeyLimits(dollars_a_day=dollars))
    await kept.client_keys.add(key, secret)
    return client.copy(api_key=secret), kept


@pytest.fixture
def settings(environment: dict[str, str], tmp_path: Path) -> Settings:
    return load_settings(Flags(), environment, tmp_path)


async def test_a_batch_that_may_cost_more_than_the_days_budget_is_not_asked(
    settings: Settings, simulator: Simulator
) -> None:
    async with AsyncExitStack() as stack:
        client, _ = await with_key(stack, settings, dollars=0.04)
        lines = [line(str(number), chat("Hello", max_tokens=4000) | SONNET) for number in range(3)]
        batch = await ended(client, await create(client, jsonl(lines)))
        assert batch.status == "failed"
        assert batch.errors is not None
        assert [one.code for one in batch.errors.data or []] == ["insufficient_quota"]
        assert simulator.batches.all == {}
        batch = await ended(client, await create(client, jsonl(lines[:1])))
        assert batch.status == "completed"


async def test_what_a_batch_has_cost_counts_against_the_budget(settings: Settings, simulator: Simulator) -> None:
    simulator.play(Script.text("a", usage={"input_tokens": 1, "output_tokens": 10_000}))
    async with AsyncExitStack() as stack:
        client, _ = await with_key(stack, settings, dollars=0.04)
        one = jsonl([line("a", chat("Hello", max_tokens=4000) | SONNET)])
        assert (await ended(client, await create(client, one))).status == "completed"
        assert (await ended(client, await create(client, one))).status == "failed"


async def test_the_batches_of_a_key_that_is_revoked_are_cancelled(settings: Settings, simulator: Simulator) -> None:
    simulator.batches.seconds = 3600
    async with AsyncExitStack() as stack:
        client, kept = await with_key(stack, settings, dollars=10)
        batch = await create(client, jsonl([line("a", chat())]))
        while not simulator.batches.all:
            await client.batches.retrieve(batch.id)
        await kept.client_keys.revoke("ann", now=time.time())
    await freed(settings)
    async with AsyncExitStack() as stack:
        _, kept = await started(stack, settings)
        while await kept.batches.unfinished():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    (made,) = simulator.batches.all.values()
    assert made.cancelled is not None
