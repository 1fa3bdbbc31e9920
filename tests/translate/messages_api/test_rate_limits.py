"""Limits from the headers that tell them."""

from datetime import datetime

import pytest

from claude_openai_proxy.translate.messages_api.rate_limits import Limits, LimitWindow, read_limits

RESET = "2027-01-15T08:00:00Z"


def moment(text: str) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text == RESET else float(text) if text.isdecimal() else None


def test_a_plans_windows_its_state_and_its_extra_usage() -> None:
    headers = {
        "unified-status": "allowed_warning",
        "unified-reset": "100",
        "unified-representative-claim": "five_hour",
        "unified-5h-utilization": "0.83",
        "unified-5h-reset": "100",
        "unified-5h-status": "allowed_warning",
        "unified-7d-utilization": "1.02",
        "unified-seven_day_opus-utilization": "0.5",
        "unified-overage-status": "allowed",
        "unified-overage-in-use": "true",
        "unified-overage-utilization": "0.12",
        "unified-slow-status": "off",
        "unified-upgrade-paths": "max",
    }

    assert read_limits([(f"anthropic-ratelimit-{name}", value) for name, value in headers.items()], moment) == Limits(
        status="allowed_warning",
        window="five_hour",
        resets=100,
        extra_usage="allowed",
        extra_usage_in_use=True,
        windows=(
            LimitWindow("five_hour", 0.83, 100, "allowed_warning"),
            LimitWindow("seven_day", 1.02),
            LimitWindow("seven_day_opus", 0.5),
            LimitWindow("overage", 0.12, status="allowed"),
        ),
    )


def test_a_keys_limits_a_minute() -> None:
    headers = {
        "requests-limit": "50",
        "requests-remaining": "49",
        "requests-reset": RESET,
        "input-tokens-limit": "40000",
        "input-tokens-remaining": "0",
        "tokens-limit": "0",
        "tokens-remaining": "0",
        "output-tokens-limit": "8000",
    }

    limits = read_limits([(f"anthropic-ratelimit-{name}", value) for name, value in headers.items()], moment)

    assert limits.windows == (
        LimitWindow("requests", 0.02, 1_800_000_000, limit=50, remaining=49),
        LimitWindow("input-tokens", 1.0, limit=40000, remaining=0),
    )
    assert not any(window.of_a_plan for window in limits.windows)


@pytest.mark.parametrize("value", ["", "much", "-1", "nan", "1e9", "٣", "0." + "3" * 40])
def test_what_is_no_figure_is_left_out(value: str) -> None:
    headers = [("anthropic-ratelimit-unified-5h-utilization", value), ("anthropic-ratelimit-requests-limit", value)]

    assert read_limits(headers, moment) == Limits()
