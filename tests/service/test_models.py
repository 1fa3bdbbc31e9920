"""What names stand for, and what is asked of upstream."""

import asyncio

import pytest

from claude_openai_proxy.errors import ModelNotAllowedError, ModelNotFoundError
from claude_openai_proxy.protocols.anthropic import ModelInfo
from claude_openai_proxy.service.model_names import ModelNames
from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.service.offered_models import LIST_AGAIN_SECONDS, LIST_FRESH_SECONDS, OfferedModels
from service.fake_upstream import FakeChoice, FakeUpstream

ALIASES = {"big": "opus", "daily": "sonnet", "pinned": "claude-opus-4-8"}

OFFERED = [
    ModelInfo(id="claude-opus-6", display_name="Claude Opus 6", created_at="2026-12-01T00:00:00Z", line="opus"),
    ModelInfo(id="claude-opus-5-5", created_at="2026-09-01T00:00:00Z", line="opus"),
    ModelInfo(id="claude-opus-7", created_at="2027-01-01T00:00:00Z", line="opus", lifecycle="retired"),
]


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def catalog_of(
    upstream: FakeUpstream | None, names: ModelNames | None = None, time: Time | None = None
) -> ModelCatalog:
    choice = FakeChoice(upstream)
    return ModelCatalog(current=choice.current, names=names or ModelNames(aliases=ALIASES), clock=time or Time())


async def test_an_alias_of_a_line_is_its_newest_active_model_upstream() -> None:
    catalog = catalog_of(FakeUpstream(models=OFFERED))
    assert (await catalog.resolve("big")).id == "claude-opus-6"


async def test_without_a_list_from_upstream_the_built_in_table_answers() -> None:
    for upstream in (FakeUpstream(models=None), None):
        catalog = catalog_of(upstream)
        assert (await catalog.resolve("big")).id == "claude-opus-5-5"
        assert (await catalog.resolve("daily")).id == "claude-sonnet-5-5"


async def test_a_pin_of_the_line_wins_over_the_newest() -> None:
    choice = FakeChoice(FakeUpstream(models=OFFERED))
    pins = {"opus": "claude-opus-5"}
    catalog = ModelCatalog(current=choice.current, names=ModelNames(aliases=ALIASES), clock=Time(), pins=lambda: pins)
    assert (await catalog.resolve("big")).id == "claude-opus-5"
    assert (await catalog.resolve("pinned")).id == "claude-opus-4-8"


async def test_only_offered_models_are_taken_where_upstream_lists_them_all() -> None:
    catalog = catalog_of(FakeUpstream(models=OFFERED))
    assert (await catalog.resolve("claude-opus-5-5")).id == "claude-opus-5-5"
    with pytest.raises(ModelNotFoundError, match=r"'claude-nine'.*big.*claude-opus-6"):
        await catalog.resolve("claude-nine")


async def test_without_a_list_upstream_judges_names_that_can_be_claudes() -> None:
    catalog = catalog_of(FakeUpstream(models=None))
    assert (await catalog.resolve("claude-nine")).id == "claude-nine"
    with pytest.raises(ModelNotFoundError):
        await catalog.resolve("gpt-4o")


async def test_an_unknown_model_names_the_settings_that_help() -> None:
    with pytest.raises(ModelNotFoundError, match=r"MODEL_ALIASES.*DEFAULT_MODEL"):
        await catalog_of(FakeUpstream(models=OFFERED)).resolve("gpt-4o")


async def test_the_default_model_stands_in_for_an_absent_or_unknown_name() -> None:
    catalog = catalog_of(FakeUpstream(models=OFFERED), ModelNames(aliases=ALIASES, default="big"))
    assert (await catalog.resolve(None)).id == "claude-opus-6"
    resolved = await catalog.resolve("gpt-4o")
    assert (resolved.asked, resolved.id) == ("gpt-4o", "claude-opus-6")


async def test_upstream_is_asked_once_an_hour_and_sooner_after_a_failure() -> None:
    time, upstream = Time(), FakeUpstream(models=OFFERED)
    catalog = catalog_of(upstream, time=time)
    await catalog.list()
    await catalog.list()
    assert upstream.listings == 1
    time.now = LIST_FRESH_SECONDS
    await catalog.list()
    await catalog.aclose()
    failing = FakeUpstream(models=None)
    catalog = catalog_of(failing, time=(time := Time()))
    await catalog.list()
    time.now = LIST_AGAIN_SECONDS
    await catalog.list()
    assert failing.listings == 2


async def test_another_login_is_asked_for_its_own_models() -> None:
    upstream = FakeUpstream(models=OFFERED)
    catalog = catalog_of(upstream)
    await catalog.list()
    upstream.account = "somebody else"
    await catalog.list()
    assert upstream.listings == 2


async def test_the_list_has_the_aliases_first_and_no_retired_model() -> None:
    rows = await catalog_of(FakeUpstream(models=OFFERED)).list()
    assert [row.id for row in rows] == ["big", "daily", "pinned", "claude-opus-6", "claude-opus-5-5"]
    assert (rows[0].resolves_to, rows[0].owned_by) == ("claude-opus-6", "anthropic")
    assert rows[3].created == 1_796_083_200


async def test_one_model_is_described_by_its_name() -> None:
    catalog = catalog_of(FakeUpstream(models=OFFERED))
    assert (await catalog.get("big")).resolves_to == "claude-opus-6"
    assert (await catalog.get("claude-opus-6")).display_name == "Claude Opus 6"
    with pytest.raises(ModelNotFoundError):
        await catalog.get("gpt-4o")


async def test_a_name_without_its_date_stands_for_the_dated_model() -> None:
    dated = ModelInfo(id="claude-haiku-4-5-20251001", line="haiku")
    catalog = catalog_of(FakeUpstream(models=[*OFFERED, dated]))
    assert (await catalog.resolve("claude-haiku-4-5")).id == "claude-haiku-4-5-20251001"
    assert (await catalog.get("claude-haiku-4-5")).id == "claude-haiku-4-5"


class SlowUpstream(FakeUpstream):
    """Lists its models when it is told to."""

    def __init__(self) -> None:
        super().__init__(models=OFFERED)
        self.may_answer = asyncio.Event()

    async def models(self) -> list[ModelInfo]:
        self.listings += 1
        await self.may_answer.wait()
        return OFFERED


async def test_while_the_list_hangs_only_the_first_request_waits() -> None:
    upstream = SlowUpstream()
    offered = OfferedModels(Time(), patience=0.05)
    assert not (await offered.of(upstream)).infos
    waiting_began = asyncio.get_running_loop().time()
    async with asyncio.timeout(10):
        for _ in range(200):
            await offered.of(upstream)
    # Each of them waiting as long as the first would be 10 s.
    assert asyncio.get_running_loop().time() - waiting_began < 5
    assert upstream.listings == 1
    upstream.may_answer.set()
    await offered.of(upstream)
    assert "claude-opus-6" in offered.known.infos
    await offered.aclose()


async def test_many_first_requests_ask_once_and_all_get_the_answer() -> None:
    upstream = SlowUpstream()
    offered = OfferedModels(Time(), patience=60)
    waiting = [asyncio.create_task(offered.of(upstream)) for _ in range(20)]
    await asyncio.sleep(0)
    upstream.may_answer.set()
    listings = await asyncio.gather(*waiting)
    assert all("claude-opus-6" in listing.infos for listing in listings)
    assert upstream.listings == 1


async def test_a_list_of_the_old_login_is_never_the_new_ones() -> None:
    upstream, later = SlowUpstream(), FakeUpstream(models=[ModelInfo(id="claude-of-the-new-one")])
    offered = OfferedModels(Time(), patience=0.01)
    await offered.of(upstream)
    later.account = "somebody else"
    assert list((await offered.of(later)).infos) == ["claude-of-the-new-one"]
    upstream.may_answer.set()
    await asyncio.sleep(0)
    assert list(offered.known.infos) == ["claude-of-the-new-one"]


async def test_a_login_that_becomes_known_by_the_question_is_asked_once() -> None:
    upstream = SlowUpstream()
    upstream.account = ""
    offered = OfferedModels(Time(), patience=0.01)
    await offered.of(upstream)
    upstream.account = "known by now"
    await offered.of(upstream)
    upstream.may_answer.set()
    await asyncio.sleep(0.01)
    assert "claude-opus-6" in (await offered.of(upstream)).infos
    assert upstream.listings == 1


@pytest.mark.parametrize("created", ["yesterday", "", "1700000000", "0001-01-01T00:00:00", "2026-13-45T99:00:00Z"])
async def test_a_date_that_is_none_spoils_no_list(created: str) -> None:
    catalog = catalog_of(FakeUpstream(models=[ModelInfo(id="claude-odd", created_at=created)]))
    rows = await catalog.list()
    assert [row.created for row in rows if row.id == "claude-odd"] == [0]
    assert (await catalog.get("claude-odd")).created == 0


@pytest.mark.parametrize(
    ("names", "asked", "allowed"),
    [
        ((), "big", True),
        (("sonnet",), "claude-sonnet-5-5", True),
        (("sonnet",), "big", False),
        (("opus",), "big", True),
        (("big",), "big", True),
        (("big",), "claude-opus-5-5", True),
        (("claude-opus-5-5",), "big", True),
        (("anthropic/Claude-Opus-5.5",), "claude-opus-5-5", True),
        (("claude-opus-5",), "claude-opus-5-5", False),
    ],
)
async def test_a_key_is_for_the_models_that_it_names(names: tuple[str, ...], asked: str, allowed: bool) -> None:
    models = catalog_of(FakeUpstream(models=None))
    resolved = await models.resolve(asked)
    listed = {model.id for model in await models.list(names)}
    assert (asked in listed) == allowed
    if allowed:
        return await models.check_allowed(names, resolved)
    with pytest.raises(ModelNotAllowedError, match=f"not for '{asked}', only for: {names[0]}"):
        await models.check_allowed(names, resolved)
    return None
