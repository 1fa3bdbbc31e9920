"""The meter of plans and keys: what Claude's side last told of each login's limits, with the time of each figure.

Every answer that tells any is noted, refusals too; nothing is asked for, and no token is read. A plan's figures are
kept over restarts; a key's count minutes and are not.

| state of a window | it is told as |
|---|---|
| told, its reset is to come | its share, and how old that is |
| told, its reset has passed | unknown: it started anew, and nobody has told since |
| not told by the last answer, but by one before | as that one told it |
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace as replaced
from datetime import UTC, datetime
from typing import Final

from msgspec import UNSET, Struct, UnsetType, structs

from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.storage.login_limits import LoginLimits, LoginLimitStore
from claude_openai_proxy.translate.messages_api.rate_limits import Limits, LimitWindow, read_limits
from claude_openai_proxy.translate.messages_api.refusals import spoken, window_words

WARN_AT: Final = (0.95, 0.8)
"""Shares of a plan's window of which the log warns once each, the largest first."""

_EPOCH_DIGITS: Final = 15

log: Final = logging.getLogger(__name__)


class WindowReport(Struct, frozen=True, omit_defaults=True):
    """`used_percent` is absent where nothing is known since the reset; `age_seconds`: since Claude's side told it."""

    name: str
    age_seconds: int
    source: str
    used_percent: float | UnsetType = UNSET
    resets_at: str | UnsetType = UNSET
    resets_in_seconds: int | UnsetType = UNSET
    limit: int | UnsetType = UNSET
    remaining: int | UnsetType = UNSET


class ExtraUsageReport(Struct, frozen=True):
    """Use beyond the plan: whether it is allowed, in upstream's word, and whether it is drawn from now."""

    status: str
    in_use: bool


class LimitsReport(Struct, frozen=True, omit_defaults=True):
    """One login's limits. `status` and `limit` are upstream's words on the plan as a whole, `resets_at` their end."""

    upstream: str
    account: str
    told_at: str
    status: str = ""
    limit: str = ""
    resets_at: str | UnsetType = UNSET
    resets_in_seconds: int | UnsetType = UNSET
    windows: tuple[WindowReport, ...] = ()
    extra_usage: ExtraUsageReport | UnsetType = UNSET


class PlanMeter:
    """`wall_clock` gives seconds since 1970; one that is not `on` notes nothing."""

    def __init__(self, *, store: LoginLimitStore, wall_clock: Callable[[], float], on: bool = True) -> None:
        self._store = store
        self._now = wall_clock
        self._on = on
        self._known: dict[tuple[str, str], LoginLimits] = {}

    async def open(self) -> None:
        """Read what was kept; what has been noted meanwhile is newer. A store in trouble tells that itself."""
        if not self._on:
            return
        try:
            kept = await self._store.all()
        except StorageUnavailableError:
            return
        self._known = {(one.upstream, one.account): one for one in kept} | self._known

    def note(self, upstream: str, account: str, headers: Sequence[tuple[str, str]]) -> None:
        """An answer of this login came with these headers."""
        if not (self._on and headers):
            return
        told, now = read_limits(headers, moment), self._now()
        if not (told.status or told.windows):
            return
        before = self._known.get((upstream, account))
        merged = structs.replace(told, windows=_merged(before.limits.windows if before else (), told.windows, now))
        self._known[upstream, account] = kept = LoginLimits(upstream, account, now, merged)
        if _of_a_plan(told) and (before is None or _figures(before.limits) != _figures(merged)):
            self._store.keep(replaced(kept, limits=_plan_only(merged)))
            _warn(before.limits if before else Limits(), merged, now)

    def of(self, upstream: str, account: str) -> LoginLimits | None:
        """What is known of this login; None where it has told nothing."""
        return self._known.get((upstream, account))

    def report(self, upstream: str, account: str) -> LimitsReport | None:
        """The same, to be shown."""
        kept = self.of(upstream, account)
        return _report(kept, self._now()) if kept else None

    def reports(self) -> tuple[LimitsReport, ...]:
        """Of every login that told any, the last one first."""
        newest = sorted(self._known.values(), key=lambda kept: kept.told, reverse=True)
        return tuple(_report(kept, self._now()) for kept in newest)


def moment(text: str) -> float | None:
    """Seconds since 1970, from those or from RFC 3339; None for what is no time."""
    try:
        if text.isdecimal() and text.isascii():
            return float(text) if len(text) < _EPOCH_DIGITS else None
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _merged(old: Iterable[LimitWindow], new: Iterable[LimitWindow], now: float) -> tuple[LimitWindow, ...]:
    both = {window.name: window for window in old}
    both |= {window.name: structs.replace(window, told=now) for window in new}
    return tuple(both.values())


def _of_a_plan(told: Limits) -> bool:
    return bool(told.status) or any(window.of_a_plan for window in told.windows)


def _plan_only(limits: Limits) -> Limits:
    return structs.replace(limits, windows=tuple(window for window in limits.windows if window.of_a_plan))


def _figures(limits: Limits) -> Limits:
    """Without the times at which they were told."""
    return structs.replace(limits, windows=tuple(structs.replace(window, told=0) for window in limits.windows))


def _warn(before: Limits, after: Limits, now: float) -> None:
    known = {(window.name, window.resets): window.used or 0.0 for window in before.windows}
    for window in after.windows:
        used, old = window.used or 0.0, known.get((window.name, window.resets), 0.0)
        if window.of_a_plan and any(old < share <= used for share in WARN_AT):
            resets = f"; it resets in {spoken(window.resets - now)}" if window.resets else ""
            log.warning("The plan's %s limit is used to %.0f %%%s.", window_words(window.name), used * 100, resets)


def _report(kept: LoginLimits, now: float) -> LimitsReport:
    limits = kept.limits
    extra = ExtraUsageReport(limits.extra_usage, limits.extra_usage_in_use)
    return LimitsReport(
        upstream=kept.upstream,
        account=kept.account,
        told_at=_utc(kept.told),
        status=limits.status,
        limit=limits.window,
        resets_at=UNSET if limits.resets is None else _utc(limits.resets),
        resets_in_seconds=UNSET if limits.resets is None else max(0, int(limits.resets - now)),
        windows=tuple(_window(window, now) for window in limits.windows),
        extra_usage=extra if limits.extra_usage or limits.extra_usage_in_use else UNSET,
    )


def _window(window: LimitWindow, now: float) -> WindowReport:
    age = max(0.0, now - window.told)
    ahead = None if window.resets is None else window.resets - now
    over = ahead is not None and ahead <= 0
    return WindowReport(
        name=window.name,
        age_seconds=int(age),
        source=f"from the last answer that told it, {spoken(age)} ago",
        used_percent=UNSET if over or window.used is None else round(window.used * 100, 2),
        resets_at=UNSET if window.resets is None else _utc(window.resets),
        resets_in_seconds=UNSET if ahead is None else max(0, int(ahead)),
        limit=UNSET if window.limit is None else window.limit,
        remaining=UNSET if over or window.remaining is None else window.remaining,
    )


def _utc(seconds: float) -> str:
    """Moments come from Claude's side: one that no calendar has is told as it came."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.0f}"
