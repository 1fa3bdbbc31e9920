"""Wire types of Anthropic's Messages API (https://docs.anthropic.com/en/api/messages), with the published names.

Params go out and are only encoded; blocks, events and model descriptions come in. Data only.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

from msgspec import UNSET, Raw, Struct, UnsetType

Effort = Literal["low", "medium", "high", "xhigh", "max"]

# ---- request -------------------------------------------------------------------------------------------------------


class CacheControlEphemeral(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="ephemeral"):
    """A cache mark; `ttl` is "5m" (the default) or "1h"."""

    ttl: Literal["5m", "1h"] | UnsetType = UNSET


class Base64Source(Struct, frozen=True, tag_field="type", tag="base64"):
    """Bytes of an image or a PDF, base64."""

    media_type: str
    data: str


class URLSource(Struct, frozen=True, tag_field="type", tag="url"):
    """An image or a PDF that Claude's side fetches."""

    url: str


class PlainTextSource(Struct, frozen=True, tag_field="type", tag="text"):
    """The text of a document."""

    data: str
    media_type: Literal["text/plain"] = "text/plain"


class CitationsConfig(Struct, frozen=True):
    """Whether Claude cites a document."""

    enabled: bool


class TextBlockParam(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="text"):
    """Text, in a turn or in `system`."""

    text: str
    cache_control: CacheControlEphemeral | UnsetType = UNSET


class ImageBlockParam(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="image"):
    """An image in a user turn or in a tool result."""

    source: Base64Source | URLSource
    cache_control: CacheControlEphemeral | UnsetType = UNSET


class DocumentBlockParam(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="document"):
    """A PDF or plain text in a user turn."""

    source: Base64Source | URLSource | PlainTextSource
    title: str | UnsetType = UNSET
    context: str | UnsetType = UNSET
    citations: CitationsConfig | UnsetType = UNSET
    cache_control: CacheControlEphemeral | UnsetType = UNSET


class ToolUseBlockParam(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="tool_use"):
    """A call in an assistant turn; `input` is a JSON object."""

    id: str
    name: str
    input: Raw
    cache_control: CacheControlEphemeral | UnsetType = UNSET


class ToolResultBlockParam(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="tool_result"):
    """The result of a call, in the user turn right after it."""

    tool_use_id: str
    content: "str | list[TextBlockParam | ImageBlockParam | DocumentBlockParam] | UnsetType" = UNSET
    is_error: bool | UnsetType = UNSET
    cache_control: CacheControlEphemeral | UnsetType = UNSET


class ThinkingBlockParam(Struct, frozen=True, tag_field="type", tag="thinking"):
    """Thinking of an earlier turn, handed back as it came."""

    thinking: str
    signature: str


class RedactedThinkingBlockParam(Struct, frozen=True, tag_field="type", tag="redacted_thinking"):
    """Encrypted thinking of an earlier turn, handed back as it came."""

    data: str


# Raw: a block handed back byte for byte (server tools and their results when a paused turn goes on).
ContentBlockParam = (
    TextBlockParam
    | ImageBlockParam
    | DocumentBlockParam
    | ToolUseBlockParam
    | ToolResultBlockParam
    | ThinkingBlockParam
    | RedactedThinkingBlockParam
    | Raw
)


class MessageParam(Struct, frozen=True):
    """One turn. `system` is accepted inside messages by newer models only, right after a user turn."""

    role: Literal["user", "assistant", "system"]
    content: list[ContentBlockParam]


class ToolParam(Struct, frozen=True, omit_defaults=True):
    """A tool of the client; `input_schema` is a JSON schema with `"type": "object"`."""

    name: str
    input_schema: Raw
    description: str | UnsetType = UNSET
    strict: bool | UnsetType = UNSET
    cache_control: CacheControlEphemeral | UnsetType = UNSET


class UserLocation(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="approximate"):
    """Where the user roughly is, for web search."""

    city: str | UnsetType = UNSET
    region: str | UnsetType = UNSET
    country: str | UnsetType = UNSET
    timezone: str | UnsetType = UNSET


class WebSearchTool(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="web_search_20250305"):
    """Claude's own web search, run on Anthropic's side."""

    name: Literal["web_search"]
    max_uses: int | UnsetType = UNSET
    user_location: UserLocation | UnsetType = UNSET
    allowed_domains: list[str] | UnsetType = UNSET
    blocked_domains: list[str] | UnsetType = UNSET
    cache_control: CacheControlEphemeral | UnsetType = UNSET


class ToolChoiceAuto(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="auto"):
    """The model decides."""

    disable_parallel_tool_use: bool = False


class ToolChoiceAny(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="any"):
    """Some tool must be called."""

    disable_parallel_tool_use: bool = False


class ToolChoiceTool(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="tool"):
    """This tool must be called."""

    name: str
    disable_parallel_tool_use: bool = False


class ToolChoiceNone(Struct, frozen=True, tag_field="type", tag="none"):
    """No tool may be called."""


ToolChoice = ToolChoiceAuto | ToolChoiceAny | ToolChoiceTool | ToolChoiceNone


class ThinkingConfigAdaptive(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="adaptive"):
    """Claude decides how much to think."""

    display: Literal["summarized", "omitted"] | UnsetType = UNSET


class ThinkingConfigEnabled(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="enabled"):
    """Thinking with a budget in tokens: at least 1024 and below `max_tokens`."""

    budget_tokens: int
    display: Literal["summarized", "omitted"] | UnsetType = UNSET


class ThinkingConfigDisabled(Struct, frozen=True, tag_field="type", tag="disabled"):
    """No thinking."""


ThinkingConfig = ThinkingConfigAdaptive | ThinkingConfigEnabled | ThinkingConfigDisabled


class JSONOutputFormat(Struct, frozen=True, tag_field="type", tag="json_schema"):
    """The answer is JSON of this schema."""

    schema: Raw


class OutputConfig(Struct, frozen=True, omit_defaults=True):
    """How much effort, and which format."""

    effort: Effort | UnsetType = UNSET
    format: JSONOutputFormat | UnsetType = UNSET


class Metadata(Struct, frozen=True):
    """An opaque id of the end user, at most 256 characters, never an e-mail address or a phone number."""

    user_id: str


class SentRequest(Struct, frozen=True, kw_only=True):
    """A request of the Messages API as its client wrote it: `body` is JSON, in which only `model` was put in.

    `path` below the base URL; `headers` are Anthropic's own (`anthropic-version`, `anthropic-beta`).
    """

    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    streamed: bool = False


class MessagesRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of `POST /v1/messages`. The upstream sets `stream` itself."""

    model: str
    max_tokens: int
    messages: list[MessageParam]
    system: list[TextBlockParam] | UnsetType = UNSET
    tools: Sequence[ToolParam | WebSearchTool | Raw] | UnsetType = UNSET
    """Raw: a tool of another kind, byte for byte."""
    tool_choice: ToolChoice | UnsetType = UNSET
    stop_sequences: list[str] | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    top_p: float | UnsetType = UNSET
    top_k: int | UnsetType = UNSET
    thinking: ThinkingConfig | UnsetType = UNSET
    output_config: OutputConfig | UnsetType = UNSET
    service_tier: Literal["auto", "standard_only"] | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    cache_control: CacheControlEphemeral | UnsetType = UNSET
    stream: bool = False
    others: dict[str, Raw] | UnsetType = UNSET
    """Members that are not among these, as JSON: who speaks the Messages API natively may use what is new."""
    sent: SentRequest | UnsetType = UNSET
    """Goes out instead of all the rest, of which only `model` and `max_tokens` are told then: for an upstream that
    is `verbatim`."""


# ---- answer: blocks ------------------------------------------------------------------------------------------------


class TextBlock(Struct, frozen=True, tag_field="type", tag="text"):
    """Text of the answer; `citations` are kept raw."""

    text: str
    citations: list[Raw] | None = None


class ThinkingBlock(Struct, frozen=True, tag_field="type", tag="thinking"):
    """Thinking; its text is empty unless it was asked for."""

    thinking: str = ""
    signature: str = ""


class RedactedThinkingBlock(Struct, frozen=True, tag_field="type", tag="redacted_thinking"):
    """Encrypted thinking."""

    data: str


class ToolUseBlock(Struct, frozen=True, tag_field="type", tag="tool_use"):
    """A call of one of the client's tools; in a stream `input` starts empty and its JSON text follows."""

    id: str
    name: str
    input: Raw = Raw(b"{}")


class ServerToolUseBlock(Struct, frozen=True, tag_field="type", tag="server_tool_use"):
    """A call that Anthropic's side runs itself."""

    id: str
    name: str
    input: Raw = Raw(b"{}")


class WebSearchToolResultBlock(Struct, frozen=True, tag_field="type", tag="web_search_tool_result"):
    """What a web search found: a list of results, or an error object."""

    tool_use_id: str
    content: Raw


class UnknownBlock(Struct, frozen=True, tag_field="type", tag="unknown"):
    """A block of a kind that this version does not know; `kind` is its type. (Tagged, so that a union takes it.)"""

    kind: str


ContentBlock = (
    TextBlock
    | ThinkingBlock
    | RedactedThinkingBlock
    | ToolUseBlock
    | ServerToolUseBlock
    | WebSearchToolResultBlock
    | UnknownBlock
)

# ---- answer: stream events -----------------------------------------------------------------------------------------


class OutputTokensDetails(Struct, frozen=True):
    """Part of `output_tokens`."""

    thinking_tokens: int | None = None


class CacheCreation(Struct, frozen=True):
    """Part of `cache_creation_input_tokens`, by how long it lives."""

    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class ServerToolUsage(Struct, frozen=True):
    """Calls that Anthropic's side ran itself; they are billed one by one."""

    web_search_requests: int | None = None


class Usage(Struct, frozen=True):
    """Token counts. On `message_delta` they are cumulative and overwrite; an absent one keeps its value."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens_details: OutputTokensDetails | None = None
    service_tier: str | None = None
    cache_creation: CacheCreation | None = None
    server_tool_use: ServerToolUsage | None = None
    speed: str | None = None
    """`fast` where the answer was, and cost more."""


class RefusalStopDetails(Struct, frozen=True):
    """Why Claude refused."""

    category: str | None = None
    explanation: str | None = None


class Message(Struct, frozen=True):
    """The message that `message_start` opens, with nothing in it yet, or one that came whole."""

    id: str
    model: str
    usage: Usage
    content: list[Raw] = []
    stop_reason: str | None = None
    stop_details: RefusalStopDetails | None = None


class TextDelta(Struct, frozen=True, gc=False, tag_field="type", tag="text_delta"):
    """More text."""

    text: str


class InputJSONDelta(Struct, frozen=True, gc=False, tag_field="type", tag="input_json_delta"):
    """More JSON text of a call's input."""

    partial_json: str


class ThinkingDelta(Struct, frozen=True, gc=False, tag_field="type", tag="thinking_delta"):
    """More thinking."""

    thinking: str


class SignatureDelta(Struct, frozen=True, tag_field="type", tag="signature_delta"):
    """The signature of a thinking block."""

    signature: str


class CitationsDelta(Struct, frozen=True, tag_field="type", tag="citations_delta"):
    """One more citation of the text block."""

    citation: Raw


Delta = TextDelta | InputJSONDelta | ThinkingDelta | SignatureDelta | CitationsDelta


class SentEvent(Struct, frozen=True, dict=True):
    """What every event has: `sent`, its JSON text as it came (`b""` for one that the proxy made up, and where nobody
    wants to see it).

    It is no field: it is neither compared nor encoded, and no member of that name is read from the wire.
    """

    sent: ClassVar[bytes] = b""


class MessageStart(SentEvent, frozen=True, tag_field="type", tag="message_start"):
    """First event."""

    message: Message


class ContentBlockStart(SentEvent, frozen=True, tag_field="type", tag="content_block_start"):
    """A block opens. `sent_block` is `content_block` as it came, with members that its type does not know."""

    index: int
    content_block: ContentBlock
    sent_block: Raw = Raw()


class ContentBlockDelta(SentEvent, frozen=True, tag_field="type", tag="content_block_delta"):
    """A block grows."""

    index: int
    delta: Delta


class ContentBlockStop(SentEvent, frozen=True, tag_field="type", tag="content_block_stop"):
    """A block is complete."""

    index: int


class MessageDeltaBody(Struct, frozen=True):
    """What is known only at the end. `stop_reason` stays a plain string: new ones appear."""

    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: RefusalStopDetails | None = None


class MessageDelta(SentEvent, frozen=True, tag_field="type", tag="message_delta"):
    """Stop reason and final usage."""

    delta: MessageDeltaBody
    usage: Usage = Usage()


class MessageStop(SentEvent, frozen=True, tag_field="type", tag="message_stop"):
    """Last event; a stream without it is broken."""


class Ping(SentEvent, frozen=True, tag_field="type", tag="ping"):
    """A sign of life."""


class APIError(Struct, frozen=True):
    """The `error` member of an error body or event."""

    type: str = ""
    message: str = ""


class ErrorEvent(SentEvent, frozen=True, tag_field="type", tag="error"):
    """An error in the middle of a stream; also the shape of an HTTP error's body."""

    error: APIError
    request_id: str | None = None


class UnknownEvent(SentEvent, frozen=True):
    """An event, or the delta of a known one, of a kind that this version does not know: counted and skipped."""

    type: str


class WholeAnswer(SentEvent, frozen=True):
    """An answer that is no stream, as its client wanted it: a message, or a count of tokens."""

    stop_reason: str | None = None
    usage: Usage = Usage()


StreamEvent = (
    MessageStart
    | ContentBlockStart
    | ContentBlockDelta
    | ContentBlockStop
    | MessageDelta
    | MessageStop
    | Ping
    | ErrorEvent
    | UnknownEvent
    | WholeAnswer
)

# ---- GET /v1/models ------------------------------------------------------------------------------------------------


class CapabilitySupport(Struct, frozen=True):
    """Whether something is supported."""

    supported: bool = False


class ThinkingTypes(Struct, frozen=True):
    """Which thinking configurations a model takes."""

    adaptive: CapabilitySupport | None = None
    between_tools: CapabilitySupport | None = None
    disabled: CapabilitySupport | None = None
    enabled: CapabilitySupport | None = None


class ThinkingCapability(Struct, frozen=True):
    """Thinking support."""

    supported: bool = False
    types: ThinkingTypes | None = None


class EffortCapability(Struct, frozen=True):
    """Which efforts a model takes."""

    supported: bool = False
    low: CapabilitySupport | None = None
    medium: CapabilitySupport | None = None
    high: CapabilitySupport | None = None
    xhigh: CapabilitySupport | None = None
    max: CapabilitySupport | None = None


class ModelCapabilities(Struct, frozen=True):
    """What a model can, as upstream says it."""

    effort: EffortCapability | None = None
    image_input: CapabilitySupport | None = None
    pdf_input: CapabilitySupport | None = None
    structured_outputs: CapabilitySupport | None = None
    thinking: ThinkingCapability | None = None


class ModelInfo(Struct, frozen=True):
    """One row of `GET /v1/models` (https://docs.anthropic.com/en/api/models-list)."""

    id: str
    display_name: str = ""
    created_at: str = "1970-01-01T00:00:00Z"
    line: str | None = None
    lifecycle: str = "active"
    max_input_tokens: int | None = None
    max_tokens: int | None = None
    capabilities: ModelCapabilities | None = None


class ModelRow(Struct, frozen=True, tag_field="type", tag="model"):
    """The same as this server hands it out. Times are RFC 3339."""

    id: str
    display_name: str
    created_at: str
    line: str | None
    lifecycle: str
    max_input_tokens: int | None
    max_tokens: int | None
    retires_at: str | None
    capabilities: ModelCapabilities | None


class ModelRows(Struct, frozen=True):
    """A page of them."""

    data: list[ModelRow]
    has_more: bool
    first_id: str | None
    last_id: str | None


class ModelList(Struct, frozen=True):
    """A page of models, newest first."""

    data: list[ModelInfo]
    has_more: bool = False
    last_id: str | None = None
