"""What the requests used: the ledger that is written, from the settings and the stores."""

import time

from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.telemetry.ledger import Ledger


def ledger(settings: Settings, kept: Stores) -> Ledger:
    """The reader that keeps a row of each request."""
    days = settings.storage.ledger_days
    return Ledger(kept.ledger.keep, days=days, clock=time.monotonic, wall_clock=time.time)
