"""What `/health` says: the login and the way to Claude, without calling Claude unless asked to."""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import UNSET, Struct, UnsetType

from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.service.plan_meter import LimitsReport
from claude_openai_proxy.service.waiting import LineStatus, Places
from claude_openai_proxy.storage.interface import StorageState
from claude_openai_proxy.upstreams.interface import PoolStatus, UpstreamChoice, UpstreamStatus

DEEP_SECONDS = 10.0
"""Claude's side is asked so often at most, whoever asks."""
READY_SECONDS = 60.0
"""What a probe needs to know may be so old, as long as it was good."""
SHALLOW_SECONDS = 2.0
"""The login is looked up so often at most: a look may start programs."""
LOOK_SECONDS = 2.0
"""Nobody who asks for the state waits longer for a look at the login; a probe would call the server dead."""


class StorageReport(Struct, frozen=True, omit_defaults=True):
    """Of what outlives a request: `trouble` is a sentence, `dropped` and `late` are counts since the start."""

    kind: str
    where: str
    trouble: str = ""
    dropped: int = 0
    late: int = 0


class HealthReport(Struct, frozen=True, omit_defaults=True):
    """Body of `GET /health`; `status` is `ok`, `checking`, `no_login` or `unreachable`."""

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
    """Requests with Claude, and those that wait for a place."""
    rate_limits: LimitsReport | UnsetType = UNSET
    """What Claude's side last told of the login's limits, and when."""
    storage: StorageReport | UnsetType = UNSET
    """Where more than the process's memory is used."""
    prompts: dict[str, int] | UnsetType = UNSET
    """Since the start: tokens read from the prompt cache and written to it, thinking put back and left out."""


class HealthService:
    """Reads the state of the current upstream. However many ask, one look is under way at a time, and is remembered."""

    def __init__(
        self,
        *,
        upstreams: UpstreamChoice,
        catalog: ModelCatalog,
        places: Places,
        version: str,
        clock: Callable[[], float],
        patience: float = LOOK_SECONDS,
        blot: Callable[[str], str] = str,
        storage: Callable[[], StorageState] | None = None,
        limits: Callable[[str, str], LimitsReport | None] = lambda *_: None,
        prompts: Callable[[], dict[str, int]] = dict,
    ) -> None:
        """`blot` takes out of a text what must not go out: words of Claude's side are told here.

        `limits` tells those of an upstream's kind and account.
        """
        self._limits = limits
        self._blot = blot
        self._places = places
        self._storage = storage
        self._prompts = prompts
        self._catalog = catalog
        self._version = version
        self._clock = clock
        self._started = clock()
        self._patience = patience
        self._shallow = _Look(upstreams.status)
        self._deep = _Look(lambda: upstreams.status(deep=True))

    async def health(self, *, deep: bool = False) -> HealthReport:
        """The report; never raises `ProxyError`. Only a deep look asks Claude's side."""
        status = await (self._deep_status(DEEP_SECONDS) if deep else self._shallow_status())
        return HealthReport(
            status=_word(status),
            version=self._version,
            uptime_seconds=int(self._clock() - self._started),
            upstream=status.kind,
            login=self._blot(status.login),
            billed=self._blot(status.billed) or UNSET,
            detail=self._blot(status.detail) or UNSET,
            reachable=UNSET if status.reachable is None else status.reachable,
            models=self._catalog.known_aliases(),
            pool=status.pool or UNSET,
            line=self._places.status,
            rate_limits=self._limits(status.kind, status.account) or UNSET,
            storage=self._storage_report(),
            prompts=self._prompts() or UNSET,
        )

    def _storage_report(self) -> StorageReport | UnsetType:
        if self._storage is None or (state := self._storage()).kind == "memory":
            return UNSET
        where, trouble = self._blot(state.where), self._blot(state.trouble)
        return StorageReport(state.kind, where, trouble, state.dropped, state.late)

    @property
    def storage_works(self) -> bool:
        """Whether what needs the database is answered now."""
        return self._storage is None or not self._storage().trouble

    async def readiness(self) -> str:
        """The word for Claude's side as it was at most a minute ago, and ten seconds where that was bad news."""
        known = self._deep.known
        return _word(await self._deep_status(READY_SECONDS if known and _word(known) == "ok" else DEEP_SECONDS))

    async def aclose(self) -> None:
        """Stop the looks under way."""
        await self._shallow.aclose()
        await self._deep.aclose()

    async def _shallow_status(self) -> UpstreamStatus:
        return await self._shallow.known_within(self._clock, SHALLOW_SECONDS, patience=self._patience) or _CHECKING

    async def _deep_status(self, seconds: float) -> UpstreamStatus:
        return await self._deep.known_within(self._clock, seconds) or _CHECKING


_CHECKING = UpstreamStatus(logged_in=True, login="", detail="The login is being looked up.")


class _Look:
    """The last answer to one question; whoever asks while it is being answered waits for the same answer."""

    def __init__(self, ask: Callable[[], Awaitable[UpstreamStatus]]) -> None:
        self._ask = ask
        self._looked = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self.known: UpstreamStatus | None = None

    async def known_within(
        self, clock: Callable[[], float], seconds: float, *, patience: float | None = None
    ) -> UpstreamStatus | None:
        """The answer, at most so old; an older one or None where `patience` seconds do not bring it."""
        if self._task is None or (self._task.done() and clock() - self._looked >= seconds):
            self._task = asyncio.create_task(self._look(clock))
        # Waiting for a task, unlike awaiting it, does not cancel it for the others when one of them leaves.
        await asyncio.wait([self._task], timeout=patience)
        if self._task.done():
            self._task.result()
        return self.known

    async def aclose(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _look(self, clock: Callable[[], float]) -> None:
        try:
            self.known = await self._ask()
        finally:
            self._looked = clock()


def _word(status: UpstreamStatus) -> str:
    if status is _CHECKING:
        return "checking"
    if status.reachable is False:
        return "unreachable"  # Whether somebody is logged in there, nobody can say.
    return "ok" if status.logged_in else "no_login"
