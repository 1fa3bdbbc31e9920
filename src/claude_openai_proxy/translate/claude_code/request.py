"""A Messages request as frames for the Claude Code CLI (sans-IO): what makes an idle process send exactly this request.

The request's own fields travel in the documented CLAUDE_CODE_EXTRA_BODY, which the CLI merges over the body it would
send; `system` goes the CLI's own way, `betas` and `metadata` stay its own. Every key that is ever set is set each time,
because a key left out would keep the value of the turn before.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from claude_openai_proxy.protocols import anthropic, claude_code
from claude_openai_proxy.translate.messages_api.conversation import MOST_MARKS
from claude_openai_proxy.translate.messages_api.raw_parts import decode_part

MCP_SERVER: Final = "c"
"""The CLI knows the client's tools as those of one MCP server under this name."""
CLI_CACHE_MARKS: Final = 2
"""The CLI marks its identity block and the system prompt."""

TURN_TEXT_CHARACTERS: Final = 20_000
"""The text of a turn only starts it; the CLI itself refuses to send one of megabytes."""

SETTINGS: Final = (
    "CLAUDE_CODE_EXTRA_BODY",
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
    "CLAUDE_CODE_EFFORT_LEVEL",
    "CLAUDE_CODE_DISABLE_THINKING",
    "FORCE_PROMPT_CACHING_5M",
    "ENABLE_PROMPT_CACHING_1H",
    "DISABLE_PROMPT_CACHING",
)
"""Every variable that a turn sets; one left out would keep its value."""
NO_SYSTEM_PROMPT: Final = "."
"""Takes the place of a system prompt that is to be forgotten: the CLI takes no empty one. It is never sent."""

_encode = msgspec.json.Encoder().encode


class ExtraBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is merged over the body that the CLI would send, field by field."""

    messages: list[anthropic.MessageParam]
    max_tokens: int
    tools: Sequence[anthropic.ToolParam | anthropic.WebSearchTool | Raw] | UnsetType = UNSET
    tool_choice: anthropic.ToolChoice | UnsetType = UNSET
    stop_sequences: list[str] | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    top_p: float | UnsetType = UNSET
    top_k: int | UnsetType = UNSET
    thinking: anthropic.ThinkingConfig | UnsetType = UNSET
    output_config: anthropic.OutputConfig | UnsetType = UNSET
    service_tier: str | UnsetType = UNSET
    cache_control: anthropic.CacheControlEphemeral | UnsetType = UNSET


def initialize_frame(request_id: str) -> bytes:
    """The line that readies a fresh process; no system prompt, so that a turn without one has none."""
    return _line(claude_code.ControlRequest(request_id, claude_code.Initialize(system_prompt=[])))


def interrupt_frame() -> bytes:
    """The line that stops the turn under way."""
    return _line(claude_code.ControlRequest("interrupt", claude_code.Interrupt()))


def turn_frames(request: anthropic.MessagesRequest) -> bytes:
    """All lines that make an initialised process send `request`, for one write; no answer needs awaiting."""
    return b"".join(_line(frame) for frame in _turn(request))


def clear_frames(model: str, *, prompted: bool) -> bytes:
    """All lines that make a process forget the turn before, which set `model` and, if `prompted`, a system prompt."""
    return b"".join(_line(frame) for frame in _clear(model, prompted=prompted))


def tool_names(request: anthropic.MessagesRequest) -> tuple[str, ...]:
    """The client's own tools, in order. Web search, which Anthropic's side runs, is not among them.

    Of tools of other kinds nobody knows who runs them: the CLI must know each that may be called.
    """
    if isinstance(request.tools, UnsetType):
        return ()
    named = (decode_part(tool) if isinstance(tool, Raw) else tool for tool in request.tools)
    return tuple(tool.name for tool in named if not isinstance(tool, anthropic.WebSearchTool))


def mcp_answer(question: claude_code.ControlRequestFrame, tools: tuple[str, ...]) -> bytes | None:
    """The line that answers an MCP message; None for other questions, which stay open so that nothing ever runs."""
    if question.request.subtype != "mcp_message":
        return None
    message = question.request.message
    answer = claude_code.McpAnswer(id=message.id, result=_mcp_result(message, tools))
    body = claude_code.ControlAnswerBody(question.request_id, claude_code.McpAnswerBody(answer))
    return _line(claude_code.ControlAnswer(body))


def extra_body(request: anthropic.MessagesRequest) -> ExtraBody:
    """The fields of `request` that travel in CLAUDE_CODE_EXTRA_BODY."""
    return ExtraBody(
        messages=request.messages,
        max_tokens=request.max_tokens,
        tools=request.tools,
        tool_choice=request.tool_choice,
        stop_sequences=request.stop_sequences,
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        thinking=_thinking(request),
        output_config=request.output_config,
        service_tier=request.service_tier,
        cache_control=request.cache_control,
    )


def turn_text(request: anthropic.MessagesRequest) -> str:
    """The text that starts the turn: the last user message's own (its beginning), or a sentence that names the rest."""
    last = next((message for message in reversed(request.messages) if message.role != "system"), None)
    if last is None or last.role == "assistant":
        return "The conversation so far follows."
    text = "\n".join(block.text for block in last.content if isinstance(block, anthropic.TextBlockParam))
    if beginning := text[:TURN_TEXT_CHARACTERS].strip():
        return beginning
    if any(isinstance(block, anthropic.ToolResultBlockParam) for block in last.content):
        return "The results of the tool calls follow."
    return "The content of the message follows."


def system_text(request: anthropic.MessagesRequest) -> str:
    """The system prompt as one text: the CLI takes one, and places its own cache mark on it."""
    if isinstance(request.system, UnsetType):
        return ""
    return "\n\n".join(block.text for block in request.system)


def _turn(request: anthropic.MessagesRequest) -> Iterator[Struct]:
    settings = claude_code.FlagSettings(model=request.model, env=_settings_env(request))
    yield claude_code.ControlRequest("settings", claude_code.ApplyFlagSettings(settings))
    if system := system_text(request):
        set_model = claude_code.SetModel(model=request.model, system_prompt=system)
        yield claude_code.ControlRequest("system", set_model)
    if tool_names(request):
        servers = {MCP_SERVER: claude_code.McpServer(MCP_SERVER)}
        yield claude_code.ControlRequest("tools", claude_code.McpSetServers(servers))
    yield claude_code.UserFrame(claude_code.TurnMessage(turn_text(request)))


def _clear(model: str, *, prompted: bool) -> Iterator[Struct]:
    # Not needed where the next turn sets everything anew, but what is not kept cannot come back.
    settings = claude_code.FlagSettings(model=model, env=dict.fromkeys(SETTINGS, ""))
    yield claude_code.ControlRequest("settings", claude_code.ApplyFlagSettings(settings))
    if prompted:
        set_model = claude_code.SetModel(model=model, system_prompt=NO_SYSTEM_PROMPT)
        yield claude_code.ControlRequest("system", set_model)
    yield claude_code.ControlRequest("tools", claude_code.McpSetServers({}))
    yield claude_code.UserFrame(claude_code.TurnMessage("/clear"), client_composed=False)


def _settings_env(request: anthropic.MessagesRequest) -> dict[str, str]:
    marks = _cache_marks(request)
    short_first = any(mark.ttl != "1h" for mark in _tool_marks(request))
    values = (
        _body(request).decode(),
        str(request.max_tokens),
        # What the CLI would add by itself is switched off: thinking and effort are sent as asked, or not at all.
        "auto",
        _switch(on=not _without_default_temperature(request)),
        # Tools, system, messages: a mark for an hour must not come after a shorter one. And there are four in all.
        _switch(on=short_first),
        _switch(on=not short_first and any(mark.ttl == "1h" for mark in marks)),
        _switch(on=len(marks) > MOST_MARKS - CLI_CACHE_MARKS),
    )
    return dict(zip(SETTINGS, values, strict=True))


def _body(request: anthropic.MessagesRequest) -> bytes:
    """What `others` holds is merged over the CLI's body like the rest, and judged by Claude's side."""
    body = _encode(extra_body(request))
    return body[:-1] + b"," + _encode(request.others)[1:] if request.others else body


def _switch(*, on: bool) -> str:
    return "1" if on else ""


def _without_default_temperature(request: anthropic.MessagesRequest) -> bool:
    """Whether the CLI must not spell out `temperature: 1`, which older models refuse beside `top_p`.

    It does so wherever it does not think itself; so it is left to think, and its thinking is overridden.
    """
    return not isinstance(request.top_p, UnsetType) and isinstance(request.temperature, UnsetType)


def _thinking(request: anthropic.MessagesRequest) -> anthropic.ThinkingConfig | UnsetType:
    if isinstance(request.thinking, UnsetType) and _without_default_temperature(request):
        return anthropic.ThinkingConfigDisabled()
    return request.thinking


def _cache_marks(request: anthropic.MessagesRequest) -> list[anthropic.CacheControlEphemeral]:
    """The marks beside those in `system`, which the CLI places itself."""
    blocks = (block for message in request.messages for block in message.content)
    return [*_tool_marks(request), *_marks(request, *blocks)]


def _tool_marks(request: anthropic.MessagesRequest) -> list[anthropic.CacheControlEphemeral]:
    return [] if isinstance(request.tools, UnsetType) else _marks(*request.tools)


def _marks(*parts: object) -> list[anthropic.CacheControlEphemeral]:
    typed = (decode_part(part) if isinstance(part, Raw) else part for part in parts)
    marks = (getattr(part, "cache_control", UNSET) for part in typed)
    return [mark for mark in marks if isinstance(mark, anthropic.CacheControlEphemeral)]


def _mcp_result(
    message: claude_code.McpMessage, tools: tuple[str, ...]
) -> claude_code.ToolList | claude_code.McpInitialized | claude_code.McpEmpty:
    if message.method == "tools/list":
        return claude_code.ToolList([claude_code.ToolStub(name, {"type": "object"}) for name in tools])
    if message.method == "initialize" and message.params is not None:
        info = claude_code.ServerInfo(name=MCP_SERVER, version="1")
        return claude_code.McpInitialized(message.params.protocol_version, info, capabilities={"tools": {}})
    return claude_code.McpEmpty()


def _line(frame: Struct) -> bytes:
    return _encode(frame) + b"\n"
