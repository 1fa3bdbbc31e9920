"""One request per rule that the real API refuses, each wrong in that one way."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from claude_openai_proxy.simulator.loose_json import JSONObject

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 16).decode()
PICTURE: JSONObject = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
TOOL: JSONObject = {"name": "lookup", "input_schema": {"type": "object", "properties": {"word": {"type": "string"}}}}
CLOSED: JSONObject = {"type": "object", "properties": {}, "additionalProperties": False}
MARK: JSONObject = {"type": "ephemeral"}
RECURSIVE: JSONObject = {
    "type": "object",
    "properties": {"child": {"$ref": "#/$defs/node"}},
    "required": ["child"],
    "additionalProperties": False,
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"child": {"$ref": "#/$defs/node"}},
            "required": ["child"],
            "additionalProperties": False,
        }
    },
}


@dataclass(frozen=True)
class Bad:
    """A request body, what else it was sent with, and words that the refusal must hold."""

    body: object
    words: str
    version: str = "2023-06-01"
    betas: str = ""
    size: int = 0
    not_in_plan: frozenset[str] = field(default_factory=frozenset)
    tokens: int = 0


def request(model: str = "claude-opus-4-6", **fields: object) -> JSONObject:
    """A good request, with these fields instead."""
    return {"model": model, "max_tokens": 4096, "messages": [user("Hello")], **fields}


def user(content: object) -> JSONObject:
    return {"role": "user", "content": content}


def assistant(content: object) -> JSONObject:
    return {"role": "assistant", "content": content}


def said(text: object, **fields: object) -> JSONObject:
    return {"type": "text", "text": text, **fields}


def called(name: str = "toolu_1") -> JSONObject:
    return {"type": "tool_use", "id": name, "name": "lookup", "input": {"word": "a"}}


def result(name: str = "toolu_1") -> JSONObject:
    return {"type": "tool_result", "tool_use_id": name, "content": "b"}


def talk(*messages: JSONObject, model: str = "claude-opus-4-6", **fields: object) -> JSONObject:
    return request(model, messages=list(messages), **fields)


def tool_talk(*messages: JSONObject, **fields: object) -> JSONObject:
    return {**talk(*messages), "tools": [TOOL], **fields}


def schema_for_answer(schema: JSONObject) -> JSONObject:
    return request(output_config={"format": {"type": "json_schema", "schema": schema}})


def closed_with(name: str, part: JSONObject) -> JSONObject:
    return {**CLOSED, "properties": {name: part}, "required": [name]}


def picture(media_type: str, data: str) -> JSONObject:
    source = {"type": "base64", "media_type": media_type, "data": data}
    return talk(user([{"type": "image", "source": source}]))


def strict_tool(number: int, properties: int = 0) -> JSONObject:
    names = {f"property_{index}": {"type": "string"} for index in range(properties)}
    return {"name": f"tool_{number}", "strict": True, "input_schema": {**CLOSED, "properties": names}}


def long_strict_tool(number: int) -> JSONObject:
    values = [f"{number}-{index:040d}" for index in range(200)]
    return {"name": f"tool_{number}", "strict": True, "input_schema": closed_with("value", {"enum": values})}


KNOWN_BAD: Mapping[str, Bad] = {
    "body too large": Bad(request(), "exceeds the maximum size", size=33 * 1024 * 1024),
    "body is no JSON": Bad(None, "not valid JSON"),
    "required field missing": Bad({"model": "claude-opus-4-6", "messages": [user("x")]}, "max_tokens: Field required"),
    "field of the wrong type": Bad(talk(user([said(7)])), "messages.0.content.0.text.text: Input should be a valid"),
    "unknown type of block": Bad(talk(user([{"type": "image_url"}])), "messages.0.content.0: Input tag 'image_url'"),
    "unknown field": Bad(request(seed=7), "seed: Extra inputs are not permitted"),
    "value out of range": Bad(request(max_tokens=0), "max_tokens: Input should be greater than or equal to 1"),
    "model unknown or retired": Bad(request("claude-opus-4-20250514"), "model: claude-opus-4-20250514"),
    "model not in the plan": Bad(request(), "does not have access", not_in_plan=frozenset({"claude-opus-4-6"})),
    "sampling parameter with version 2026-10-21": Bad(request(temperature=1), "temperature", version="2026-10-21"),
    "max_tokens above the model's maximum": Bad(request(max_tokens=128_001), "128001 > 128000, which is the maximum"),
    "no messages": Bad(talk(), "at least one message is required"),
    "system message on a model without": Bad(talk(user("x"), {"role": "system", "content": "y"}), 'role "system"'),
    "system message out of place": Bad(
        talk({"role": "system", "content": "y"}, user("x"), model="claude-opus-5-5"), "messages.0.role"
    ),
    "message without content": Bad(talk(user("")), "messages.0: all messages must have non-empty content"),
    "empty text block": Bad(talk(user([said("a"), said("")])), "text content blocks must be non-empty"),
    "empty system block": Bad(request(system=[said("")]), "system: text content blocks must be non-empty"),
    "blank text block": Bad(talk(user(" \n")), "must contain non-whitespace text"),
    "trailing white space in the last assistant turn": Bad(
        talk(user("x"), assistant("So: "), model="claude-haiku-4-5"), "cannot end with trailing whitespace"
    ),
    "prefill on a model without": Bad(talk(user("x"), assistant("So")), "does not support assistant message prefill"),
    "tool call in a user turn": Bad(tool_talk(user([called()])), "can only be in `assistant` messages"),
    "tool result in an assistant turn": Bad(
        tool_talk(user("x"), assistant([result()]), user("y")), "can only be in `user` messages"
    ),
    "image in an assistant turn": Bad(talk(user("x"), assistant([PICTURE]), user("y")), "messages.1.content.0"),
    "tool call id twice in a turn": Bad(
        tool_talk(user("x"), assistant([called(), called()]), user([result()])), "`tool_use` ids must be unique"
    ),
    "two results for one call": Bad(
        tool_talk(user("x"), assistant([called()]), user([result(), result()])), "Found multiple `tool_result` blocks"
    ),
    "tool call without its result right after": Bad(
        tool_talk(user("x"), assistant([called()]), user([said("y"), result()])),
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1.",
    ),
    "tool result without its call right before": Bad(
        tool_talk(user("x"), assistant("y"), user([result()])),
        "messages.2.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1.",
    ),
    "tool calls in the history and no tools": Bad(
        talk(user("x"), assistant([called()]), user([result()])), "must define tools"
    ),
    "tool name twice": Bad(request(tools=[TOOL, TOOL]), "Tool names must be unique"),
    "input schema is no object": Bad(
        request(tools=[{"name": "a", "input_schema": {}}]), "tools.0.custom.input_schema.type: Field required"
    ),
    "input schema is a union": Bad(
        request(tools=[{"name": "a", "input_schema": {"type": "object", "anyOf": []}}]), "oneOf, allOf, or anyOf"
    ),
    "property name outside the pattern": Bad(
        request(tools=[{"name": "a", "input_schema": {"type": "object", "properties": {"a b": {}}}}]), "Property keys"
    ),
    "schema that the metaschema refuses": Bad(
        request(tools=[{"name": "a", "input_schema": {"type": "object", "required": ["a", "a"]}}]),
        "tools.0.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12",
    ),
    "tool choice without tools": Bad(request(tool_choice={"type": "auto"}), "only be specified while providing tools"),
    "tool choice of an unknown tool": Bad(
        request(tools=[TOOL], tool_choice={"type": "tool", "name": "other"}), "Tool 'other' not found"
    ),
    "forced tool choice on a model without": Bad(
        request("claude-opus-5-5", tools=[TOOL], tool_choice={"type": "any"}), 'type "tool" and "any" are not supported'
    ),
    "too many strict tools": Bad(request(tools=[strict_tool(n) for n in range(21)]), "Too many strict tools (21)"),
    "too many optional parameters": Bad(request(tools=[strict_tool(0, properties=25)]), "optional parameters (25)"),
    "recursive schema": Bad(schema_for_answer(RECURSIVE), "Recursive schemas"),
    "reference to nothing": Bad(schema_for_answer(closed_with("a", {"$ref": "#/$defs/none"})), "Unable to resolve"),
    "object open for other properties": Bad(
        schema_for_answer({"type": "object", "properties": {}}),
        "'additionalProperties' must be explicitly set to false",
    ),
    "bound in a schema": Bad(
        schema_for_answer(closed_with("a", {"type": "integer", "minimum": 1})), "properties minimum are not supported"
    ),
    "more than one item demanded": Bad(
        schema_for_answer(closed_with("a", {"type": "array", "items": {"type": "string"}, "minItems": 2})), "'minItems'"
    ),
    "refused schema keyword": Bad(
        schema_for_answer(closed_with("a", {"oneOf": [{"type": "string"}]})), "keyword 'oneOf' is not supported"
    ),
    "unknown string format": Bad(
        schema_for_answer(closed_with("a", {"type": "string", "format": "color"})), "format 'color' is not supported"
    ),
    "schema without a type": Bad(schema_for_answer(closed_with("a", {"description": "any"})), "type is missing"),
    "grammar too large": Bad(
        request(tools=[long_strict_tool(n) for n in range(10)]), "The compiled grammar is too large"
    ),
    "type of thinking that the model does not take": Bad(
        request("claude-opus-5-5", thinking={"type": "disabled"}), '"thinking.type.disabled" is not supported'
    ),
    "thinking off at too high an effort": Bad(
        request("claude-opus-5", thinking={"type": "disabled"}, output_config={"effort": "xhigh"}), "only supported at"
    ),
    "budget not below max_tokens": Bad(
        request("claude-haiku-4-5", thinking={"type": "enabled", "budget_tokens": 4096}),
        "greater than `thinking.budget",
    ),
    "forced tool choice with a budget": Bad(
        request(tools=[TOOL], tool_choice={"type": "any"}, thinking={"type": "enabled", "budget_tokens": 1024}),
        "Thinking may not be enabled when tool_choice forces tool use",
    ),
    "sampling parameter on a model without": Bad(
        request("claude-opus-4-8", temperature=0.5), "`temperature` is deprecated for this model"
    ),
    "temperature and top_p together": Bad(request(temperature=0.5, top_p=0.5), "cannot both be specified"),
    "temperature while thinking": Bad(request(temperature=0.5, thinking={"type": "adaptive"}), "only be set to 1"),
    "top_k while thinking": Bad(request(top_k=5, thinking={"type": "adaptive"}), "`top_k` must be unset"),
    "low top_p while thinking": Bad(request(top_p=0.5, thinking={"type": "adaptive"}), "equal to 0.95 or unset"),
    "tool loop without its thinking": Bad(
        tool_talk(
            user("x"), assistant([called()]), user([result()]), thinking={"type": "enabled", "budget_tokens": 1024}
        ),
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.",
    ),
    "thinking bound to another conversation": Bad(
        talk(
            user("x"),
            assistant([{"type": "thinking", "thinking": "", "signature": "c2ltOm5vdCB0aGlz"}, said("y")]),
            user("z"),
            model="claude-opus-5-5",
        ),
        "bound to a different conversation",
    ),
    "effort on a model without": Bad(
        request("claude-haiku-4-5", output_config={"effort": "low"}), "does not support the effort parameter"
    ),
    "effort that the model does not have": Bad(request(output_config={"effort": "xhigh"}), "effort level 'xhigh'"),
    "invalid base64": Bad(picture("image/png", "%%%"), "invalid base64 data"),
    "image too large": Bad(picture("image/png", PNG + "A" * (5 * 1024 * 1024)), "exceeds 5 MB maximum"),
    "media type that does not match the image": Bad(
        picture("image/jpeg", PNG), "using the image/jpeg media type, but the image appears to be a image/png image"
    ),
    "bytes that are no image": Bad(picture("image/png", "aGVsbG8="), "Could not process image"),
    "document that is no PDF": Bad(
        talk(
            user(
                [
                    {
                        "type": "document",
                        "source": {"type": "base64", "media_type": "application/pdf", "data": "aGVsbG8="},
                    }
                ]
            )
        ),
        "The PDF specified was not valid",
    ),
    "URL that is not HTTP": Bad(
        talk(user([{"type": "image", "source": {"type": "url", "url": "file:///etc/passwd"}}])), "Only HTTP and HTTPS"
    ),
    "more than four cache marks": Bad(
        talk(user([said(text, cache_control=MARK) for text in "abcde"])), "A maximum of 4 blocks with cache_control"
    ),
    "long cache mark after a short one": Bad(
        talk(user([said("a", cache_control=MARK), said("b", cache_control={**MARK, "ttl": "1h"})])),
        "messages.0.content.1.cache_control.ttl: a ttl='1h'",
    ),
    "cache mark on blank text": Bad(
        talk(user("x"), assistant([said("a"), said(" ", cache_control=MARK)]), user("y")),
        "cannot be set for empty text",
    ),
    "blank stop sequence": Bad(request(stop_sequences=["\n\n"]), "each stop sequence must contain non-whitespace"),
    "user id is an e-mail address": Bad(request(metadata={"user_id": "ann@example.com"}), "an email address"),
    "user id is a phone number": Bad(request(metadata={"user_id": "+49 30 1234567"}), "a phone number"),
    "prompt longer than the context": Bad(request(), "prompt is too long: 1000001 tokens > 1000000", tokens=1_000_001),
}
