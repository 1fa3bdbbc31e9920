"""An answer whose events are handed on as they come is, piece for piece, the one that is iterated."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from hypothesis import given
from hypothesis import strategies as st

from claude_openai_proxy.errors import ProxyError, UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic import (
    MessageParam,
    MessagesRequest,
    MessageStop,
    StreamEvent,
    TextBlockParam,
)
from claude_openai_proxy.protocols.openai_chat_response import ChunkChoice
from claude_openai_proxy.service.answering import Answering
from claude_openai_proxy.translate.chat_answer.chunks import ChoiceStream
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.upstreams.interface import AnswerFacts
from properties.event_scripts import AnswerScript, answers, decoded
from properties.test_answer_properties import PLANS
from service.fake_upstream import FakeUpstream

HELLO = MessagesRequest(
    model="claude-sonnet-5-5", max_tokens=64, messages=[MessageParam(role="user", content=[TextBlockParam(text="Hi")])]
)
BROKEN = UpstreamProtocolError("it broke")
Batch = Sequence[StreamEvent]


class PassingStream:
    """Plays batches; each that somebody waits for is offered first, but for the last and an error."""

    def __init__(self, script: Sequence[Batch | ProxyError]) -> None:
        self._script = script
        self._take: Callable[[Batch], bool] | None = None

    def pass_on(self, take: Callable[[Batch], bool]) -> None:
        self._take = take

    async def __aiter__(self) -> AsyncIterator[Batch]:
        for batch in self._script:
            if isinstance(batch, ProxyError):
                raise batch
            last = isinstance(batch[-1], MessageStop)
            if last or self._take is None or not self._take(batch):
                yield batch


class PassingUpstream(FakeUpstream):
    """Its streams hand on."""

    @asynccontextmanager
    async def stream(  # type: ignore[override]
        self,
        request: MessagesRequest,  # noqa: ARG002 - the protocol's
        facts: AnswerFacts,  # noqa: ARG002
        *,
        whole: bool = False,  # noqa: ARG002
    ) -> AsyncIterator[PassingStream]:
        yield PassingStream(self.scripts.pop(0))


@st.composite
def batches(draw: st.DrawFn, script: AnswerScript) -> list[list[Batch | ProxyError]]:
    """A list of batches for each message; the last may break off."""
    messages: list[list[Batch | ProxyError]] = []
    for message in script.messages:
        events, cut = [decoded(event) for event in message], list[Batch | ProxyError]()
        while events:
            size = draw(st.integers(1, 4))
            cut.append(events[:size])
            events = events[size:]
        messages.append(cut)
    if draw(st.booleans()):
        messages[-1][draw(st.integers(1, len(messages[-1]))) :] = [BROKEN]
    return messages


async def heard(
    messages: Sequence[Sequence[Batch | ProxyError]], plan: AnswerPlan, refusals: Sequence[bool] | None
) -> tuple[list[ChunkChoice], str, object, list[str]]:
    """Pieces, the error, what was used, and what was noted."""
    upstream, facts, pieces, error = PassingUpstream(*messages), AnswerFacts(), list[ChunkChoice](), ""
    translation = Translation(request=HELLO, plan=plan, ignored=(), repairs=())
    left = list(refusals or ())

    def take(batch: list[ChunkChoice]) -> bool:
        if left and left.pop():
            return False
        pieces.extend(batch)
        return True

    async with Answering(upstream, translation, ChoiceStream(plan), facts) as answering:
        if refusals is not None:
            answering.pass_on(take)
        try:
            async for batch in answering:
                pieces += batch
        except ProxyError as failure:
            error = failure.message
        return pieces, error, answering.usage, facts.repairs


@given(answers(), PLANS, st.data())
def test_handed_on_or_iterated_it_is_the_same_answer(
    script: AnswerScript, plan: AnswerPlan, data: st.DataObject
) -> None:
    messages = data.draw(batches(script))[:1]
    refusals = data.draw(st.lists(st.booleans(), max_size=20))
    iterated = asyncio.run(heard(messages, plan, None))
    assert asyncio.run(heard(messages, plan, refusals)) == iterated
    assert asyncio.run(heard(messages, plan, ())) == iterated
