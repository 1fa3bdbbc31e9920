"""What is known of a login's limits, how old it is, and when the log warns."""

import asyncio
from collections.abc import Sequence

import pytest

from claude_openai_proxy.service.plan_meter import PlanMeter, WindowReport, moment
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.storage.login_limits import LoginLimits, MemoryLoginLimits

NOW = 1_800_000_000.0
RESET = NOW + 3600
KEY = (
    ("anthropic-ratelimit-requests-limit", "50"),
    ("anthropic-ratelimit-requests-remaining", "49"),
    ("anthropic-ratelimit-requests-reset", "2027-01-15T08:01:00Z"),
)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def plan(used: str, *, status: str = "allowed", window: str = "5h") -> tuple[tuple[str, str], ...]:
    unified = "anthropic-ratelimit-unified"
    return (
        (f"{unified}-status", status),
        (f"{unified}-reset", f"{RESET:.0f}"),
        (f"{unified}-{window}-utilization", used),
        (f"{unified}-{window}-reset", f"{RESET:.0f}"),
    )


def test_each_window_has_its_share_its_reset_and_its_age() -> None:
    clock = Clock()
    meter = PlanMeter(store=MemoryLoginLimits(), wall_clock=clock)
    meter.note("claude-code", "me", plan("0.9", window="7d"))
    clock.now += 180
    meter.note("claude-code", "me", plan("0.5"))

    report = meter.report("claude-code", "me")

    assert report is not None
    assert (report.status, report.told_at) == ("allowed", "2027-01-15T08:03:00Z")
    assert (report.resets_at, report.resets_in_seconds) == ("2027-01-15T09:00:00Z", 3420)
    assert report.windows == (
        WindowReport(
            "seven_day", 180, "from the last answer that told it, 3 min ago", 90.0, "2027-01-15T09:00:00Z", 3420
        ),
        WindowReport(
            "five_hour", 0, "from the last answer that told it, 1 min ago", 50.0, "2027-01-15T09:00:00Z", 3420
        ),
    )


def test_after_its_reset_nothing_is_known_of_a_window() -> None:
    clock = Clock()
    meter = PlanMeter(store=MemoryLoginLimits(), wall_clock=clock)
    meter.note("claude-code", "me", plan("1"))
    clock.now = RESET

    (report,) = meter.reports()

    assert (report.windows[0].used_percent, report.windows[0].resets_in_seconds) == (
        WindowReport("", 0, "").used_percent,
        0,
    )


async def test_a_plans_limits_are_known_after_a_restart_and_a_keys_are_not() -> None:
    store = MemoryLoginLimits()
    meter = PlanMeter(store=store, wall_clock=Clock())
    meter.note("claude-code", "me", plan("0.5", status="rejected"))
    meter.note("api", "key", KEY)
    assert [report.upstream for report in meter.reports()] == ["claude-code", "api"]

    again = PlanMeter(store=store, wall_clock=Clock())
    await again.open()

    assert again.reports() == (meter.report("claude-code", "me"),)


async def test_what_was_noted_before_the_store_was_read_is_newer() -> None:
    store = MemoryLoginLimits()
    PlanMeter(store=store, wall_clock=Clock()).note("claude-code", "me", plan("0.5"))
    meter = PlanMeter(store=MemoryLoginLimits(), wall_clock=Clock())
    meter.note("claude-code", "me", plan("0.6"))
    meter._store = store
    await meter.open()

    assert meter.of("claude-code", "me").limits.windows[0].used == 0.6  # type: ignore[union-attr]  # it was noted


async def test_a_store_in_trouble_costs_no_start() -> None:
    class Broken(MemoryLoginLimits):
        async def all(self) -> Sequence[LoginLimits]:
            await asyncio.sleep(0)
            raise StorageUnavailableError("The disk is full.")

    meter = PlanMeter(store=Broken(), wall_clock=Clock())
    await meter.open()
    assert meter.reports() == ()


def test_the_log_warns_once_at_80_and_once_at_95_percent(caplog: pytest.LogCaptureFixture) -> None:
    meter = PlanMeter(store=MemoryLoginLimits(), wall_clock=Clock())
    for used in ("0.7", "0.8", "0.85", "0.95", "1"):
        meter.note("claude-code", "me", plan(used))
    meter.note("api", "key", (*KEY[:1], ("anthropic-ratelimit-requests-remaining", "0")))

    assert caplog.messages == [
        "The plan's 5-hour limit is used to 80 %; it resets in 1 h 0 min.",
        "The plan's 5-hour limit is used to 95 %; it resets in 1 h 0 min.",
    ]


def test_one_that_is_off_notes_nothing() -> None:
    meter = PlanMeter(store=MemoryLoginLimits(), wall_clock=Clock(), on=False)
    meter.note("claude-code", "me", plan("0.5"))
    assert meter.reports() == ()


@pytest.mark.parametrize("text", ["", "soon", "9" * 20, "2027-13-01", "٣"])
def test_what_is_no_time(text: str) -> None:
    assert moment(text) is None
