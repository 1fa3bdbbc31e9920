"""What the requests used: the ledger that is written, and what is told of it, from the settings and the stores."""

import secrets
import time
from functools import partial

from claude_openai_proxy.app.installation import operator_credential
from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.service.plan_meter import PlanMeter
from claude_openai_proxy.service.usage import Usage
from claude_openai_proxy.service.usage_overview import UsageOverview
from claude_openai_proxy.service.usage_sessions import UsageSessions
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.storage.unsent_rows import UnsentRows
from claude_openai_proxy.telemetry.ledger import Ledger
from claude_openai_proxy.web.pages.usage import UsagePage


def ledger(settings: Settings, kept: Stores) -> Ledger:
    """The reader that keeps a row of each request."""
    days, unsent = settings.storage.ledger_days, None
    if settings.storage.database is not None:
        unsent = UnsentRows(settings.storage.directory, secrets.token_hex(8))
    return Ledger(kept.ledger.keep, days=days, clock=time.monotonic, wall_clock=time.time, unsent=unsent)


def usage_page(settings: Settings, kept: Stores, book: Ledger, meter: PlanMeter) -> UsagePage:
    """Reads what has been written, the last request included."""
    sessions = UsageSessions(
        kept.usage_links,
        credential=partial(operator_credential, settings),
        new_code=partial(secrets.token_hex, 16),
        wall_clock=time.time,
    )
    return UsagePage(
        Usage(kept.ledger, wall_clock=time.time, flush=book.flush),
        UsageOverview(kept.ledger, limits=meter.reports, wall_clock=time.time, flush=book.flush),
        sessions,
    )
