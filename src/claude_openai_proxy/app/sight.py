"""What can be seen of a running server: its health and what is counted of its requests, and the pages that tell it."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from claude_openai_proxy import __version__
from claude_openai_proxy.app.money import Money
from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.app.usage import usage_page
from claude_openai_proxy.app.worker import WorkerPlace
from claude_openai_proxy.records import RecordReader
from claude_openai_proxy.service.client_keys import ClientKeys
from claude_openai_proxy.service.health import HealthService
from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.service.plan_meter import PlanMeter
from claude_openai_proxy.service.server_status import ServerStatus
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.telemetry.families import Family
from claude_openai_proxy.telemetry.ledger import Ledger
from claude_openai_proxy.telemetry.live_log import LiveLog
from claude_openai_proxy.telemetry.metrics import RequestMetrics
from claude_openai_proxy.telemetry.prompt_tally import PromptTally
from claude_openai_proxy.telemetry.shared_counts import Telling
from claude_openai_proxy.upstreams.interface import UpstreamChoice
from claude_openai_proxy.upstreams.selection import SelectedUpstream
from claude_openai_proxy.web.blotting import Blotter
from claude_openai_proxy.web.pages.health import HealthPage
from claude_openai_proxy.web.pages.key import KeyPage
from claude_openai_proxy.web.pages.live import LivePages
from claude_openai_proxy.web.pages.metrics import MetricsPage, work
from claude_openai_proxy.web.pages.page import Page
from claude_openai_proxy.web.pages.plan import PlanPage
from claude_openai_proxy.web.routes import OwnPages


@dataclass(frozen=True, slots=True)
class Sight:
    """The parts, put together."""

    health: HealthService
    readers: list[RecordReader]
    """Of the requests' records."""
    pages: OwnPages
    closing: Sequence[Callable[[], Awaitable[None]]]


def sight(
    settings: Settings,
    upstreams: UpstreamChoice,
    catalog: ModelCatalog,
    places: Places,
    *,
    blotter: Blotter,
    kept: Stores,
    spending: Money,
    keys: ClientKeys,
    book: Ledger,
    worker: WorkerPlace | None = None,
) -> Sight:
    """Of a server of these parts; `worker`: it is one of several that are seen as one."""
    tally, metrics, meter = PromptTally(), RequestMetrics(), spending.meter
    telling = _telling(worker, metrics, upstreams, places, kept) if worker else None
    health = HealthService(
        upstreams=upstreams,
        catalog=catalog,
        places=places,
        version=__version__,
        clock=time.monotonic,
        blot=blotter.all,
        storage=lambda: kept.state,
        limits=meter.report,
        prompts=lambda: tally.told,
    )
    live = LiveLog(wall_clock=time.time, blot=blotter.secrets)
    pages = OwnPages(
        health=HealthPage(health),
        page=Page(health, needs_key=lambda: keys.required, remains=kept.remains),
        key=KeyPage(keys, spending.allowances),
        plan=PlanPage(meter),
        usage=usage_page(settings, kept, book, meter),
        metrics=MetricsPage(metrics.families, health=health, meter=meter, whole=telling.whole if telling else list),
        live=_live_pages(live, health, meter, kept, book, pid=os.getppid() if settings.workers > 1 else os.getpid()),
    )
    readers: list[RecordReader] = [book, tally, metrics, live, *([telling] if telling else ())]
    return Sight(health, readers, pages, [health.aclose, *([telling.aclose] if telling else ())])


def _live_pages(
    live: LiveLog, health: HealthService, meter: PlanMeter, kept: Stores, book: Ledger, *, pid: int
) -> LivePages:
    status = ServerStatus(
        health=health, meter=meter, ledger=kept.ledger, live=live, wall_clock=time.time, flush=book.flush, pid=pid
    )
    return LivePages(status, live)


def _telling(
    worker: WorkerPlace, metrics: RequestMetrics, upstreams: UpstreamChoice, places: Places, kept: Stores
) -> Telling:
    def families() -> list[Family]:
        cli = upstreams.claude_code if isinstance(upstreams, SelectedUpstream) else None
        pool = cli.pool if cli and cli.known_login else None
        return [*metrics.families(), *work(places.status, pool, kept.state)]

    def later(seconds: float, tell: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds, tell)

    return Telling(worker.counts, worker.number - 1, families, later)
