"""What batches cost, as the ledger tells it: half of each rate, once for each line, whatever is polled."""

import json

from openai import AsyncOpenAI

from batches.files import JSONObject, chat, create, ended, jsonl, line
from claude_openai_proxy.simulator import Script
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
