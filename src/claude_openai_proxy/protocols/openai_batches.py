"""Batches of the OpenAI API (https://platform.openai.com/docs/api-reference/batch), with the published names."""

from typing import Literal

from msgspec import Raw, Struct, field

BatchStatus = Literal[
    "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"
]


class BatchError(Struct, frozen=True):
    """What is wrong with the input; `line` from 1, null where it is about none."""

    code: str
    message: str
    param: str | None = None
    line: int | None = None


class BatchErrors(Struct, frozen=True):
    """A list of them."""

    data: list[BatchError]
    object: Literal["list"] = "list"


class BatchRequestCounts(Struct, frozen=True):
    """Lines."""

    total: int = 0
    completed: int = 0
    failed: int = 0


class InputTokensDetails(Struct, frozen=True):
    """Among the input."""

    cached_tokens: int = 0


class OutputTokensDetails(Struct, frozen=True):
    """Among the output."""

    reasoning_tokens: int = 0


class BatchUsage(Struct, frozen=True):
    """Of all lines together."""

    input_tokens: int = 0
    input_tokens_details: InputTokensDetails = InputTokensDetails()
    output_tokens: int = 0
    output_tokens_details: OutputTokensDetails = OutputTokensDetails()
    total_tokens: int = 0


class Batch(Struct, frozen=True, kw_only=True):
    """Times are seconds since 1970, null until they happen."""

    id: str
    endpoint: str
    model: str | None
    errors: BatchErrors | None
    input_file_id: str
    completion_window: str
    status: BatchStatus
    output_file_id: str | None
    error_file_id: str | None
    created_at: int
    in_progress_at: int | None
    expires_at: int
    finalizing_at: int | None
    completed_at: int | None
    failed_at: int | None
    expired_at: int | None
    cancelling_at: int | None
    cancelled_at: int | None
    request_counts: BatchRequestCounts
    usage: BatchUsage
    metadata: dict[str, str] | None
    object: Literal["batch"] = "batch"


class BatchList(Struct, frozen=True, kw_only=True):
    """A page, newest first."""

    data: list[Batch]
    first_id: str | None
    last_id: str | None
    has_more: bool
    object: Literal["list"] = "list"


class OutputExpiresAfter(Struct, frozen=True):
    """How long the result files stay; `seconds` from when they are made."""

    seconds: int
    anchor: str = "created_at"


class BatchRequest(Struct, frozen=True, kw_only=True):
    """Body of `POST /v1/batches`. Members without a type are looked at by hand, for the published words of a 400."""

    input_file_id: str | None = None
    endpoint: str | None = None
    completion_window: str | None = None
    metadata: dict[str, Raw] | None = None
    output_expires_after: OutputExpiresAfter | None = None


class LineError(Struct, frozen=True):
    """Why a line was not run."""

    code: str
    message: str


class LineResponse(Struct, frozen=True, omit_defaults=True):
    """What the endpoint answered. `x_ignored_parameters`: fields of the line without effect."""

    status_code: int
    request_id: str
    body: Raw
    x_ignored_parameters: list[str] = field(default_factory=list)


class ResultLine(Struct, frozen=True, kw_only=True):
    """A line of the output file, or of the error file."""

    id: str
    custom_id: str
    response: LineResponse | None
    error: LineError | None
