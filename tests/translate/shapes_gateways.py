"""Request shapes of gateways' clients, and Claude's own fields at the top of a chat request."""

from translate.shape import (
    HELLO,
    PDF_DATA,
    PNG_DATA,
    Shape,
    assistant,
    call,
    declined,
    fields,
    function,
    refused,
    result,
    talk,
    text,
    user,
)
from translate.shapes_messages import shows

F = [function("f"), function("g")]
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
PDF_URL = "https://example.com/a.pdf"
PDF = {"type": "document", "source": {"type": "url", "url": PDF_URL}}


def returned(name: str, content: object, told: object) -> Shape:
    return talk(
        f"tool results: {name}",
        lambda s, _: s.results == [("a", told)],
        user("x"),
        assistant(tool_calls=[call("a")]),
        result("a", content),
        tools=F,
    )


GATEWAYS: tuple[Shape, ...] = (
    fields(
        "reasoning: an effort",
        lambda s, f: not f.thinking & {"adaptive", "enabled"} or s.get("thinking", "type") in {"adaptive", "enabled"},
        reasoning={"effort": "high"},
    ),
    fields(
        "reasoning: a budget",
        lambda s, f: "enabled" not in f.thinking or s.get("thinking", "budget_tokens") == 2000,
        reasoning={"max_tokens": 2000},
    ),
    fields(
        "reasoning: off",
        lambda s, _: s.get("thinking", "type") in {None, "disabled"},
        reasoning={"enabled": False, "effort": "high"},
    ),
    fields(
        "reasoning: not shown",
        lambda s, _: s.get("thinking") is None or s.get("thinking", "display") == "omitted",
        reasoning={"effort": "high", "exclude": True},
    ),
    fields("reasoning: empty", lambda s, _: s.get("thinking") is None, reasoning={}),
    fields(
        "include_reasoning: true",
        lambda s, f: (
            not f.thinking & {"adaptive", "enabled"}
            or (
                s.get("thinking", "display") == "summarized"
                and ("medium" not in f.efforts or s.get("output_config", "effort") == "medium")
                and s.get("thinking", "budget_tokens") in {None, 8192}
            )
        ),
        include_reasoning=True,
    ),
    fields("include_reasoning: false", lambda s, _: s.get("thinking") is None, include_reasoning=False),
    Shape(
        "system: before the messages' own",
        {"system": "S", "messages": [{"role": "system", "content": "T"}, *HELLO]},
        lambda s, _: [block["text"] for block in s.get("system")] == ["S", "T"],  # type: ignore[attr-defined]
    ),
    fields(
        "system: marked parts",
        lambda s, _: s.marks == [{"type": "ephemeral"}] and s.system == "S",
        system=[text("S", cache_control={"type": "ephemeral"})],
    ),
    refused("system: an image", "system[0].type", system=[{"type": "image_url", "image_url": PNG_DATA}]),
    fields("stop_sequences: alone", lambda s, _: s.get("stop_sequences") == ["a"], stop_sequences=["a"]),
    fields(
        "stop_sequences: beside stop",
        lambda s, _: s.get("stop_sequences") == ["b", "a"],
        stop="b",
        stop_sequences=["a"],
    ),
    fields("stop: five", lambda s, _: s.get("stop_sequences") == list("abcde"), stop=list("abcde")),
    fields(
        "output_config: an effort",
        lambda s, f: not f.efforts or s.get("output_config", "effort") == f.efforts[0],
        output_config={"effort": "low"},
    ),
    fields(
        "output_config: a format",
        lambda s, f: s.get("output_config", "format", "schema") == SCHEMA if f.structured_output else '"a"' in s.system,
        output_config={"format": {"type": "json_schema", "schema": SCHEMA}},
    ),
    declined("metadata: values that are no text", "metadata", metadata={"files": None, "n": 1}),
    declined("metadata: PHP's empty array", metadata=[]),
    declined("logit_bias: PHP's empty array", logit_bias=[]),
    declined("logit_bias: out of bounds", "logit_bias", logit_bias={"1": 1000}),
    declined("prediction: PHP's empty array", prediction=[]),
    declined("user: an object", "user", user={"id": 1}),
    Shape(
        "user: a number",
        {"messages": HELLO, "user": 7},
        lambda s, _: len(str(s.get("metadata", "user_id"))) == 64,
        api_only=True,
    ),
    declined("frequency_penalty: out of bounds", "frequency_penalty", frequency_penalty=9),
    declined("seed: no number", "seed", seed="x"),
    fields(
        "allowed_tools: flat",
        lambda s, _: s.tool_names == ["f"],
        tools=F,
        tool_choice={"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
    ),
    refused(
        "allowed_tools: flat, not among the tools",
        "tool_choice.tools",
        tools=F,
        tool_choice={"type": "allowed_tools", "tools": [{"type": "function", "name": "h"}]},
    ),
    fields(
        "tools: PHP's empty array for no parameters",
        lambda s, _: s.schema() == {"type": "object", "properties": {}},
        tools=[function("f", [])],
    ),
    returned("an object", {"temp": 3, "place": "é"}, '{"temp": 3, "place": "é"}'),
    returned("a number", 42, "42"),
    returned("true", True, "true"),
    returned("a list of objects", [{"temp": 3}], '[{"temp": 3}]'),
    returned("a part of a type of its own", [{"type": "resource", "uri": "a"}], '[{"type": "resource", "uri": "a"}]'),
    returned("a huge number", 10**30, str(10**30)),
    returned("a list of texts", ["R", text("S")], [text("R"), text("S")]),
    returned(
        "MCP's image",
        [{"type": "image", "data": PNG_DATA, "mimeType": "image/png"}],
        [shows("image", "image/png", PNG_DATA)],
    ),
    talk(
        "Claude-shaped: a tool_result that is an object",
        lambda s, _: s.results == [("a", '{"temp": 3}')],
        user("x"),
        assistant([{"type": "tool_use", "id": "a", "name": "f", "input": {}}]),
        user([{"type": "tool_result", "tool_use_id": "a", "content": {"temp": 3}}]),
        tools=F,
    ),
    talk(
        "Claude-shaped: a call without an id",
        lambda s, _: len(s.calls) == 1 and s.results == [(s.calls[0][0], "R")],
        user("x"),
        assistant([{"type": "tool_use", "name": "f", "input": {}}], tool_calls=[call("", "f")]),
        user([{"type": "tool_result", "content": "R"}]),
        tools=F,
    ),
    talk(
        "Claude-shaped: a call whose input only the other shape has",
        lambda s, _: s.calls == [("a", "f", {"x": 1})],
        user("x"),
        assistant([{"type": "tool_use", "id": "a", "name": "f", "input": ""}], tool_calls=[call("a", "f", '{"x": 1}')]),
        result("a"),
        tools=F,
    ),
    talk(
        "tool results: an id that no call has, of a call without one",
        lambda s, _: s.results == [("call", "R")],
        user("x"),
        assistant(tool_calls=[call("")]),
        result("b", "R"),
        tools=F,
    ),
    refused(
        "tool results: a part that is none",
        "messages[0].content[1].image_url",
        messages=[result("a", ["x", {"type": "image_url", "image_url": 5}])],
    ),
    *(
        talk(
            f"file: a URL in {member}",
            lambda s, _: s.blocks("user") == [{**PDF, "title": "a.pdf"}],
            user([{"type": "file", "file": {"filename": "a.pdf", member: PDF_URL}}]),
        )
        for member in ("file_data", "file_url", "file_id")
    ),
    talk(
        "file: an image's URL",
        lambda s, _: [block["type"] for block in s.blocks("user")] == ["image"],
        user([{"type": "file", "file": {"file_data": "https://example.com/a.PNG?x=1.pdf"}}]),
    ),
    talk(
        "image_url: a PDF's URL",
        lambda s, _: s.blocks("user") == [{"type": "document", "source": {"type": "url", "url": f"{PDF_URL}?a=b#c"}}],
        user([{"type": "image_url", "image_url": {"url": f"{PDF_URL}?a=b#c"}}]),
    ),
    talk(
        "Claude-shaped: an image that is a PDF's URL",
        lambda s, _: s.blocks("user") == [PDF],
        user([{"type": "image", "source": {"type": "url", "url": PDF_URL}}]),
    ),
    refused(
        "file: a URL of another scheme",
        "messages[0].content[0].file",
        messages=[user([{"type": "file", "file": {"file_url": "ftp://example.com/a.pdf"}}])],
    ),
    refused(
        "Claude-shaped: an image without a source",
        "messages[0].content[0].source",
        messages=[user([{"type": "image"}])],
    ),
    talk(
        "file: bytes before any URL",
        lambda s, _: s.get("messages", 0, "content", 0, "source", "type") == "base64",
        user([{"type": "file", "file": {"file_data": PDF_DATA, "file_url": PDF_URL}}]),
    ),
)
