"""Names in other spellings, names of models that are gone, and settings that lead nowhere."""

from datetime import date, timedelta

import pytest

from claude_openai_proxy.errors import ModelNotFoundError
from claude_openai_proxy.protocols.anthropic import ModelInfo
from claude_openai_proxy.protocols.openai_chat_response import ModelPricing
from claude_openai_proxy.service.model_names import ModelNames
from claude_openai_proxy.service.models import ModelCatalog, Retirement
from claude_openai_proxy.translate.models.facts import BUILT_IN, LINES
from claude_openai_proxy.translate.models.prices import PRICES
from service.fake_upstream import FakeChoice, FakeUpstream

TODAY = date(2026, 11, 27)
ALIASES = {"custom-claude-4-opus": "opus", "custom-claude-4-sonnet": "sonnet", "gpt-4.1": "sonnet", "My-Model": "haiku"}
OFFERED = [
    ModelInfo(id="claude-opus-5-5", created_at="2026-09-14T00:00:00Z", line="opus"),
    ModelInfo(id="claude-sonnet-5-5", created_at="2026-10-01T00:00:00Z", line="sonnet"),
    ModelInfo(
        id="claude-haiku-4-5-20251001", created_at="2025-10-01T00:00:00Z", line="haiku", max_input_tokens=200_000
    ),
    ModelInfo(id="claude-sonnet-4-5-20250929", created_at="2025-09-29T00:00:00Z", line="sonnet"),
]
LISTS = {"listed": OFFERED, "not listed": None}


def catalog_of(listing: str = "listed", *, default: str | None = None, **aliases: str) -> ModelCatalog:
    choice = FakeChoice(FakeUpstream(models=LISTS[listing]))
    names = ModelNames(aliases=ALIASES | aliases, default=default)
    return ModelCatalog(current=choice.current, names=names, clock=lambda: 0.0, today=lambda: TODAY)


async def refusal(name: str, listing: str = "listed") -> str:
    with pytest.raises(ModelNotFoundError) as refused:
        await catalog_of(listing).resolve(name)
    return refused.value.message


@pytest.mark.parametrize("listing", LISTS)
@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("anthropic/claude-sonnet-5-5", "claude-sonnet-5-5"),
        ("openai/custom-claude-4-sonnet", "claude-sonnet-5-5"),
        ("openrouter/anthropic/claude-sonnet-5.5", "claude-sonnet-5-5"),
        ("claude-sonnet-5.5", "claude-sonnet-5-5"),
        ("Claude-Opus-5-5", "claude-opus-5-5"),
        (" claude-opus-5-5 ", "claude-opus-5-5"),
        ("OPENAI/GPT-4.1", "claude-sonnet-5-5"),
        ("my-model", None),
        ("claude-opus-5-5[1m]", "claude-opus-5-5"),
        ("claude-sonnet-5-5:1m", "claude-sonnet-5-5"),
        ("custom-claude-4-opus[1M]", "claude-opus-5-5"),
        ("claude-opus-latest", "claude-opus-5-5"),
        ("anthropic/claude-sonnet-latest", "claude-sonnet-5-5"),
        ("claude-3-5-sonnet-latest", "claude-sonnet-5-5"),
    ],
)
async def test_another_spelling_is_forgiven_and_the_answer_repeats_what_was_asked(
    listing: str, asked: str, meant: str | None
) -> None:
    resolved = await catalog_of(listing).resolve(asked)

    assert resolved.asked == asked
    assert resolved.id == meant or (meant is None and resolved.id.startswith("claude-haiku-"))


async def test_a_name_that_is_an_alias_as_it_stands_is_read_no_otherwise() -> None:
    catalog = catalog_of(**{"anthropic/claude-sonnet-5-5": "opus", "claude-opus-latest": "sonnet", "x[1m]": "haiku"})

    assert (await catalog.resolve("anthropic/claude-sonnet-5-5")).id == "claude-opus-5-5"
    assert (await catalog.resolve("claude-opus-latest")).id == "claude-sonnet-5-5"
    assert (await catalog.resolve("x[1m]")).id == "claude-haiku-4-5-20251001"


async def test_an_unknown_provider_is_not_guessed() -> None:
    assert "'mistral/claude-sonnet-5-5' does not exist" in await refusal("mistral/claude-sonnet-5-5")


@pytest.mark.parametrize("listing", LISTS)
@pytest.mark.parametrize("mark", ["[1m]", ":1m"])
async def test_a_context_that_a_model_does_not_have_is_said(listing: str, mark: str) -> None:
    message = await refusal(f"claude-haiku-4-5{mark}", listing)

    assert "claude-haiku-4-5 has no context of 1M tokens. Ask for 'claude-haiku-4-5'" in message


@pytest.mark.parametrize("listing", LISTS)
@pytest.mark.parametrize("mark", ["-thinking", ":thinking"])
async def test_a_thinking_variant_names_the_parameter(listing: str, mark: str) -> None:
    message = await refusal(f"anthropic/claude-sonnet-5.5{mark}", listing)

    assert "Ask for 'claude-sonnet-5-5' with reasoning_effort" in message


@pytest.mark.parametrize("listing", LISTS)
@pytest.mark.parametrize(
    ("name", "day", "newer"),
    [
        ("claude-sonnet-4-20250514", "15 June 2026", "claude-sonnet-5-5"),
        ("claude-opus-4-0", "15 June 2026", "claude-opus-5-5"),
        ("anthropic/claude-3.7-sonnet", "19 February 2026", "claude-sonnet-5-5"),
    ],
)
async def test_a_retired_model_says_since_when_and_what_replaces_it(
    listing: str, name: str, day: str, newer: str
) -> None:
    assert f"{name!r} was retired on {day}; {newer} replaces it." in await refusal(name, listing)


async def test_a_model_that_goes_later_is_still_there() -> None:
    assert (await catalog_of("not listed").resolve("claude-sonnet-4-5")).id == "claude-sonnet-4-5"


async def test_a_retired_model_that_a_gateway_still_offers_is_used() -> None:
    choice = FakeChoice(FakeUpstream(models=[ModelInfo(id="claude-sonnet-4-20250514", line="sonnet")]))
    catalog = ModelCatalog(current=choice.current, names=ModelNames(aliases={}), clock=lambda: 0.0, today=lambda: TODAY)

    assert (await catalog.resolve("claude-sonnet-4-20250514")).id == "claude-sonnet-4-20250514"


# ---- settings -------------------------------------------------------------------------------------------------------


async def test_a_line_is_a_default_as_good_as_a_target() -> None:
    catalog = catalog_of(default="sonnet")

    assert (await catalog.resolve(None)).id == "claude-sonnet-5-5"
    assert (await catalog.resolve("gpt-9")).id == "claude-sonnet-5-5"
    assert await catalog.default() == ("sonnet", "claude-sonnet-5-5")


async def test_a_setting_that_leads_nowhere_is_told() -> None:
    catalog = catalog_of(default="claude-nine", fast="claude-haiku-9", old="claude-sonnet-4-20250514", none="fable")

    assert await catalog.unresolved() == (
        "MODEL_ALIASES: fast stands for claude-haiku-9, which is no alias, line or model that your login offers.",
        (
            "MODEL_ALIASES: old stands for claude-sonnet-4-20250514, which was retired on 15 June 2026; "
            "claude-sonnet-5-5 replaces it."
        ),
        "MODEL_ALIASES: none stands for fable, which is no alias, line or model that your login offers.",
        "DEFAULT_MODEL is claude-nine, which is no alias, line or model that your login offers.",
    )
    assert await catalog_of(default="opus").unresolved() == ()


async def test_models_that_go_soon_are_told_with_what_leads_there() -> None:
    catalog = catalog_of(pinned="claude-sonnet-4-5-20250929", default="pinned")
    month = timedelta(days=30)

    assert await catalog.retiring(TODAY, within=month) == (
        Retirement("claude-sonnet-4-5-20250929", date(2026, 11, 30), ("pinned", "DEFAULT_MODEL")),
    )
    assert await catalog.retiring(date(2026, 10, 30), within=month) == ()
    assert await catalog.retiring(date(2026, 12, 1), within=month) == ()


# ---- rows -----------------------------------------------------------------------------------------------------------


async def test_a_row_says_what_a_client_can_know_of_a_model() -> None:
    row = await catalog_of().get("custom-claude-4-opus")

    assert (row.id, row.owned_by, row.resolves_to) == ("custom-claude-4-opus", "anthropic", "claude-opus-5-5")
    assert (row.context_window, row.max_output_tokens) == (1_000_000, 128_000)
    assert row.reasoning_efforts == ["low", "medium", "high", "xhigh", "max"]
    assert (row.supports_images, row.supports_tools) == (True, True)
    assert row.pricing == ModelPricing(input=4, output=20, cache_read=0.2, cache_write=5, cache_write_1h=8)


async def test_a_row_says_when_a_model_goes() -> None:
    assert (await catalog_of().get("claude-sonnet-4-5")).retires == "2026-11-30"


def test_every_built_in_model_has_a_price() -> None:
    assert PRICES.keys() == {facts.id for facts in BUILT_IN}


def test_every_line_has_a_latest() -> None:
    assert {facts.line for facts in BUILT_IN} == set(LINES)


# ---- asking ---------------------------------------------------------------------------------------------------------


async def test_why_the_list_is_not_upstreams_is_known() -> None:
    asked, failed = catalog_of(), catalog_of("not listed")
    nobody = ModelCatalog(current=FakeChoice(None).current, names=ModelNames(aliases={}), clock=lambda: 0.0)
    for catalog in (asked, failed, nobody):
        await catalog.list()

    assert asked.trouble == ""
    assert failed.trouble
    assert nobody.trouble
