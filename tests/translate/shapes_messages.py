"""Request shapes for the bullets about messages."""

from translate.shape import (
    JPEG_DATA,
    PDF_DATA,
    PNG,
    PNG_DATA,
    Shape,
    assistant,
    call,
    function,
    refused,
    result,
    talk,
    text,
    user,
)

F = [function("f"), function("g")]


def system(content: object) -> dict[str, object]:
    return {"role": "system", "content": content}


ROLES: tuple[Shape, ...] = (
    talk("roles: system text", lambda s, _: s.system == "S" and s.roles == ["user"], system("S"), user("x")),
    talk(
        "roles: developer and system in order",
        lambda s, _: s.system == "A\nB",
        {"role": "developer", "content": "A"},
        system([text("B")]),
        user("x"),
    ),
    talk(
        "roles: system only", lambda s, _: s.system == "Write a poem." and s.roles == ["user"], system("Write a poem.")
    ),
    talk(
        "roles: system in the middle",
        lambda s, f: (
            "French" in s.spoken
            and (s.roles[-1] == "system") == f.system_in_messages
            and (f.system_in_messages or "developer" in s.texts("user")[-2] + s.texts("user")[-1])
        ),
        user("Hi"),
        assistant("Hello"),
        system("Answer in French."),
        user("How are you?"),
    ),
    talk(
        "roles: system at the end",
        lambda s, f: "French" in s.spoken and s.roles[-1] == ("system" if f.system_in_messages else "user"),
        user("Hi"),
        system("Answer in French."),
    ),
    talk(
        "roles: system between two assistant turns",
        lambda s, _: "French" in s.spoken and s.roles == ["user", "assistant", "user", "assistant", "user"],
        user("Hi"),
        assistant("Hello"),
        system("Answer in French."),
        assistant("Salut"),
        user("ok"),
    ),
    talk(
        "roles: system between a call and its result",
        lambda s, _: s.results == [("c", "ok")] and "French" in s.spoken,
        user("Hi"),
        assistant(None, tool_calls=[call("c")]),
        system("Answer in French."),
        result("c"),
        tools=F,
    ),
    talk(
        "roles: turns of one role merge",
        lambda s, _: s.roles == ["user", "assistant", "user"] and s.texts("user") == ["a", "b", "e"],
        user("a"),
        user("b"),
        assistant("c"),
        assistant("d"),
        user("e"),
    ),
    talk("roles: assistant first", lambda s, _: s.roles == ["assistant", "user"], assistant("Welcome"), user("Hi")),
    talk(
        "content: list of text parts",
        lambda s, _: s.texts("user") == ["a", "b"],
        user([text("a"), text(""), text("b"), text(" \n")]),
    ),
    talk("content: empty string", lambda s, _: s.roles == ["user"] and bool(s.texts("user")[0].strip()), user("")),
    talk("content: null", lambda s, _: s.roles == ["user", "assistant", "user"], user("a"), assistant("b"), user(None)),
    talk(
        "content: absent beside calls",
        lambda s, _: s.calls == [("c", "f", {})] and not s.texts("assistant"),
        user("x"),
        {"role": "assistant", "tool_calls": [call("c")]},
        result("c"),
        tools=F,
    ),
    talk(
        "content: empty beside calls",
        lambda s, _: s.calls == [("c", "f", {})] and not s.texts("assistant"),
        user("x"),
        assistant("", tool_calls=[call("c")]),
        result("c"),
        tools=F,
    ),
    talk(
        "content: an empty assistant turn leaves no trace",
        lambda s, _: s.roles == ["user"] and s.texts("user") == ["a", "b"],
        user("a"),
        assistant(""),
        user("b"),
    ),
    talk("content: only white space", lambda s, _: s.texts("user")[0].strip() != "", user(" \n ")),
    talk("content: Chinese and emoji", lambda s, _: s.texts("user") == ["你好 👋🏽\u2028"], user("你好 👋🏽\u2028")),
    talk(
        "name: two speakers are told apart",
        lambda s, _: s.texts("user") == ["Ann: hi", "Bob: hello"],
        user("hi", name="Ann"),
        user("hello", name="Bob"),
    ),
    talk(
        "name: one speaker needs none",
        lambda s, _: s.texts("user") == ["hi", "you"],
        user("hi", name="Ann"),
        user("you", name="Ann"),
    ),
    talk(
        "keys: what SDKs dump is skipped",
        lambda s, _: s.texts("assistant") == ["b"],
        user("a"),
        assistant("b", refusal=None, audio=None, annotations=[], function_call=None, tool_calls=None, x_extra={"k": 1}),
        user("c"),
    ),
    talk(
        "keys: a name on a tool message",
        lambda s, _: s.results == [("c", "ok")],
        user("a"),
        assistant(
            None, tool_calls=[{"id": "c", "index": 0, "type": "function", "function": {"name": "f", "arguments": "{}"}}]
        ),
        {"role": "tool", "name": "f", "tool_call_id": "c", "content": "ok", "status": "done"},
        tools=F,
    ),
    refused("messages: none", "messages", messages=[]),
    refused(
        "messages: an image in a system message",
        "messages[0].content[0].type",
        messages=[
            {"role": "system", "content": [{"type": "image_url", "image_url": {"url": PNG}}]},
            {"role": "user", "content": "x"},
        ],
    ),
)


def shows(kind: str, media_type: str, data: str) -> object:
    source = {"type": "base64", "media_type": media_type, "data": data}
    return {"type": kind, "source": source}


PARTS: tuple[Shape, ...] = (
    talk(
        "image_url: data URL",
        lambda s, _: s.blocks("user") == [{"type": "text", "text": "What?"}, shows("image", "image/png", PNG_DATA)],
        user([text("What?"), {"type": "image_url", "image_url": {"url": PNG}}]),
    ),
    talk(
        "image_url: the declared type is wrong",
        lambda s, _: s.blocks("user") == [shows("image", "image/jpeg", JPEG_DATA)],
        user([{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{JPEG_DATA}"}}]),
    ),
    talk(
        "image_url: image/jpg",
        lambda s, _: s.blocks("user") == [shows("image", "image/jpeg", JPEG_DATA)],
        user([{"type": "image_url", "image_url": {"url": f"data:image/jpg;base64,{JPEG_DATA}"}}]),
    ),
    talk(
        "image_url: http",
        lambda s, _: s.get("messages", 0, "content", 0, "source") == {"type": "url", "url": "https://a.example/b.png"},
        user([{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]),
    ),
    talk(
        "image_url: a bare string",
        lambda s, _: s.blocks("user") == [shows("image", "image/png", PNG_DATA)],
        user([{"type": "image_url", "image_url": PNG}]),
    ),
    talk(
        "image_url: bare base64 without padding",
        lambda s, _: s.blocks("user") == [shows("image", "image/png", PNG_DATA)],
        user([{"type": "image_url", "image_url": {"url": PNG_DATA.rstrip("=")}}]),
    ),
    Shape(
        "image_url: detail is declined",
        {"messages": [user([{"type": "image_url", "image_url": {"url": PNG, "detail": "high"}}])]},
        lambda s, _: len(s.blocks("user", "image")) == 1,
        ignored=["image_url.detail"],
    ),
    refused(
        "image_url: another scheme",
        "messages[0].content[0].image_url.url",
        messages=[user([{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}])],
    ),
    refused(
        "image_url: an SVG",
        "messages[0].content[0].image_url.url",
        messages=[user([{"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,PHN2Zz4="}}])],
    ),
    talk(
        "file: a PDF",
        lambda s, _: (
            s.get("messages", 0, "content", 0, "source", "media_type") == "application/pdf"
            and s.get("messages", 0, "content", 0, "title") == "a.pdf"
        ),
        user([{"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF_DATA}"}}]),
    ),
    talk(
        "file: plain text",
        lambda s, _: s.get("messages", 0, "content", 0, "source", "data") == "Hello",
        user([{"type": "file", "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,SGVsbG8="}}]),
    ),
    talk(
        "file: an image",
        lambda s, _: s.blocks("user") == [shows("image", "image/png", PNG_DATA)],
        user([{"type": "file", "file": {"file_data": PNG_DATA}}]),
    ),
    refused(
        "file: an uploaded one",
        "messages[0].content[0].file.file_id",
        messages=[user([{"type": "file", "file": {"file_id": "file-1"}}])],
    ),
    refused(
        "file: neither PDF nor text",
        "messages[0].content[0].file.file_data",
        messages=[user([{"type": "file", "file": {"file_data": "data:application/zip;base64,UEsDBAoAAAA="}}])],
    ),
    refused(
        "input_audio: wav",
        "messages[0].content[0]",
        messages=[user([{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}])],
    ),
    refused(
        "input_audio: after text",
        "messages[0].content[1]",
        messages=[user([text("x"), {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}])],
    ),
    talk(
        "refusal: a part",
        lambda s, _: s.texts("assistant") == ["No."],
        user("a"),
        assistant([{"type": "refusal", "refusal": "No."}]),
        user("b"),
    ),
    talk(
        "refusal: the field",
        lambda s, _: s.texts("assistant") == ["No."],
        user("a"),
        assistant(None, refusal="No."),
        user("b"),
    ),
)


CLAUDE_SHAPED: tuple[Shape, ...] = (
    talk(
        "Claude-shaped: tool_use and tool_result parts",
        lambda s, _: (
            s.calls == [("a", "f", {"x": 1})] and s.results == [("a", "42")] and s.texts("user") == ["x", "ok"]
        ),
        user("x"),
        assistant([text("Hm"), {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}]),
        user([{"type": "tool_result", "tool_use_id": "a", "content": "42"}, text("ok")]),
        tools=[{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
    ),
    talk(
        "Claude-shaped: a result with blocks and an error",
        lambda s, _: s.get("messages", 2, "content", 0, "is_error") is True and s.results == [("a", "bad")],
        user("x"),
        assistant([{"type": "tool_use", "id": "a", "name": "f", "input": {}}]),
        user([{"type": "tool_result", "tool_use_id": "a", "is_error": True, "content": [text("bad")]}]),
        tools=F,
    ),
    talk(
        "Claude-shaped: image and document",
        lambda s, _: [block["type"] for block in s.blocks("user")] == ["image", "document"],
        user([shows("image", "image/png", PNG_DATA), shows("document", "application/pdf", PDF_DATA)]),
    ),
    talk(
        "Claude-shaped: thinking with its signature",
        lambda s, _: [block["type"] for block in s.blocks("assistant")] == ["thinking", "text"],
        user("x"),
        assistant([{"type": "thinking", "thinking": "Hm", "signature": "c2ln"}, text("y")]),
        user("z"),
    ),
    talk(
        "Claude-shaped: thinking without its signature",
        lambda s, _: [block["type"] for block in s.blocks("assistant")] == ["text"],
        user("x"),
        assistant([{"type": "thinking", "thinking": "Hm"}, text("y")]),
        user("z"),
    ),
)

MESSAGES: tuple[Shape, ...] = (*ROLES, *PARTS, *CLAUDE_SHAPED)
