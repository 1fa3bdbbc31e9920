"""What tokens cost, as data: US dollars for a million of them (https://docs.anthropic.com/en/docs/about-claude/pricing).

State of November 2026; list prices of the API, which a plan or a gateway need not have.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from msgspec import Struct, structs

from claude_openai_proxy.protocols.anthropic import Usage
from claude_openai_proxy.translate.models.facts import built_in_id


class Price(Struct, frozen=True):
    """Of a million tokens each.

    Above `long_above` tokens of input all of the input costs `long_factor` times as much, and the output
    `long_output_factor` times; an answer of speed `fast` costs `fast_factor` times as much.
    """

    input: float
    output: float
    cache_write: float
    """Kept for five minutes."""
    cache_write_1h: float
    cache_read: float
    long_above: int | None = None
    long_factor: float = 1
    long_output_factor: float = 1
    fast_factor: float = 1
    """1 where the model takes no such speed."""


_OPUS = Price(5, 25, 6.25, 10, 0.5)
_FAST_OPUS = structs.replace(_OPUS, fast_factor=2)
_SONNET_4 = Price(3, 15, 3.75, 6, 0.3)
_FABLE_5 = Price(10, 50, 12.5, 20, 1)
_FABLE_5_1 = Price(10, 50, 12.5, 20, 0.25)
_FABLE_5_2 = Price(8, 40, 10, 16, 0.2, fast_factor=2)

PRICES: Final[Mapping[str, Price]] = MappingProxyType(
    {
        "claude-fable-5-2": _FABLE_5_2,
        "claude-mythos-5-2": _FABLE_5_2,
        "claude-haiku-5-5": Price(0.1, 0.5, 0.125, 0.2, 0.01, long_above=100_000, long_factor=5, long_output_factor=5),
        "claude-sonnet-5-5": Price(2, 10, 2.5, 4, 0.1),
        "claude-fable-5-1": _FABLE_5_1,
        "claude-mythos-5-1": _FABLE_5_1,
        "claude-opus-5-5": Price(4, 20, 5, 8, 0.2, fast_factor=2),
        "claude-sonnet-5": Price(2, 10, 2.5, 4, 0.2),
        "claude-fable-5": _FABLE_5,
        "claude-mythos-5": _FABLE_5,
        "claude-opus-5": _FAST_OPUS,
        "claude-opus-4-8": _FAST_OPUS,
        "claude-opus-4-7": _OPUS,
        "claude-opus-4-6": _OPUS,
        "claude-opus-4-5": _OPUS,
        "claude-sonnet-4-6": _SONNET_4,
        "claude-sonnet-4-5": structs.replace(_SONNET_4, long_above=200_000, long_factor=2, long_output_factor=1.5),
        "claude-haiku-4-5": Price(1, 5, 1.25, 2, 0.1),
    }
)
"""By the id of the built-in row."""


DEAREST: Final = max(PRICES.values(), key=lambda price: price.output)

MILLION: Final = 1_000_000
WEB_SEARCH: Final = 0.01
"""US dollars each."""


@lru_cache(maxsize=256)
def price_of(model_id: str) -> Price | None:
    """The list price of a model, dated ids included; None of one that the table does not know."""
    known = built_in_id(model_id)
    return PRICES.get(known) if known else None


def cost(model_id: str, usage: Usage) -> float:
    """US dollars by list price of one message's usage; of a model that the table does not know, by the dearest."""
    price = price_of(model_id) or DEAREST
    read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    by_life, tools = usage.cache_creation, usage.server_tool_use
    hour = min(written, (by_life and by_life.ephemeral_1h_input_tokens) or 0)
    fresh, output = usage.input_tokens or 0, usage.output_tokens or 0
    given = (
        fresh * price.input
        + read * price.cache_read
        + (written - hour) * price.cache_write
        + hour * price.cache_write_1h
    )
    said = output * price.output
    if price.long_above is not None and fresh + read + written > price.long_above:
        given, said = given * price.long_factor, said * price.long_output_factor
    speed = price.fast_factor if usage.speed == "fast" else 1
    searches = (tools and tools.web_search_requests) or 0
    return (given + said) * speed / MILLION + searches * WEB_SEARCH


def cache_saving(model_id: str, *, read: int, written: int, hour: int) -> float:
    """US dollars by list price that the cache saved: what was `read` costs less than input, what was `written` more.

    `hour` of those written stay for an hour. Without what long inputs and fast answers cost more; nothing of a model
    that the table does not know.
    """
    price = price_of(model_id)
    if price is None:
        return 0.0
    dearer = (written - hour) * (price.cache_write - price.input) + hour * (price.cache_write_1h - price.input)
    return (read * (price.input - price.cache_read) - dearer) / MILLION
