"""What the usage page shows, in three questions to the ledger, however much is in it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

from claude_openai_proxy.records import LedgerRow
from claude_openai_proxy.service.plan_meter import LimitsReport
from claude_openai_proxy.service.usage import nothing_waits
from claude_openai_proxy.storage.ledger import HOUR, Choice, LedgerStore, LedgerSum, added
from claude_openai_proxy.translate.models.prices import cache_saving

DAYS: Final = 30
LATEST: Final = 100
_DAY: Final = 24 * HOUR

STATUSES: Final = (200, 400, 401, 403, 404, 413, 429, 499, 500, 502, 503, 504)
"""That the last requests can be chosen by."""
FAILED: Final = "failed"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of the last requests are shown; "" for all. `key` is a principal's id."""

    status: str = ""
    key: str = ""
    client: str = ""

    @property
    def having(self) -> Mapping[str, str | int]:
        """As the ledger knows it."""
        chosen: dict[str, str | int] = {}
        if self.status == FAILED:
            chosen["failed"] = 1
        elif self.status.isdecimal() and int(self.status) in STATUSES:
            chosen["status"] = int(self.status)
        if self.key:
            chosen["principal"] = self.key
        if self.client:
            chosen["client"] = self.client
        return chosen


@dataclass(frozen=True, slots=True)
class Overview:
    """`days` are numbers of days since 1970, oldest first, without gaps; sums by day and model, by key and client."""

    now: float
    days: Sequence[int]
    by_day_and_model: Sequence[LedgerSum]
    by_key_and_client: Sequence[LedgerSum]
    latest: Sequence[LedgerRow]
    saved: float
    """US dollars by list price that reading from the cache saved, less what writing to it cost."""
    asked: Filter = field(default_factory=Filter)
    limits: Sequence[LimitsReport] = ()

    @property
    def total(self) -> LedgerSum:
        """Of all these days."""
        return reduce(added, self.by_day_and_model, LedgerSum())


class UsageOverview:
    """`limits` gives what is known of plans; `flush` writes what waits. Raises `StorageUnavailableError`."""

    def __init__(
        self,
        store: LedgerStore,
        *,
        limits: Callable[[], Sequence[LimitsReport]],
        wall_clock: Callable[[], float],
        flush: Callable[[], Awaitable[None]] = nothing_waits,
    ) -> None:
        self._store = store
        self._limits = limits
        self._now = wall_clock
        self._flush = flush

    async def of(self, asked: Filter) -> Overview:
        """Of this moment, with the last requests for which `asked` is so."""
        await self._flush()
        now = self._now()
        today = int(now) // _DAY
        first = today - DAYS + 1
        since = Choice(float(first * _DAY))
        by_model = await self._store.sums(since, ["day", "model"])
        return Overview(
            now=now,
            days=range(first, today + 1),
            by_day_and_model=by_model,
            by_key_and_client=await self._store.sums(since, ["key", "client"]),
            latest=await self._store.latest(Choice(since.since, asked.having), LATEST),
            saved=sum(_saved(one) for one in by_model),
            asked=asked,
            limits=self._limits(),
        )


def _saved(one: LedgerSum) -> float:
    return cache_saving(
        one.group[1], read=one.cached_tokens, written=one.cache_write_tokens, hour=one.cache_write_1h_tokens
    )
