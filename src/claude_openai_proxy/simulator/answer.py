"""What the simulated model answers by itself: always the same to the same request."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from claude_openai_proxy.simulator import web_search
from claude_openai_proxy.simulator.complaints.asked import Asked, Turn
from claude_openai_proxy.simulator.harmless import echo
from claude_openai_proxy.simulator.json_instance import Prompt, json_instance
from claude_openai_proxy.simulator.loose_json import JSONObject, compact, list_in, object_in, objects_in, text_in
from claude_openai_proxy.simulator.message_events import SIGNATURE, block_events, message_end, message_start
from claude_openai_proxy.simulator.script import Script
from claude_openai_proxy.simulator.steps import Pause, Step
from claude_openai_proxy.simulator.thinking_binding import bound_signature
from claude_openai_proxy.simulator.tokens import tokens_in
from claude_openai_proxy.simulator.tool_use import calls_for, is_forced, round_of_calls, things_in

TOKENS_PER_DELTA = 3
THOUGHT = "The user asks the simulator. I answer from what the prompt says."
JSON_WANTED = re.compile(r"must be one JSON object and nothing else")
"""How a client's JSON mode reaches Claude. Other instructions mention JSON for reasons of their own."""


@dataclass(frozen=True, slots=True)
class Piecewise:
    """A block and the deltas it is streamed in."""

    block: JSONObject
    pieces: list[str] | None = None


class Answer:
    """One answer while it is made: blocks until the tokens are used up."""

    def __init__(self, asked: Asked) -> None:
        limit = asked.body.get("max_tokens")
        self._asked = asked
        self._left = limit if isinstance(limit, int) else 1_000_000
        self._stops = [text_in(stop) for stop in list_in(asked.body.get("stop_sequences"))]
        self.blocks: list[Piecewise] = []
        self.stop_reason = "end_turn"
        self.stop_sequence: str | None = None
        self.tokens = 0
        self.thinking_tokens = 0
        self.searches = 0

    @property
    def complete(self) -> bool:
        """Nothing more may be said."""
        return self.stop_reason in {"max_tokens", "stop_sequence"}

    def think(self) -> None:
        """A thinking block; its text only where it was asked for."""
        shown = self._take(THOUGHT)
        self.thinking_tokens = len(shown)
        visible = "".join(shown) if _shows_thinking(self._asked) else ""
        block: JSONObject = {"type": "thinking", "thinking": visible, "signature": _signature(self._asked)}
        self.blocks.append(Piecewise(block, _grouped(shown) if visible else None))

    def say(self, text: str, citations: list[object] | None = None) -> None:
        """Text up to the first stop sequence or the last token."""
        if self.complete:
            return
        cut, stop = _until_stop(text, self._stops)
        shown = self._take(cut)
        if stop is not None and not self.complete:
            self.stop_reason, self.stop_sequence = "stop_sequence", stop
        if shown:
            block: JSONObject = {"type": "text", "text": "".join(shown)}
            self.blocks.append(Piecewise(block | ({"citations": citations} if citations else {}), _grouped(shown)))

    def call(self, name: str, given: JSONObject) -> None:
        """A call of a client's tool; cut in the middle of its input where the tokens end."""
        if self.complete:
            return
        shown = self._take(compact(given))
        block: JSONObject = {"type": "tool_use", "id": self._call_id(), "name": name, "input": given}
        self.blocks.append(Piecewise(block, _grouped(shown) if given else None))
        if not self.complete:
            self.stop_reason = "tool_use"

    def search(self, query: str) -> None:
        """A search on the web that the server runs."""
        found = web_search.blocks(query, self._call_id("srvtoolu"))
        self.blocks.extend(Piecewise(block) for block in found)
        self.searches += 1

    def _take(self, text: str) -> list[str]:
        tokens = tokens_in(text, self._left + 1)
        taken = tokens[: self._left]
        self._left -= len(taken)
        self.tokens += len(taken)
        if len(taken) < len(tokens):
            self.stop_reason = "max_tokens"
        return taken

    def _call_id(self, kind: str = "toolu") -> str:
        digest = hashlib.sha256(compact(self._asked.body.get("messages")).encode()).hexdigest()
        return f"{kind}_sim{digest[:18]}{len(self.blocks):03d}"


def answer(asked: Asked, input_usage: JSONObject, *, pace: float = 0.0) -> Script:
    """A sensible answer; `pace` seconds between its events."""
    made = Answer(asked)
    if _thinks(asked):
        made.think()
    _reply(made, asked)
    output: JSONObject = {"output_tokens": max(1, made.tokens)}
    output["output_tokens_details"] = {"thinking_tokens": made.thinking_tokens}
    if made.searches:
        output["server_tool_use"] = {"web_search_requests": made.searches, "web_fetch_requests": 0}
    usage: JSONObject = {**input_usage, "output_tokens": 1, "service_tier": "standard"}
    cumulative = {name: value for name, value in input_usage.items() if name != "cache_creation"} | output
    steps: list[Step] = [message_start(usage=usage)]
    for index, part in enumerate(made.blocks):
        steps.extend(block_events(index, part.block, part.pieces))
    steps.extend(message_end(made.stop_reason, usage=cumulative, stop_sequence=made.stop_sequence))
    return Script.events(_paced(steps, pace) if pace else steps)


def _paced(steps: list[Step], pace: float) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, dict) and step.get("type") == "content_block_delta":
            yield Pause(pace)


def _reply(made: Answer, asked: Asked) -> None:
    spoken = [turn for turn in asked.turns if turn.role != "system"]
    last = spoken[-1] if spoken else Turn("user", "", [])
    instructions = _instructions(asked)
    results = last.of_type("tool_result")
    said = _said(last)
    schema = object_in(object_in(asked.body.get("output_config")).get("format")).get("schema")
    first = next((_said(turn) for turn in spoken if turn.role == "user"), "")
    calls = round_of_calls(asked, first)
    if calls is None:
        calls = [] if results and not is_forced(asked, instructions) else calls_for(asked, said, instructions)
    if calls:
        for call in calls:
            made.call(call.name, call.input)
    elif isinstance(schema, dict):
        made.say(compact(json_instance(schema, Prompt(said, things_in(said)))))
    elif JSON_WANTED.search(instructions):
        made.say(compact({"model": asked.body.get("model"), "reply": echo(said)}))
    elif not results and web_search.is_wanted(asked.tools, said):
        made.search(said)
        made.say(*web_search.summary(said))
    else:
        made.say(_text(asked, last, said))


def _text(asked: Asked, last: Turn, said: str) -> str:
    results = [echo(_content_text(block.get("content"))) for _, block in last.of_type("tool_result")]
    said = echo(said)
    if results:
        return f"Here is what the tools say: {'; '.join(results)}" + (f" (You added: {said})" if said else "")
    if last.role == "assistant":
        return " ... and so it goes on, says the simulator."
    media = [_media_type(block) for _, block in last.of_type("image", "document")]
    seen = f" I see {', '.join(media)}." if media else ""
    return f"This is {asked.body.get('model')}, simulated.{seen} You said: {said}"


def _said(turn: Turn) -> str:
    return "\n".join(text_in(block.get("text")) for _, block in turn.of_type("text"))


def _instructions(asked: Asked) -> str:
    """The system prompt, and the system messages in the conversation."""
    system = _content_text(asked.body.get("system"))
    inside = [_said(turn) for turn in asked.turns if turn.role == "system"]
    return "\n".join([system, *inside])


def _content_text(content: object) -> str:
    if isinstance(content, str):
        return content
    texts = [text_in(block.get("text")) or _media_type(block) for block in objects_in(content)]
    return "\n".join(filter(None, texts))


def _media_type(block: JSONObject) -> str:
    source = object_in(block.get("source"))
    named = text_in(source.get("media_type")) or text_in(source.get("url"))
    return f"{block.get('type')} ({named})" if named else ""


def _thinks(asked: Asked) -> bool:
    """Adaptive thinking has nothing to do at the lowest effort; a budget is always used."""
    if asked.thinking == "enabled" or asked.model is None:
        return asked.thinking == "enabled"
    on = asked.thinking == "adaptive" or (not asked.thinking and asked.model.thinks_by_default)
    return on and asked.effort != "low"


def _shows_thinking(asked: Asked) -> bool:
    """Newer models show their thinking only where it is asked for."""
    display = object_in(asked.body.get("thinking")).get("display")
    older = asked.model is not None and asked.model.sampling
    return display == "summarized" or (display is None and older)


def _signature(asked: Asked) -> str:
    if asked.model is None or not asked.model.binds_thinking:
        return SIGNATURE
    return bound_signature(asked.body, len(asked.messages))


def _until_stop(text: str, stops: list[str]) -> tuple[str, str | None]:
    found = [(at, stop) for stop in stops if stop and (at := text.find(stop)) >= 0]
    if not found:
        return text, None
    at, stop = min(found)
    return text[:at], stop


def _grouped(tokens: list[str]) -> list[str]:
    return ["".join(tokens[at : at + TOKENS_PER_DELTA]) for at in range(0, len(tokens), TOKENS_PER_DELTA)]
