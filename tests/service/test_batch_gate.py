"""When a line of an emulated batch may be asked: never before a live request, and never beyond the share of a plan."""

from collections.abc import Sequence

import pytest

from claude_openai_proxy.service.batches.gate import QUIET_SECONDS, Gate
from claude_openai_proxy.service.plan_meter import PlanMeter
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.storage.login_limits import MemoryLoginLimits
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.upstreams.interface import Identity
from service.fake_upstream import FakeUpstream
from web.wired import Clock

NOW = 1_800_000_000.0
RESET = str(int(NOW) + 3600)
PLAN = Identity("claude-code", "1", "me", "plan")
Headers = Sequence[tuple[str, str]]


def told(used: str = "0.1", status: str = "allowed", **more: str) -> Headers:
    """What Claude's side says of the plan."""
    unified = "anthropic-ratelimit-unified-"
    headers = {"status": status, "reset": RESET, "5h-utilization": used, "5h-reset": RESET} | more
    return [(unified + name.replace("_", "-"), value) for name, value in headers.items()]


class _Upstream(FakeUpstream):
    """Of a plan, unless it is told otherwise."""

    who = PLAN

    @property
    def identity(self) -> Identity:
        return self.who


class Gated:
    """A gate with everything that it looks at."""

    def __init__(self, capacity: int | None = 4, headers: Headers | None = None) -> None:
        self.clock, self.now = Clock(), NOW
        self.places = Places(clock=self.clock)
        self.meter = PlanMeter(store=MemoryLoginLimits(), wall_clock=lambda: self.now)
        if headers is not None:
            self.meter.note(PLAN.kind, PLAN.account, headers)
        self.upstream = _Upstream()
        self.upstream.capabilities = Capabilities(simultaneous=capacity)
        self.gate = Gate(
            places=self.places,
            meter=self.meter,
            clock=self.clock,
            wall_clock=lambda: self.now,
            share=0.5,
            most=2,
            look_again=0.0,
        )

    @property
    def reason(self) -> str:
        return self.gate.reason(self.upstream)


async def test_a_line_may_be_asked_while_the_plan_has_enough_and_places_are_free() -> None:
    assert Gated(headers=told()).reason == ""


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (told(used="0.5"), "the plan's five_hour window is used to the batches' share"),
        (told(status="allowed_warning"), "the plan's limit is near"),
        (told(status="rejected"), "the plan's limit is near"),
        (told(overage_in_use="true"), "extra usage is in use"),
    ],
)
async def test_a_plan_is_not_used_up_and_goes_on_after_its_reset(headers: Headers, reason: str) -> None:
    gated = Gated(headers=headers)
    assert gated.reason == reason
    gated.now += 3601
    assert gated.reason == ""


async def test_while_nothing_is_known_of_the_plan_one_line_finds_out() -> None:
    gated = Gated()
    assert gated.reason == ""
    async with gated.gate.place(gated.upstream):
        assert gated.reason == "nothing is known of the plan"


async def test_who_pays_by_tokens_has_no_plan_to_spare() -> None:
    gated = Gated()
    gated.upstream.who = Identity("api", "1", "me", "api")
    async with gated.gate.place(gated.upstream):
        assert gated.reason == ""


async def test_one_place_stays_free_for_a_live_request() -> None:
    gated = Gated(capacity=3, headers=told())
    async with gated.places.take(3, "ann"):
        assert gated.reason == ""
        async with gated.places.take(3, "bob"):
            assert gated.reason == "the last place is kept free"


async def test_of_one_place_a_line_gets_the_quiet_times() -> None:
    gated = Gated(capacity=1, headers=told())
    async with gated.places.take(1, "ann"):
        assert gated.reason == "the one place is kept free"
    assert gated.reason == "the one place is kept free"
    gated.clock.now += QUIET_SECONDS
    assert gated.reason == ""
