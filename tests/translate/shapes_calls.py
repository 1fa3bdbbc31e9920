"""Request shapes for the bullets about calls, their results, and a last turn of the assistant."""

from translate.shape import PNG, PNG_DATA, Shape, assistant, call, function, result, talk, text, user
from translate.shapes_messages import shows

F = [function("f"), function("g")]


def after_calls(*messages: dict[str, object]) -> list[dict[str, object]]:
    return [user("x"), assistant(None, tool_calls=[call("a"), call("b", "g")]), *messages]


CALLS: tuple[Shape, ...] = (
    talk(
        "tool_calls: arguments become an object",
        lambda s, _: s.calls == [("a", "f", {"x": [1, "é"]})],
        user("x"),
        assistant(None, tool_calls=[call("a", "f", '{"x": [1, "é"]}')]),
        result("a"),
        tools=F,
    ),
    talk(
        "tool_calls: empty arguments",
        lambda s, _: s.calls == [("a", "f", {}), ("b", "g", {})],
        *after_calls(result("a"), result("b")),
        tools=F,
    ),
    talk(
        "tool_calls: broken arguments are kept",
        lambda s, _: s.calls == [("a", "f", {"arguments": '{"x": '})],
        user("x"),
        assistant(None, tool_calls=[call("a", "f", '{"x": ')]),
        result("a"),
        tools=F,
    ),
    talk(
        "tool_calls: a list as arguments is wrapped",
        lambda s, _: s.calls == [("a", "f", {"arguments": [1, 2]})],
        user("x"),
        assistant(None, tool_calls=[call("a", "f", "[1, 2]")]),
        result("a"),
        tools=F,
    ),
    talk(
        "tool_calls: an object as arguments",
        lambda s, _: s.calls == [("a", "f", {"x": 1})],
        user("x"),
        assistant(None, tool_calls=[call("a", "f", {"x": 1})]),
        result("a"),
        tools=F,
    ),
    talk(
        "tool_calls: raw line breaks inside arguments",
        lambda s, _: s.calls == [("a", "f", {"x": "1\n2"})],
        user("x"),
        assistant(None, tool_calls=[call("a", "f", '{"x": "1\n2"}')]),
        result("a"),
        tools=F,
    ),
    talk(
        "tool_calls: text before",
        lambda s, _: s.texts("assistant") == ["Let me see."] and len(s.calls) == 1,
        user("x"),
        assistant("Let me see.", tool_calls=[call("a")]),
        result("a"),
        tools=F,
    ),
    talk(
        "tool_calls: a custom call",
        lambda s, _: s.calls == [("a", "sh", {"input": "ls"})],
        user("x"),
        assistant(None, tool_calls=[{"id": "a", "type": "custom", "custom": {"name": "sh", "input": "ls"}}]),
        result("a"),
        tools=[{"type": "custom", "custom": {"name": "sh"}}],
    ),
    talk(
        "tool_calls: ids outside Claude's alphabet",
        lambda s, _: s.calls[0][0] == s.results[0][0] == "call_1_x",
        user("x"),
        assistant(None, tool_calls=[call("call:1:x")]),
        result("call:1:x"),
        tools=F,
    ),
    talk(
        "tool_calls: one id used twice",
        lambda s, _: len({id_ for id_, _, _ in s.calls}) == 2 and [said for _, said in s.results] == ["1", "2"],
        user("x"),
        assistant(None, tool_calls=[call("a"), call("a", "g")]),
        result("a", "1"),
        result("a", "2"),
        tools=F,
    ),
    talk(
        "function_call: the old form",
        lambda s, _: s.calls[0][1:] == ("f", {"x": 1}) and s.results[0][1] == "42",
        user("x"),
        assistant(None, function_call={"name": "f", "arguments": '{"x":1}'}),
        {"role": "function", "name": "f", "content": "42"},
        functions=[{"name": "f"}],
    ),
    talk(
        "function_call: twice",
        lambda s, _: [said for _, said in s.results] == ["1", "2"] and len(s.calls) == 2,
        user("x"),
        assistant(None, function_call={"name": "f", "arguments": "{}"}),
        {"role": "function", "name": "f", "content": "1"},
        assistant(None, function_call={"name": "f", "arguments": "{}"}),
        {"role": "function", "name": "f", "content": "2"},
        functions=[{"name": "f"}],
    ),
    talk(
        "tool results: in the order of the calls",
        lambda s, _: s.results == [("a", "A"), ("b", "B")],
        *after_calls(result("b", "B"), result("a", "A")),
        tools=F,
    ),
    talk(
        "tool results: a user message in between",
        lambda s, _: s.results == [("a", "A"), ("b", "B")] and s.texts("user") == ["x", "Hurry"],
        *after_calls(result("a", "A"), user("Hurry"), result("b", "B")),
        tools=F,
    ),
    talk(
        "tool results: late",
        lambda s, _: s.results == [("a", "A"), ("b", "B")] and s.texts("assistant") == ["Wait"],
        *after_calls(result("a", "A"), assistant("Wait"), result("b", "B")),
        user("ok"),
        tools=F,
    ),
    talk(
        "tool results: missing",
        lambda s, _: [id_ for id_, _ in s.results] == ["a", "b"] and s.results[0] == ("a", "A"),
        *after_calls(result("a", "A"), user("Go on")),
        tools=F,
    ),
    talk(
        "tool results: all missing at the end",
        lambda s, _: [id_ for id_, _ in s.results] == ["a", "b"] and s.roles[-1] == "user",
        *after_calls(),
        tools=F,
    ),
    talk(
        "tool results: a second one that differs",
        lambda s, _: s.results == [("a", "A"), ("b", "B")] and "A2" in s.texts("user"),
        *after_calls(result("a", "A"), result("b", "B"), result("a", "A2")),
        tools=F,
    ),
    talk(
        "tool results: a second one that says the same",
        lambda s, _: s.results == [("a", "A"), ("b", "B")] and s.texts("user") == ["x"],
        *after_calls(result("a", "A"), result("b", "B"), result("a", "A")),
        tools=F,
    ),
    talk(
        "tool results: without a call",
        lambda s, _: not s.results and "42" in s.texts("user"),
        user("x"),
        result("zz", "42"),
        tools=F,
    ),
    talk(
        "tool results: with an image",
        lambda s, _: s.results[0][1] == [{"type": "text", "text": "see"}, shows("image", "image/png", PNG_DATA)],
        user("x"),
        assistant(None, tool_calls=[call("a")]),
        result("a", [text("see"), {"type": "image_url", "image_url": {"url": PNG}}]),
        tools=F,
    ),
    talk(
        "tool results: empty",
        lambda s, _: s.results == [("a", None), ("b", None)],
        *after_calls(result("a", ""), result("b", None)),
        tools=F,
    ),
    talk(
        "tool results: an id used again in a later turn",
        lambda s, _: [said for _, said in s.results] == ["1", "2"] and s.roles.count("assistant") == 2,
        user("x"),
        assistant(None, tool_calls=[call("a")]),
        result("a", "1"),
        assistant(None, tool_calls=[call("a")]),
        result("a", "2"),
        tools=F,
    ),
    talk(
        "tool results: a loop while thinking",
        lambda s, _: s.get("thinking", "type") != "enabled" and len(s.results) == 2,
        *after_calls(result("a"), result("b")),
        tools=F,
        reasoning_effort="medium",
    ),
    talk(
        "history: calls beside nothing but web search",
        lambda s, _: (
            s.tool_names == ["web_search"] and s.choice is None and s.calls == [("a", "f", {}), ("b", "g", {})]
        ),
        *after_calls(result("a"), result("b")),
        web_search_options={},
    ),
    talk(
        "history: calls without tools",
        lambda s, _: s.tool_names == ["f", "g"] and s.choice == "none",
        *after_calls(result("a"), result("b")),
    ),
    talk(
        "history: calls with an empty list of tools",
        lambda s, _: s.tool_names == ["f", "g"] and s.choice == "none",
        *after_calls(result("a"), result("b")),
        tools=[],
        tool_choice="none",
    ),
    talk(
        "prefill: the last turn is the assistant's",
        lambda s, f: (
            s.texts("assistant") == ["It is" if f.prefill else "It is "]
            and (s.roles[-1] == "assistant") == f.prefill
            and (f.prefill or "Continue" in s.texts("user")[-1])
        ),
        user("What?"),
        assistant("It is "),
    ),
    talk(
        "prefill: with a schema for the answer",
        lambda s, _: s.roles[-1] == "user" and "Continue" in s.texts("user")[-1],
        user("What?"),
        assistant('{"a":'),
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}},
        },
    ),
    talk(
        "prefill: only white space",
        lambda s, _: s.roles == ["user"],
        user("What?"),
        assistant("  \n"),
    ),
    talk(
        "prefill: while thinking",
        lambda s, _: "enabled" not in str(s.get("thinking")) or s.roles[-1] == "user",
        user("What?"),
        assistant("It is"),
        reasoning_effort="low",
    ),
)
