"""Responses and the events of their streams (https://platform.openai.com/docs/api-reference/responses).

What may be absent is `UNSET`: strict clients refuse a null there. All else is there from the first event on.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType

ItemStatus = Literal["in_progress", "completed", "incomplete"]
ResponseStatus = Literal["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]
NO_JSON = Raw(b"null")

# ---- items ---------------------------------------------------------------------------------------------------------


class URLCitation(Struct, frozen=True, tag_field="type", tag="url_citation"):
    """A source of the characters from `start_index` to before `end_index` of its part."""

    start_index: int
    end_index: int
    title: str
    url: str


class OutputText(Struct, frozen=True, tag_field="type", tag="output_text"):
    """Text of an answer."""

    text: str
    annotations: list[URLCitation] = []
    logprobs: list[Raw] = []


class Refusal(Struct, frozen=True, tag_field="type", tag="refusal"):
    """Why the model declined."""

    refusal: str


OutputPart = OutputText | Refusal


class OutputMessage(Struct, frozen=True, tag_field="type", tag="message"):
    """What the model says."""

    id: str
    status: ItemStatus
    content: list[OutputPart]
    role: Literal["assistant"] = "assistant"


class SummaryText(Struct, frozen=True, tag_field="type", tag="summary_text"):
    """What the model thought, as it is shown."""

    text: str


class ReasoningItem(Struct, frozen=True, tag_field="type", tag="reasoning"):
    """A block of thinking."""

    id: str
    summary: list[SummaryText]
    status: ItemStatus
    encrypted_content: str | UnsetType = UNSET


class FunctionToolCall(Struct, frozen=True, tag_field="type", tag="function_call"):
    """A call of a function."""

    id: str
    call_id: str
    name: str
    arguments: str
    status: ItemStatus
    namespace: str | UnsetType = UNSET


class CustomToolCall(Struct, frozen=True, tag_field="type", tag="custom_tool_call"):
    """A call of a free-form tool; `input` is the raw text."""

    id: str
    call_id: str
    name: str
    input: str
    status: ItemStatus
    namespace: str | UnsetType = UNSET


class WebSearchCall(Struct, frozen=True, tag_field="type", tag="web_search_call"):
    """A search that the model made itself. `action` is known once it was made."""

    id: str
    status: Literal["in_progress", "searching", "completed", "failed"]
    action: "WebSearchAction | UnsetType" = UNSET
    results: "list[WebSearchResult] | UnsetType" = UNSET


class WebSearchAction(Struct, frozen=True, tag_field="type", tag="search"):
    """What was looked for."""

    query: str
    queries: list[str] = []
    sources: "list[WebSearchSource] | UnsetType" = UNSET


class WebSearchSource(Struct, frozen=True, tag_field="type", tag="url"):
    """A page that was found."""

    url: str


class WebSearchResult(Struct, frozen=True):
    """A page that was found, with its title."""

    url: str
    title: str


class LocalShellCall(Struct, frozen=True, tag_field="type", tag="local_shell_call"):
    """A command for the client's machine; `action` is an object."""

    id: str
    call_id: str
    action: Raw
    status: ItemStatus


class ShellCall(Struct, frozen=True, tag_field="type", tag="shell_call"):
    """Commands for the client's machine; `action` is an object."""

    id: str
    call_id: str
    action: Raw
    status: ItemStatus
    environment: object = None


class ApplyPatchCall(Struct, frozen=True, tag_field="type", tag="apply_patch_call"):
    """A change of one file; `operation` is an object."""

    id: str
    call_id: str
    operation: Raw
    status: ItemStatus


class ToolSearchCall(Struct, frozen=True, tag_field="type", tag="tool_search_call"):
    """The client is to look for tools; `arguments` is an object."""

    id: str
    call_id: str
    arguments: Raw
    status: ItemStatus
    execution: Literal["client"] = "client"


class CompactionItem(Struct, frozen=True, tag_field="type", tag="compaction"):
    """A conversation put together."""

    id: str
    encrypted_content: str


OutputItem = (
    OutputMessage
    | ReasoningItem
    | FunctionToolCall
    | CustomToolCall
    | WebSearchCall
    | LocalShellCall
    | ShellCall
    | ApplyPatchCall
    | ToolSearchCall
    | CompactionItem
)

# ---- the response --------------------------------------------------------------------------------------------------


class InputTokensDetails(Struct, frozen=True):
    """Parts of `input_tokens`."""

    cached_tokens: int = 0
    cache_write_tokens: int = 0


class OutputTokensDetails(Struct, frozen=True):
    """Parts of `output_tokens`."""

    reasoning_tokens: int = 0


class ResponseUsage(Struct, frozen=True):
    """Token counts, Claude's own; `input_tokens` includes what came from and went into the cache."""

    input_tokens: int
    input_tokens_details: InputTokensDetails
    output_tokens: int
    output_tokens_details: OutputTokensDetails
    total_tokens: int


class ResponseError(Struct, frozen=True):
    """Why a response failed."""

    code: str
    message: str


class IncompleteDetails(Struct, frozen=True):
    """Why a response has not all."""

    reason: str


class ConversationReference(Struct, frozen=True):
    """The conversation that a response belongs to."""

    id: str


class ReasoningSettings(Struct, frozen=True):
    """What was asked for."""

    effort: str | None = None
    summary: str | None = None
    context: str | UnsetType = UNSET


class TextSettings(Struct, frozen=True):
    """What was asked for."""

    format: Raw = Raw(b'{"type":"text"}')
    verbosity: str = "medium"


class Response(Struct, frozen=True, kw_only=True):
    """The whole object, which every event of a stream that carries it has in full. Times in seconds since 1970."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None = None
    status: ResponseStatus
    background: bool = False
    error: ResponseError | None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    metadata: dict[str, str] = {}
    model: str
    output: list[OutputItem] = []
    parallel_tool_calls: bool = True
    previous_response_id: str | None = None
    prompt_cache_key: str | None = None
    reasoning: ReasoningSettings = ReasoningSettings()
    safety_identifier: str | None = None
    service_tier: str = "default"
    store: bool = True
    temperature: float = 1.0
    text: TextSettings = TextSettings()
    tool_choice: Raw = Raw(b'"auto"')
    tools: list[Raw] = []
    top_logprobs: int = 0
    top_p: float = 1.0
    truncation: str = "disabled"
    usage: ResponseUsage | None = None
    user: str | None = None
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    conversation: ConversationReference | UnsetType = UNSET
    input_transformations: list[Struct] | UnsetType = UNSET


class CompactedResponse(Struct, frozen=True):
    """A conversation put together: items to go on from. Times in seconds since 1970."""

    id: str
    created_at: int
    output: Sequence[OutputItem | Raw]
    usage: ResponseUsage | None = None
    object: Literal["response.compaction"] = "response.compaction"


class InputTokens(Struct, frozen=True):
    """How many tokens a request would take in."""

    input_tokens: int
    object: Literal["response.input_tokens"] = "response.input_tokens"


# ---- events --------------------------------------------------------------------------------------------------------


class Event(Struct, frozen=True, gc=False):
    """What every event has: its number in the stream, from 0 on, without a gap."""

    sequence_number: int


class ResponseCreated(Event, frozen=True, tag_field="type", tag="response.created"):
    """The first event."""

    response: Response


class ResponseQueued(Event, frozen=True, tag_field="type", tag="response.queued"):
    """Of work in the background."""

    response: Response


class ResponseInProgress(Event, frozen=True, tag_field="type", tag="response.in_progress"):
    """Claude answers."""

    response: Response


class ResponseCompleted(Event, frozen=True, tag_field="type", tag="response.completed"):
    """The end of a whole answer."""

    response: Response


class ResponseIncomplete(Event, frozen=True, tag_field="type", tag="response.incomplete"):
    """The end of an answer that was cut."""

    response: Response


class ResponseFailed(Event, frozen=True, tag_field="type", tag="response.failed"):
    """The end of an answer that failed."""

    response: Response


class OutputItemAdded(Event, frozen=True, tag_field="type", tag="response.output_item.added"):
    """An item begins."""

    output_index: int
    item: OutputItem


class OutputItemDone(Event, frozen=True, tag_field="type", tag="response.output_item.done"):
    """An item is complete."""

    output_index: int
    item: OutputItem


class ContentPartAdded(Event, frozen=True, tag_field="type", tag="response.content_part.added"):
    """A part of a message begins."""

    item_id: str
    output_index: int
    content_index: int
    part: OutputPart


class ContentPartDone(Event, frozen=True, tag_field="type", tag="response.content_part.done"):
    """A part of a message is complete."""

    item_id: str
    output_index: int
    content_index: int
    part: OutputPart


class OutputTextDelta(Event, frozen=True, tag_field="type", tag="response.output_text.delta"):
    """More text."""

    item_id: str
    output_index: int
    content_index: int
    delta: str
    logprobs: list[Raw] = []


class OutputTextDone(Event, frozen=True, tag_field="type", tag="response.output_text.done"):
    """The whole text."""

    item_id: str
    output_index: int
    content_index: int
    text: str
    logprobs: list[Raw] = []


class AnnotationAdded(Event, frozen=True, tag_field="type", tag="response.output_text.annotation.added"):
    """A source of the text."""

    item_id: str
    output_index: int
    content_index: int
    annotation_index: int
    annotation: URLCitation


class RefusalDelta(Event, frozen=True, tag_field="type", tag="response.refusal.delta"):
    """More of a refusal."""

    item_id: str
    output_index: int
    content_index: int
    delta: str


class RefusalDone(Event, frozen=True, tag_field="type", tag="response.refusal.done"):
    """The whole refusal."""

    item_id: str
    output_index: int
    content_index: int
    refusal: str


class ArgumentsDelta(Event, frozen=True, tag_field="type", tag="response.function_call_arguments.delta"):
    """More of a call's arguments."""

    item_id: str
    output_index: int
    delta: str


class ArgumentsDone(Event, frozen=True, tag_field="type", tag="response.function_call_arguments.done"):
    """All of a call's arguments."""

    item_id: str
    output_index: int
    arguments: str
    name: str


class CustomInputDelta(Event, frozen=True, tag_field="type", tag="response.custom_tool_call_input.delta"):
    """More of a free-form call's input."""

    item_id: str
    output_index: int
    delta: str


class CustomInputDone(Event, frozen=True, tag_field="type", tag="response.custom_tool_call_input.done"):
    """All of a free-form call's input."""

    item_id: str
    output_index: int
    input: str


class SummaryPartAdded(Event, frozen=True, tag_field="type", tag="response.reasoning_summary_part.added"):
    """A part of what is thought begins."""

    item_id: str
    output_index: int
    summary_index: int
    part: SummaryText


class SummaryPartDone(Event, frozen=True, tag_field="type", tag="response.reasoning_summary_part.done"):
    """A part of what was thought is complete."""

    item_id: str
    output_index: int
    summary_index: int
    part: SummaryText


class SummaryTextDelta(Event, frozen=True, tag_field="type", tag="response.reasoning_summary_text.delta"):
    """More of what is thought."""

    item_id: str
    output_index: int
    summary_index: int
    delta: str


class SummaryTextDone(Event, frozen=True, tag_field="type", tag="response.reasoning_summary_text.done"):
    """All of what was thought."""

    item_id: str
    output_index: int
    summary_index: int
    text: str


class WebSearchInProgress(Event, frozen=True, tag_field="type", tag="response.web_search_call.in_progress"):
    """A search begins."""

    item_id: str
    output_index: int


class WebSearchSearching(Event, frozen=True, tag_field="type", tag="response.web_search_call.searching"):
    """A search is made."""

    item_id: str
    output_index: int


class WebSearchCompleted(Event, frozen=True, tag_field="type", tag="response.web_search_call.completed"):
    """A search is over."""

    item_id: str
    output_index: int


class ErrorBody(Struct, frozen=True):
    """An error as the HTTP API tells it."""

    type: str
    code: str
    message: str
    param: str | None = None


class ErrorEvent(Event, frozen=True, tag_field="type", tag="error"):
    """An answer has failed: nested as the API sends it, and flat as its description has it."""

    error: ErrorBody
    code: str
    message: str
    param: str | None = None


class Keepalive(Event, frozen=True, tag_field="type", tag="keepalive"):
    """A sign of life, as the API sends it in long silences."""


ResponseEvent = (
    ResponseCreated
    | ResponseQueued
    | ResponseInProgress
    | ResponseCompleted
    | ResponseIncomplete
    | ResponseFailed
    | OutputItemAdded
    | OutputItemDone
    | ContentPartAdded
    | ContentPartDone
    | OutputTextDelta
    | OutputTextDone
    | AnnotationAdded
    | RefusalDelta
    | RefusalDone
    | ArgumentsDelta
    | ArgumentsDone
    | CustomInputDelta
    | CustomInputDone
    | SummaryPartAdded
    | SummaryPartDone
    | SummaryTextDelta
    | SummaryTextDone
    | WebSearchInProgress
    | WebSearchSearching
    | WebSearchCompleted
    | ErrorEvent
    | Keepalive
)
