"""An answer that comes in one piece because nobody looks at it before its end: which may, and its events."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic import (
    ContentBlockDelta,
    ContentBlockStop,
    Delta,
    InputJSONDelta,
    MessageDelta,
    MessageDeltaBody,
    MessagesRequest,
    MessageStart,
    MessageStop,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
)
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.events import decode_event

SHORT_ANSWER_TOKENS: Final = 2048
"""So many are there before anybody could take the silence for an end."""

_JOINABLE: Final[Mapping[type[Delta], tuple[Callable[[str], Delta], Callable[[StreamEvent], str]]]] = {
    TextDelta: (TextDelta, attrgetter("delta.text")),
    ThinkingDelta: (ThinkingDelta, attrgetter("delta.thinking")),
    InputJSONDelta: (InputJSONDelta, attrgetter("delta.partial_json")),
}
"""How such a delta is made, and what it says."""


def may_come_whole(request: MessagesRequest, plan: AnswerPlan) -> bool:
    """Whether nothing is lost that only a stream has.

    A long answer would be silent for long; a call that is cut by the limit keeps what there is of it in a stream alone;
    at a stop that is emulated a stream is left, which saves tokens.
    """
    short = request.max_tokens <= SHORT_ANSWER_TOKENS
    return short and not (request.tools or plan.stop_texts or request.sent)


def events_of(message: bytes) -> list[StreamEvent]:
    """The events that say what a `Message` says. Raises `UpstreamProtocolError` for one that has not its shape.

    https://docs.anthropic.com/en/api/messages
    """
    start = decode_event(b'{"type":"message_start","message":%b}' % message)
    if not isinstance(start, MessageStart):
        raise UpstreamProtocolError("Claude's side answered with something else than a message")
    whole = start.message
    events: list[StreamEvent] = [start]
    for index, block in enumerate(whole.content):
        opened = b'{"type":"content_block_start","index":%d,"content_block":%b}' % (index, bytes(block))
        events += [decode_event(opened), ContentBlockStop(index)]
    ending = MessageDeltaBody(whole.stop_reason, stop_details=whole.stop_details)
    return [*events, MessageDelta(ending, whole.usage), MessageStop()]


def joined(events: Sequence[StreamEvent]) -> list[StreamEvent]:
    """The same said in fewer deltas: those of one kind that follow each other in one block are one."""
    out: list[StreamEvent] = []
    for part, run in groupby(events, _part_of):
        if part is None:
            out += run
        else:
            index, kind = part
            make, said = _JOINABLE[kind]
            out.append(ContentBlockDelta(index, make("".join(map(said, run)))))
    return out


def _part_of(event: StreamEvent) -> tuple[int, type[Delta]] | None:
    """What it goes on with; None for whatever is not joined."""
    if type(event) is ContentBlockDelta and type(event.delta) in _JOINABLE:
        return event.index, type(event.delta)
    return None
