"""Which tools may be called: the whole rule of `tool_choice`.

1. A dialect's reader makes a `ToolChoiceWish` of what the client says (forms and names are the dialect's own).
2. `choose_tools` makes Claude's `tool_choice` of it. A model that takes no forced call is told in words to make one,
   and told so once more where it made none: `instruction`, `second_instruction`, put in by `instructed`.
3. `with_called_tools` declares the tools of a history again where the client no longer does.
4. The answer to an emulated choice waits in `messages_api.forced_tool` until it calls, and the service sends the second
   request, `Translation.retry` (`service.answering.Answering`). A forced call leaves no room for a thinking budget:
   `wishes.thinking.reasoning` turns that off. `wishes.assembly.Assembly` takes these steps in their order.

Two requests are made without it later on: one that upstream refused for its web search (`messages_api.repairs`), and
one that puts a conversation together, which calls nothing (`service.responses`).

(A client of the Messages API says Claude's own `tool_choice`: `translate.messages` passes that on.)
"""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import (
    MessageParam,
    MessagesRequest,
    TextBlockParam,
    ToolChoice,
    ToolChoiceAny,
    ToolChoiceAuto,
    ToolChoiceNone,
    ToolChoiceTool,
    ToolParam,
)
from claude_openai_proxy.translate.messages_api.instructions import (
    ANY_TOOL,
    ANY_TOOL_AGAIN,
    named_tool,
    named_tool_again,
)
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.schemas.tool_schema import NO_PARAMETERS
from claude_openai_proxy.translate.wishes.tools import WEB_SEARCH, Tools


class ToolChoiceWish(Struct, frozen=True):
    """`name` is one tool; `allowed` those that count now; `serial` allows one call at a time.

    Both may name Claude's own web search (`WEB_SEARCH`) where it is on offer.

    `place` is the client's name of the field.
    """

    kind: Literal["none", "auto", "any"] = "auto"
    name: str | None = None
    allowed: frozenset[str] | None = None
    serial: bool = False
    place: str = "tool_choice"


AUTO: Final = ToolChoiceWish()


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


def choose_tools(wish: ToolChoiceWish, tools: Tools, facts: ModelFacts, notes: Notes) -> Choice:
    """The tools and the choice among them. Raises `InvalidRequestError` for a choice of a tool that is not there."""
    params = _allowed(tools, wish)
    if not params and tools.web_search is None:
        if wish.kind == "any":
            raise InvalidRequestError("A tool call cannot be required without tools.", param=wish.place)
        return Choice(params)
    if wish.kind == "none":
        return Choice(params, ToolChoiceNone())
    if wish.kind == "auto":
        return Choice(params, ToolChoiceAuto(disable_parallel_tool_use=True) if wish.serial else UNSET)
    if not facts.forced_tool_choice:
        notes.repair("tool_choice_emulated")
        return _emulated(params, tools, wish)
    if wish.name is None:
        return Choice(params, ToolChoiceAny(disable_parallel_tool_use=wish.serial))
    alias = wish.name if wish.name == WEB_SEARCH else tools.names.alias(wish.name)
    return Choice(params, ToolChoiceTool(alias, disable_parallel_tool_use=wish.serial))


def with_called_tools(choice: Choice, tools: Tools, called: Sequence[str]) -> Choice:
    """A history with calls needs tools: where none are on offer the called ones are, and calls forbidden."""
    if choice.params or not called or tools.web_search is not None:
        return choice
    return Choice([ToolParam(tools.names.alias(name), NO_PARAMETERS) for name in called], ToolChoiceNone())


def instructed(request: MessagesRequest, instruction: str | None, facts: ModelFacts) -> MessagesRequest:
    """With a choice's instruction: at the end where the model takes one there, so that what is cached stays."""
    if instruction is None:
        return request
    block = TextBlockParam(instruction)
    if facts.system_in_messages:
        *before, last = request.messages
        if last.role == "system":
            return replace(request, messages=[*before, MessageParam("system", [*last.content, block])])
        return replace(request, messages=[*request.messages, MessageParam("system", [block])])
    system = [] if request.system is UNSET else request.system
    return replace(request, system=[*system, block])


def _emulated(params: list[ToolParam], tools: Tools, wish: ToolChoiceWish) -> Choice:
    """Auto with an instruction; of a named choice only that tool is offered."""
    choice = Choice(
        params,
        ToolChoiceAuto(disable_parallel_tool_use=True) if wish.serial else UNSET,
        ANY_TOOL,
        ANY_TOOL_AGAIN if params else None,
    )
    if wish.name is None:
        return choice
    alias = wish.name if wish.name == WEB_SEARCH else tools.names.alias(wish.name)
    if wish.name == WEB_SEARCH:
        return replace(choice, instruction=named_tool(alias), second_instruction=None)
    return replace(
        choice,
        params=[param for param in params if param.name == alias],
        instruction=named_tool(alias),
        second_instruction=named_tool_again(alias),
    )


def _allowed(tools: Tools, wish: ToolChoiceWish) -> list[ToolParam]:
    if wish.name is None and wish.allowed is None:
        return tools.params
    names = tools.names.client_names
    offered = [(names.get(param.name, param.name), param) for param in tools.params]
    known = {name for name, _ in offered} | ({WEB_SEARCH} if tools.web_search else set())
    for name in [wish.name] if wish.name is not None else sorted(wish.allowed or ()):
        if name not in known:
            raise InvalidRequestError(f"The tool {name!r} is chosen, but it is not among the tools.", param=wish.place)
    if wish.allowed is None:
        return tools.params
    return [param for name, param in offered if name in wish.allowed]
