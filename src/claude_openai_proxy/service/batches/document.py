"""What is kept of a batch beside its lines, and how clients see it."""

from typing import Final

import msgspec
from msgspec import Struct, field

from claude_openai_proxy.protocols.openai_batches import (
    Batch,
    BatchError,
    BatchErrors,
    BatchRequestCounts,
    BatchStatus,
    BatchUsage,
    InputTokensDetails,
    OutputTokensDetails,
)
from claude_openai_proxy.storage.batches import Counts, StoredBatch, Totals

A_DAY: Final = 86_400


class Document(Struct, kw_only=True, omit_defaults=True):
    """Times are seconds since 1970, 0 until they happen. `mode` is `native` or `emulated`, `kind` that of the upstream.

    `models` leads from names as clients wrote them to ids, as they were at creation; `asked` is the first of them.
    `daily_budget`: US dollars that the client key may use a day; `estimate`: what all lines may cost.
    The files are named from the beginning: who makes them again makes the same.
    """

    endpoint: str
    mode: str = ""
    kind: str = ""
    letters: str
    """How the names of its requests at Claude's side begin."""
    input_bytes: int = 0
    output_file: str
    error_file: str
    principal_name: str = ""
    principal_models: tuple[str, ...] = ()
    daily_budget: float | None = None
    estimate: float = 0.0
    metadata: dict[str, str] | None = None
    output_seconds: int = 30 * A_DAY
    asked: str = ""
    models: dict[str, str] = field(default_factory=dict)
    errors: list[BatchError] = field(default_factory=list)
    in_progress: float = 0
    finalizing: float = 0
    has_expired: bool = False
    totals: tuple[int, int, int] = (0, 0, 0)
    counts: tuple[int, int, int, int] = (0, 0, 0, 0)
    dollars: float = 0.0
    has_output: bool = False
    has_errors: bool = False


_decode: Final = msgspec.json.Decoder(Document).decode
encode_document: Final = msgspec.json.Encoder().encode


def document_of(batch: StoredBatch) -> Document:
    """What was kept."""
    return _decode(batch.document)


def with_totals(document: Document, totals: Totals) -> None:
    """Put them in: the lines go."""
    counts = totals.counts
    document.totals = (totals.total, totals.done, totals.failed)
    document.counts = (counts.input, counts.cached, counts.output, counts.thinking)
    document.dollars = counts.dollars


def totals_of(document: Document) -> Totals:
    """What `with_totals` put in."""
    return Totals(*document.totals, Counts(*document.counts, document.dollars))


def shown(batch: StoredBatch, totals: Totals) -> Batch:
    """As clients see it."""
    document, counts = document_of(batch), totals.counts
    status = status_of(batch)
    ended = None if batch.ended is None else int(batch.ended)
    return Batch(
        id=batch.id,
        endpoint=document.endpoint,
        model=document.asked or None,
        errors=BatchErrors(document.errors) if document.errors else None,
        input_file_id=batch.input_file,
        completion_window="24h",
        status=status,
        output_file_id=document.output_file if document.has_output else None,
        error_file_id=document.error_file if document.has_errors else None,
        created_at=int(batch.created),
        in_progress_at=int(document.in_progress) or None,
        expires_at=int(batch.created) + A_DAY,
        finalizing_at=int(document.finalizing) or None,
        completed_at=ended if status == "completed" else None,
        failed_at=ended if status == "failed" else None,
        expired_at=ended if status == "expired" else None,
        cancelling_at=None if batch.cancel_asked is None else int(batch.cancel_asked),
        cancelled_at=ended if status == "cancelled" else None,
        request_counts=BatchRequestCounts(totals.total, totals.done, totals.failed),
        usage=BatchUsage(
            counts.input,
            InputTokensDetails(counts.cached),
            counts.output,
            OutputTokensDetails(counts.thinking),
            counts.input + counts.output,
        ),
        metadata=document.metadata,
    )


def status_of(batch: StoredBatch) -> BatchStatus:
    """A wish to cancel shows at once."""
    if batch.ended is None and batch.cancel_asked is not None:
        return "cancelling"
    status: BatchStatus = msgspec.convert(batch.status, BatchStatus)
    return status
