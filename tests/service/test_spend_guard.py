"""When a plan counts as spent, and whose login may pay where only a plan may."""

import pytest

from claude_openai_proxy.errors import PlanSpentError
from claude_openai_proxy.service.plan_meter import PlanMeter
from claude_openai_proxy.service.spend_guard import SpendGuard
from claude_openai_proxy.storage.login_limits import MemoryLoginLimits
from claude_openai_proxy.upstreams.interface import Identity

NOW = 1_800_000_000.0
HOUR = f"{NOW + 3600:.0f}"
PLAN = Identity("claude-code", "2.1.332", "me", "plan")


def guard(*told: dict[str, str], plan_only: bool = True, now: float = NOW) -> SpendGuard:
    meter = PlanMeter(store=MemoryLoginLimits(), wall_clock=lambda: NOW)
    for headers in told:
        unified = [(f"anthropic-ratelimit-unified-{name}", value) for name, value in headers.items()]
        meter.note("claude-code", "me", unified)
    return SpendGuard(meter=meter, wall_clock=lambda: now, plan_only=plan_only)


@pytest.mark.parametrize(
    ("told", "window"),
    [
        ({"status": "rejected", "reset": HOUR, "representative-claim": "five_hour"}, "five_hour"),
        ({"status": "allowed", "reset": HOUR, "overage-in-use": "true"}, "overage"),
        ({"status": "allowed", "5h-utilization": "1", "5h-reset": HOUR}, "five_hour"),
        ({"status": "allowed", "seven_day_opus-utilization": "1.2", "seven_day_opus-reset": HOUR}, "seven_day_opus"),
    ],
)
def test_a_plan_is_spent_until_its_reset(told: dict[str, str], window: str) -> None:
    assert guard(told).spent(PLAN, "opus") == (window, 3600)
    assert guard(told, now=NOW + 3600).spent(PLAN, "opus") is None
    with pytest.raises(PlanSpentError) as refused:
        guard(told).check(PLAN, "opus")
    assert refused.value.resets_in == 3600
    guard(told, plan_only=False).check(PLAN, "opus")


@pytest.mark.parametrize(
    "told",
    [
        {"status": "rejected"},
        {"status": "rejected", "reset": HOUR, "representative-claim": "seven_day_opus"},
        {"status": "allowed_warning", "reset": HOUR, "5h-utilization": "0.99", "5h-reset": HOUR},
        {"status": "allowed", "5h-utilization": "1"},
        {"status": "allowed", "seven_day_opus-utilization": "1", "seven_day_opus-reset": HOUR},
        {"status": "allowed", "overage-utilization": "1", "overage-reset": HOUR},
        {},
    ],
)
def test_a_plan_is_not_spent_for_a_model_that_may_be_asked(told: dict[str, str]) -> None:
    assert guard(told).spent(PLAN, "sonnet") is None
    guard(told).check(PLAN, "sonnet")


@pytest.mark.parametrize(
    ("identity", "refused"),
    [
        (Identity("api", "1", ""), True),
        (Identity("api", "1", "key", "api"), True),
        (Identity("claude-code", "2", "key", "api"), True),
        (Identity("claude-code", "2", "aws", "cloud"), True),
        (Identity("claude-code", "2", "else", "gateway"), True),
        (Identity("claude-code", "2", "me", "plan"), False),
        (Identity("claude-code", "", ""), False),
        (Identity("demo", "1", "x"), False),
    ],
)
def test_where_only_a_plan_may_pay_another_login_is_asked_nothing(identity: Identity, *, refused: bool) -> None:
    guard(plan_only=False).check(identity, "opus")
    if not refused:
        guard().check(identity, "opus")
        return
    with pytest.raises(PlanSpentError, match="not a plan's") as error:
        guard().check(identity, "opus")
    assert error.value.resets_in is None


def test_what_is_not_known_yet_is_said() -> None:
    assert guard().unknown(PLAN)
    assert not guard({"status": "allowed"}).unknown(PLAN)
    assert not guard(plan_only=False).unknown(PLAN)


@pytest.mark.parametrize(
    ("told", "extra"), [({"overage-in-use": "true", "reset": HOUR}, True), ({"reset": HOUR}, False)]
)
def test_extra_usage_pays_until_the_reset(told: dict[str, str], *, extra: bool) -> None:
    assert guard(told | {"status": "allowed"}).uses_extra(PLAN) is extra
    assert not guard(told | {"status": "allowed"}, now=NOW + 3600).uses_extra(PLAN)
