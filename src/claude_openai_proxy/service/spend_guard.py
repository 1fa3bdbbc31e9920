"""What a plan has left, as far as Claude's side has told, and whether a request may be charged to anything else.

| last told of the plan | it is spent |
|---|---|
| `rejected`, with a reset to come | until then; of a model's own window for that line of models alone |
| a window of 100 % or more, with a reset to come | likewise |
| extra usage in use, with a reset to come | until then: what is answered now is billed apart |
| anything else, or nothing | not, as far as anybody knows |

The bound: what is told comes with an answer, so requests under way, and whatever Claude's side does not tell, are
beyond the guard.
"""

from collections.abc import Callable, Iterator
from typing import Final

from claude_openai_proxy.errors import PlanSpentError
from claude_openai_proxy.service.plan_meter import PlanMeter
from claude_openai_proxy.storage.login_limits import LoginLimits
from claude_openai_proxy.translate.messages_api.refusals import spoken, window_words
from claude_openai_proxy.upstreams.interface import Identity

_OF_ONE_LINE: Final = "seven_day_"
"""Windows of one line of models are called so: `seven_day_opus`."""
_OF_ALL: Final = frozenset({"seven_day_overage_included"})
_EXTRA: Final = "overage"


class SpendGuard:
    """`plan_only`: nothing but a plan may pay. `wall_clock` gives seconds since 1970."""

    def __init__(self, *, meter: PlanMeter, wall_clock: Callable[[], float], plan_only: bool = False) -> None:
        self._meter = meter
        self._now = wall_clock
        self._plan_only = plan_only

    def check(self, identity: Identity, line: str) -> None:
        """Raise `PlanSpentError` where a request for a model of this line must not be charged to this login."""
        if not self._plan_only or identity.kind == "demo":
            return
        if identity.kind == "api" or identity.payer not in ("", "plan"):
            raise PlanSpentError(
                "PLAN_ONLY is set, and the login in use is not a plan's. Use the plan (--upstream claude-code, without "
                "a key), or take PLAN_ONLY away."
            )
        if spent := self.spent(identity, line):
            window, seconds = spent
            raise PlanSpentError(
                f"PLAN_ONLY is set, and the plan's {window_words(window)} limit is reached; it resets in "
                f"{spoken(seconds)}.",
                resets_in=seconds,
            )

    def spent(self, identity: Identity, line: str) -> tuple[str, float] | None:
        """The window that is used up for models of this line, and the seconds until its reset; None where none is."""
        kept = self._meter.of(identity.kind, identity.account)
        if kept is None:
            return None
        resets = ((name, at - self._now()) for name, at in _used_up(kept) if _concerns(name, line))
        return max(((name, left) for name, left in resets if left > 0), key=lambda one: one[1], default=None)

    def uses_extra(self, identity: Identity) -> bool:
        """Whether what this plan answers now is billed as extra usage, as far as has been told."""
        kept = self._meter.of(identity.kind, identity.account)
        return kept is not None and kept.limits.extra_usage_in_use and (kept.limits.resets or 0) > self._now()

    def unknown(self, identity: Identity) -> bool:
        """Whether the guard has nothing to go by yet."""
        return self._plan_only and self._meter.of(identity.kind, identity.account) is None


def _used_up(kept: LoginLimits) -> Iterator[tuple[str, float]]:
    limits = kept.limits
    if limits.resets is not None and limits.extra_usage_in_use:
        yield _EXTRA, limits.resets
    if limits.resets is not None and limits.status == "rejected":
        yield limits.window, limits.resets
    for window in limits.windows:
        if window.of_a_plan and window.name != _EXTRA and window.resets is not None and (window.used or 0) >= 1:
            yield window.name, window.resets


def concerns_one_line(window: str) -> bool:
    """Whether a window counts the use of one line of models."""
    return window.startswith(_OF_ONE_LINE) and window not in _OF_ALL


def _concerns(window: str, line: str) -> bool:
    return not concerns_one_line(window) or window.removeprefix(_OF_ONE_LINE) == line
