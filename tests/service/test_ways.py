"""Which way and which model a request takes when the first is exhausted, overloaded or gone."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from claude_openai_proxy.errors import (
    NoLoginError,
    PersonalPlanError,
    PlanSpentError,
    ProxyError,
    UpstreamConnectionError,
    UpstreamError,
    UpstreamStatusError,
)
from claude_openai_proxy.records import LOCAL, Principal, RequestRecord
from claude_openai_proxy.service.admission import Admission
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.any_way import on_any_way
from claude_openai_proxy.service.fallback_budget import FallbackBudget
from claude_openai_proxy.service.model_names import ModelNames
from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.service.plan_meter import PlanMeter
from claude_openai_proxy.service.spend_guard import SpendGuard
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.service.ways import PAUSE_SECONDS, Ways
from claude_openai_proxy.storage.daily_spend import MemoryDailySpend
from claude_openai_proxy.storage.login_limits import MemoryLoginLimits
from claude_openai_proxy.upstreams.interface import Upstream
from service.fake_upstream import FakeChoice, FakeUpstream, message, text
from translate.second_dialect import LineStream, read

ANSWER = message(text("a"))
UNIFIED = "anthropic-ratelimit-unified"


def spent(*, retry_after: float | None = 600.0) -> UpstreamStatusError:
    return UpstreamStatusError("The plan's limit is reached.", status=429, refusal="quota", retry_after=retry_after)


class Two:
    """A plan first, and an API key that may stand in for it."""

    def __init__(
        self,
        *,
        models: Mapping[str, str] | None = None,
        dollars: float = 5.0,
        plan_only: bool = False,
        login: ProxyError | None = None,
    ) -> None:
        self.now = 1_000.0
        self.first, self.second = FakeUpstream(), FakeUpstream()
        self.first.kind, self.first.payer = "claude-code", "plan"
        self.second.kind, self.second.payer, self.second.account = "api", "api", "key"
        self.no_second = login
        self.choice = FakeChoice(self.first)
        self.meter = PlanMeter(store=MemoryLoginLimits(), wall_clock=self.clock)
        self.guard = SpendGuard(meter=self.meter, wall_clock=self.clock, plan_only=plan_only)
        self.budget = FallbackBudget(dollars=dollars, store=MemoryDailySpend(), wall_clock=self.clock)
        names = ModelNames(aliases={"big": "opus", "small": "sonnet"})
        self.admissions = Admissions(
            upstreams=self.choice,
            catalog=ModelCatalog(current=self.choice.current, names=names, clock=self.clock),
            places=Places(clock=self.clock),
            clock=self.clock,
            note_limits=self.meter.note,
            guard=self.guard,
            ways=Ways(
                self.choice,
                clock=self.clock,
                guard=self.guard,
                other=self._second,
                budget=self.budget,
                models=models or {},
            ),
        )

    def clock(self) -> float:
        return self.now

    async def _second(self) -> Upstream:
        if self.no_second is not None:
            raise self.no_second
        return self.second

    async def ask(self, record: RequestRecord | None = None, *, model: str = "big") -> RequestRecord:
        record = record or a_record()
        async with on_any_way(self.open)(record, model) as (admission, lines):
            assert lines == ["+ a", "end end_turn"]
            assert admission.head.upstream == record.upstream
        return record

    @asynccontextmanager
    async def open(self, record: RequestRecord, model: str) -> AsyncIterator[tuple[Admission, list[str]]]:
        async with self.admissions.admit(record, model=model, stream=False) as admission:
            translation = read(b'{"say": "Hello"}', admission.model.facts, admission.upstream.capabilities)
            source = await admission.ask(translation, [LineStream(translation.plan)])
            yield admission, [piece async for pieces in source for piece in pieces]

    @property
    def asked(self) -> tuple[int, int]:
        return len(self.first.requests), len(self.second.requests)


def a_record(principal: Principal = LOCAL) -> RequestRecord:
    return RequestRecord("r1", principal, "POST", "/say", 0.0)


async def test_the_fallback_answers_until_the_reset_and_the_first_is_not_asked_meanwhile() -> None:
    two = Two()
    two.first.scripts = [[spent()], [ANSWER]]
    two.second.scripts = [[ANSWER], [ANSWER]]

    record = await two.ask()
    assert (record.upstream, record.billed, record.repairs) == ("api", "api", ["fallback_upstream"])
    two.now += 599
    assert (await two.ask()).upstream == "api"
    assert two.asked == (1, 2)

    two.now += 1
    record = await two.ask()
    assert (record.upstream, record.billed, record.repairs) == ("claude-code", "plan", [])
    assert two.asked == (2, 2)


@pytest.mark.parametrize(
    "error",
    [
        spent(retry_after=None),
        UpstreamStatusError("Overloaded", status=529),
        UpstreamStatusError("Unavailable", status=503),
        UpstreamStatusError("Who?", status=401),
        NoLoginError("Not logged in."),
        UpstreamConnectionError("refused", reached=False),
    ],
)
async def test_without_a_time_the_first_is_left_alone_for_five_minutes(error: ProxyError) -> None:
    two = Two()
    two.first.scripts = [[error], [ANSWER]]
    two.second.scripts = [[ANSWER], [ANSWER]]
    assert (await two.ask()).upstream == "api"
    two.now += PAUSE_SECONDS - 1
    assert (await two.ask()).upstream == "api"
    two.now += 1
    assert (await two.ask()).upstream == "claude-code"


@pytest.mark.parametrize(
    "error",
    [
        UpstreamStatusError("Wrong.", status=400),
        UpstreamStatusError("Slow down.", status=429, refusal="rate_limit", retry_after=5),
        UpstreamStatusError("Broken.", status=500),
        UpstreamConnectionError("cut", reached=True),
    ],
)
async def test_what_another_way_would_not_help_is_told(error: UpstreamError) -> None:
    two = Two()
    two.first.scripts = [[error]]
    with pytest.raises(type(error)):
        await two.ask()
    assert two.asked == (1, 0)


async def test_a_plan_that_is_known_to_be_spent_is_not_asked() -> None:
    two = Two()
    two.second.scripts = [[ANSWER]]
    two.meter.note("claude-code", "account", ((f"{UNIFIED}-status", "rejected"), (f"{UNIFIED}-reset", "4600")))
    assert (await two.ask()).repairs == ["fallback_upstream"]
    assert two.asked == (0, 1)


@pytest.mark.parametrize("login", [NoLoginError("None."), PersonalPlanError("One person's.")])
async def test_without_a_login_for_it_the_first_ways_error_is_told(login: ProxyError) -> None:
    two = Two(login=login)
    two.first.scripts = [[spent()], [spent()]]
    for _ in range(2):
        with pytest.raises(UpstreamStatusError, match="limit is reached"):
            await two.ask()
    assert two.asked == (2, 0)


async def test_where_there_is_no_first_login_the_fallback_answers() -> None:
    two = Two()
    two.choice.upstream = None
    two.second.scripts = [[ANSWER]]
    assert (await two.ask()).upstream == "api"


async def test_a_login_that_is_not_for_so_many_is_no_reason_to_take_another() -> None:
    two = Two()

    async def refuse() -> FakeUpstream:
        raise PersonalPlanError("One person's.")

    two.choice.current = refuse  # type: ignore[method-assign]  # a login that must not serve here
    with pytest.raises(PersonalPlanError):
        await two.ask()
    assert two.asked == (0, 0)


async def test_after_the_first_byte_nothing_is_sent_again() -> None:
    two, record = Two(), a_record()
    two.first.scripts = [[spent()]]
    record.status = 200
    with pytest.raises(UpstreamStatusError):
        await two.ask(record)
    assert two.asked == (1, 0)


async def test_whoever_would_not_ask_again_is_told_the_error() -> None:
    two = Two()
    two.first.scripts = [[spent()]]
    opening = two.open(a_record(), "big")
    with pytest.raises(UpstreamStatusError):
        await opening.__aenter__()
    assert two.asked == (1, 0)


async def test_a_fallback_that_fails_tells_its_own_error() -> None:
    two = Two()
    two.first.scripts = [[spent()]]
    two.second.scripts = [[UpstreamStatusError("No credit.", status=400, refusal="quota")]]
    with pytest.raises(UpstreamStatusError, match="No credit"):
        await two.ask()
    assert two.asked == (1, 1)


async def test_what_the_fallback_costs_counts_and_ends_it() -> None:
    two = Two(dollars=0.5)
    two.first.scripts = [[spent(retry_after=None)], [spent(retry_after=None)]]
    two.second.scripts = [[ANSWER]]
    await two.ask()
    cost = (10 * 4 + 7 * 20) / 1_000_000
    assert two.budget.left == pytest.approx(0.5 - cost)

    two.budget.reserve(two.budget.left)
    with pytest.raises(UpstreamStatusError, match="limit is reached"):
        await two.ask()
    assert two.asked == (2, 1)


async def test_a_request_that_may_cost_more_than_is_left_is_refused() -> None:
    two = Two(dollars=0.001)
    two.first.scripts = [[spent()]]
    with pytest.raises(PlanSpentError, match="FALLBACK_BUDGET") as refused:
        await two.ask()
    assert refused.value.resets_in == 86_400 - 1_000
    assert (two.asked, two.budget.left) == ((1, 0), 0.001)


async def test_a_budget_of_nothing_is_no_fallback() -> None:
    two = Two(dollars=0)
    two.first.scripts = [[spent()]]
    with pytest.raises(UpstreamStatusError):
        await two.ask()
    assert two.asked == (1, 0)


async def test_with_plan_only_the_fallback_may_pay_as_its_budget_says() -> None:
    two = Two(plan_only=True)
    two.second.scripts = [[ANSWER]]
    two.meter.note("claude-code", "account", ((f"{UNIFIED}-status", "rejected"), (f"{UNIFIED}-reset", "4600")))
    assert (await two.ask()).billed == "api"
    two.no_second = NoLoginError("None.")
    with pytest.raises(PlanSpentError):
        await two.ask()


@pytest.mark.parametrize("name", ["big", "opus", "claude-opus-5-5"])
@pytest.mark.parametrize(
    "error",
    [
        UpstreamStatusError("Slow down.", status=429, refusal="rate_limit", retry_after=60),
        UpstreamStatusError("Overloaded", status=529, retry_after=60),
        UpstreamStatusError(
            "Opus is used up.",
            status=429,
            refusal="quota",
            retry_after=60,
            rate_limits=((f"{UNIFIED}-representative-claim", "seven_day_opus"),),
        ),
    ],
)
async def test_a_model_that_is_limited_gives_way_to_its_fallback(name: str, error: UpstreamStatusError) -> None:
    two = Two(models={name: "small"})
    two.first.scripts = [[error], [ANSWER], [ANSWER], [ANSWER]]
    record = await two.ask()
    assert (record.model_used, record.repairs, record.upstream) == (
        "claude-sonnet-5-5",
        ["fallback_model"],
        "claude-code",
    )
    assert (await two.ask()).model_used == "claude-sonnet-5-5"
    two.now += 60
    assert (await two.ask()).model_used == "claude-opus-5-5"


async def test_a_limit_of_the_whole_plan_is_none_of_the_model() -> None:
    two = Two(models={"big": "small"})
    two.first.scripts = [[spent()]]
    two.second.scripts = [[ANSWER]]
    record = await two.ask()
    assert (record.model_used, record.repairs) == ("claude-opus-5-5", ["fallback_upstream"])


async def test_a_models_window_that_is_known_to_be_full_is_not_asked() -> None:
    two = Two(models={"big": "small"})
    two.first.scripts = [[ANSWER]]
    full = ((f"{UNIFIED}-seven_day_opus-utilization", "1"), (f"{UNIFIED}-seven_day_opus-reset", "4600"))
    two.meter.note("claude-code", "account", full)
    assert (await two.ask()).model_used == "claude-sonnet-5-5"


async def test_a_key_that_is_not_for_the_stand_in_gets_the_limit() -> None:
    two = Two(models={"big": "small"})
    limited = UpstreamStatusError("Slow down.", status=429, refusal="rate_limit", retry_after=60)
    two.first.scripts = [[limited], [limited]]
    with pytest.raises(UpstreamStatusError, match="Slow down"):
        await two.ask(a_record(Principal("ann", "key_1", ("big",))))
    assert two.asked == (1, 0)


async def test_a_chain_of_models_is_followed() -> None:
    limited = UpstreamStatusError("Slow down.", status=429, refusal="rate_limit", retry_after=60)
    two = Two(models={"opus": "sonnet", "sonnet": "haiku"})
    two.first.scripts = [[limited], [limited], [ANSWER]]
    record = await two.ask()
    assert (record.model_used, record.model_asked, record.repairs) == ("claude-haiku-5-5", "big", ["fallback_model"])
    assert [request.model for request in two.first.requests] == [
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-haiku-5-5",
    ]


@pytest.mark.parametrize("models", [{"big": "small"}, {"opus": "sonnet", "claude-sonnet-5-5": "big"}])
async def test_where_every_model_is_limited_each_is_asked_once(models: dict[str, str]) -> None:
    limited = UpstreamStatusError("Slow down.", status=429, refusal="rate_limit", retry_after=60)
    two = Two(models=models)
    two.first.scripts = [[limited] for _ in range(4)]
    with pytest.raises(UpstreamStatusError, match="Slow down"):
        await two.ask()
    assert two.asked[0] == 2


async def test_a_fallback_that_leads_nowhere_is_none() -> None:
    limited = UpstreamStatusError("Slow down.", status=429, refusal="rate_limit", retry_after=60)
    two = Two(models={"big": "nothing"})
    two.first.scripts = [[limited], [limited]]
    with pytest.raises(UpstreamStatusError, match="Slow down"):
        await two.ask()
    assert two.asked == (1, 0)
