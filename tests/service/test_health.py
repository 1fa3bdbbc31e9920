"""What /health says."""

import asyncio
from typing import Any

from claude_openai_proxy.service.health import DEEP_SECONDS, READY_SECONDS, HealthService
from claude_openai_proxy.service.model_names import ModelNames
from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.service.plan_meter import LimitsReport
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.upstreams.interface import UpstreamStatus
from service.fake_upstream import FakeChoice, FakeUpstream


class Watch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class CountingChoice(FakeChoice):
    """Counts the looks, and holds them up until they `may_answer`."""

    def __init__(self, upstream: FakeUpstream) -> None:
        super().__init__(upstream)
        self.looks = 0
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def status(self, *, deep: bool = False) -> UpstreamStatus:
        self.looks += 1
        self.asked.set()
        await self.may_answer.wait()
        return await super().status(deep=deep)


def service(choice: FakeChoice, watch: Watch, *, patience: float = 60.0, **options: Any) -> HealthService:
    catalog = ModelCatalog(current=choice.current, names=ModelNames(aliases={"big": "opus"}), clock=watch)
    places = Places(clock=watch)
    return HealthService(
        upstreams=choice, catalog=catalog, places=places, version="1.2.3", clock=watch, patience=patience, **options
    )


async def test_the_login_the_uptime_and_the_aliases_are_told() -> None:
    watch = Watch()
    health = service(FakeChoice(FakeUpstream(models=None)), watch)
    watch.now += 61.5
    report = await health.health()
    assert (report.status, report.version, report.uptime_seconds, report.login) == ("ok", "1.2.3", 61, "made up")
    assert report.models == {"big": "claude-opus-5-5"}


async def test_no_login_is_said_with_what_to_do() -> None:
    report = await service(FakeChoice(None), Watch()).health()
    assert (report.status, report.detail) == ("no_login", "No Claude login found.")


async def test_however_many_ask_the_login_is_looked_up_once() -> None:
    choice = CountingChoice(FakeUpstream())
    health = service(choice, Watch())
    await asyncio.gather(*(health.health() for _ in range(20)))
    await health.health()
    assert choice.looks == 1


async def test_claude_is_asked_for_nothing() -> None:
    upstream = FakeUpstream()
    report = await service(FakeChoice(upstream), Watch()).health()
    assert report.models == {"big": "claude-opus-5-5"}
    assert upstream.listings == 0


async def test_a_look_that_takes_long_is_told_as_such_and_goes_on() -> None:
    choice = CountingChoice(FakeUpstream())
    choice.may_answer.clear()
    health = service(choice, Watch(), patience=0.0)
    assert (await health.health()).status == "checking"
    choice.may_answer.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (await health.health()).status == "ok"
    assert choice.looks == 1


async def test_one_who_leaves_does_not_stop_the_look_of_the_others() -> None:
    choice = CountingChoice(FakeUpstream())
    choice.may_answer.clear()
    health = service(choice, Watch())
    first, second = asyncio.create_task(health.health()), asyncio.create_task(health.health())
    await choice.asked.wait()
    first.cancel()
    choice.may_answer.set()
    assert (await second).status == "ok"
    await health.aclose()


async def test_readiness_is_remembered_longer_while_it_is_good() -> None:
    watch, choice = Watch(), FakeChoice(FakeUpstream())
    health = service(choice, watch)
    assert await health.readiness() == "ok"
    watch.now += DEEP_SECONDS
    assert await health.readiness() == "ok"
    assert choice.deep_looks == 1
    watch.now += READY_SECONDS
    choice.upstream = None
    assert await health.readiness() == "no_login"
    watch.now += DEEP_SECONDS
    await health.readiness()
    assert choice.deep_looks == 3


async def test_a_deep_look_reaches_upstream_at_most_once_in_ten_seconds() -> None:
    watch, choice = Watch(), FakeChoice(FakeUpstream(models=None))
    health = service(choice, watch)
    assert (await health.health(deep=True)).reachable is True
    await health.health(deep=True)
    assert choice.deep_looks == 1
    watch.now += DEEP_SECONDS
    await health.health(deep=True)
    assert choice.deep_looks == 2


async def test_the_limits_are_those_of_the_login_in_use() -> None:
    asked: list[tuple[str, str]] = []

    def limits(upstream: str, account: str) -> LimitsReport | None:
        asked.append((upstream, account))
        return LimitsReport(upstream, account, "2027-01-15T07:43:20Z", "allowed") if account else None

    class Limited(FakeChoice):
        async def status(self, *, deep: bool = False) -> UpstreamStatus:  # noqa: ARG002 - the protocol's signature
            return UpstreamStatus(logged_in=True, login="plan", kind="claude-code", account="me")

    watch = Watch()
    health = service(Limited(FakeUpstream()), watch, limits=limits)
    told = (await health.health()).rate_limits
    assert told == LimitsReport("claude-code", "me", "2027-01-15T07:43:20Z", "allowed")
    assert asked == [("claude-code", "me")]
