"""Which tools may be called, in every form in which clients say it."""

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import (
    ToolChoice,
    ToolChoiceAny,
    ToolChoiceAuto,
    ToolChoiceNone,
    ToolChoiceTool,
    ToolParam,
)
from claude_openai_proxy.protocols.openai_chat_request import AllowedTools, ChatCompletionRequest, ToolChoiceObject
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.wishes.instructions import (
    ANY_TOOL,
    ANY_TOOL_AGAIN,
    named_tool,
    named_tool_again,
)
from claude_openai_proxy.translate.wishes.notes import Notes
from claude_openai_proxy.translate.wishes.tools import Tools


class Wish(Struct, frozen=True):
    """What the client wants: "none", "auto" or "any"; `name` one tool of its own; `allowed` those that count now."""

    kind: str
    name: str | None = None
    allowed: frozenset[str] | None = None
    place: str = "tool_choice"


class Choice(Struct, frozen=True):
    """What goes upstream. `instruction` is set where a forced call is emulated.

    `second_instruction` as well where the client has tools: only of theirs does the answer show whether a call came.
    """

    params: list[ToolParam]
    tool_choice: ToolChoice | UnsetType = UNSET
    instruction: str | None = None
    second_instruction: str | None = None

    @property
    def forced(self) -> bool:
        """A call is forced upstream itself."""
        return isinstance(self.tool_choice, ToolChoiceAny | ToolChoiceTool)


def choose_tools(request: ChatCompletionRequest, tools: Tools, facts: ModelFacts, notes: Notes) -> Choice:
    """The tools and the choice among them. Raises `InvalidRequestError` for a choice of a tool that is not there."""
    wish = _wish(request)
    params = _allowed(tools, wish)
    if not params and tools.web_search is None:
        if wish.kind == "any":
            raise InvalidRequestError("A tool call cannot be required without tools.", param=wish.place)
        return Choice(params)
    serial = _is_serial(request)
    if wish.kind == "none":
        return Choice(params, ToolChoiceNone())
    if wish.kind == "auto":
        return Choice(params, ToolChoiceAuto(disable_parallel_tool_use=True) if serial else UNSET)
    if not facts.forced_tool_choice:
        notes.repair("tool_choice_emulated")
        return _emulated(params, tools, wish, serial=serial)
    if wish.name is None:
        return Choice(params, ToolChoiceAny(disable_parallel_tool_use=serial))
    return Choice(params, ToolChoiceTool(tools.names.alias(wish.name), disable_parallel_tool_use=serial))


def _is_serial(request: ChatCompletionRequest) -> bool:
    """One call at a time: as asked, or because the client knows no more than one."""
    choice = request.tool_choice
    if isinstance(choice, ToolChoiceObject) and choice.disable_parallel_tool_use:
        return True
    return request.parallel_tool_calls is False or bool(request.functions and not request.tools)


def _emulated(params: list[ToolParam], tools: Tools, wish: Wish, *, serial: bool) -> Choice:
    """Auto with an instruction; of a named choice only that tool is offered."""
    choice = Choice(
        params,
        ToolChoiceAuto(disable_parallel_tool_use=True) if serial else UNSET,
        ANY_TOOL,
        ANY_TOOL_AGAIN if params else None,
    )
    if wish.name is None:
        return choice
    alias = tools.names.alias(wish.name)
    return replace(
        choice,
        params=[param for param in params if param.name == alias],
        instruction=named_tool(alias),
        second_instruction=named_tool_again(alias),
    )


def _allowed(tools: Tools, wish: Wish) -> list[ToolParam]:
    if wish.name is None and wish.allowed is None:
        return tools.params
    names = tools.names.client_names
    offered = [(names.get(param.name, param.name), param) for param in tools.params]
    known = {name for name, _ in offered}
    for name in [wish.name] if wish.name is not None else sorted(wish.allowed or ()):
        if name not in known:
            raise InvalidRequestError(f"The tool {name!r} is chosen, but it is not among the tools.", param=wish.place)
    if wish.allowed is None:
        return tools.params
    return [param for name, param in offered if name in wish.allowed]


# ---- reading the wish ----------------------------------------------------------------------------------------------


def _wish(request: ChatCompletionRequest) -> Wish:
    choice = request.tool_choice
    if choice is None:
        return _legacy_wish(request)
    if isinstance(choice, str):
        return Wish("any" if choice == "required" else choice)
    if choice.type in {"any", "auto", "none"}:
        return Wish(choice.type)
    if choice.type == "allowed_tools":
        return _allowed_wish(choice.allowed_tools)
    named = choice.function or choice.custom
    name = named.name if named else choice.name
    if name is None:
        raise InvalidRequestError("The tool choice names no tool.", param=f"tool_choice.{choice.type}")
    return Wish("any", name)


def _legacy_wish(request: ChatCompletionRequest) -> Wish:
    call = request.function_call
    if call is None or isinstance(call, str):
        return Wish(call or "auto", place="function_call")
    return Wish("any", call.name, place="function_call")


def _allowed_wish(allowed: AllowedTools | None) -> Wish:
    place = "tool_choice.allowed_tools"
    if allowed is None:
        raise InvalidRequestError("The tool choice has no allowed_tools.", param=place)
    names = set()
    for index, tool in enumerate(allowed.tools):
        named = tool.function or tool.custom
        name = named.name if named else tool.name
        if name is None:
            raise InvalidRequestError("The allowed tool has no name.", param=f"{place}.tools[{index}]")
        names.add(name)
    if not names:
        return Wish("none", place=place)
    return Wish("any" if allowed.mode == "required" else "auto", allowed=frozenset(names), place=f"{place}.tools")
