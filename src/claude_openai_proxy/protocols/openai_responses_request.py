"""Requests for responses (https://platform.openai.com/docs/api-reference/responses/create), with the published names.

Items, tools and the tool choice are raw in the request: new kinds of them come faster than servers follow, and one that
nobody knows is no reason to refuse all the others. Each is decoded by its own type. The types forbid members that they
do not have, so that none is dropped unseen (`translate.schemas.tolerant` takes them out and names them); null is taken
wherever a field may be absent.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

NO_JSON = Raw()
"""What a raw field holds where the client sent nothing; null stays `null`."""

ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
ServiceTier = Literal["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]
Verbosity = Literal["low", "medium", "high"]
Include = Literal[
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
]
LONGEST_INPUT = 10_485_760
"""Characters of an input that is one text."""
MOST_STOPS = 64


class Known(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An object all of whose members are known."""


# ---- content parts -------------------------------------------------------------------------------------------------


class PromptCacheBreakpoint(Known, frozen=True, kw_only=True):
    """The end of a prefix that is used again."""

    mode: Literal["explicit"] = "explicit"
    ttl: Literal["30m", "12h"] | None = None


class Part(Known, frozen=True, kw_only=True):
    """What every part may carry."""

    prompt_cache_breakpoint: PromptCacheBreakpoint | None = None


class TextPart(Part, frozen=True, kw_only=True):
    """`input_text`, `output_text`, `text`; what belongs to an answer of before comes back with it."""

    type: str
    text: str
    annotations: Raw = NO_JSON
    logprobs: Raw = NO_JSON


class RefusalPart(Part, frozen=True, kw_only=True):
    """What the model said when it refused."""

    type: str
    refusal: str


class ImagePart(Part, frozen=True, kw_only=True):
    """`input_image` and `computer_screenshot`: a `data:` or http(s) URL, or an uploaded file."""

    type: str
    image_url: str | None = None
    file_id: str | None = None
    detail: Literal["auto", "low", "high", "original"] | None = None


class FilePart(Part, frozen=True, kw_only=True):
    """`input_file`: base64 or a `data:` URL, one on the web, or an uploaded one."""

    type: str
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None
    detail: Literal["auto", "low", "high", "original"] | None = None


# ---- items ---------------------------------------------------------------------------------------------------------

ItemStatus = Literal["in_progress", "completed", "incomplete", "failed", "searching", "interpreting", "generating"]


class Item(Known, frozen=True, kw_only=True):
    """What every item may carry."""

    type: str | None = None
    id: str | None = None
    status: ItemStatus | None = None
    created_by: Raw = NO_JSON
    agent: Raw = NO_JSON


class Message(Item, frozen=True, kw_only=True):
    """A message; `content` is a text or a list of parts."""

    role: Literal["user", "system", "developer", "assistant"]
    content: str | list[Raw] | None = None
    phase: str | None = None


class FunctionCall(Item, frozen=True, kw_only=True):
    """A call that the model made."""

    call_id: str | None = None
    name: str
    arguments: str | dict[str, object] | list[object] | None = None
    namespace: str | None = None
    caller: Raw = NO_JSON
    parsed_arguments: Raw = NO_JSON


class CustomToolCall(Item, frozen=True, kw_only=True):
    """A call of a free-form tool."""

    call_id: str | None = None
    name: str
    input: str = ""
    namespace: str | None = None
    caller: Raw = NO_JSON


class CallOutput(Item, frozen=True, kw_only=True):
    """What a tool returned: `function_call_output`, `custom_tool_call_output` and their kin."""

    call_id: str | None = None
    output: Raw = NO_JSON
    name: str | None = None
    namespace: str | None = None
    caller: Raw = NO_JSON
    max_output_length: int | None = None


class SummaryText(Known, frozen=True, kw_only=True):
    """A piece of what was thought."""

    type: str = "summary_text"
    text: str = ""


class ReasoningItem(Item, frozen=True, kw_only=True):
    """Thinking of an earlier turn."""

    summary: list[SummaryText] | None = None
    content: Raw = NO_JSON
    encrypted_content: str | None = None


class ShellAction(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a shell was to do: `command` for `local_shell_call`, `commands` for `shell_call`."""

    type: str = ""
    command: list[str] | None = None
    commands: list[str] | None = None
    env: dict[str, str] | None = None
    timeout_ms: int | None = None
    max_output_length: int | None = None
    working_directory: str | None = None
    user: str | None = None


class ShellCall(Item, frozen=True, kw_only=True):
    """`local_shell_call` and `shell_call`."""

    call_id: str | None = None
    action: ShellAction
    environment: Raw = NO_JSON
    max_output_length: int | None = None
    caller: Raw = NO_JSON


class ApplyPatchCall(Item, frozen=True, kw_only=True):
    """A patch that the model made."""

    call_id: str | None = None
    operation: Raw
    caller: Raw = NO_JSON


class ToolSearchCall(Item, frozen=True, kw_only=True):
    """The model looked for tools."""

    call_id: str | None = None
    arguments: Raw = NO_JSON
    execution: str | None = None


class ToolSearchOutput(Item, frozen=True, kw_only=True):
    """The tools that were found: they can be called from now on."""

    call_id: str | None = None
    tools: list[Raw] = []
    execution: str | None = None


class AdditionalTools(Item, frozen=True, kw_only=True):
    """Tools that are declared by an item."""

    role: str | None = None
    tools: list[Raw] = []


class WebSearchCall(Item, frozen=True, kw_only=True):
    """The model searched the web."""

    action: Raw = NO_JSON
    results: Raw = NO_JSON


class Compaction(Item, frozen=True, kw_only=True):
    """The conversation so far, put together."""

    encrypted_content: str | None = None


class ConfigurationUpdate(Item, frozen=True, kw_only=True):
    """Fields of the request that are to be others from here on."""

    reasoning: "Reasoning | None" = None
    text: "Text | None" = None


# ---- fields --------------------------------------------------------------------------------------------------------


class Reasoning(Known, frozen=True, kw_only=True):
    """How much is thought, and what of it is shown. `generate_summary` is the older name of `summary`."""

    effort: ReasoningEffort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None
    context: Literal["auto", "current_turn", "all_turns"] | None = None
    mode: Literal["standard", "pro"] | None = None


class TextFormat(Known, frozen=True, kw_only=True):
    """The form of the answer; the members of a schema stand beside its type."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = None
    description: str | None = None
    schema: Raw = NO_JSON
    strict: bool | None = None


class Text(Known, frozen=True, kw_only=True):
    """Form and length of the answer."""

    format: TextFormat | None = None
    verbosity: Verbosity | None = None


class ConversationID(Known, frozen=True, kw_only=True):
    """Names a conversation."""

    id: str


class StreamOptions(Known, frozen=True, kw_only=True):
    """What a stream carries beside the answer."""

    include_obfuscation: bool | None = None


class PromptCacheOptions(Known, frozen=True, kw_only=True):
    """How the prompt is cached."""

    mode: Literal["implicit", "explicit"] | None = None
    ttl: Literal["30m", "12h"] | None = None
    comparison_response_id: str | None = None


class BackgroundOptions(Known, frozen=True, kw_only=True):
    """When work in the background is wanted."""

    completion_window: Literal["soonest", "2h", "8h"] | None = None
    continuation_id: str | None = None


class Prompt(Known, frozen=True, kw_only=True):
    """A prompt that is stored elsewhere."""

    id: str
    version: str | None = None
    variables: Raw = NO_JSON


class Thinking(Known, frozen=True, kw_only=True):
    """Claude's own `thinking`."""

    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: Annotated[int, Meta(ge=1)] | None = None
    display: Literal["summarized", "omitted"] | None = None


class ResponsesRequest(Known, frozen=True, kw_only=True):
    """Body of `POST /v1/responses`; fields that mean nothing to Claude are raw.

    Of all fields `model` alone must not be null, as in the published API.
    """

    model: str | UnsetType = UNSET
    input: str | list[Raw] | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: str | ConversationID | None = None
    store: bool | None = None
    background: bool | None = None
    background_options: BackgroundOptions | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    include: list[Include] | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    metadata: dict[str, str] | None = None
    parallel_tool_calls: bool | None = None
    text: Text | None = None
    reasoning: Reasoning | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    tools: list[Raw] | None = None
    tool_choice: Raw = NO_JSON
    truncation: Literal["auto", "disabled"] | None = None
    context_management: Raw = NO_JSON
    service_tier: ServiceTier | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: PromptCacheOptions | None = None
    prompt_cache_retention: Literal["in_memory", "in-memory", "24h"] | None = None
    safety_identifier: str | int | None = None
    user: str | int | None = None
    prompt: Prompt | None = None
    moderation: Raw = NO_JSON
    access_programs: Raw = NO_JSON
    image: Raw = NO_JSON
    client_metadata: Raw = NO_JSON
    thinking: Thinking | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    stop_sequences: Annotated[list[str], Meta(max_length=MOST_STOPS)] | None = None

    @property
    def conversation_id(self) -> str | None:
        """In either of its forms."""
        return self.conversation.id if isinstance(self.conversation, ConversationID) else self.conversation

    def includes(self, what: Include) -> bool:
        """Whether the client asked for it."""
        return what in (self.include or ())


# ---- tools ---------------------------------------------------------------------------------------------------------


class Function(Known, frozen=True, kw_only=True):
    """Chat's nested form of a function."""

    name: Annotated[str, Meta(min_length=1)]
    description: str | None = None
    parameters: Raw = NO_JSON
    strict: bool | None = None


class CustomFormat(Known, frozen=True, kw_only=True):
    """What the input of a free-form tool must look like."""

    type: Literal["text", "grammar"] = "text"
    syntax: Literal["lark", "regex"] | None = None
    definition: str | None = None


class Tool(Known, frozen=True, kw_only=True):
    """A tool of any type: the members of all types that are not only declined."""

    type: str = "function"
    name: Annotated[str, Meta(min_length=1)] | None = None
    description: str | None = None
    parameters: Raw = NO_JSON
    strict: bool | None = None
    function: Function | None = None
    format: CustomFormat | None = None
    tools: list[Raw] | None = None
    execution: Literal["client", "server"] | None = None
    environment: Raw = NO_JSON
    allowed_callers: list[str] | None = None
    output_schema: Raw = NO_JSON
    defer_loading: bool | None = None


class Approximate(Known, frozen=True, kw_only=True):
    """Roughly where the user is."""

    type: Literal["approximate"] = "approximate"
    city: str | None = None
    country: str | None = None
    region: str | None = None
    timezone: str | None = None


class WebSearchFilters(Known, frozen=True, kw_only=True):
    """Where is searched."""

    allowed_domains: list[str] | None = None
    blocked_domains: list[str] | None = None


class WebSearch(Known, frozen=True, kw_only=True):
    """Search on the web."""

    type: str
    filters: WebSearchFilters | None = None
    user_location: Approximate | None = None
    search_context_size: Literal["low", "medium", "high"] | None = None
    search_content_types: Raw = NO_JSON
    external_web_access: bool | None = None
    name: str | None = None


class NamedTool(Struct, frozen=True, kw_only=True):
    """Names a tool in a choice: by type, and by name where the type has several."""

    type: str = "function"
    name: str | None = None
    namespace: str | None = None
    function: "NamedTool | None" = None
    custom: "NamedTool | None" = None


class ToolChoice(Struct, frozen=True, kw_only=True):
    """A choice that is an object: one tool, or those that are allowed."""

    type: str
    name: str | None = None
    namespace: str | None = None
    function: NamedTool | None = None
    custom: NamedTool | None = None
    mode: Literal["auto", "required"] = "auto"
    tools: list[NamedTool] | None = None
