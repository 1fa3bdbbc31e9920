"""Tools of every type that can run here, each as one that Claude knows, and how its calls come back.

| type | to Claude | a call comes back as |
|---|---|---|
| function | the function | function_call |
| custom | a function of one text, `input` | custom_tool_call |
| namespace | each of its tools, under a name of its own | function_call or custom_tool_call, with `namespace` |
| local_shell, shell, apply_patch, tool_search (of the client) | a function of that name | a call of that type |
| web_search and its versions | Claude's own web search | web_search_call |
| any other | left out and named: the client declares it in every request | |
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols import openai_responses_request as published
from claude_openai_proxy.protocols.anthropic import UserLocation, WebSearchTool
from claude_openai_proxy.translate.messages_api.call_forms import CallForm, CallType
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.responses.items import decode, wrong
from claude_openai_proxy.translate.schemas.tolerant import TolerantDecoder
from claude_openai_proxy.translate.wishes.tools import WEB_SEARCH, DeclaredTool, custom_tool, grammar_rule

RAW_TEXT: Final = "The value of `input` is the raw text itself, not JSON and not in code fences."
OWN_NAMESPACE: Final = "functions"
"""The namespace of tools that are in none."""
_JOINT: Final = "__"
_LONGEST_NAME: Final = 128

_STRING: Final = b'{"type":"string"}'
_WHOLE: Final = b'{"type":"integer"}'
_SHELL: Final = Raw(
    b'{"type":"object","properties":{"commands":{"type":"array","items":%b},"timeout_ms":%b,"max_output_length":%b},'
    b'"required":["commands"]}' % (_STRING, _WHOLE, _WHOLE)
)
_LOCAL_SHELL: Final = Raw(
    b'{"type":"object","properties":{"command":{"type":"array","items":%b},"working_directory":%b,'
    b'"env":{"type":"object","additionalProperties":%b},"timeout_ms":%b},"required":["command"]}'
    % (_STRING, _STRING, _STRING, _WHOLE)
)
_APPLY_PATCH: Final = Raw(
    b'{"type":"object","properties":{"operation":{"type":"object","properties":{"type":{"type":"string",'
    b'"enum":["create_file","update_file","delete_file"]},"path":%b,"diff":{"type":"string",'
    b'"description":"A V4A diff: what is created, or what changes; none for delete_file."}},'
    b'"required":["type","path"]}},"required":["operation"]}' % _STRING
)
_QUERY: Final = Raw(b'{"type":"object","properties":{"query":%b},"required":["query"]}' % _STRING)

_OWN_CALLS: Final[Mapping[str, CallType]] = MappingProxyType(
    {
        "local_shell": "local_shell_call",
        "shell": "shell_call",
        "apply_patch": "apply_patch_call",
        "tool_search": "tool_search_call",
    }
)

_tool: Final = TolerantDecoder[published.Tool](published.Tool)
_web_search: Final = TolerantDecoder[published.WebSearch](published.WebSearch)


class _Typed(Struct, frozen=True):
    type: str = "function"


class _Named(Struct, frozen=True):
    """Of whatever type: one that cannot run here may have anything for a name."""

    type: str = "function"
    name: object = None
    tools: object = None


_named: Final = msgspec.json.Decoder(_Named).decode
_encode: Final = msgspec.json.Encoder().encode
_type_of: Final = msgspec.json.Decoder(_Typed).decode


class OfferedTools:
    """The union of what a request declares, in its fields and in its items; of two alike the first counts."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self.declared: list[DeclaredTool] = []
        self.web_search: WebSearchTool | None = None
        self.forms: dict[str, CallForm] = {}
        """By the declared name, which `DeclaredTool.name` and the answer have."""
        self._names: dict[tuple[str, str], str] = {}
        """(type of tool or namespace, name) -> declared name."""
        self._bare: dict[str, list[str]] = {}
        """Names without their namespace -> declared names."""
        self._told: set[str | None] = set()
        """Namespaces whose description is out: it is told once."""
        self.left_out: set[str] = set()
        """Types that cannot run here."""

    def add(self, tools: Iterable[Raw], place: str, *, max_uses: int | None = None) -> None:
        """More of them. Raises `InvalidRequestError` for one that is none of its type."""
        for number, raw in enumerate(tools):
            where = f"{place}[{number}]"
            try:
                type_ = _type_of(raw).type
            except msgspec.DecodeError:
                raise InvalidRequestError(f"Invalid value for {where!r}: expected a tool.", param=where) from None
            if type_.startswith(WEB_SEARCH):
                self._add_web_search(decode(_web_search, raw, where, self._notes), where, max_uses)
            elif type_ in {"function", "custom", "namespace", "local_shell", "shell", "apply_patch", "tool_search"}:
                self._add(decode(_tool, raw, where, self._notes), where)
            else:
                self._leave_out(type_)

    def name_of(self, namespace: str | None, name: str, type_: str = "") -> str | None:
        """The declared name of a tool that is called or chosen; None where there is none.

        Without its namespace it is found where only one tool has that name.
        """
        if namespace and namespace != OWN_NAMESPACE:
            return self._names.get((namespace, name))
        if found := self._names.get((type_ or OWN_NAMESPACE, name)):
            return found
        named = self._bare.get(name, ())
        return named[0] if len(named) == 1 else None

    @property
    def bare_names(self) -> dict[str, str]:
        """What a model may call a tool, without its namespace, where no other has that name -> its declared name."""
        return {name: named[0] for name, named in self._bare.items() if len(named) == 1 and name not in self.forms}

    # ---- one tool ---------------------------------------------------------------------------------------------------

    def _add(self, tool: published.Tool, place: str) -> None:
        if tool.allowed_callers is not None and "direct" not in tool.allowed_callers and tool.allowed_callers:
            self._leave_out("programmatic tools")
            return
        for name in ("allowed_callers", "output_schema"):
            if getattr(tool, name):
                self._notes.decline(f"tools[].{name}")
        match tool.type:
            case "namespace":
                self._add_namespace(tool, place)
            case "local_shell":
                self._add_own("local_shell", "Runs a command on the user's machine.", _LOCAL_SHELL, place, tool)
            case "shell":
                self._add_shell(tool, place)
            case "apply_patch":
                self._add_own("apply_patch", "Creates, changes or deletes a file.", _APPLY_PATCH, place, tool)
            case "tool_search":
                self._add_tool_search(tool, place)
            case _:
                self._add_named(tool, place)

    def _add_named(self, tool: published.Tool, place: str, space: published.Tool | None = None) -> None:
        """A function or a custom tool, perhaps in a namespace."""
        if tool.defer_loading:
            self._notes.decline("tools[].defer_loading", "all tools are declared at once")
        name = tool.function.name if tool.function else tool.name
        if name is None:
            raise InvalidRequestError(
                f"Missing required parameter: '{place}.name'.", param=f"{place}.name", code="missing_required_parameter"
            )
        namespace = None if space is None or space.name == OWN_NAMESPACE else space.name
        if (namespace or OWN_NAMESPACE, name) in self._names:
            return
        type_: CallType = "custom_tool_call" if tool.type == "custom" else "function_call"
        declared = self._free_name(name if namespace is None else f"{namespace}{_JOINT}{name}")
        self._note(namespace or OWN_NAMESPACE, name, declared, CallForm(type_, name, namespace))
        about = "" if space is None or namespace in self._told else _about(space)
        self._told.add(namespace)
        self.declared.append(_declared(tool, declared, about, place))

    def _add_namespace(self, space: published.Tool, place: str) -> None:
        if not space.name:
            raise InvalidRequestError(
                f"Missing required parameter: '{place}.name'.", param=f"{place}.name", code="missing_required_parameter"
            )
        for number, raw in enumerate(space.tools or ()):
            where = f"{place}.tools[{number}]"
            tool = decode(_tool, raw, where, self._notes)
            if tool.type in {"function", "custom"}:
                self._add_named(tool, where, space)
            else:
                self._leave_out(tool.type)

    def _add_shell(self, tool: published.Tool, place: str) -> None:
        environment = tool.environment
        try:
            kind = "local" if not environment or bytes(environment) == b"null" else _type_of(environment).type
        except msgspec.DecodeError as error:
            raise wrong(error, f"{place}.environment") from None
        if kind != "local":
            self._leave_out(f"shell ({kind[:40]})")
            return
        echo = msgspec.json.decode(environment) if environment else None
        self._add_own("shell", "Runs commands on the user's machine.", _SHELL, place, tool, environment=echo)

    def _add_tool_search(self, tool: published.Tool, place: str) -> None:
        if tool.execution != "client":
            self._leave_out("tool_search")
            return
        schema = tool.parameters if tool.parameters and bytes(tool.parameters) != b"null" else _QUERY
        self._add_own("tool_search", "Finds more tools, which can be called afterwards.", schema, place, tool)

    def _add_own(
        self,
        name: str,
        description: str,
        schema: Raw,
        place: str,
        tool: published.Tool,
        *,
        environment: object = None,
    ) -> None:
        """A type of which there is one tool."""
        if (name, name) in self._names:
            return
        declared = self._free_name(name)
        self._note(name, name, declared, CallForm(_OWN_CALLS[name], name, environment=environment))
        self.declared.append(
            DeclaredTool(name=declared, description=tool.description or description, parameters=schema, place=place)
        )

    def _note(self, space: str, name: str, declared: str, form: CallForm) -> None:
        self.forms[declared] = form
        self._names[space, name] = declared
        self._bare.setdefault(name, []).append(declared)

    def _free_name(self, name: str) -> str:
        """Deterministic: the same tools have the same names in every turn."""
        stem, number = name[:_LONGEST_NAME], 1
        while name in self.forms or len(name) > _LONGEST_NAME:
            number += 1
            ending = f"_{number}"
            name = stem[: _LONGEST_NAME - len(ending)] + ending
        return name

    # ---- web search -------------------------------------------------------------------------------------------------

    def _add_web_search(self, tool: published.WebSearch, place: str, max_uses: int | None) -> None:
        if tool.external_web_access is False:
            self._leave_out(tool.type)
            return
        for name, value in (
            ("search_context_size", tool.search_context_size not in {None, "medium"}),
            ("search_content_types", bool(tool.search_content_types)),
        ):
            if value:
                self._notes.decline(f"tools[].{name}")
        filters = tool.filters or published.WebSearchFilters()
        if filters.allowed_domains and filters.blocked_domains:
            raise InvalidRequestError("Either some domains are allowed or some are blocked.", param=f"{place}.filters")
        self.web_search = self.web_search or WebSearchTool(
            name=WEB_SEARCH,
            max_uses=max_uses or UNSET,
            user_location=_location(tool.user_location),
            allowed_domains=filters.allowed_domains or UNSET,
            blocked_domains=filters.blocked_domains or UNSET,
        )

    def _leave_out(self, type_: str) -> None:
        self.left_out.add(type_)
        self._notes.decline(f"tools[].{type_[:60]}", "it does not run here")


def names_of(tools: Sequence[Raw]) -> list[str]:
    """The names of tools that were found, for Claude to read."""
    names: list[str] = []
    for raw in tools:
        tool = _named(raw)
        if tool.type == "namespace" and isinstance(tool.tools, list):
            names += [f"{tool.name}.{name}" for name in names_of([Raw(_encode(inner)) for inner in tool.tools])]
        elif tool.name and isinstance(tool.name, str):
            names.append(tool.name)
    return names


def _declared(tool: published.Tool, name: str, about: str, place: str) -> DeclaredTool:
    function = tool.function
    description = "\n\n".join(
        filter(None, [about, (function.description if function else None) or tool.description or ""])
    )
    if tool.type == "custom":
        format_ = tool.format
        rule = grammar_rule(format_.syntax or "lark", format_.definition) if format_ and format_.definition else ""
        return custom_tool(name, description, f"{rule}\n\n{RAW_TEXT}".strip(), place)
    parameters = function.parameters if function else tool.parameters
    return DeclaredTool(
        name=name,
        description=description,
        parameters=parameters if bytes(parameters) != b"null" else Raw(),
        strict=bool(function.strict if function else tool.strict),
        place=f"{place}.function.parameters" if function else f"{place}.parameters",
    )


def _about(space: published.Tool) -> str:
    return f"One of the tools of {space.name}. {space.description}" if space.description else ""


def _location(where: published.Approximate | None) -> UserLocation | UnsetType:
    if where is None:
        return UNSET
    return UserLocation(
        city=where.city or UNSET,
        region=where.region or UNSET,
        country=where.country or UNSET,
        timezone=where.timezone or UNSET,
    )
