"""A client's dialect that nobody has: reads `{"say": "…"}`, offers one tool, writes plain lines."""

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.protocols.anthropic import StreamEvent
from claude_openai_proxy.translate.messages_api.answer import AnswerStream
from claude_openai_proxy.translate.messages_api.answer_events import AnswerEvent, CallBegun, CallPiece, Stopped, Text
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.messages_api.conversation import text_blocks
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.wishes.assembly import Assembly
from claude_openai_proxy.translate.wishes.tools import DeclaredTool
from claude_openai_proxy.translate.wishes.wishes import Wishes

LOOK_UP = DeclaredTool(name="look up", parameters=Raw(b'{"type":"object","properties":{"word":{"type":"string"}}}'))


class Saying(Struct):
    say: str


def read(body: bytes, facts: ModelFacts, capabilities: Capabilities) -> Translation:
    assembly = Assembly(Wishes(tools=(LOOK_UP,)), facts, capabilities, Notes())
    assembly.conversation.ask(text_blocks(msgspec.json.decode(body, type=Saying).say))
    return assembly.translation()


class LineStream:
    def __init__(self, plan: AnswerPlan) -> None:
        self.answer = AnswerStream(plan)
        self.finish_reason: str | None = None

    def feed(self, event: StreamEvent) -> list[str]:
        return [line for said in self.answer.feed(event) for line in _lines(said)]

    def finish(self) -> list[str]:
        lines = [line for said in self.answer.finish() for line in _lines(said)]
        self.finish_reason = lines[-1].removeprefix("end ")
        return lines


def _lines(event: AnswerEvent) -> list[str]:
    match event:
        case Text(text=text) | CallPiece(text=text):
            return [f"+ {text}"]
        case CallBegun(name=name):
            return [f"call {name}"]
        case Stopped(stop_reason=reason):
            return [f"end {reason}"]
    return []
