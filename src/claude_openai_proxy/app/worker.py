"""One of several processes that serve together: its part of what the settings bound, and the counts that they share."""

import os
from dataclasses import dataclass, replace

from claude_openai_proxy.settings import Settings
from claude_openai_proxy.telemetry.shared_counts import SharedCounts

PROCESSES_PER_CORE = 6
"""Streams of 50 tokens/s that a core passes on with ease."""
FEWEST_PROCESSES = 8
"""One request may ask for so many answers at once."""


@dataclass(frozen=True, slots=True)
class WorkerPlace:
    """`number` from 1 to WORKERS."""

    number: int
    counts: SharedCounts


def part_of(settings: Settings, worker: int) -> Settings:
    """What `worker` keeps of the bounds that count for all: the parts of all workers add up to what was set.

    Of the processes that are kept ready each has one at least: with none it would start one for every request.
    """

    def part(total: int) -> int:
        least, more = divmod(total, settings.workers)
        return least + (worker <= more)

    return replace(
        settings,
        max_concurrent_requests=part(settings.max_concurrent_requests),
        claude_pool_size=part(settings.claude_pool_size) or min(1, settings.claude_pool_size),
        claude_pool_max=part(pool_largest(settings)),
    )


def pool_largest(settings: Settings) -> int:
    """Claude Code processes that there may be; `auto` goes by the cores."""
    by_cores = max(FEWEST_PROCESSES, PROCESSES_PER_CORE * (os.cpu_count() or 1), settings.workers)
    return settings.claude_pool_max or by_cores
