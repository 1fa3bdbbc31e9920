"""How batches are answered."""

from dataclasses import dataclass

from claude_openai_proxy.settings import table
from claude_openai_proxy.settings.sources import Sources
from claude_openai_proxy.settings.values import BatchesKind


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Times in seconds; `plan_share` from 0 to 1."""

    kind: BatchesKind
    poll_seconds: float
    adopt_seconds: float
    delete_upstream: bool
    queued_lines: int
    emulated_lines: int
    concurrency: int
    plan_share: float


def read_batches(found: Sources) -> BatchSettings:
    """As they are set."""
    return BatchSettings(
        kind=found.value(table.BATCHES),
        poll_seconds=found.value(table.BATCH_POLL_SECONDS),
        adopt_seconds=found.value(table.BATCH_ADOPT_SECONDS),
        delete_upstream=found.value(table.BATCH_DELETE_UPSTREAM),
        queued_lines=found.value(table.BATCH_QUEUED_LINES),
        emulated_lines=found.value(table.BATCH_EMULATED_LINES),
        concurrency=found.value(table.BATCH_CONCURRENCY),
        plan_share=found.value(table.BATCH_PLAN_SHARE) / 100,
    )
