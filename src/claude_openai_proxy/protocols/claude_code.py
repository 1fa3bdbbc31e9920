"""Frames of the Claude Code CLI's stream-json mode: one JSON object per line, on stdin and on stdout.

The control protocol is the one that Anthropic's Agent SDKs speak (https://code.claude.com/docs/en/agent-sdk/overview);
most of its frames are not documented, so the proxy checks them against the binary before it trusts them.
"""

from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType

# ---- stdin: control requests ---------------------------------------------------------------------------------------


class Initialize(Struct, frozen=True, rename="camel", tag_field="subtype", tag="initialize"):
    """First request of a process. An empty `system_prompt` leaves the CLI's own long one out."""

    system_prompt: list[str]
    hooks: None = None


class FlagSettings(Struct, frozen=True):
    """Settings that win over all others. An `env` value of "" counts as unset; a key left out keeps its old value."""

    model: str
    env: dict[str, str]


class ApplyFlagSettings(Struct, frozen=True, tag_field="subtype", tag="apply_flag_settings"):
    """Change the settings of a running process; they hold from the next model request on."""

    settings: FlagSettings


class SetModel(Struct, frozen=True, tag_field="subtype", tag="set_model"):
    """Set the system prompt. Without `only_if_model_is_current` the CLI would probe the model with a request."""

    model: str
    system_prompt: str
    only_if_model_is_current: bool = True


class McpServer(Struct, frozen=True, tag_field="type", tag="sdk"):
    """An MCP server inside the process that drives the CLI."""

    name: str


class McpSetServers(Struct, frozen=True, tag_field="subtype", tag="mcp_set_servers"):
    """Register MCP servers; the CLI then asks them for their tools."""

    servers: dict[str, McpServer]


class Interrupt(Struct, frozen=True, tag_field="subtype", tag="interrupt"):
    """Stop the turn; the CLI drops its connection upstream within milliseconds."""


ControlBody = Initialize | ApplyFlagSettings | SetModel | McpSetServers | Interrupt


class ControlRequest(Struct, frozen=True, tag_field="type", tag="control_request"):
    """A request to the CLI; it answers with a `ControlResponseFrame` of the same id."""

    request_id: str
    request: ControlBody


# ---- stdin: the turn, and answers to the CLI's own requests --------------------------------------------------------


class TurnMessage(Struct, frozen=True):
    """The text that starts a turn."""

    content: str
    role: Literal["user"] = "user"


class UserFrame(Struct, frozen=True, tag_field="type", tag="user"):
    """Start a turn. `client_composed`: the text is taken as it is, no `@path` and no `/command` in it is acted on."""

    message: TurnMessage
    client_composed: bool = True
    parent_tool_use_id: None = None
    session_id: str = ""


class ToolStub(Struct, frozen=True, rename="camel"):
    """A tool by name only; its real definition travels in the request body."""

    name: str
    input_schema: dict[str, str]
    description: str = ""


class ToolList(Struct, frozen=True):
    """Answer to `tools/list`."""

    tools: list[ToolStub]


class ServerInfo(Struct, frozen=True):
    """Who an MCP server says it is."""

    name: str
    version: str


class McpInitialized(Struct, frozen=True, rename="camel"):
    """Answer to MCP's `initialize`."""

    protocol_version: str
    server_info: ServerInfo
    capabilities: dict[str, dict[str, bool]]


class McpEmpty(Struct, frozen=True):
    """Answer to any other MCP message."""


class McpAnswer(Struct, frozen=True):
    """A JSON-RPC answer; `id` repeats the question's."""

    id: Raw
    result: ToolList | McpInitialized | McpEmpty
    jsonrpc: str = "2.0"


class McpAnswerBody(Struct, frozen=True):
    """The MCP answer inside a control response."""

    mcp_response: McpAnswer


class ControlAnswerBody(Struct, frozen=True, tag_field="subtype", tag="success"):
    """The answer to one request of the CLI."""

    request_id: str
    response: McpAnswerBody


class ControlAnswer(Struct, frozen=True, tag_field="type", tag="control_response"):
    """Our answer to one request of the CLI."""

    response: ControlAnswerBody


# ---- stdout --------------------------------------------------------------------------------------------------------


class StreamEventFrame(Struct, frozen=True, tag_field="type", tag="stream_event"):
    """One event of the Messages API's stream, as it came."""

    event: Raw
    parent_tool_use_id: str | None = None


class RateLimitWindow(Struct, frozen=True, rename="camel"):
    """How much of a plan's window is used (0 to 1), and when it starts anew (seconds since 1970)."""

    utilization: float | None = None
    resets_at: float | None = None
    status: str = ""


class RateLimitInfo(Struct, frozen=True, rename="camel"):
    """State of a plan's limits, from the `anthropic-ratelimit-unified-*` headers; `resets_at` in seconds since 1970."""

    status: str = ""
    resets_at: float | None = None
    rate_limit_type: str = ""
    overage_status: str = ""
    is_using_overage: bool = False
    overage_in_use: bool = False
    unified_windows: dict[str, RateLimitWindow] = {}


class RateLimitFrame(Struct, frozen=True, tag_field="type", tag="rate_limit_event"):
    """The plan's limits after an answer of upstream."""

    rate_limit_info: RateLimitInfo


class APIErrorParams(Struct, frozen=True):
    """Details of an error."""

    rate_limit_info: RateLimitInfo | None = None


class AnswerText(Struct, frozen=True):
    """A text block of an assistant frame; other blocks have no text."""

    text: str = ""


class AssistantMessage(Struct, frozen=True):
    """The finished block, or the CLI's words about an error."""

    content: list[AnswerText] = []


class AssistantFrame(Struct, frozen=True, tag_field="type", tag="assistant"):
    """A whole block (its events have come before), or the report of an error of the API."""

    message: AssistantMessage = AssistantMessage()
    request_id: str | None = None
    is_api_error_message: bool | UnsetType = UNSET
    error: str | None = None
    api_error: str | None = None
    api_error_status: int | None = None
    api_error_type: str | None = None
    api_error_params: APIErrorParams | None = None


class ModelUsage(Struct, frozen=True, rename="camel"):
    """Token counts of one model since the turn began."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0


class ResultFrame(Struct, frozen=True, tag_field="type", tag="result"):
    """End of a turn."""

    subtype: str = ""
    is_error: bool = False
    num_turns: int | None = None
    result: str = ""
    terminal_reason: str | None = None
    api_error: str | None = None
    api_error_status: int | None = None
    api_error_type: str | None = None
    api_error_params: APIErrorParams | None = None
    errors: list[str] = []
    model_usage_since_last_result: dict[str, ModelUsage] = {}


class SystemFrame(Struct, frozen=True, tag_field="type", tag="system"):
    """State: `init`, `status`, `api_retry` ...; the refusal fields come with `model_refusal_no_fallback`."""

    subtype: str = ""
    request_id: str | None = None
    api_refusal_category: str | None = None
    api_refusal_explanation: str | None = None


class ControlResponseBody(Struct, frozen=True):
    """`subtype` is "success" or "error"."""

    subtype: str
    request_id: str
    response: Raw = Raw(b"{}")
    error: str = ""


class ControlResponseFrame(Struct, frozen=True, tag_field="type", tag="control_response"):
    """The CLI's answer to one request of ours."""

    response: ControlResponseBody


class McpParams(Struct, frozen=True, rename="camel"):
    """Parameters of an MCP message."""

    protocol_version: str = ""


class McpMessage(Struct, frozen=True):
    """A JSON-RPC message; a notification has no `id`."""

    method: str = ""
    id: Raw = Raw(b"null")
    params: McpParams | None = None


class ControlQuestion(Struct, frozen=True):
    """What the CLI asks: `mcp_message`, or `can_use_tool` (never answered, so nothing runs)."""

    subtype: str
    message: McpMessage = McpMessage()


class ControlRequestFrame(Struct, frozen=True, tag_field="type", tag="control_request"):
    """A request of the CLI."""

    request_id: str
    request: ControlQuestion


class OtherFrame(Struct, frozen=True):
    """A frame of a kind that the proxy has no use for."""

    type: str


Frame = (
    StreamEventFrame
    | RateLimitFrame
    | AssistantFrame
    | ResultFrame
    | SystemFrame
    | ControlResponseFrame
    | ControlRequestFrame
    | OtherFrame
)

# ---- answers to control requests, and `claude auth status --json` --------------------------------------------------


class Account(Struct, frozen=True, rename="camel"):
    """Which login the process uses; which members are there tells the kind."""

    token_source: str = ""
    api_key_source: str = ""
    subscription_type: str = ""
    api_provider: str = ""


class OfferedModel(Struct, frozen=True, rename="camel"):
    """A row of the CLI's model menu."""

    value: str
    resolved_model: str = ""
    display_name: str = ""


class Initialized(Struct, frozen=True):
    """Answer to `initialize`."""

    account: Account = Account()
    models: list[OfferedModel] = []
    claude_code_version: str = ""


class AuthStatus(Struct, frozen=True, rename="camel"):
    """Output of `claude auth status --json`."""

    logged_in: bool
    auth_method: str = "none"
    api_provider: str = "firstParty"
    api_key_source: str | None = None
    subscription_type: str | None = None
    email: str | None = None
    org_id: str | None = None
