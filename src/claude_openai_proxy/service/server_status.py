"""One look at a running server: health, limits of the logins, what was used today, who asked, what failed last."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType

from claude_openai_proxy.service.health import HealthReport, HealthService
from claude_openai_proxy.service.plan_meter import LimitsReport, PlanMeter
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.storage.ledger import Choice, LedgerStore, LedgerSum
from claude_openai_proxy.telemetry.live_log import LiveLog

HOUR_SECONDS: Final = 3_600
MOST_CLIENTS: Final = 20


class UsedToday(Struct, frozen=True):
    """Since midnight, UTC. Prices in US dollars; `input_tokens` has those that were read from the cache in it."""

    requests: int
    failed: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    list_price: float
    charged: float


class ClientSeen(Struct, frozen=True):
    """Within the last hour."""

    key: str
    client: str
    requests: int
    failed: int


class ErrorSeen(Struct, frozen=True):
    """The last request that failed; `reason` is the proxy's own sentence, without what it quotes of a request."""

    at: str
    request_id: str
    status: int
    route: str
    key: str
    model: str
    error: str
    code: str
    reason: str


class StatusReport(Struct, frozen=True):
    """Body of `GET /status`."""

    health: HealthReport
    logins: tuple[LimitsReport, ...] = ()
    today: UsedToday | UnsetType = UNSET
    """Absent where the ledger cannot be read."""
    clients: tuple[ClientSeen, ...] = ()
    last_error: ErrorSeen | UnsetType = UNSET
    pid: int = 0
    """Of the process that ends all of it when it is told to end; of several workers their supervisor's."""
    object: Literal["status"] = "status"


class ServerStatus:
    """`wall_clock` counts seconds since 1970."""

    def __init__(
        self,
        *,
        health: HealthService,
        meter: PlanMeter,
        ledger: LedgerStore,
        live: LiveLog,
        wall_clock: Callable[[], float],
        flush: Callable[[], Awaitable[None]],
        pid: int = 0,
    ) -> None:
        """`flush` brings what has ended into the ledger; `pid` is told as it is."""
        self._pid = pid
        self._flush = flush
        self._health = health
        self._meter = meter
        self._ledger = ledger
        self._live = live
        self._now = wall_clock

    async def report(self) -> StatusReport:
        """Asks nothing of Claude's side; two questions to the ledger."""
        today, clients = await self._used()
        return StatusReport(
            await self._health.health(),
            self._meter.reports(),
            today or UNSET,
            clients,
            self._last_error() or UNSET,
            self._pid,
        )

    async def _used(self) -> tuple[UsedToday | None, tuple[ClientSeen, ...]]:
        await self._flush()
        now = self._now()
        midnight = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        try:
            day = await self._ledger.sums(Choice(midnight), ())
            seen = await self._ledger.sums(Choice(now - HOUR_SECONDS), ("key", "client"))
        except StorageUnavailableError:
            return None, ()
        return _used_today(day), _clients(seen)

    def _last_error(self) -> ErrorSeen | None:
        if self._live.last_error is None:
            return None
        at, _, entry = self._live.last_error
        return ErrorSeen(
            at=datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            request_id=entry.request_id,
            status=entry.status,
            route=entry.route,
            key=entry.principal,
            model=entry.model,
            error=entry.error,
            code=entry.code,
            reason=entry.reason,
        )


def _used_today(sums: Sequence[LedgerSum]) -> UsedToday | None:
    return next(
        (
            UsedToday(
                requests=one.requests,
                failed=one.failed,
                input_tokens=one.input_tokens,
                cached_tokens=one.cached_tokens,
                output_tokens=one.output_tokens,
                list_price=round(one.list_price, 6),
                charged=round(one.charged, 6),
            )
            for one in sums
        ),
        None,
    )


def _clients(sums: Sequence[LedgerSum]) -> tuple[ClientSeen, ...]:
    busiest = sorted(sums, key=lambda one: one.requests, reverse=True)[:MOST_CLIENTS]
    return tuple(ClientSeen(one.name, one.group[1], one.requests, one.failed) for one in busiest)
