"""Request shapes for tools, tool choice and what belongs to them."""

from collections.abc import Sequence

from claude_openai_proxy.translate.models.facts import ModelFacts
from translate.sent import Sent
from translate.shape import HELLO, Shape, assistant, call, fields, function, refused, result, talk, user

F = [function("f"), function("g")]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def forced(expected: object, words: str, only: Sequence[str] = ("f", "g")) -> object:
    """A forced choice: upstream's own where the model takes one, otherwise an instruction."""

    def meaning(sent: Sent, facts: ModelFacts) -> bool:
        if facts.forced_tool_choice:
            return sent.get("tool_choice") == expected and not sent.system
        return sent.choice != "tool" and words in sent.system and sent.tool_names == list(only)

    return meaning


def forced_shape(name: str, choice: object, expected: object, words: str, only: Sequence[str] = ("f", "g")) -> Shape:
    meaning = forced(expected, words, only)
    assert callable(meaning)
    return Shape(name, {"messages": HELLO, "tools": F, "tool_choice": choice}, meaning)


TOOLS: tuple[Shape, ...] = (
    fields(
        "tools: a function",
        lambda s, _: (
            s.get("tools")
            == [{"name": "f", "description": "Does f.", "input_schema": CITY, "cache_control": {"type": "ephemeral"}}]
        ),
        tools=[function("f", CITY, description="Does f.")],
    ),
    fields(
        "tools: no parameters",
        lambda s, _: s.schema() == {"type": "object", "properties": {}},
        tools=[{"type": "function", "function": {"name": "f"}}],
    ),
    fields("tools: null", lambda s, _: s.get("tools") is None, tools=None, tool_choice=None),
    fields(
        "tools: the flat form",
        lambda s, _: s.tool_names == ["f"] and s.schema() == CITY,
        tools=[{"type": "function", "name": "f", "parameters": CITY}],
    ),
    fields(
        "tools: Claude-shaped",
        lambda s, _: s.tool_names == ["f"] and s.schema() == CITY and s.marks == [{"type": "ephemeral"}],
        tools=[{"name": "f", "input_schema": CITY, "cache_control": {"type": "ephemeral"}}],
    ),
    fields(
        "tools: Claude's web search",
        lambda s, _: s.tool_names == ["web_search"] and s.get("tools", 0, "max_uses") == 3,
        tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}],
    ),
    fields(
        "tools: Claude's web search of some places only",
        lambda s, _: s.get("tools", 0, "allowed_domains") == ["a.example"] and s.marks == [{"type": "ephemeral"}],
        tools=[
            {
                "type": "web_search_20250305",
                "name": "web_search",
                "allowed_domains": ["a.example"],
                "cache_control": {"type": "ephemeral"},
            }
        ],
    ),
    refused("tools: of an unknown type", "tools[0].type", tools=[{"type": "computer_20250124", "name": "computer"}]),
    refused("tools: without a name", "tools[0].function", tools=[{"type": "function"}]),
    fields(
        "functions: the old form", lambda s, _: s.tool_names == ["f"], functions=[{"name": "f", "parameters": CITY}]
    ),
    fields(
        "functions: one call at a time",
        lambda s, _: s.get("tool_choice") == {"type": "auto", "disable_parallel_tool_use": True},
        functions=[{"name": "f"}],
        function_call="auto",
    ),
    fields(
        "tools (custom): one string property",
        lambda s, _: s.get("tools", 0, "input_schema", "required") == ["input"],
        tools=[{"type": "custom", "custom": {"name": "sh", "description": "Runs."}}],
    ),
    fields(
        "tools (custom): the grammar is described",
        lambda s, _: "start: WORD" in str(s.get("tools", 0, "description")),
        tools=[
            {
                "type": "custom",
                "custom": {
                    "name": "sh",
                    "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: WORD"}},
                },
            }
        ],
    ),
    fields(
        "strict: honoured",
        lambda s, _: (
            s.get("tools", 0, "strict") is True and s.get("tools", 0, "input_schema", "additionalProperties") is False
        ),
        tools=[function("f", CITY, strict=True)],
    ),
    fields(
        "strict: beyond the budget",
        lambda s, _: len(s.tool_names) == 30 and s.get("tools", 0, "strict") is None,
        tools=[function(f"f{number}", CITY, strict=True) for number in range(30)],
    ),
    fields(
        "strict: a map cannot be",
        lambda s, _: s.get("tools", 0, "strict") is None and "additionalProperties" in str(s.schema()),
        tools=[function("f", {"type": "object", "additionalProperties": {"type": "string"}}, strict=True)],
    ),
    fields(
        "parallel_tool_calls: false",
        lambda s, _: s.get("tool_choice") == {"type": "auto", "disable_parallel_tool_use": True},
        tools=F,
        parallel_tool_calls=False,
    ),
    fields("parallel_tool_calls: true", lambda s, _: s.get("tool_choice") is None, tools=F, parallel_tool_calls=True),
    fields("parallel_tool_calls: without tools", lambda s, _: s.get("tool_choice") is None, parallel_tool_calls=False),
)

CHOICES: tuple[Shape, ...] = (
    fields("tool_choice: auto", lambda s, _: s.choice in {None, "auto"}, tools=F, tool_choice="auto"),
    fields("tool_choice: auto without tools", lambda s, _: s.get("tool_choice") is None, tool_choice="auto"),
    fields(
        "tool_choice: none keeps the tools",
        lambda s, _: s.choice == "none" and s.tool_names == ["f", "g"],
        tools=F,
        tool_choice="none",
    ),
    fields("tool_choice: none without tools", lambda s, _: s.get("tool_choice") is None, tool_choice="none"),
    forced_shape("tool_choice: required", "required", {"type": "any"}, "at least one of the tools"),
    forced_shape(
        "tool_choice: a named function",
        {"type": "function", "function": {"name": "g"}},
        {"type": "tool", "name": "g"},
        "`g`",
        only=["g"],
    ),
    forced_shape("tool_choice: Claude's any", {"type": "any"}, {"type": "any"}, "at least one of the tools"),
    forced_shape(
        "tool_choice: Claude's tool", {"type": "tool", "name": "f"}, {"type": "tool", "name": "f"}, "`f`", ["f"]
    ),
    fields(
        "tool_choice: Claude's auto without parallel calls",
        lambda s, _: s.get("tool_choice", "disable_parallel_tool_use") is True,
        tools=F,
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
    ),
    fields(
        "tool_choice: a named custom tool",
        lambda s, f: (
            s.get("tool_choice", "name") == ("sh" if f.forced_tool_choice else None) and s.tool_names == ["sh"]
        ),
        tools=[{"type": "custom", "custom": {"name": "sh"}}],
        tool_choice={"type": "custom", "custom": {"name": "sh"}},
    ),
    fields(
        "allowed_tools: auto",
        lambda s, _: s.tool_names == ["g"] and s.choice in {None, "auto"},
        tools=F,
        tool_choice={
            "type": "allowed_tools",
            "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "g"}}]},
        },
    ),
    fields(
        "allowed_tools: required",
        lambda s, f: s.tool_names == ["g"] and (s.choice == "any") == f.forced_tool_choice,
        tools=F,
        tool_choice={
            "type": "allowed_tools",
            "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "g"}}]},
        },
    ),
    fields(
        "function_call: by name",
        lambda s, f: s.get("tool_choice", "name") == ("g" if f.forced_tool_choice else None) and "g" in s.tool_names,
        functions=[{"name": "f"}, {"name": "g"}],
        function_call={"name": "g"},
    ),
    fields("function_call: none", lambda s, _: s.choice == "none", functions=[{"name": "f"}], function_call="none"),
    fields(
        "tool_choice: required while thinking",
        lambda s, _: not (s.get("thinking", "type") == "enabled" and s.choice == "any"),
        tools=F,
        tool_choice="required",
        reasoning_effort="high",
    ),
    talk(
        "tool_choice: required in a loop",
        lambda s, f: (s.choice == "any") == f.forced_tool_choice and s.results == [("a", "ok")],
        user("x"),
        assistant(None, tool_calls=[call("a")]),
        result("a"),
        tools=F,
        tool_choice="required",
    ),
    refused("tool_choice: required without tools", "tool_choice", tool_choice="required"),
    refused(
        "tool_choice: an unknown name",
        "tool_choice",
        tools=F,
        tool_choice={"type": "function", "function": {"name": "h"}},
    ),
)

NAMES: tuple[Shape, ...] = (
    fields(
        "names: outside the alphabet",
        lambda s, _: s.tool_names == ["get_weather_"],
        tools=[function("get weather!")],
    ),
    fields(
        "names: aliases do not collide",
        lambda s, _: s.tool_names == ["a_b_2", "a_b", "a_b_3"],
        tools=[function("a b"), function("a_b"), function("a.b")],
    ),
    fields("names: too long", lambda s, _: s.tool_names == ["x" * 128], tools=[function("x" * 130)]),
    fields("names: declared twice", lambda s, _: s.tool_names == ["f", "f_2"], tools=[function("f"), function("f")]),
    talk(
        "names: the history uses the alias",
        lambda s, _: s.calls[0][1] == "get_weather" and s.tool_names == ["get_weather"],
        user("x"),
        assistant(None, tool_calls=[call("a", "get weather")]),
        result("a"),
        tools=[function("get weather")],
    ),
)

SCHEMAS: tuple[Shape, ...] = (
    fields(
        "schemas: type missing",
        lambda s, _: s.schema() == {"type": "object", "properties": {"a": {"type": "string"}}},
        tools=[function("f", {"properties": {"a": {"type": "string"}}})],
    ),
    fields(
        "schemas: empty", lambda s, _: s.get("tools", 0, "input_schema", "type") == "object", tools=[function("f", {})]
    ),
    fields(
        "schemas: anyOf at the top",
        lambda s, _: (
            s.get("tools", 0, "input_schema", "properties") == {"a": {"type": "string"}, "b": {"type": "null"}}
            and "at least one" in str(s.get("tools", 0, "input_schema", "description"))
        ),
        tools=[
            function(
                "f",
                {
                    "anyOf": [
                        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
                        {"type": "object", "properties": {"b": {"type": "null"}}, "required": ["b"]},
                    ]
                },
            )
        ],
    ),
    fields(
        "schemas: allOf at the top",
        lambda s, _: s.get("tools", 0, "input_schema", "required") == ["a", "b"],
        tools=[
            function(
                "f",
                {
                    "type": "object",
                    "properties": {"a": {"type": "string"}},
                    "required": ["a"],
                    "allOf": [{"properties": {"b": {"type": "string"}}, "required": ["b"]}],
                },
            )
        ],
    ),
    fields(
        "schemas: oneOf below the top stays",
        lambda s, _: "oneOf" in str(s.schema()),
        tools=[
            function("f", {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}, {"type": "null"}]}}})
        ],
    ),
    fields(
        "schemas: $ref at the top",
        lambda s, _: s.get("tools", 0, "input_schema", "properties", "a") == {"$ref": "#/$defs/B"},
        tools=[
            function(
                "f",
                {
                    "$ref": "#/$defs/A",
                    "$defs": {
                        "A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/B"}}},
                        "B": {"type": "string"},
                    },
                },
            )
        ],
    ),
    fields(
        "schemas: a reference to nothing is told in words",
        lambda s, _: s.get("tools", 0, "input_schema", "properties", "a") == {"description": '($ref: "#/$defs/Gone")'},
        tools=[function("f", {"type": "object", "properties": {"a": {"$ref": "#/$defs/Gone"}}})],
    ),
    fields(
        "schemas: property names outside the pattern",
        lambda s, _: (
            s.get("tools", 0, "input_schema", "patternProperties") == {"^user name$": {"type": "string"}}
            and s.get("tools", 0, "input_schema", "required") == ["user name"]
        ),
        tools=[
            function(
                "f", {"type": "object", "properties": {"user name": {"type": "string"}}, "required": ["user name"]}
            )
        ],
    ),
    fields(
        "schemas: words of older drafts",
        lambda s, _: (
            s.get("tools", 0, "input_schema", "properties")
            == {
                "n": {"type": "number", "exclusiveMinimum": 3},
                "t": {"type": "array", "prefixItems": [{"type": "string"}]},
            }
        ),
        tools=[
            function(
                "f",
                {
                    "$schema": "http://json-schema.org/draft-04/schema#",
                    "type": "object",
                    "properties": {
                        "n": {"type": "number", "minimum": 3, "exclusiveMinimum": True, "required": True},
                        "t": {"type": "array", "items": [{"type": "string"}]},
                    },
                },
            )
        ],
    ),
    refused(
        "schemas: not an object",
        "tools[0].function.parameters",
        tools=[function("f", {"type": "string"})],
    ),
)

ALL_TOOLS: tuple[Shape, ...] = (*TOOLS, *CHOICES, *NAMES, *SCHEMAS)
