"""A month of made-up usage, the same each time."""

import random

from msgspec.structs import replace

from claude_openai_proxy.protocols.anthropic import CacheCreation, Usage
from claude_openai_proxy.records import LedgerRow
from claude_openai_proxy.storage.client_keys import StoredKey, new_secret
from claude_openai_proxy.translate.models.prices import cost
from storage.ledger_rows import DAY, ROW
from web.wired import NOW, Wired

PLAN = (
    ("anthropic-ratelimit-unified-status", "allowed"),
    ("anthropic-ratelimit-unified-representative-claim", "five_hour"),
    ("anthropic-ratelimit-unified-5h-utilization", "0.42"),
    ("anthropic-ratelimit-unified-5h-reset", f"{NOW + 9_000:.0f}"),
    ("anthropic-ratelimit-unified-7d-utilization", "0.83"),
    ("anthropic-ratelimit-unified-7d-reset", f"{NOW + 200_000:.0f}"),
    ("anthropic-ratelimit-unified-overage-status", "rejected"),
)
OPERATOR = "cop_operator_0123456789abcdef"

KEYS = (("key_1", "laptop"), ("key_2", "team"), ("key_3", "nightly"))
CLIENTS = ("OpenAI/Python 3.57.0", "opencode/1.2", "aider/0.90", "Kilo-Code/5.4")
MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-2")


def month() -> list[LedgerRow]:
    """Requests of thirty days, more on working days."""
    chance = random.Random(12)
    return [
        _request(chance, f"req_{day}_{number}", NOW - (29 - day) * DAY - chance.random() * 8 * 3_600)
        for day in range(30)
        for number in range(chance.randint(3, 8) if day % 7 < 2 else chance.randint(12, 26))
    ]


def _request(chance: random.Random, id_: str, at: float) -> LedgerRow:
    model = chance.choices(MODELS, (5, 9, 3, 1))[0]
    fresh, read, written = chance.randint(400, 6_000), chance.randint(0, 90_000), chance.randint(0, 6_000)
    output = chance.randint(60, 3_000)
    price = cost(
        model,
        Usage(fresh, output, written, read, cache_creation=CacheCreation(written, 0)),
    )
    key, name = chance.choices(KEYS, (6, 3, 1))[0]
    failed = chance.random() < 0.04
    return replace(
        ROW,
        id=id_,
        at=at,
        principal=key,
        key=name,
        client=chance.choice(CLIENTS),
        model_used=model,
        upstream="claude-code",
        billed="plan",
        status=chance.choice((429, 529)) if failed else 200,
        error="UpstreamStatusError overloaded_error" if failed else "",
        input_tokens=0 if failed else fresh + read + written,
        cached_tokens=0 if failed else read,
        cache_write_tokens=0 if failed else written,
        cache_write_1h_tokens=0,
        output_tokens=0 if failed else output,
        list_price=0.0 if failed else price,
        charged=0.0,
        total_ms=chance.randint(900, 24_000),
    )


async def filled(rows: list[LedgerRow] | None = None) -> Wired:
    """With this month in its ledger, and what a plan told two minutes ago."""
    made = Wired(credential=OPERATOR)
    await made.ledger.keep(month() if rows is None else rows, oldest=0)
    made.meter.note("claude-code", "a1b2", PLAN)
    return made


async def needs_keys(made: Wired) -> Wired:
    """From now on a client needs a key."""
    await made.stored_keys.add(StoredKey("key_1", "laptop", created=NOW), new_secret())
    return made
