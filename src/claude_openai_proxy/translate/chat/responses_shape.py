"""A body in the shape of the Responses API, sent to chat completions, as the chat request that it means.

Cursor writes such bodies for newer models and reads chat chunks in return
(https://platform.openai.com/docs/api-reference/responses/create has the shape). What has a place in a chat request is
put there, as JSON; values are not judged here. The rest stays what it is: an unknown field, which is reported.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Raw

from claude_openai_proxy.errors import InvalidRequestError

Object = dict[str, Raw]
JSON = Mapping[str, object]

_KEPT_ELSEWHERE: Final = ("previous_response_id", "conversation", "prompt")
"""What they name is part of what is asked, and is not in the body."""
_OUTPUTS: Final = frozenset({"function_call_output", "custom_tool_call_output"})
_TEXTS: Final = frozenset({"input_text", "output_text"})
_FILE: Final = ("file_data", "file_id", "file_url", "filename")

_object: Final = msgspec.json.Decoder(Object).decode
_objects: Final = msgspec.json.Decoder(list[Object]).decode
_encode: Final = msgspec.json.Encoder().encode


def as_chat_request(body: bytes) -> tuple[bytes, tuple[str, ...]] | None:
    """The chat request, and what was left out of it; None where `body` is not of that shape.

    Raises `InvalidRequestError` for what has no meaning without what is kept elsewhere, and for items that are none.
    """
    members = {name: value for name, value in _object(body).items() if not _is(value, b"null")}
    if "input" not in members or not _is(members.get("messages", Raw(b"[]")), b"[]"):
        return None
    for name in _KEPT_ELSEWHERE:
        if name in members:
            raise InvalidRequestError(f"{name!r} needs the Responses API: send the whole conversation.", param=name)
    left_out: list[str] = []
    fields: dict[str, object] = {**members, "messages": [*_messages(members, left_out)]}
    del fields["input"]
    fields.pop("instructions", None)
    fields |= _renamed(fields, members)
    if "tools" in members:
        fields |= _tools(members["tools"], left_out)
    return _encode(fields), tuple(dict.fromkeys(left_out))


def _renamed(fields: dict[str, object], members: Object) -> dict[str, object]:
    """Fields that have another name or place in chat; takes theirs out of `fields`."""
    renamed: dict[str, object] = {}
    if (limit := fields.pop("max_output_tokens", None)) is not None:
        renamed["max_completion_tokens"] = limit
    if "text" in members:
        del fields["text"]
        text = _read(members["text"], "text")
        renamed |= {"verbosity": text["verbosity"]} if "verbosity" in text else {}
        renamed |= {"response_format": _format(text["format"])} if "format" in text else {}
    if "reasoning" in members:
        reasoning = _read(members["reasoning"], "reasoning")
        summary = [
            value for name in ("summary", "generate_summary") if (value := reasoning.pop(name, None)) is not None
        ]
        renamed["reasoning"] = reasoning
        renamed |= {"include_reasoning": True} if any(not _is(value, b"null") for value in summary) else {}
    return renamed


def _format(sent: Raw) -> JSON:
    """Chat has the members of a schema one level deeper."""
    format_ = _read(sent, "text.format")
    if not _is(format_.get("type", Raw()), b'"json_schema"') or "json_schema" in format_:
        return format_
    return {"type": "json_schema", "json_schema": {name: value for name, value in format_.items() if name != "type"}}


# ---- items -----------------------------------------------------------------------------------------------------------


def _messages(members: Object, left_out: list[str]) -> Iterator[JSON]:
    if "instructions" in members:
        yield {"role": "system", "content": members["instructions"]}
    sent = members["input"]
    if bytes(memoryview(sent)[:1]) == b'"':
        yield {"role": "user", "content": sent}
        return
    try:
        items = _objects(sent)
    except msgspec.DecodeError as error:
        raise InvalidRequestError(f"Invalid value for 'input': {error}.", param="input") from None
    for number, item in enumerate(items):
        message = _message(item, f"input[{number}]")
        if message is None:
            left_out.append(f"input[].{_text(item.get('type'))}")
        else:
            yield message


def _message(item: Object, place: str) -> JSON | None:
    """None where chat has no word for the item."""
    kind = _text(item.get("type")) or "message"
    if kind == "message":
        role = item.get("role", Raw(b'"user"'))
        return {"role": role, "content": _content(item.get("content", Raw(b"null")), f"{place}.content")}
    if kind in _OUTPUTS:
        named = {"name": item["name"]} if "name" in item else {}
        output = _content(item.get("output", Raw(b"null")), f"{place}.output")
        return {"role": "tool", "tool_call_id": item.get("call_id"), "content": output, **named}
    if kind == "function_call":
        function = {name: item[name] for name in ("name", "arguments") if name in item}
        return _called(item, {"type": "function", "function": function})
    if kind == "custom_tool_call":
        return _called(
            item, {"type": "custom", "custom": {name: item[name] for name in ("name", "input") if name in item}}
        )
    return None


def _called(item: Object, call: JSON) -> JSON:
    return {"role": "assistant", "tool_calls": [{"id": item.get("call_id", item.get("id")), **call}]}


def _content(sent: Raw, place: str) -> object:
    """Text as it is; of parts each as chat has it."""
    if bytes(memoryview(sent)[:1]) != b"[":
        return sent
    try:
        return [_part(part) for part in _objects(sent)]
    except msgspec.DecodeError as error:
        raise InvalidRequestError(f"Invalid value for {place!r}: {error}.", param=place) from None


def _part(part: Object) -> JSON:
    kind = _text(part.get("type"))
    if kind in _TEXTS:
        return {"type": "text", "text": part.get("text")}
    if kind == "input_image" and "image_url" in part:
        detail = {"detail": part["detail"]} if "detail" in part else {}
        return {"type": "image_url", "image_url": {"url": part["image_url"], **detail}}
    if kind in ("input_file", "input_image"):
        return {"type": "file", "file": {name: part[name] for name in _FILE if name in part}}
    return part


# ---- tools -----------------------------------------------------------------------------------------------------------


def _tools(sent: Raw, left_out: list[str]) -> JSON:
    """Functions as they are, custom ones one level deeper, web search as an option; what cannot run is left out."""
    try:
        tools = _objects(sent)
    except msgspec.DecodeError as error:
        raise InvalidRequestError(f"Invalid value for 'tools': {error}.", param="tools") from None
    kept: list[JSON] = []
    options: JSON = {}
    for number, tool in enumerate(tools):
        kind = _text(tool.get("type")) or "function"
        if kind == "custom" and "custom" not in tool:
            kept.append({"type": "custom", "custom": _custom(tool)})
        elif kind in ("function", "custom") or kind.startswith("web_search_2"):
            kept.append(tool)
        elif kind.startswith("web_search"):
            options = {"web_search_options": {}}
        else:
            left_out.append(f"tools[{number}]")
    return {"tools": kept, **options}


def _custom(tool: Object) -> JSON:
    members: dict[str, object] = {name: tool[name] for name in ("name", "description") if name in tool}
    if "format" in tool:
        format_ = _read(tool["format"], "tools[].format")
        grammar = {name: format_[name] for name in ("syntax", "definition") if name in format_}
        members["format"] = {"type": format_.get("type"), **({"grammar": grammar} if grammar else {})}
    return members


# ---- JSON ------------------------------------------------------------------------------------------------------------


def _read(sent: Raw, place: str) -> Object:
    try:
        return _object(sent)
    except msgspec.DecodeError as error:
        raise InvalidRequestError(f"Invalid value for {place!r}: {error}.", param=place) from None


def _text(sent: Raw | None) -> str:
    """Empty where it is none."""
    try:
        return msgspec.json.decode(sent or b'""', type=str)
    except msgspec.DecodeError:
        return ""


def _is(sent: Raw, value: bytes) -> bool:
    return bytes(memoryview(sent)[: len(value) + 1]) == value
