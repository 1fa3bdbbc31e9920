"""Requests for chat completions (https://platform.openai.com/docs/api-reference/chat/create), with the published names.

Beside OpenAI's own shapes stand those of the Messages API that editors send to this route (`input_schema` tools,
`tool_use` and `tool_result` parts, `thinking`, `cache_control`). The types forbid members that they do not have, so
that none is dropped unseen (`translate.schemas.tolerant` takes them out and names them); null is taken wherever a field
may be absent. What types cannot say is said where the request is translated.
"""

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct, field

ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
ServiceTier = Literal["auto", "default", "flex", "scale", "priority", "fast"]

TokenLimit = Annotated[int, Meta(ge=1)]
ToolNameText = Annotated[str, Meta(min_length=1)]
MOST_STOPS = 64
"""Of stop sequences in one request; each is looked for in each piece of the answer."""

NO_JSON = Raw()
"""What a raw field holds where the client sent nothing; null stays `null`."""

JSONValue = str | int | float | bool | dict[str, object] | list[object] | None
"""Anything, decoded."""


class Known(Struct, frozen=True, forbid_unknown_fields=True):
    """An object all of whose members are known."""


# ---- content parts -------------------------------------------------------------------------------------------------


class CacheControl(Known, frozen=True):
    """Claude's cache mark; `ttl` is 5m where absent."""

    type: Literal["ephemeral"] = "ephemeral"
    ttl: Literal["5m", "1h"] | None = None


class PromptCacheBreakpoint(Known, frozen=True):
    """OpenAI's cache mark: the end of a prefix that is used again."""

    mode: Literal["explicit"] = "explicit"
    ttl: Literal["30m", "12h"] | None = None


class Part(Known, frozen=True, kw_only=True):
    """What every part may carry."""

    cache_control: CacheControl | None = None
    prompt_cache_breakpoint: PromptCacheBreakpoint | None = None


class TextPart(Part, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Text."""

    text: str


class RefusalPart(Part, frozen=True, kw_only=True, tag_field="type", tag="refusal"):
    """What the model said when it refused."""

    refusal: str


class ImageURL(Known, frozen=True):
    """A `data:` or http(s) URL, or the bare base64."""

    url: str
    detail: Literal["auto", "low", "high", "original"] | None = None


class ImageURLPart(Part, frozen=True, kw_only=True, tag_field="type", tag="image_url"):
    """An image; several clients send the bare URL."""

    image_url: ImageURL | str


class File(Known, frozen=True):
    """A file in the request itself (base64 or a `data:` URL), one on the web, or one that was uploaded before.

    Gateways have `file_url` for the second; other clients put the URL into one of OpenAI's own two members.
    """

    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None


class FilePart(Part, frozen=True, kw_only=True, tag_field="type", tag="file"):
    """A file."""

    file: File


class InputAudioPart(Part, frozen=True, kw_only=True, tag_field="type", tag="input_audio"):
    """Sound."""

    input_audio: Raw


class Base64Source(Known, frozen=True, tag_field="type", tag="base64"):
    """Claude-shaped: bytes, base64."""

    data: str
    media_type: str = ""


class URLSource(Known, frozen=True, tag_field="type", tag="url"):
    """Claude-shaped: something on the web."""

    url: str


class TextSource(Known, frozen=True, tag_field="type", tag="text"):
    """Claude-shaped: the text of a document."""

    data: str


class Citations(Known, frozen=True):
    """Claude-shaped: whether a document is cited."""

    enabled: bool = False


class ImagePart(Part, frozen=True, kw_only=True, tag_field="type", tag="image"):
    """Claude-shaped: an image; or as MCP has it, with the base64 in the part itself."""

    source: Base64Source | URLSource | None = None
    data: str | None = None
    mime_type: str = field(default="", name="mimeType")


class DocumentPart(Part, frozen=True, kw_only=True, tag_field="type", tag="document"):
    """Claude-shaped: a document."""

    source: Base64Source | URLSource | TextSource
    title: str | None = None
    context: str | None = None
    citations: Citations | None = None


class ToolUsePart(Part, frozen=True, kw_only=True, tag_field="type", tag="tool_use"):
    """Claude-shaped: a call."""

    id: str | None = None
    name: str
    input: Raw = Raw(b"{}")


class ToolResultPart(Part, frozen=True, kw_only=True, tag_field="type", tag="tool_result"):
    """Claude-shaped: the result of a call; see `ToolMessage.content`."""

    tool_use_id: str | None = None
    content: JSONValue = None
    is_error: bool | None = None


class ThinkingPart(Part, frozen=True, kw_only=True, tag_field="type", tag="thinking"):
    """Claude-shaped: thinking of an earlier turn; of no use without its signature."""

    thinking: str = ""
    signature: str | None = None


class RedactedThinkingPart(Part, frozen=True, kw_only=True, tag_field="type", tag="redacted_thinking"):
    """Claude-shaped: encrypted thinking of an earlier turn."""

    data: str


ContentPart = (
    TextPart
    | RefusalPart
    | ImageURLPart
    | FilePart
    | InputAudioPart
    | ImagePart
    | DocumentPart
    | ToolUsePart
    | ToolResultPart
    | ThinkingPart
    | RedactedThinkingPart
)

Content = str | list[ContentPart] | None

# ---- messages ------------------------------------------------------------------------------------------------------


class FunctionCall(Known, frozen=True):
    """A call's name and its arguments: JSON text, though some clients send the object itself."""

    name: str
    arguments: str | dict[str, object] | list[object] | None = None


class CustomCall(Known, frozen=True):
    """A free-form call's name and input."""

    name: str
    input: str = ""


class ToolCall(Known, frozen=True):
    """A call that the model made; which of the two it is shows in what is there."""

    id: str | None = None
    type: Literal["function", "custom"] | None = None
    function: FunctionCall | None = None
    custom: CustomCall | None = None


class SystemMessage(Known, frozen=True, kw_only=True, tag_field="role", tag="system"):
    """Instructions."""

    content: Content
    cache_control: CacheControl | None = None


class DeveloperMessage(Known, frozen=True, kw_only=True, tag_field="role", tag="developer"):
    """Instructions, by their newer name."""

    content: Content
    cache_control: CacheControl | None = None


class UserMessage(Known, frozen=True, kw_only=True, tag_field="role", tag="user"):
    """What the user said."""

    content: Content
    name: str | None = None
    cache_control: CacheControl | None = None


class ReasoningDetailParam(Known, frozen=True, kw_only=True):
    """A block of thinking as it was handed out in `reasoning_details`."""

    type: str = ""
    text: str | None = None
    signature: str | None = None
    data: str | None = None
    index: JSONValue = None
    id: JSONValue = None
    format: JSONValue = None
    summary: JSONValue = None


class ThinkingBlock(Known, frozen=True, kw_only=True):
    """A block of thinking in Claude's shape, beside the content, as other gateways hand it out."""

    type: str = ""
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None


class AssistantMessage(Known, frozen=True, kw_only=True, tag_field="role", tag="assistant"):
    """What the model said."""

    content: Content = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: FunctionCall | None = None
    reasoning_details: list[ReasoningDetailParam] | None = None
    thinking_blocks: list[ThinkingBlock] | None = None
    reasoning_content: JSONValue = None
    reasoning: JSONValue = None
    cache_control: CacheControl | None = None


class ToolMessage(Known, frozen=True, kw_only=True, tag_field="role", tag="tool"):
    """The result of a call; one without an id answers the calls in their order, of its `name` where it has one.

    Its `content` is text or parts, or any other JSON: many clients send what the tool returned as it is.
    """

    tool_call_id: str | None = None
    name: str | None = None
    content: JSONValue = None
    cache_control: CacheControl | None = None


class FunctionMessage(Known, frozen=True, kw_only=True, tag_field="role", tag="function"):
    """The result of a call, from the time before calls had ids."""

    name: str
    content: JSONValue = None
    cache_control: CacheControl | None = None


Message = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage

# ---- tools ---------------------------------------------------------------------------------------------------------


class FunctionDefinition(Known, frozen=True):
    """A function; `parameters` is a JSON schema, absent for a function without any."""

    name: ToolNameText
    description: str | None = None
    parameters: Raw = NO_JSON
    strict: bool | None = None


class Grammar(Known, frozen=True):
    """What the input of a custom tool must look like."""

    definition: str = ""
    syntax: Literal["lark", "regex"] | None = None


class CustomFormat(Known, frozen=True):
    """The input format of a custom tool."""

    type: Literal["text", "grammar"] = "text"
    grammar: Grammar | None = None


class CustomDefinition(Known, frozen=True):
    """A free-form tool."""

    name: ToolNameText
    description: str | None = None
    format: CustomFormat | None = None


class Approximate(Known, frozen=True):
    """Roughly where the user is."""

    city: str | None = None
    country: str | None = None
    region: str | None = None
    timezone: str | None = None


class Tool(Known, frozen=True, kw_only=True):
    """A tool in any of its shapes: OpenAI's function and custom ones, the flat function, Claude's own."""

    type: str | None = None
    function: FunctionDefinition | None = None
    custom: CustomDefinition | None = None
    name: ToolNameText | None = None
    description: str | None = None
    parameters: Raw = NO_JSON
    input_schema: Raw = NO_JSON
    strict: bool | None = None
    cache_control: CacheControl | None = None
    max_uses: Annotated[int, Meta(ge=1)] | None = None
    user_location: Approximate | None = None
    allowed_domains: list[str] | None = None
    blocked_domains: list[str] | None = None


class ToolName(Known, frozen=True):
    """Names a tool."""

    name: str


class AllowedTool(Known, frozen=True):
    """Names a tool, in any shape."""

    type: str | None = None
    function: ToolName | None = None
    custom: ToolName | None = None
    name: str | None = None


class AllowedTools(Known, frozen=True):
    """The tools that may be called now."""

    tools: list[AllowedTool]
    mode: Literal["auto", "required"] = "auto"


class ToolChoiceObject(Known, frozen=True):
    """A tool choice in any of its shapes: OpenAI's three, and Claude's four; allowed tools nested or flat."""

    type: Literal["function", "custom", "allowed_tools", "tool", "any", "auto", "none"]
    function: ToolName | None = None
    custom: ToolName | None = None
    allowed_tools: AllowedTools | None = None
    tools: list[AllowedTool] | None = None
    mode: Literal["auto", "required"] = "auto"
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


# ---- the other fields ----------------------------------------------------------------------------------------------


class ResponseFormatText(Known, frozen=True, tag_field="type", tag="text"):
    """Plain text."""


class ResponseFormatJSONObject(Known, frozen=True, tag_field="type", tag="json_object"):
    """One JSON object; `schema` is what llama.cpp, Together and Fireworks let it match."""

    schema: Raw = NO_JSON


class JSONSchema(Known, frozen=True):
    """What the answer must look like."""

    name: str = ""
    description: str | None = None
    schema: Raw = NO_JSON
    strict: bool | None = None


class ResponseFormatJSONSchema(Known, frozen=True, tag_field="type", tag="json_schema"):
    """JSON of a schema."""

    json_schema: JSONSchema


class StreamOptions(Known, frozen=True):
    """What a stream carries beside the answer."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class PromptCacheOptions(Known, frozen=True):
    """How the prompt is cached."""

    mode: Literal["implicit", "explicit"] | None = None
    ttl: Literal["30m", "12h"] | None = None


class UserLocation(Known, frozen=True):
    """Where the user is."""

    approximate: Approximate
    type: Literal["approximate"] = "approximate"


class WebSearchOptions(Known, frozen=True):
    """How the web is searched."""

    search_context_size: Literal["low", "medium", "high"] | None = None
    user_location: UserLocation | None = None


class Thinking(Known, frozen=True):
    """Claude's own `thinking`."""

    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: Annotated[int, Meta(ge=1)] | None = None
    display: Literal["summarized", "omitted"] | None = None


class Reasoning(Known, frozen=True):
    """How gateways ask for reasoning; `exclude`: it is not shown."""

    effort: ReasoningEffort | None = None
    enabled: bool | None = None
    max_tokens: TokenLimit | None = None
    exclude: bool | None = None


class OutputFormat(Known, frozen=True):
    """Claude's own form of a JSON schema for the answer."""

    type: Literal["json_schema"]
    schema: Raw = NO_JSON


class OutputConfig(Known, frozen=True):
    """Claude's own `output_config`."""

    effort: ReasoningEffort | None = None
    format: OutputFormat | None = None


class ChatCompletionRequest(Known, frozen=True, kw_only=True):
    """Body of `POST /v1/chat/completions`: the 37 fields, then those of Claude and of gateways that clients know.

    Fields that mean nothing to Claude are raw: what stands there is nobody's business here.
    """

    messages: list[Message]
    model: str | None = None
    audio: Raw = NO_JSON
    frequency_penalty: Raw = NO_JSON
    function_call: Literal["none", "auto"] | ToolName | None = None
    functions: list[FunctionDefinition] | None = None
    logit_bias: Raw = NO_JSON
    logprobs: Raw = NO_JSON
    max_completion_tokens: TokenLimit | None = None
    max_tokens: TokenLimit | None = None
    metadata: Raw = NO_JSON
    modalities: list[Literal["text", "audio"]] | None = None
    moderation: Raw = NO_JSON
    n: Annotated[int, Meta(ge=1, le=8)] | None = None
    parallel_tool_calls: bool | None = None
    prediction: Raw = NO_JSON
    presence_penalty: Raw = NO_JSON
    prompt_cache_key: Raw = NO_JSON
    prompt_cache_options: PromptCacheOptions | None = None
    prompt_cache_retention: Literal["in_memory", "in-memory", "24h"] | None = None
    reasoning_effort: ReasoningEffort | None = None
    response_format: ResponseFormatText | ResponseFormatJSONObject | ResponseFormatJSONSchema | None = None
    safety_identifier: JSONValue = None
    seed: Raw = NO_JSON
    service_tier: ServiceTier | None = None
    stop: str | Annotated[list[str], Meta(max_length=MOST_STOPS)] | None = None
    store: Raw = NO_JSON
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    tool_choice: Literal["none", "auto", "required", "any"] | ToolChoiceObject | None = None
    tools: list[Tool] | None = None
    top_logprobs: Raw = NO_JSON
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    user: JSONValue = None
    verbosity: Literal["low", "medium", "high"] | None = None
    web_search_options: WebSearchOptions | None = None
    thinking: Thinking | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    system: Content = None
    stop_sequences: Annotated[list[str], Meta(max_length=MOST_STOPS)] | None = None
    output_config: OutputConfig | None = None
    reasoning: Reasoning | None = None
    include_reasoning: bool | None = None
