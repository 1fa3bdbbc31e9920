"""What `anthropic-ratelimit-*` headers say: of a key's limits a minute, and (`unified`) of a plan's windows.

https://docs.anthropic.com/en/api/rate-limits#response-headers; those of plans are known from what Claude Code reads.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

Moment = Callable[[str], float | None]
"""From seconds since 1970, or RFC 3339, to the former; None for what is no time."""

_PREFIX: Final = "anthropic-ratelimit-"
_UNIFIED: Final = "unified-"
_KEY_FIGURE: Final = re.compile(r"(requests|tokens|input-tokens|output-tokens)-(limit|remaining|reset)")
_PLAN_FIGURE: Final = re.compile(r"(\w+)-(utilization|reset|status)", re.ASCII)
_WINDOWS: Final[Mapping[str, str]] = MappingProxyType({"5h": "five_hour", "7d": "seven_day"})
"""What Claude Code calls the windows that the headers shorten."""


class LimitWindow(Struct, frozen=True, omit_defaults=True):
    """One limit: `used` is a share (0 to 1, above 1 where more was let through), times are seconds since 1970."""

    name: str
    """`five_hour`, `seven_day_opus`, `overage` of a plan; `requests`, `input-tokens` of a key."""
    used: float | None = None
    resets: float | None = None
    status: str = ""
    limit: int | None = None
    remaining: int | None = None
    told: float = 0
    """When Claude's side said so; set by whoever keeps it."""

    @property
    def of_a_plan(self) -> bool:
        """A key's limits are counted, a plan's are shares."""
        return self.limit is None


class Limits(Struct, frozen=True, omit_defaults=True):
    """All that one answer tells. `status` (`allowed`, `allowed_warning`, `rejected`) is "" for a key."""

    status: str = ""
    window: str = ""
    """The one that `status` and `resets` are about."""
    resets: float | None = None
    extra_usage: str = ""
    """Whether use beyond the plan is let through and billed apart: a status, too."""
    extra_usage_in_use: bool = False
    windows: tuple[LimitWindow, ...] = ()


def read_limits(headers: Iterable[tuple[str, str]], moment: Moment) -> Limits:
    """The limits in `headers`, whose names are in lower case; figures that cannot be read are left out."""
    told = {name.removeprefix(_PREFIX): value for name, value in headers if name.startswith(_PREFIX)}
    plan = {name.removeprefix(_UNIFIED): value for name, value in told.items() if name.startswith(_UNIFIED)}
    return Limits(
        status=plan.get("status", ""),
        window=plan.get("representative-claim", ""),
        resets=moment(plan.get("reset", "")),
        extra_usage=plan.get("overage-status", ""),
        extra_usage_in_use=plan.get("overage-in-use", "").lower() in ("true", "1"),
        windows=(*_plan_windows(plan, moment), *_key_windows(told, moment)),
    )


def _plan_windows(plan: Mapping[str, str], moment: Moment) -> Iterable[LimitWindow]:
    for name, figures in _grouped(_PLAN_FIGURE, plan).items():
        used = _number(figures.get("utilization", ""))
        if used is not None:
            resets, status = moment(figures.get("reset", "")), figures.get("status", "")
            yield LimitWindow(_WINDOWS.get(name, name), used, resets, status)


def _key_windows(told: Mapping[str, str], moment: Moment) -> Iterable[LimitWindow]:
    for name, figures in _grouped(_KEY_FIGURE, told).items():
        limit, remaining = _number(figures.get("limit", "")), _number(figures.get("remaining", ""))
        if limit and remaining is not None:
            yield LimitWindow(
                name,
                used=round(1 - remaining / limit, 4),
                resets=moment(figures.get("reset", "")),
                limit=int(limit),
                remaining=int(remaining),
            )


def _grouped(figure: re.Pattern[str], told: Mapping[str, str]) -> dict[str, dict[str, str]]:
    groups: dict[str, dict[str, str]] = {}
    for name, value in told.items():
        if match := figure.fullmatch(name):
            groups.setdefault(match[1], {})[match[2]] = value
    return groups


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", text) else None
