"""Content blocks to stream events and back (https://docs.anthropic.com/en/api/messages-streaming)."""

import json
from collections.abc import Iterable, Iterator, Sequence

from claude_openai_proxy.simulator.loose_json import JSONObject, compact, object_in, text_in

SIGNATURE = "c2ltdWxhdGVkLXNpZ25hdHVyZQ=="
CALL_BLOCKS = ("tool_use", "server_tool_use")


def message_start(*, usage: JSONObject | None = None, message_id: str = "", model: str = "") -> JSONObject:
    """First event; an empty id or model is filled in when the script is played."""
    message: JSONObject = {"id": message_id, "type": "message", "role": "assistant", "model": model, "content": []}
    message |= {"stop_reason": None, "stop_sequence": None, "stop_details": None, "container": None}
    message["usage"] = {"input_tokens": 10, "output_tokens": 1, **(usage or {})}
    return {"type": "message_start", "message": message}


def message_end(
    stop_reason: str | None,
    *,
    usage: JSONObject | None = None,
    stop_sequence: str | None = None,
    stop_details: JSONObject | None = None,
) -> list[JSONObject]:
    """The last two events."""
    delta = {"stop_reason": stop_reason, "stop_sequence": stop_sequence, "stop_details": stop_details}
    closing: JSONObject = {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 10, **(usage or {})}}
    return [closing, {"type": "message_stop"}]


def block_events(index: int, block: JSONObject, pieces: Sequence[str] | None = None) -> Iterator[JSONObject]:
    """Start, deltas and stop of one finished block; `pieces` are the deltas of its text, thinking or input."""
    yield {"type": "content_block_start", "index": index, "content_block": _opened(block)}
    for delta in _deltas(block, pieces):
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _opened(block: JSONObject) -> JSONObject:
    match block.get("type"):
        case "text":
            return {"type": "text", "text": ""} | ({"citations": []} if block.get("citations") else {})
        case "thinking":
            return {"type": "thinking", "thinking": "", "signature": ""}
        case kind if kind in CALL_BLOCKS:
            return {**block, "input": {}}
        case _:
            return block


def _deltas(block: JSONObject, pieces: Sequence[str] | None) -> Iterator[JSONObject]:
    match block.get("type"):
        case "text":
            for citation in _citations(block):
                yield {"type": "citations_delta", "citation": citation}
            yield from _pieces("text_delta", "text", pieces or [text_in(block.get("text"))])
        case "thinking":
            yield from _pieces("thinking_delta", "thinking", pieces or [text_in(block.get("thinking"))])
            yield {"type": "signature_delta", "signature": block.get("signature", SIGNATURE)}
        case kind if kind in CALL_BLOCKS:
            given = compact(block.get("input") or {})
            yield {"type": "input_json_delta", "partial_json": ""}
            yield from _pieces("input_json_delta", "partial_json", pieces or halves(given if given != "{}" else ""))


def _citations(block: JSONObject) -> list[object]:
    citations = block.get("citations")
    return citations if isinstance(citations, list) else []


def _pieces(kind: str, field: str, pieces: Iterable[str]) -> Iterator[JSONObject]:
    for piece in pieces:
        if piece:
            yield {"type": kind, field: piece}


def halves(text: str) -> list[str]:
    """Two pieces, so that whoever reads has something to put together."""
    middle = len(text) // 2
    return [text[:middle], text[middle:]]


def assembled(events: Iterable[JSONObject]) -> JSONObject:
    """The message that is answered where nobody asked for a stream."""
    message: JSONObject = {}
    blocks: list[JSONObject] = []
    for event in events:
        match event.get("type"):
            case "message_start":
                message = {**object_in(event.get("message"))}
            case "content_block_start":
                blocks.append({**object_in(event.get("content_block"))})
            case "content_block_delta":
                _grow(blocks[-1], object_in(event.get("delta")))
            case "message_delta":
                message |= object_in(event.get("delta"))
                message["usage"] = {**object_in(message.get("usage")), **object_in(event.get("usage"))}
    return {**message, "content": [_finished(block) for block in blocks]}


def _grow(block: JSONObject, delta: JSONObject) -> None:
    match delta.get("type"):
        case "text_delta":
            block["text"] = text_in(block.get("text")) + text_in(delta.get("text"))
        case "thinking_delta":
            block["thinking"] = text_in(block.get("thinking")) + text_in(delta.get("thinking"))
        case "signature_delta":
            block["signature"] = delta.get("signature")
        case "citations_delta":
            block["citations"] = [*_citations(block), delta.get("citation")]
        case "input_json_delta":
            block["partial_json"] = text_in(block.get("partial_json")) + text_in(delta.get("partial_json"))


def _finished(block: JSONObject) -> JSONObject:
    if "partial_json" not in block:
        return block
    given = text_in(block.pop("partial_json"))
    try:
        return {**block, "input": json.loads(given or "{}")}
    except ValueError:  # cut by max_tokens
        return {**block, "input": {}}
