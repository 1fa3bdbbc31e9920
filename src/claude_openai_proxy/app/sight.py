"""What can be seen of a running server: its health and what is counted of its requests, and the pages that tell it."""

import time
from dataclasses import dataclass

from claude_openai_proxy import __version__
from claude_openai_proxy.app.money import Money
from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.app.usage import usage_page
from claude_openai_proxy.records import RecordReader
from claude_openai_proxy.service.client_keys import ClientKeys
from claude_openai_proxy.service.health import HealthService
from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.service.server_status import ServerStatus
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.telemetry.ledger import Ledger
from claude_openai_proxy.telemetry.live_log import LiveLog
from claude_openai_proxy.telemetry.metrics import RequestMetrics
from claude_openai_proxy.telemetry.prompt_tally import PromptTally
from claude_openai_proxy.upstreams.interface import UpstreamChoice
from claude_openai_proxy.web.blotting import Blotter
from claude_openai_proxy.web.pages.health import HealthPage
from claude_openai_proxy.web.pages.key import KeyPage
from claude_openai_proxy.web.pages.live import LivePages
from claude_openai_proxy.web.pages.metrics import MetricsPage
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
) -> Sight:
    """Of a server of these parts."""
    tally, metrics, meter = PromptTally(), RequestMetrics(), spending.meter
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
    status = ServerStatus(
        health=health, meter=meter, ledger=kept.ledger, live=live, wall_clock=time.time, flush=book.flush
    )
    pages = OwnPages(
        health=HealthPage(health),
        page=Page(health, needs_key=lambda: keys.required, remains=kept.remains),
        key=KeyPage(keys, spending.allowances),
        plan=PlanPage(meter),
        usage=usage_page(settings, kept, book, meter),
        metrics=MetricsPage(metrics.families, health=health, meter=meter),
        live=LivePages(status, live),
    )
    return Sight(health, [book, tally, metrics, live], pages)
