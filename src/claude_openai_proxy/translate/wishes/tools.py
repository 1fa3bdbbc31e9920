"""The client's tools, in every shape in which they come."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import ToolParam, UserLocation, WebSearchTool
from claude_openai_proxy.protocols.openai_chat_request import (
    Approximate,
    ChatCompletionRequest,
    CustomDefinition,
    FunctionDefinition,
    Tool,
)
from claude_openai_proxy.translate.messages_api.answer_plan import NO_SCHEMAS
from claude_openai_proxy.translate.messages_api.tool_names import ToolNames
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.schemas.output_schema import Schema, SchemaError, decoded, strict_schema
from claude_openai_proxy.translate.schemas.strict_budget import fits_budget
from claude_openai_proxy.translate.schemas.tool_schema import tool_schema
from claude_openai_proxy.translate.wishes.cache_marks import CacheMarks, Mark
from claude_openai_proxy.translate.wishes.notes import Notes

WEB_SEARCH: Final = "web_search"
"""The name of Claude's own web search tool, which no tool of the client may have beside it."""

CUSTOM_INPUT = "input"
"""The one property of a free-form tool."""

_CUSTOM_SCHEMA = Raw(
    b'{"type":"object","properties":{"input":{"type":"string","description":"The whole input, as free text."}},'
    b'"required":["input"],"additionalProperties":false}'
)


class DeclaredTool(Struct, frozen=True, kw_only=True):
    """One tool as the client sees it. `parameters` is empty where it takes none."""

    name: str
    description: str
    parameters: Raw
    strict: bool
    place: str
    custom: bool = False
    mark: Mark = UNSET


class Tools(Struct, frozen=True):
    """What goes upstream, and what the answer's translator must know of it."""

    params: list[ToolParam]
    web_search: WebSearchTool | None
    names: ToolNames
    custom: frozenset[str]
    strict_schemas: Mapping[str, bytes]
    """Client's name -> schema of the tools for which `strict` was asked."""


def declared_tools(
    request: ChatCompletionRequest, facts: ModelFacts, marks: CacheMarks, notes: Notes, *, beside: Schema | None = None
) -> Tools:
    """Every tool with a name, a schema and a description that Claude takes. Raises `InvalidRequestError`.

    `beside` is the schema of the answer, which shares the budget of strict schemas.
    """
    web_search = _web_search(request, notes)
    declared: list[DeclaredTool] = []
    for index, tool in enumerate(request.tools or ()):
        if (searching := _claude_web_search(tool, marks)) is not None:
            web_search = web_search or searching
        else:
            declared.append(_declared(tool, f"tools[{index}]", marks))
    for index, function in enumerate(request.functions or ()):
        declared.append(_of_function(function, f"functions[{index}]", UNSET, "parameters"))
    names = ToolNames(reserved={WEB_SEARCH} if web_search else ())
    if not declared:
        return Tools([], web_search, names, frozenset(), NO_SCHEMAS)
    aliases = names.declare_all([tool.name for tool in declared])
    strict = _strict_schemas(declared, [beside] if beside else [], facts, notes)
    params = [_param(tool, alias, strict.get(tool.place)) for tool, alias in zip(declared, aliases, strict=True)]
    return Tools(
        params=params,
        web_search=web_search,
        names=names,
        custom=frozenset(tool.name for tool in declared if tool.custom),
        strict_schemas=MappingProxyType({tool.name: bytes(tool.parameters) for tool in declared if tool.strict}),
    )


# ---- the shapes ----------------------------------------------------------------------------------------------------


def _declared(tool: Tool, place: str, marks: CacheMarks) -> DeclaredTool:
    mark = marks.of(tool.cache_control)
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
    rule = f"The input must match this {grammar.syntax or 'lark'} grammar:\n{grammar.definition}" if grammar else ""
    return DeclaredTool(
        name=custom.name,
        description="\n\n".join(part for part in (custom.description, rule) if part),
        parameters=_CUSTOM_SCHEMA,
        strict=False,
        place=place,
        custom=True,
        mark=mark,
    )


def _param(tool: DeclaredTool, alias: str, strict_schema_: Raw | None) -> ToolParam:
    try:
        schema = strict_schema_ or tool_schema(tool.parameters)
    except SchemaError as error:
        raise InvalidRequestError(f"The schema of the tool {tool.name!r} {error}.", param=tool.place) from None
    return ToolParam(
        name=alias,
        input_schema=schema,
        description=tool.description or UNSET,
        strict=True if strict_schema_ else UNSET,
        cache_control=tool.mark,
    )


# ---- strict --------------------------------------------------------------------------------------------------------


def _strict_schemas(
    declared: list[DeclaredTool], beside: list[Schema], facts: ModelFacts, notes: Notes
) -> dict[str, Raw]:
    """Place -> schema of the tools that go out strict: all that asked for it, or none where that is too much."""
    asked = [tool for tool in declared if tool.strict]
    if not asked:
        return {}
    rewritten = {tool.place: schema for tool in asked if (schema := _strictly(tool)) is not None}
    if not facts.structured_output or not fits_budget([*beside, *rewritten.values()]):
        notes.repair("strict_left_out")
        return {}
    if len(rewritten) < len(asked):
        notes.repair("strict_left_out")
    return {place: Raw(msgspec.json.encode(schema)) for place, schema in rewritten.items()}


def _strictly(tool: DeclaredTool) -> Schema | None:
    try:
        schema = strict_schema(decoded(tool_schema(tool.parameters)))
    except SchemaError:
        return None
    return schema if schema.get("type") == "object" else None


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
        cache_control=marks.of(tool.cache_control),
    )


def _location(where: Approximate | None) -> UserLocation | UnsetType:
    return UserLocation(**{key: value or UNSET for key, value in _fields(where)}) if where else UNSET


def _fields(struct: Struct) -> list[tuple[str, str | None]]:
    return [(name, getattr(struct, name)) for name in struct.__struct_fields__]
