"""The shape of `POST /v1/messages` and of `POST /v1/messages/count_tokens`."""

from collections.abc import Iterator, Mapping

from claude_openai_proxy.simulator.complaints.asked import Asked
from claude_openai_proxy.simulator.complaints.shapes import (
    Complaint,
    Kind,
    Shape,
    anything,
    boolean,
    list_of,
    mapping,
    nullable,
    number,
    object_with,
    one_of,
    tagged,
    text,
    text_or,
)

TOOL_NAME = "^[a-zA-Z0-9_-]{1,128}$"
TOOL_USE_ID = "^[a-zA-Z0-9_-]+$"
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")

KIND: Mapping[str, Shape] = {"type": anything}
CACHE_CONTROL = nullable(object_with({"type": one_of("ephemeral")}, {"ttl": one_of("5m", "1h"), "scope": anything}))
CACHED: Mapping[str, Shape] = {"cache_control": CACHE_CONTROL}


def _block(required: Mapping[str, Shape], optional: Mapping[str, Shape]) -> Shape:
    return object_with({**KIND, **required}, optional)


def _pictured(kinds: tuple[str, ...]) -> Mapping[str, Shape]:
    return {
        "base64": _block({"media_type": one_of(*kinds), "data": text()}, {}),
        "url": _block({"url": text()}, {}),
        "file": _block({"file_id": text()}, {}),
    }


TEXT_BLOCK = _block({"text": text()}, {"citations": anything, **CACHED})
IMAGE_BLOCK = _block({"source": tagged(_pictured(IMAGE_TYPES))}, CACHED)
DOCUMENT_SOURCES = {
    **_pictured(("application/pdf",)),
    "text": _block({"media_type": one_of("text/plain"), "data": text()}, {}),
    "content": _block({"content": anything}, {}),
}
DOCUMENT_BLOCK = _block(
    {"source": tagged(DOCUMENT_SOURCES)},
    {
        "title": nullable(text()),
        "context": nullable(text()),
        "citations": nullable(object_with({}, {"enabled": boolean})),
        **CACHED,
    },
)
OPEN_BLOCK = mapping
RESULT_BLOCKS = {
    "text": TEXT_BLOCK,
    "image": IMAGE_BLOCK,
    "document": DOCUMENT_BLOCK,
    "search_result": OPEN_BLOCK,
    "tool_reference": OPEN_BLOCK,
}
TOOL_RESULT_BLOCK = _block(
    {"tool_use_id": text(pattern=TOOL_USE_ID)},
    {"content": text_or(list_of(tagged(RESULT_BLOCKS))), "is_error": boolean, **CACHED},
)
TOOL_USE_BLOCK = _block(
    {"id": text(pattern=TOOL_USE_ID), "name": text(shortest=1, longest=200), "input": mapping},
    {"caller": anything, "toolset_name": anything, **CACHED},
)
BLOCKS = {
    "text": TEXT_BLOCK,
    "image": IMAGE_BLOCK,
    "document": DOCUMENT_BLOCK,
    "tool_use": TOOL_USE_BLOCK,
    "tool_result": TOOL_RESULT_BLOCK,
    "thinking": _block({"thinking": text(), "signature": text()}, {}),
    "redacted_thinking": _block({"data": text()}, {}),
    "server_tool_use": _block({"id": text(), "name": text(), "input": mapping}, {"caller": anything, **CACHED}),
    "web_search_tool_result": _block({"tool_use_id": text(), "content": anything}, {"caller": anything, **CACHED}),
    "search_result": OPEN_BLOCK,
    "web_fetch_tool_result": OPEN_BLOCK,
    "code_execution_tool_result": OPEN_BLOCK,
    "tool_search_tool_result": OPEN_BLOCK,
    "container_upload": OPEN_BLOCK,
}
MESSAGE = object_with({"role": one_of("user", "assistant", "system"), "content": text_or(list_of(tagged(BLOCKS)))}, {})
CUSTOM_TOOL = object_with(
    {"name": text(pattern=TOOL_NAME), "input_schema": mapping},
    {
        "type": nullable(one_of("custom")),
        "description": text(),
        "strict": boolean,
        "allowed_callers": anything,
        "defer_loading": boolean,
        "eager_input_streaming": nullable(boolean),
        "input_examples": anything,
        **CACHED,
    },
)
WEB_SEARCH_TOOL = _block(
    {"name": one_of("web_search")},
    {
        "max_uses": nullable(number(least=1, whole=True)),
        "user_location": nullable(
            _block({}, dict.fromkeys(("city", "region", "country", "timezone"), nullable(text())))
        ),
        "allowed_domains": nullable(list_of(text())),
        "blocked_domains": nullable(list_of(text())),
        "allowed_callers": anything,
        "defer_loading": boolean,
        "strict": boolean,
        **CACHED,
    },
)
WEB_SEARCH_TYPES = ("web_search_20250305", "web_search_20260209", "web_search_20260318")
TOOL = tagged(
    {"custom": CUSTOM_TOOL, **dict.fromkeys(WEB_SEARCH_TYPES, WEB_SEARCH_TOOL)}, default="custom", others=mapping
)
PARALLEL: Mapping[str, Shape] = {"disable_parallel_tool_use": boolean}
TOOL_CHOICE = tagged(
    {
        "auto": _block({}, PARALLEL),
        "any": _block({}, PARALLEL),
        "tool": _block({"name": text()}, PARALLEL),
        "none": _block({}, {}),
    }
)
DISPLAY: Mapping[str, Shape] = {"display": nullable(one_of("summarized", "omitted")), "block_binding": anything}
THINKING = tagged(
    {
        "adaptive": _block({}, DISPLAY),
        "enabled": _block({"budget_tokens": number(least=1024, whole=True)}, DISPLAY),
        "disabled": _block({}, {}),
    }
)
OUTPUT_CONFIG = object_with(
    {},
    {
        "effort": nullable(one_of("low", "medium", "high", "xhigh", "max")),
        "format": nullable(tagged({"json_schema": _block({"schema": mapping}, {})})),
        "task_budget": anything,
    },
)
COUNTED: Mapping[str, Shape] = {
    "cache_control": CACHE_CONTROL,
    "output_config": OUTPUT_CONFIG,
    "system": text_or(list_of(tagged({"text": TEXT_BLOCK}))),
    "thinking": THINKING,
    "tool_choice": TOOL_CHOICE,
    "tools": list_of(TOOL),
}
BETA_FIELDS = (
    "billing_policy", "compaction", "context_management", "fallback_credit_token", "fallbacks", "mcp_servers",
    "output_format", "thread",
)  # fmt: skip
OPTIONAL: Mapping[str, Shape] = {
    **COUNTED,
    "container": anything,
    "diagnostics": anything,
    "inference_geo": anything,
    "metadata": object_with({}, {"user_id": nullable(text(longest=256))}),
    "service_tier": one_of("auto", "standard_only"),
    "speed": nullable(one_of("standard", "fast")),
    "stop_sequences": list_of(text()),
    "stream": boolean,
    "temperature": number(least=0, most=1),
    "top_k": number(least=0, whole=True),
    "top_p": number(least=0, most=1),
}
PROMPT: Mapping[str, Shape] = {"model": text(shortest=1), "messages": list_of(MESSAGE)}
MESSAGES_REQUEST = object_with({**PROMPT, "max_tokens": number(least=1, whole=True)}, OPTIONAL)
BETA_REQUEST = object_with(
    {**PROMPT, "max_tokens": number(least=1, whole=True)}, {**OPTIONAL, **dict.fromkeys(BETA_FIELDS, anything)}
)
COUNT_REQUEST = object_with(PROMPT, {**COUNTED, **dict.fromkeys(BETA_FIELDS, anything)})


def complaints(asked: Asked) -> Iterator[Complaint]:
    """Everything that is wrong with the shape."""
    if asked.counting:
        return COUNT_REQUEST(asked.parsed, "")
    return (BETA_REQUEST if asked.betas else MESSAGES_REQUEST)(asked.parsed, "")


def first(asked: Asked, *kinds: Kind) -> str | None:
    """The first complaint of these kinds."""
    return next((complaint.text for complaint in complaints(asked) if complaint.kind in kinds), None)


def not_json(asked: Asked) -> str | None:
    """The body cannot be read as JSON."""
    return "The request body is not valid JSON" if asked.parsed is None else None


def missing_field(asked: Asked) -> str | None:
    """A required field is not there."""
    return first(asked, "missing")


def unknown_field(asked: Asked) -> str | None:
    """A field that the API does not know, at any depth."""
    return first(asked, "extra")


def wrong_type(asked: Asked) -> str | None:
    """A field holds another JSON type."""
    return first(asked, "type")


def wrong_value(asked: Asked) -> str | None:
    """A field holds a value outside its range, list or pattern."""
    return first(asked, "value")


def unknown_tag(asked: Asked) -> str | None:
    """A block, tool choice or thinking configuration of an unknown type."""
    return first(asked, "tag")
