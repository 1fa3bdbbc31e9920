"""Event scripts as the Messages API sends them, in every mixture: strategies, and how a test reads them."""

import json
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import strategies as st

from claude_openai_proxy.protocols.anthropic import StreamEvent
from claude_openai_proxy.translate.messages_api.events import decode_event

Event = dict[str, object]
Block = tuple[Event, list[Event]]
"""`content_block`, and the deltas that follow it."""

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["\n\n", " ", "你好，世界", "👩‍💻", "\u2028", '"quoted" \\ {}', "\x00", "", "```json\n", "{}", "\n```"]
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
INPUTS = st.dictionaries(TEXTS, JSON_VALUES, max_size=3)
NAMES = st.sampled_from(["get_weather", "alias_1", "free_form"])
STOP_REASONS = st.sampled_from(
    ["end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal", "model_context_window_exceeded", "of_the_future"]
)


@dataclass(frozen=True)
class AnswerScript:
    """An answer: one message, or paused ones and their last continuation."""

    messages: list[list[Event]]

    @property
    def events(self) -> list[Event]:
        return [event for message in self.messages for event in message]


def decoded(event: Event) -> StreamEvent:
    return decode_event(json.dumps(event).encode())


@st.composite
def pieces(draw: st.DrawFn, text: str) -> list[str]:
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=4))
    borders = [0, *sorted(cuts), len(text)]
    return [text[start:end] for start, end in pairwise(borders)]


@st.composite
def text_blocks(draw: st.DrawFn) -> Block:
    citations: list[Event] = [
        {"type": "citations_delta", "citation": citation} for citation in draw(st.lists(CITATIONS, max_size=2))
    ]
    texts: list[Event] = [{"type": "text_delta", "text": piece} for piece in draw(st.lists(TEXTS, max_size=4))]
    start: Event = {"type": "text", "text": draw(st.just("") | TEXTS)}
    return start, citations + texts


CITATIONS: st.SearchStrategy[Event] = st.sampled_from(
    [
        {
            "type": "web_search_result_location",
            "cited_text": "Rain.",
            "encrypted_index": "Eo8B",
            "title": "Weather",
            "url": "https://weather.example/paris",
        },
        {
            "type": "page_location",
            "cited_text": "Page.",
            "document_index": 0,
            "document_title": "Report",
            "start_page_number": 2,
            "end_page_number": 3,
            "file_id": None,
        },
    ]
)


@st.composite
def thinking_blocks(draw: st.DrawFn) -> Block:
    deltas: list[Event] = [{"type": "thinking_delta", "thinking": piece} for piece in draw(st.lists(TEXTS, max_size=3))]
    deltas.append({"type": "signature_delta", "signature": "EqQBCg=="})
    return {"type": "thinking", "thinking": "", "signature": ""}, deltas


@st.composite
def tool_use_blocks(draw: st.DrawFn, *, kind: str = "tool_use") -> Block:
    name = draw(NAMES) if kind == "tool_use" else "web_search"
    given = {"input": draw(TEXTS)} if name == "free_form" else draw(INPUTS)
    block: Event = {"type": kind, "id": f"toolu_{draw(st.integers(0, 10**6))}", "name": name, "input": {}}
    if draw(st.booleans()) and draw(st.booleans()):
        return {**block, "input": given}, []
    text = json.dumps(given, ensure_ascii=draw(st.booleans())) if given else ""
    return block, [{"type": "input_json_delta", "partial_json": piece} for piece in draw(pieces(text))]


SEARCH_RESULT: Event = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [
        {
            "type": "web_search_result",
            "url": "https://weather.example/paris",
            "title": "Weather",
            "encrypted_content": "EqgfCioIARgB",
            "page_age": None,
        }
    ],
}
REDACTED: Event = {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3p"}
UNKNOWN: Event = {"type": "hologram", "light": [1, 2]}
KNOWN_BLOCKS: st.SearchStrategy[Block] = st.one_of(
    text_blocks(),
    thinking_blocks(),
    tool_use_blocks(),
    tool_use_blocks(kind="server_tool_use"),
    st.just((SEARCH_RESULT, list[Event]())),
    st.just((REDACTED, list[Event]())),
)
UNKNOWN_BLOCKS: st.SearchStrategy[Block] = st.sampled_from(
    [(UNKNOWN, list[Event]()), (UNKNOWN, [{"type": "text_delta", "text": "not text of the answer"}])]
)
NOISE: st.SearchStrategy[list[Event]] = st.lists(
    st.sampled_from([{"type": "ping"}, {"type": "aurora", "seen": True}]), max_size=1
)


@st.composite
def messages(draw: st.DrawFn, stop_reason: str | None = None, *, only_known: bool = False) -> list[Event]:
    blocks = KNOWN_BLOCKS if only_known else KNOWN_BLOCKS | UNKNOWN_BLOCKS
    events: list[Event] = [_message_start(draw), *draw(NOISE)]
    for index, (block, deltas) in enumerate(draw(st.lists(blocks, max_size=5))):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        for delta in deltas:
            events += [{"type": "content_block_delta", "index": index, "delta": delta}, *draw(NOISE)]
        events.append({"type": "content_block_stop", "index": index})
    events += [_message_delta(draw, stop_reason or draw(STOP_REASONS)), {"type": "message_stop"}]
    return [event for event in events if not only_known or event["type"] != "aurora"]


def _message_start(draw: st.DrawFn) -> Event:
    usage: Event = {"input_tokens": draw(st.integers(0, 99)), "output_tokens": 1, "service_tier": "standard"}
    if draw(st.booleans()):
        usage |= {"cache_read_input_tokens": 7, "cache_creation_input_tokens": draw(st.integers(0, 99))}
    message = {"id": "msg_01", "type": "message", "role": "assistant", "model": "claude-opus-5-5", "content": []}
    return {"type": "message_start", "message": {**message, "stop_reason": None, "usage": usage}}


def _message_delta(draw: st.DrawFn, stop_reason: str) -> Event:
    delta: Event = {"stop_reason": stop_reason, "stop_sequence": None}
    if stop_reason == "refusal" and draw(st.booleans()):
        delta["stop_details"] = {"type": "refusal", "category": "bio", "explanation": draw(TEXTS)}
    return {"type": "message_delta", "delta": delta, "usage": {"output_tokens": draw(st.integers(1, 99))}}


@st.composite
def cut_in_a_call(draw: st.DrawFn) -> list[Event]:
    """`max_tokens` within a call's arguments: the last JSON text never comes."""
    events = draw(messages("max_tokens"))
    at = [number for number, event in enumerate(events) if "input_json_delta" in json.dumps(event)]
    return [event for number, event in enumerate(events) if not at or number != at[-1]]


@st.composite
def answers(draw: st.DrawFn) -> AnswerScript:
    paused = draw(st.lists(messages("pause_turn"), max_size=2))
    if any('"tool_use"' in json.dumps(message) for message in paused):
        paused = []
    return AnswerScript([*paused, draw(messages() | cut_in_a_call())])
