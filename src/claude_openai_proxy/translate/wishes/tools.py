"""The client's tools as Claude takes them: names, schemas, `strict`, free-form tools, and Claude's own web search."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import ToolParam, WebSearchTool
from claude_openai_proxy.translate.messages_api.conversation import Mark
from claude_openai_proxy.translate.messages_api.custom_input import CUSTOM_INPUT
from claude_openai_proxy.translate.messages_api.tool_names import ToolNames, names_alike
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.schemas.allowance import Allowance, SchemaError, SchemaTooLargeError
from claude_openai_proxy.translate.schemas.document import Schema, decoded
from claude_openai_proxy.translate.schemas.output_schema import strict_schema
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
    schemas = _schemas(declared, aliases, notes, allowance)
    strict = _strict_schemas(declared, schemas, [beside] if beside else [], facts, notes=notes, allowance=allowance)
    params = [
        ToolParam(
            name=alias,
            input_schema=compiled or schema,
            description=_description(tool, alias) or UNSET,
            strict=True if compiled else UNSET,
            cache_control=tool.mark,
        )
        for tool, alias, schema, compiled in zip(declared, aliases, schemas, strict, strict=True)
    ]
    return Tools(params, web_search, names, frozenset(tool.name for tool in declared if tool.custom))


def _description(tool: DeclaredTool, alias: str) -> str:
    """The client's own, and the tool's name where Claude's name for it does not show that."""
    if names_alike(tool.name, alias):
        return tool.description
    return "\n\n".join(filter(None, [f"The user knows this tool as {tool.name!r}.", tool.description]))


def _schemas(declared: Sequence[DeclaredTool], aliases: Sequence[str], notes: Notes, allowance: Allowance) -> list[Raw]:
    """One accepted schema for each tool; what is told in words only is noted."""
    schemas: list[Raw] = []
    reduced: list[str] = []
    for tool, alias in zip(declared, aliases, strict=True):
        try:
            accepted = tool_schema(tool.parameters, allowance)
        except SchemaError as error:
            raise _refused(tool, error) from None
        schemas.append(accepted.schema)
        if accepted.reduced:
            reduced.append(alias)
    notes.repair_each("tool_schema_reduced", reduced)
    return schemas


# ---- strict --------------------------------------------------------------------------------------------------------


def _strict_schemas(
    declared: Sequence[DeclaredTool],
    schemas: Sequence[Raw],
    beside: list[Schema],
    facts: ModelFacts,
    *,
    notes: Notes,
    allowance: Allowance,
) -> list[Raw | None]:
    """Schemas for the tools that go out strict: all that asked for it, or none where that is too much."""
    none: list[Raw | None] = [None] * len(declared)
    asked = [(tool, schema) if tool.strict else None for tool, schema in zip(declared, schemas, strict=True)]
    if not any(asked):
        return none
    compiled = [_strictly(*one, allowance) if one else None for one in asked]
    strict = [schema for schema in compiled if schema is not None]
    fitting = facts.structured_output and fits_budget([*beside, *strict])
    if not fitting or len(strict) < len([one for one in asked if one]):
        notes.repair("strict_left_out")
    if not fitting:
        return none
    return [None if schema is None else Raw(msgspec.json.encode(schema)) for schema in compiled]


def _strictly(tool: DeclaredTool, schema: Raw, allowance: Allowance) -> Schema | None:
    try:
        strict = strict_schema(decoded(schema), allowance)
    except SchemaTooLargeError as error:
        raise _refused(tool, error) from None
    except SchemaError:
        return None
    return strict if strict.get("type") == "object" else None


def _refused(tool: DeclaredTool, error: SchemaError) -> InvalidRequestError:
    return InvalidRequestError(f"The schema of the tool {tool.name!r} {error}.", param=tool.place)
