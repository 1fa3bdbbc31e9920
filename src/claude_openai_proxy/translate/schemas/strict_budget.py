"""How many strict schemas go into one request: Claude compiles them into one grammar and refuses too large ones.

https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs (schema complexity limits).
"""

from collections.abc import Iterator, Mapping, Sequence

MOST_TOOLS = 20
MOST_OPTIONAL = 24
MOST_UNIONS = 16


def fits_budget(schemas: Sequence[Mapping[str, object]]) -> bool:
    """Whether the strict schemas of one request stay within the limits together."""
    if len(schemas) > MOST_TOOLS:
        return False
    nodes = [node for schema in schemas for node in _nodes(schema)]
    unions = sum("anyOf" in node for node in nodes)
    return unions <= MOST_UNIONS and sum(map(_optional, nodes)) <= MOST_OPTIONAL


def _optional(node: Mapping[str, object]) -> int:
    properties, required = node.get("properties"), node.get("required")
    named = len(properties) if isinstance(properties, dict) else 0
    return named - (len(required) if isinstance(required, list) else 0)


def _nodes(schema: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    yield schema
    properties, variants, items = schema.get("properties"), schema.get("anyOf"), schema.get("items")
    children = list(properties.values()) if isinstance(properties, dict) else []
    children += variants if isinstance(variants, list) else []
    children.append(items)
    for child in children:
        if isinstance(child, dict):
            yield from _nodes(child)
