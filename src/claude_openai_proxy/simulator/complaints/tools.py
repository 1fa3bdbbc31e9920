"""Tools, and the choice among them."""

import re
from collections import Counter

from claude_openai_proxy.simulator.complaints.asked import Asked
from claude_openai_proxy.simulator.loose_json import object_in, text_in

PROPERTY_NAME = "^[a-zA-Z0-9_.-]{1,64}$"
UNIONS = ("oneOf", "allOf", "anyOf")


def repeated_name(asked: Asked) -> str | None:
    """Two tools of one name."""
    names = Counter(text_in(tool.get("name")) for tool in asked.tools)
    return "tools: Tool names must be unique." if any(count > 1 for count in names.values()) else None


def schema_without_type(asked: Asked) -> str | None:
    """An input schema that does not say it is an object."""
    for path, tool in asked.custom_tools:
        schema = object_in(tool.get("input_schema"))
        if "type" not in schema:
            return f"{path}.input_schema.type: Field required"
        if schema["type"] != "object":
            return f"{path}.input_schema.type: Input should be 'object'"
    return None


def schema_union(asked: Asked) -> str | None:
    """An input schema that is a choice between schemas."""
    for path, tool in asked.custom_tools:
        if any(name in object_in(tool.get("input_schema")) for name in UNIONS):
            return f"{path}.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level"
    return None


def property_name(asked: Asked) -> str | None:
    """A property name outside the pattern."""
    for path, tool in asked.custom_tools:
        for name in object_in(object_in(tool.get("input_schema")).get("properties")):
            if not re.fullmatch(PROPERTY_NAME, name):
                return f"{path}.input_schema.properties: Property keys should match pattern '{PROPERTY_NAME}'"
    return None


def choice_without_tools(asked: Asked) -> str | None:
    """A tool choice where there is nothing to choose."""
    wanted = asked.body.get("tool_choice") is not None and not asked.tools
    return "tool_choice may only be specified while providing tools" if wanted else None


def choice_of_unknown_tool(asked: Asked) -> str | None:
    """A tool choice that names a tool which is not there."""
    name = object_in(asked.body.get("tool_choice")).get("name")
    known = asked.tool_choice != "tool" or any(tool.get("name") == name for tool in asked.tools)
    return None if known else f"Tool '{name}' not found in provided tools"


def forced_choice(asked: Asked) -> str | None:
    """A forced tool choice on a model that takes none."""
    if asked.model is None or asked.model.forced_tool_choice or asked.tool_choice not in {"any", "tool"}:
        return None
    return 'tool_choice: type "tool" and "any" are not supported for this model'


def calls_without_tools(asked: Asked) -> str | None:
    """Calls or results in the history, and no tools."""
    used = any(turn.of_type("tool_use", "tool_result") for turn in asked.turns)
    text = "Requests which include `tool_use` or `tool_result` blocks must define tools"
    return text if used and not asked.tools else None
