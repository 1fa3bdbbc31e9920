"""The client's tools as Claude takes them: names, schemas, `strict`, free-form tools, and Claude's own web search."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import ToolParam, WebSearchTool
from claude_openai_proxy.translate.messages_api.conversation import Mark
from claude_openai_proxy.translate.messages_api.custom_input import CUSTOM_INPUT
from claude_openai_proxy.translate.messages_api.tool_names import ToolNames
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.schemas.allowance import Allowance, SchemaTooLargeError
from claude_openai_proxy.translate.schemas.output_schema import Schema, SchemaError, decoded, strict_schema
from claude_openai_proxy.translate.schemas.strict_budget import fits_budget
from claude_openai_proxy.translate.schemas.tool_schema import tool_schema

WEB_SEARCH: Final = "web_search"
"""The name of Claude's own web search tool, which no tool of the client may have beside it."""

_CUSTOM_SCHEMA: Final = Raw(
    b'{"type":"object","properties":{"%b":{"type":"string","description":"The whole input, as free text."}},'
    b'"required":["%b"],"additionalProperties":false}' % (CUSTOM_INPUT.encode(), CUSTOM_INPUT.encode())
)


class DeclaredTool(Struct, frozen=True, kw_only=True):
    """One tool as the client sees it. `parameters` is empty where it takes none; `place` is the client's name of them.

    A `custom` one takes free text (`custom_tool` makes it).
    """

    name: str
    description: str = ""
    parameters: Raw = Raw()
    strict: bool = False
    place: str = "tools"
    custom: bool = False
    mark: Mark = UNSET


class Tools(Struct, frozen=True):
    """What goes upstream, and what the answer's reader must know of it; `custom` are the client's names."""

    params: list[ToolParam]
    web_search: WebSearchTool | None
    names: ToolNames
    custom: frozenset[str]


def custom_tool(name: str, description: str, rule: str, place: str, mark: Mark = UNSET) -> DeclaredTool:
    """A free-form tool; `rule` says what its input must look like, "" where it may be anything."""
    return DeclaredTool(
        name=name,
        description="\n\n".join(part for part in (description, rule) if part),
        parameters=_CUSTOM_SCHEMA,
        place=place,
        custom=True,
        mark=mark,
    )


def grammar_rule(syntax: str, definition: str) -> str:
    """A grammar in words, for the description of a free-form tool: Claude compiles none."""
    return f"The input must match this {syntax} grammar:\n{definition}"


def offered_tools(
    declared: Sequence[DeclaredTool],
    web_search: WebSearchTool | None,
    facts: ModelFacts,
    notes: Notes,
    *,
    beside: Schema | None,
    allowance: Allowance,
) -> Tools:
    """Every tool with a name, a schema and a description that Claude takes.

    `beside` is the schema of the answer, which shares the budget of strict schemas. Raises `InvalidRequestError` for a
    schema that is none, or with which all are too much (`allowance`).
    """
    names = ToolNames(reserved={WEB_SEARCH} if web_search else ())
    if not declared:
        return Tools([], web_search, names, frozenset())
    aliases = names.declare_all([tool.name for tool in declared])
    strict = _strict_schemas(declared, [beside] if beside else [], facts, notes, allowance)
    params = [
        _param(tool, alias, strict.get(tool.place), allowance) for tool, alias in zip(declared, aliases, strict=True)
    ]
    return Tools(params, web_search, names, frozenset(tool.name for tool in declared if tool.custom))


def _param(tool: DeclaredTool, alias: str, strict_schema_: Raw | None, allowance: Allowance) -> ToolParam:
    try:
        schema = strict_schema_ or tool_schema(tool.parameters, allowance)
    except SchemaError as error:
        raise _refused(tool, error) from None
    return ToolParam(
        name=alias,
        input_schema=schema,
        description=tool.description or UNSET,
        strict=True if strict_schema_ else UNSET,
        cache_control=tool.mark,
    )


# ---- strict --------------------------------------------------------------------------------------------------------


def _strict_schemas(
    declared: Sequence[DeclaredTool], beside: list[Schema], facts: ModelFacts, notes: Notes, allowance: Allowance
) -> dict[str, Raw]:
    """Place -> schema of the tools that go out strict: all that asked for it, or none where that is too much."""
    asked = [tool for tool in declared if tool.strict]
    if not asked:
        return {}
    rewritten = {tool.place: schema for tool in asked if (schema := _strictly(tool, allowance)) is not None}
    if not facts.structured_output or not fits_budget([*beside, *rewritten.values()]):
        notes.repair("strict_left_out")
        return {}
    if len(rewritten) < len(asked):
        notes.repair("strict_left_out")
    return {place: Raw(msgspec.json.encode(schema)) for place, schema in rewritten.items()}


def _strictly(tool: DeclaredTool, allowance: Allowance) -> Schema | None:
    try:
        schema = strict_schema(decoded(tool_schema(tool.parameters, allowance)), allowance)
    except SchemaTooLargeError as error:
        raise _refused(tool, error) from None
    except SchemaError:
        return None
    return schema if schema.get("type") == "object" else None


def _refused(tool: DeclaredTool, error: SchemaError) -> InvalidRequestError:
    return InvalidRequestError(f"The schema of the tool {tool.name!r} {error}.", param=tool.place)
