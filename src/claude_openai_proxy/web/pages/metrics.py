"""`GET /metrics`: what was counted of requests, and the state of the server, for Prometheus and what reads the same.

Of several workers one is asked: what all count is added up, the rest is told of the one that answers.
"""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import UNSET

from claude_openai_proxy.service.health import HealthReport, HealthService, StorageReport
from claude_openai_proxy.service.plan_meter import LimitsReport, PlanMeter
from claude_openai_proxy.service.waiting import LineStatus
from claude_openai_proxy.storage.interface import StorageState
from claude_openai_proxy.telemetry.families import Family, Labels, by_label, exposition, one
from claude_openai_proxy.upstreams.interface import PoolStatus
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import Access
from claude_openai_proxy.web.exchange import Exchange

MOST_WINDOWS: Final = 100
"""Of all logins together."""
_NO_STORE: Final = (b"cache-control", b"no-store")


class MetricsPage:
    """`counted` gives the families of what has happened; the rest is looked up when asked for.

    `whole` adds to the families of this process what others that serve with it have counted.
    """

    def __init__(
        self,
        counted: Callable[[], list[Family]],
        *,
        health: HealthService,
        meter: PlanMeter,
        whole: Callable[[list[Family]], list[Family]] = list,
    ) -> None:
        self._counted = counted
        self._whole = whole
        self._health = health
        self._meter = meter

    @staticmethod
    def access(_: Exchange) -> Access:
        """Models, money and limits of the installation are not every client's business."""
        return "operator"

    async def __call__(self, exchange: Exchange) -> None:
        """The text in the format that the scraper accepts."""
        async with ClientWatch(exchange):
            own = [*self._counted(), *state(await self._health.health())]
            families = [*self._whole(own), plan_windows(self._meter.reports())]
            body, content_type = exposition(families, exchange.header(b"accept"))
            await exchange.answer(200, body, content_type=content_type, headers=(_NO_STORE,))


def state(report: HealthReport) -> Iterator[Family]:
    """Of the server as it is now."""
    yield Family("info", "gauge", "The version that runs.", ("version",), {(report.version,): 1})
    yield one("uptime_seconds", "gauge", "Since the start.", report.uptime_seconds)
    yield one("login_usable", "gauge", "1 where a login is there, as `status` of /health.", report.status == "ok")
    line, pool, store = report.line or None, report.pool or None, report.storage or None
    yield from work(line, pool, store)
    if store:
        yield one("store_usable", "gauge", "0 while the database cannot be read or written.", not store.trouble)


def work(
    line: LineStatus | None, pool: PoolStatus | None, store: StorageReport | StorageState | None
) -> Iterator[Family]:
    """What each process of a server has for itself, and what adds up."""
    if line:
        yield one("answers_under_way", "gauge", "Answers that Claude gives now, places taken.", line.running)
        yield one("queue_length", "gauge", "Requests in line for a place.", line.waiting)
    if pool:
        yield from _pool(pool)
    if store:
        yield one("store_dropped", "counter", "Writes that were lost.", store.dropped)
        yield one("store_late", "counter", "Writes that took longer than anybody waited.", store.late)


def _pool(pool: PoolStatus) -> Iterator[Family]:
    states = by_label({"idle": pool.idle, "busy": pool.busy, "starting": pool.starting})
    yield Family("pool_processes", "gauge", "Claude Code processes by what they do.", ("state",), states)
    yield one("pool_largest", "gauge", "Processes that there may be.", pool.largest)
    yield one("pool_requests", "counter", "Requests that processes served.", pool.served)
    yield Family("pool_ended", "counter", "Processes that were ended.", ("reason",), by_label(pool.recycled))


def plan_windows(logins: tuple[LimitsReport, ...]) -> Family:
    """The used share of each window of each login, as last told; none of one that has started anew since."""
    shares: dict[Labels, float] = {
        (login.upstream, login.account, window.name): window.used_percent / 100
        for login in logins
        for window in login.windows
        if window.used_percent is not UNSET
    }
    about = "Used share of a window of a login's limits, as Claude's side last told."
    labels = ("upstream", "account", "window")
    return Family("plan_used_ratio", "gauge", about, labels, dict(list(shares.items())[:MOST_WINDOWS]))
