"""Which way a request takes: the first there is, or for a while another; and which model, likewise.

| state of the first way | a request |
|---|---|
| answers, or nobody knows better | takes it |
| its plan is spent, as far as has been told | takes the fallback until the reset; the first is not asked |
| it says, before anything of an answer, that it is exhausted, overloaded or gone | is sent once more, by the fallback |
| it has said so, and the reset or `retry-after` (else `PAUSE_SECONDS`) is to come | takes the fallback |
| as above, and the fallback has no login, no budget, or is the same way | takes the first, with whatever it says |

A model that is limited gives way to its fallback by the same rules. No request asks whether the first is back: it is
tried when the time is over, so that thinking and cache of a conversation stay where they are.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from claude_openai_proxy.errors import (
    NoLoginError,
    PersonalPlanError,
    ProxyError,
    UpstreamConnectionError,
    UpstreamError,
    UpstreamStatusError,
)
from claude_openai_proxy.service.fallback_budget import FallbackBudget
from claude_openai_proxy.service.models import ResolvedModel
from claude_openai_proxy.service.spend_guard import SpendGuard, concerns_one_line
from claude_openai_proxy.upstreams.interface import Upstream, UpstreamChoice

PAUSE_SECONDS: Final = 300.0
"""How long what failed without a time of its own is left alone."""
_OVERLOADED: Final = frozenset({503, 529})

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Way:
    """An upstream for one request; `fallback`: it stands in for another."""

    upstream: Upstream
    fallback: bool = False


class Ways:
    """`other` gives the fallback's upstream, and raises where there is no login for it; None: there is no fallback.

    `models` names the model that stands in for another (an alias, a line or an id each). `clock`: seconds.
    """

    def __init__(
        self,
        upstreams: UpstreamChoice,
        *,
        clock: Callable[[], float],
        guard: SpendGuard | None = None,
        other: Callable[[], Awaitable[Upstream]] | None = None,
        budget: FallbackBudget | None = None,
        models: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._upstreams = upstreams
        self._clock = clock
        self._guard = guard
        self._other = other
        self._budget = budget
        self._models = models
        self._left_alone: dict[tuple[str, str], float] = {}
        """Until when, by upstream's kind and account."""
        self._limited: dict[tuple[str, str], float] = {}
        """Until when, by upstream's kind and model."""

    @property
    def budget(self) -> FallbackBudget | None:
        """Of the fallback, where it is paid by tokens."""
        return self._budget

    async def first(self) -> Way:
        """The first way, or the fallback where there is no login for it, or it is left alone.

        Raises `NoLoginError`, `PersonalPlanError`, `UpstreamError`.
        """
        try:
            upstream = await self._upstreams.current()
        except PersonalPlanError:
            raise
        except (NoLoginError, UpstreamError):
            if (way := await self._fallback("")) is None:
                raise
            return way
        identity = upstream.identity
        if self._left_alone.get((identity.kind, identity.account), 0.0) > self._clock():
            return await self._fallback(identity.kind) or Way(upstream)
        return Way(upstream)

    async def instead_of_spent(self, way: Way, model: ResolvedModel) -> Way:
        """The fallback where the plan of `way` is spent for this model, else `way`."""
        if way.fallback or self._guard is None or self._guard.spent(way.upstream.identity, model.line) is None:
            return way
        return await self._fallback(way.upstream.identity.kind) or way

    def stand_in(self, model: ResolvedModel) -> str | None:
        """The name of the model that may stand in for this one; None where none may."""
        names = (model.id, model.line) if model.stands_in else (model.asked, model.id, model.line)
        return next((self._models[name] for name in names if name in self._models), None)

    def is_limited(self, way: Way, model: ResolvedModel) -> bool:
        """Whether this model, and not the way as a whole, is left alone now."""
        identity = way.upstream.identity
        if self._limited.get((identity.kind, model.id), 0.0) > self._clock():
            return True
        spent = self._guard.spent(identity, model.line) if self._guard else None
        return spent is not None and concerns_one_line(spent[0])

    async def leaves(self, way: Way, model: ResolvedModel, error: ProxyError, *, has_spare: bool) -> bool:
        """Whether another way is open after `error` of this one; it is then left alone for a while.

        `has_spare`: there is a model that can stand in now.
        """
        if has_spare and self._leaves_model(way, model, error):
            return True
        identity, seconds = way.upstream.identity, _gone_for(error)
        if way.fallback or seconds is None or await self._fallback(identity.kind) is None:
            return False
        self._left_alone[identity.kind, identity.account] = self._clock() + seconds
        log.warning("%s is exhausted, overloaded or gone: the fallback answers for %.0f s.", identity.kind, seconds)
        return True

    def _leaves_model(self, way: Way, model: ResolvedModel, error: ProxyError) -> bool:
        seconds = _model_is_limited_for(error)
        if seconds is None:
            return False
        self._limited[way.upstream.identity.kind, model.id] = self._clock() + seconds
        log.warning("%s is limited: its fallback answers for %.0f s.", model.id, seconds)
        return True

    async def _fallback(self, kind: str) -> Way | None:
        """None where there is none, or none that is another way than `kind`."""
        if self._other is None:
            return None
        try:
            upstream = await self._other()
        except ProxyError:
            return None
        if upstream.identity.kind == kind:
            return None
        paid = upstream.identity.payer != "plan"
        if paid and (self._budget is None or self._budget.left <= 0):
            return None
        return Way(upstream, fallback=True)


def _gone_for(error: ProxyError) -> float | None:
    """Seconds that the way of this error is to be left alone; None where another way would not help."""
    if isinstance(error, UpstreamStatusError):
        away = error.refusal == "quota" or error.status in _OVERLOADED or error.status == 401
        return (error.retry_after or PAUSE_SECONDS) if away else None
    if isinstance(error, NoLoginError):
        return PAUSE_SECONDS
    return PAUSE_SECONDS if isinstance(error, UpstreamConnectionError) and not error.reached else None


def _model_is_limited_for(error: ProxyError) -> float | None:
    """Seconds that a model of this error is to be left alone; a limit of the whole plan is none of the model."""
    if not isinstance(error, UpstreamStatusError):
        return None
    window = dict(error.rate_limits).get("anthropic-ratelimit-unified-representative-claim", "")
    limited = error.refusal == "rate_limit" or error.status in _OVERLOADED
    if limited or (error.refusal == "quota" and concerns_one_line(window)):
        return error.retry_after or PAUSE_SECONDS
    return None
