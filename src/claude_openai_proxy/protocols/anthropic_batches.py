"""Wire types of Message Batches (https://docs.anthropic.com/en/api/creating-message-batches), with the published names.

Times are RFC 3339, null until they happen. Data only.
"""

from msgspec import Raw, Struct

from claude_openai_proxy.protocols.anthropic import ErrorEvent


class MessageBatchRequestCounts(Struct, frozen=True):
    """All but `processing` are 0 until the batch has ended."""

    processing: int = 0
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0


class MessageBatch(Struct, frozen=True):
    """`processing_status` is `in_progress`, `canceling` or `ended`; a cancelled one ends as `ended`, too."""

    id: str
    processing_status: str
    request_counts: MessageBatchRequestCounts
    created_at: str
    expires_at: str
    ended_at: str | None = None
    cancel_initiated_at: str | None = None
    archived_at: str | None = None


class MessageBatchList(Struct, frozen=True):
    """A page of the workspace's batches, whoever made them, newest first."""

    data: list[MessageBatch]
    has_more: bool = False
    last_id: str | None = None


class MessageBatchSucceededResult(Struct, frozen=True, tag_field="type", tag="succeeded"):
    """`message` is a message as the live route answers it, kept raw."""

    message: Raw


class MessageBatchErroredResult(Struct, frozen=True, tag_field="type", tag="errored"):
    """Not billed."""

    error: ErrorEvent


class MessageBatchCanceledResult(Struct, frozen=True, tag_field="type", tag="canceled"):
    """Not billed."""


class MessageBatchExpiredResult(Struct, frozen=True, tag_field="type", tag="expired"):
    """Not billed."""


MessageBatchResult = (
    MessageBatchSucceededResult | MessageBatchErroredResult | MessageBatchCanceledResult | MessageBatchExpiredResult
)


class MessageBatchIndividualResponse(Struct, frozen=True):
    """A line of the results; they come in any order."""

    custom_id: str
    result: MessageBatchResult
