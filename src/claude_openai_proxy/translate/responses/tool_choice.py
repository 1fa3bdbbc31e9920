"""The tool choice in every form of this dialect. What it means: `wishes.tool_choice`."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols import openai_responses_request as published
from claude_openai_proxy.translate.responses.tools import OfferedTools
from claude_openai_proxy.translate.wishes.tool_choice import ToolChoiceWish
from claude_openai_proxy.translate.wishes.tools import WEB_SEARCH

_WORDS: Final = ("none", "auto", "required")
_OWN: Final = frozenset({"local_shell", "shell", "apply_patch", "tool_search"})
"""Types of which there is one tool."""

_word: Final = msgspec.json.Decoder(str)
_choice: Final = msgspec.json.Decoder(published.ToolChoice)


def read_tool_choice(request: published.ResponsesRequest, tools: OfferedTools) -> ToolChoiceWish:
    """The wish. Raises `InvalidRequestError` for a choice that names nothing that is declared and can run."""
    sent, serial = request.tool_choice, request.parallel_tool_calls is False
    if not sent or bytes(sent) == b"null":
        return ToolChoiceWish(serial=serial)
    if bytes(memoryview(sent)[:1]) == b'"':
        word = _word.decode(sent)
        if word not in _WORDS:
            raise _unknown(f"Invalid value: {word[:60]!r}. Supported values are: 'none', 'auto' and 'required'.")
        return ToolChoiceWish("any" if word == "required" else _kind(word), serial=serial)
    try:
        choice = _choice.decode(sent)
    except msgspec.DecodeError as error:
        raise _unknown(f"Invalid value for 'tool_choice': {error}.") from None
    if choice.type in {"none", "auto", "required", "any"}:
        return ToolChoiceWish("any" if choice.type in {"required", "any"} else _kind(choice.type), serial=serial)
    if choice.type == "allowed_tools":
        return _allowed(choice, tools, serial=serial)
    named = published.NamedTool(
        type=choice.type,
        name=choice.name,
        namespace=choice.namespace,
        function=choice.function,
        custom=choice.custom,
    )
    return ToolChoiceWish("any", _name(named, tools, "tool_choice"), serial=serial)


def _kind(word: str) -> Literal["none", "auto"]:
    return "none" if word == "none" else "auto"


def _allowed(choice: published.ToolChoice, tools: OfferedTools, *, serial: bool) -> ToolChoiceWish:
    named: Sequence[published.NamedTool] = choice.tools or ()
    if not named:
        return ToolChoiceWish("none")
    names = frozenset(_name(tool, tools, f"tool_choice.tools[{number}]") for number, tool in enumerate(named))
    return ToolChoiceWish(
        "any" if choice.mode == "required" else "auto", allowed=names, serial=serial, place="tool_choice.tools"
    )


def _name(tool: published.NamedTool, tools: OfferedTools, place: str) -> str:
    """The declared name."""
    if tool.type.startswith(WEB_SEARCH):
        if tools.web_search is None:
            raise _unknown("Web search is chosen, but it is not among the tools.", place)
        return WEB_SEARCH
    inner = tool.function or tool.custom
    name = tool.type if tool.type in _OWN else (inner.name if inner else tool.name)
    if name is None:
        if tool.type in tools.left_out:
            raise _unknown(f"Tools of the type {tool.type[:60]!r} do not run here.", place)
        raise InvalidRequestError(
            f"Missing required parameter: '{place}.name'.", param=f"{place}.name", code="missing_required_parameter"
        )
    declared = tools.name_of(tool.namespace, name, tool.type if tool.type in _OWN else "")
    if declared is None:
        raise _unknown(f"The tool {name[:60]!r} is chosen, but it is not among the tools.", place)
    return declared


def _unknown(message: str, place: str = "tool_choice") -> InvalidRequestError:
    return InvalidRequestError(message, param=place, code="invalid_value")
