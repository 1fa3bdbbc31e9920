"""Stream events in few words, for tests of the answer's translation."""

import json
from collections.abc import Mapping

from claude_openai_proxy.protocols.anthropic import StreamEvent
from claude_openai_proxy.protocols.openai_chat_response import Choice, ChunkChoice
from claude_openai_proxy.translate.chat_answer.chunks import ChoiceStream
from claude_openai_proxy.translate.chat_answer.completion import ChoiceAccumulator
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.events import decode_event

Json = Mapping[str, object]
Events = list[StreamEvent]


def event(kind: str, **members: object) -> StreamEvent:
    return decode_event(json.dumps({"type": kind, **members}).encode())


def block(index: int, content_block: Json, *deltas: Json) -> Events:
    return [
        event("content_block_start", index=index, content_block=content_block),
        *(event("content_block_delta", index=index, delta=delta) for delta in deltas),
        event("content_block_stop", index=index),
    ]


def text(index: int, *pieces: str, citations: tuple[Json, ...] = ()) -> Events:
    cited = [{"type": "citations_delta", "citation": citation} for citation in citations]
    said = [{"type": "text_delta", "text": piece} for piece in pieces]
    return block(index, {"type": "text", "text": ""}, *cited, *said)


def thinking(index: int, *pieces: str) -> Events:
    thoughts = [{"type": "thinking_delta", "thinking": piece} for piece in pieces]
    signature = {"type": "signature_delta", "signature": "EqQBCg=="}
    return block(index, {"type": "thinking", "thinking": "", "signature": ""}, *thoughts, signature)


def tool_use(index: int, call_id: str, name: str, *pieces: str) -> Events:
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return block(index, {"type": "tool_use", "id": call_id, "name": name, "input": {}}, *deltas)


def web_search(index: int, query: str = "weather") -> Events:
    use: Json = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    result: Json = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    delta = {"type": "input_json_delta", "partial_json": json.dumps({"query": query})}
    return [*block(index, use, delta), *block(index + 1, result)]


def start(**usage: object) -> StreamEvent:
    counts = {"input_tokens": 10, "output_tokens": 1, **usage}
    message = {"id": "msg_01", "type": "message", "role": "assistant", "model": "claude-opus-5-5", "content": []}
    return event("message_start", message={**message, "stop_reason": None, "usage": counts})


def ended(stop_reason: str | None = "end_turn", *, stop_details: Json | None = None) -> Events:
    delta = {"stop_reason": stop_reason, "stop_sequence": None, "stop_details": stop_details}
    return [event("message_delta", delta=delta, usage={"output_tokens": 20}), event("message_stop")]


def message(*blocks: Events, stop_reason: str = "end_turn") -> Events:
    return [start(), *(event for events in blocks for event in events), *ended(stop_reason)]


def chunks_of(events: Events, plan: AnswerPlan | None = None, *, legacy: bool = False) -> list[ChunkChoice]:
    stream = ChoiceStream(plan or AnswerPlan(), legacy=legacy)
    return [chunk for event in events for chunk in stream.feed(event)] + stream.finish()


def choice_of(events: Events, plan: AnswerPlan | None = None, *, legacy: bool = False) -> Choice:
    accumulator = ChoiceAccumulator()
    accumulator.feed(chunks_of(events, plan, legacy=legacy))
    return accumulator.choice()
