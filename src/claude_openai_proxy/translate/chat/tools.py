"""Tools in every shape in which clients of the chat API send them."""

from msgspec import UNSET, UnsetType

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import UserLocation, WebSearchTool
from claude_openai_proxy.protocols.openai_chat_request import (
    Approximate,
    ChatCompletionRequest,
    CustomDefinition,
    FunctionDefinition,
    Tool,
)
from claude_openai_proxy.translate.chat.cache_marks import mark_of
from claude_openai_proxy.translate.messages_api.conversation import Mark
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.wishes.cache_marks import CacheMarks
from claude_openai_proxy.translate.wishes.tools import WEB_SEARCH, DeclaredTool, custom_tool, grammar_rule


def read_tools(
    request: ChatCompletionRequest, marks: CacheMarks, notes: Notes
) -> tuple[list[DeclaredTool], WebSearchTool | None]:
    """The client's own tools, and Claude's web search where it is wanted. Raises `InvalidRequestError`."""
    web_search = _web_search(request, notes)
    declared: list[DeclaredTool] = []
    for index, tool in enumerate(request.tools or ()):
        if (searching := _claude_web_search(tool, marks)) is not None:
            web_search = web_search or searching
        else:
            declared.append(_declared(tool, f"tools[{index}]", marks))
    for index, function in enumerate(request.functions or ()):
        declared.append(_of_function(function, f"functions[{index}]", UNSET, "parameters"))
    return declared, web_search


def _declared(tool: Tool, place: str, marks: CacheMarks) -> DeclaredTool:
    mark = mark_of(tool.cache_control, marks)
    if tool.function is not None:
        return _of_function(tool.function, f"{place}.function", mark, "parameters")
    if tool.custom is not None:
        return _of_custom(tool.custom, f"{place}.custom", mark)
    if tool.type not in {None, "function", "custom"}:
        raise InvalidRequestError(f"Tools of type {tool.type!r} are not known here.", param=f"{place}.type")
    if tool.name is None:
        raise InvalidRequestError("A tool must have a function with a name.", param=f"{place}.function")
    field = "input_schema" if tool.input_schema else "parameters"
    flat = FunctionDefinition(tool.name, tool.description, tool.input_schema or tool.parameters, tool.strict)
    return _of_function(flat, place, mark, field)


def _of_function(function: FunctionDefinition, place: str, mark: Mark, field: str) -> DeclaredTool:
    return DeclaredTool(
        name=function.name,
        description=function.description or "",
        parameters=function.parameters,
        strict=bool(function.strict),
        place=f"{place}.{field}",
        mark=mark,
    )


def _of_custom(custom: CustomDefinition, place: str, mark: Mark) -> DeclaredTool:
    grammar = custom.format.grammar if custom.format else None
    rule = grammar_rule(grammar.syntax or "lark", grammar.definition) if grammar else ""
    return custom_tool(custom.name, custom.description or "", rule, place, mark)


# ---- Claude's own web search ---------------------------------------------------------------------------------------


def _web_search(request: ChatCompletionRequest, notes: Notes) -> WebSearchTool | None:
    options = request.web_search_options
    if options is None:
        return None
    if options.search_context_size not in {None, "medium"}:
        notes.decline("web_search_options.search_context_size")
    where = options.user_location.approximate if options.user_location else None
    return WebSearchTool(name=WEB_SEARCH, user_location=_location(where))


def _claude_web_search(tool: Tool, marks: CacheMarks) -> WebSearchTool | None:
    if not tool.type or not tool.type.startswith(WEB_SEARCH) or tool.function or tool.input_schema:
        return None
    return WebSearchTool(
        name=WEB_SEARCH,
        max_uses=tool.max_uses or UNSET,
        user_location=_location(tool.user_location),
        allowed_domains=tool.allowed_domains or UNSET,
        blocked_domains=tool.blocked_domains or UNSET,
        cache_control=mark_of(tool.cache_control, marks),
    )


def _location(where: Approximate | None) -> UserLocation | UnsetType:
    if where is None:
        return UNSET
    return UserLocation(
        city=where.city or UNSET,
        region=where.region or UNSET,
        country=where.country or UNSET,
        timezone=where.timezone or UNSET,
    )
