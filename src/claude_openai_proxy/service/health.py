"""What `/health` says: the login and the way to Claude, without calling Claude unless asked to."""

import asyncio
from collections.abc import Callable

from msgspec import UNSET, Struct, UnsetType

from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.service.waiting import LineStatus, WaitingLine
from claude_openai_proxy.upstreams.interface import PoolStatus, UpstreamChoice, UpstreamStatus

DEEP_SECONDS = 10.0


class HealthReport(Struct, frozen=True, omit_defaults=True):
    """Body of `GET /health`; `status` is `ok`, `no_login` or `unreachable`."""

    status: str
    version: str
    uptime_seconds: int
    upstream: str
    login: str
    billed: str | UnsetType = UNSET
    detail: str | UnsetType = UNSET
    reachable: bool | UnsetType = UNSET
    models: dict[str, str] = {}
    pool: PoolStatus | UnsetType = UNSET
    """Of the upstream's processes, where it works with some."""
    line: LineStatus | UnsetType = UNSET
    """Of the requests that wait for a process."""


class HealthService:
    """Reads the state of the current upstream; a deep look asks Claude's side at most once in ten seconds."""

    def __init__(
        self,
        *,
        upstreams: UpstreamChoice,
        catalog: ModelCatalog,
        line: WaitingLine,
        version: str,
        clock: Callable[[], float],
    ) -> None:
        self._line = line
        self._upstreams = upstreams
        self._catalog = catalog
        self._version = version
        self._clock = clock
        self._started = clock()
        self._deep: tuple[float, UpstreamStatus] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def health(self, *, deep: bool = False) -> HealthReport:
        """The report; never raises `ProxyError`."""
        status = await (self._deep_status() if deep else self._upstreams.status())
        return HealthReport(
            status=_word(status),
            version=self._version,
            uptime_seconds=int(self._clock() - self._started),
            upstream=self._upstreams.kind,
            login=status.login,
            billed=status.billed or UNSET,
            detail=status.detail or UNSET,
            reachable=UNSET if status.reachable is None else status.reachable,
            models=await self._catalog.aliases(),
            pool=status.pool or UNSET,
            line=self._line.status if status.pool else UNSET,
        )

    async def _deep_status(self) -> UpstreamStatus:
        async with self._one_at_a_time:
            if self._deep is None or self._clock() - self._deep[0] >= DEEP_SECONDS:
                self._deep = self._clock(), await self._upstreams.status(deep=True)
            return self._deep[1]


def _word(status: UpstreamStatus) -> str:
    if not status.logged_in:
        return "no_login"
    return "unreachable" if status.reachable is False else "ok"
