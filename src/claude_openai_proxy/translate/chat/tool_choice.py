"""The tool choice in every form in which clients of the chat API say it. What it means: `wishes.tool_choice`."""

from typing import Literal

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.openai_chat_request import AllowedTools, ChatCompletionRequest, ToolChoiceObject
from claude_openai_proxy.translate.wishes.tool_choice import AUTO, ToolChoiceWish


def read_tool_choice(request: ChatCompletionRequest, *, single_call: bool) -> ToolChoiceWish:
    """The wish. Raises `InvalidRequestError` for a choice that names nothing."""
    choice = request.tool_choice
    serial = single_call or request.parallel_tool_calls is False
    if choice is None:
        return _legacy_choice(request, serial=serial)
    if isinstance(choice, str):
        return ToolChoiceWish("any" if choice == "required" else choice, serial=serial)
    serial = serial or bool(choice.disable_parallel_tool_use)
    match choice.type:
        case "any" | "auto" | "none" as kind:
            return ToolChoiceWish(kind, serial=serial)
        case "allowed_tools":
            return _allowed_tools(choice, serial=serial)
    return ToolChoiceWish("any", _name(choice), serial=serial)


def _legacy_choice(request: ChatCompletionRequest, *, serial: bool) -> ToolChoiceWish:
    call = request.function_call
    if call is None:
        return ToolChoiceWish(serial=True, place="function_call") if serial else AUTO
    if isinstance(call, str):
        return ToolChoiceWish(call, serial=serial, place="function_call")
    return ToolChoiceWish("any", call.name, serial=serial, place="function_call")


def _name(choice: ToolChoiceObject) -> str:
    named = choice.function or choice.custom
    name = named.name if named else choice.name
    if name is None:
        raise InvalidRequestError("The tool choice names no tool.", param=f"tool_choice.{choice.type}")
    return name


def _allowed_tools(choice: ToolChoiceObject, *, serial: bool) -> ToolChoiceWish:
    allowed, place = choice.allowed_tools, "tool_choice.allowed_tools"
    if allowed is None and choice.tools is not None:
        allowed, place = AllowedTools(choice.tools, choice.mode), "tool_choice"
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
        return ToolChoiceWish("none", place=place)
    kind: Literal["any", "auto"] = "any" if allowed.mode == "required" else "auto"
    return ToolChoiceWish(kind, allowed=frozenset(names), serial=serial, place=f"{place}.tools")
