"""The price table against another one that many keep: the package genai-prices. Differences are named."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price

from claude_openai_proxy.protocols.anthropic import CacheCreation, ServerToolUsage, Usage
from claude_openai_proxy.translate.models.prices import PRICES, cost

WHEN = datetime(2026, 11, 27, tzinfo=UTC)

UNKNOWN_THERE = {"claude-mythos-5", "claude-mythos-5-1"}
"""Offered to few; priced as the Fable of the same number."""


def theirs(model: str, counts: Mapping[str, int], speed: str = "standard") -> float:
    usage = TheirUsage(
        input_tokens=counts["fresh"] + counts["read"] + counts["written"],
        cache_read_tokens=counts["read"],
        cache_write_tokens=counts["written"],
        cache_write_1h_tokens=counts["hour"],
        output_tokens=counts["output"],
        web_searches=counts["searches"],
    )
    context = {"speed": speed}
    price = calc_price(usage, model, provider_id="anthropic", genai_request_timestamp=WHEN, price_context=context)
    assert price.model.id == model
    return float(Decimal(price.total_price))


def ours(model: str, counts: Mapping[str, int], speed: str = "standard") -> float:
    usage = Usage(
        input_tokens=counts["fresh"],
        cache_read_input_tokens=counts["read"],
        cache_creation_input_tokens=counts["written"],
        cache_creation=CacheCreation(counts["written"] - counts["hour"], counts["hour"]),
        output_tokens=counts["output"],
        server_tool_use=ServerToolUsage(counts["searches"]),
        speed=speed,
    )
    return cost(model, usage)


NONE = {"fresh": 0, "read": 0, "written": 0, "hour": 0, "output": 0, "searches": 0}
KINDS = {
    "input": {"fresh": 1_000},
    "output": {"output": 1_000},
    "read": {"read": 1_000},
    "written": {"written": 1_000},
    "written for an hour": {"written": 1_000, "hour": 1_000},
    "both lives": {"written": 3_000, "hour": 1_000},
    "searches": {"searches": 3},
    "all": {"fresh": 700, "read": 50_000, "written": 9_000, "hour": 4_000, "output": 2_500, "searches": 2},
    "at the limit": {"fresh": 100_000, "output": 1_000},
    "long": {"fresh": 150_000, "read": 2_000, "written": 1_000, "hour": 500, "output": 1_000},
    "longer": {"fresh": 1_000, "read": 249_000, "written": 1_000, "output": 1_000},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("model", sorted(set(PRICES) - UNKNOWN_THERE))
def test_the_two_tables_agree(model: str, kind: str) -> None:
    counts = NONE | KINDS[kind]
    assert ours(model, counts) == pytest.approx(theirs(model, counts))


@pytest.mark.parametrize("kind", ["input", "output", "all"])
@pytest.mark.parametrize("model", sorted(set(PRICES) - UNKNOWN_THERE))
def test_they_agree_on_fast_answers(model: str, kind: str) -> None:
    counts = NONE | KINDS[kind]
    dollars = ours(model, counts, "fast")
    assert dollars == pytest.approx(theirs(model, counts, "fast"))
    assert (dollars > ours(model, counts)) is (PRICES[model].fast_factor > 1)


@pytest.mark.parametrize("model", sorted(UNKNOWN_THERE))
def test_what_the_other_table_does_not_know_is_still_unknown_there(model: str) -> None:
    with pytest.raises(LookupError):
        theirs(model, NONE | KINDS["input"])
    assert PRICES[model] == PRICES[model.replace("mythos", "fable")]
