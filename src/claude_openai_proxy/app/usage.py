"""What the requests used: the ledger that is written, and what is told of it, from the settings and the stores."""

import time

from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.service.usage import Usage
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.telemetry.ledger import Ledger
from claude_openai_proxy.web.pages.usage import UsagePage


def ledger(settings: Settings, kept: Stores) -> Ledger:
    """The reader that keeps a row of each request."""
    days = settings.storage.ledger_days
    return Ledger(kept.ledger.keep, days=days, clock=time.monotonic, wall_clock=time.time)


def usage_page(kept: Stores, book: Ledger) -> UsagePage:
    """Reads what has been written, the last request included."""
    return UsagePage(Usage(kept.ledger, wall_clock=time.time, flush=book.flush))
