"""Microseconds per event of the answer's translation, decoding and encoding excluded. Best of several runs."""

import json
import timeit
from collections.abc import Callable, Sequence

from claude_openai_proxy.protocols.anthropic import StreamEvent
from claude_openai_proxy.translate.chat_answer.chunks import ChoiceStream
from claude_openai_proxy.translate.chat_answer.completion import ChoiceAccumulator
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.continuation import TurnRecorder
from claude_openai_proxy.translate.messages_api.events import decode_event

DELTAS = 2_000
ROUNDS = 20


def event(kind: str, **members: object) -> StreamEvent:
    return decode_event(json.dumps({"type": kind, **members}).encode())


def opening(block: dict[str, object]) -> list[StreamEvent]:
    message = {"id": "msg_01", "model": "claude-opus-5-5", "usage": {"input_tokens": 1, "output_tokens": 1}}
    return [event("message_start", message=message), event("content_block_start", index=0, content_block=block)]


def deltas(delta: dict[str, object]) -> list[StreamEvent]:
    return [event("content_block_delta", index=0, delta=delta)] * DELTAS


def feeding(plan: AnswerPlan, block: dict[str, object], delta: dict[str, object]) -> Callable[[], None]:
    before, events = opening(block), deltas(delta)

    def run() -> None:
        stream = ChoiceStream(plan)
        for one in before:
            stream.feed(one)
        for one in events:
            stream.feed(one)

    return run


def folding(events: Sequence[StreamEvent]) -> Callable[[], None]:
    stream = ChoiceStream(AnswerPlan())
    chunks = [chunk for one in events for chunk in stream.feed(one)]

    def run() -> None:
        accumulator = ChoiceAccumulator()
        for chunk in chunks:
            accumulator.feed((chunk,))

    return run


def recording(events: Sequence[StreamEvent]) -> Callable[[], None]:
    def run() -> None:
        recorder = TurnRecorder()
        for one in events:
            recorder.feed(one)

    return run


TEXT: dict[str, object] = {"type": "text", "text": ""}
THINKING: dict[str, object] = {"type": "thinking", "thinking": "", "signature": ""}
TOOL_USE: dict[str, object] = {"type": "tool_use", "id": "toolu_01", "name": "sql", "input": {}}
PIECE: dict[str, object] = {"type": "text_delta", "text": " token"}
ARGUMENTS: dict[str, object] = {"type": "input_json_delta", "partial_json": '{"input": "'}

CASES: dict[str, Callable[[], None]] = {
    "text": feeding(AnswerPlan(), TEXT, PIECE),
    "text with stop texts": feeding(AnswerPlan(stop_texts=("\n\n",)), TEXT, PIECE),
    "thinking": feeding(AnswerPlan(reasoning=True), THINKING, {"type": "thinking_delta", "thinking": " hm"}),
    "arguments": feeding(AnswerPlan(), TOOL_USE, ARGUMENTS),
    "fold into a choice": folding([*opening(TEXT), *deltas(PIECE)]),
    "record the turn": recording([*opening(TEXT), *deltas(PIECE)]),
}


def main() -> None:
    for name, run in CASES.items():
        best = min(timeit.repeat(run, number=1, repeat=ROUNDS))
        print(f"{name:24} {best / DELTAS * 1e6:6.2f} µs per event")


if __name__ == "__main__":
    main()
