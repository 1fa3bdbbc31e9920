"""What /health says."""

from claude_openai_proxy.service.health import DEEP_SECONDS, HealthService
from claude_openai_proxy.service.models import ModelCatalog, ModelNames
from claude_openai_proxy.service.waiting import WaitingLine
from service.fake_upstream import FakeChoice, FakeUpstream


class Watch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def service(choice: FakeChoice, watch: Watch) -> HealthService:
    catalog = ModelCatalog(current=choice.current, names=ModelNames(aliases={"big": "opus"}), clock=watch)
    line = WaitingLine(clock=watch)
    return HealthService(upstreams=choice, catalog=catalog, line=line, version="1.2.3", clock=watch)


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


async def test_a_deep_look_reaches_upstream_at_most_once_in_ten_seconds() -> None:
    watch, choice = Watch(), FakeChoice(FakeUpstream(models=None))
    health = service(choice, watch)
    assert (await health.health(deep=True)).reachable is True
    await health.health(deep=True)
    assert choice.deep_looks == 1
    watch.now += DEEP_SECONDS
    await health.health(deep=True)
    assert choice.deep_looks == 2
