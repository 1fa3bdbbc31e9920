"""Messages for Claude's own clients: passed on to an upstream that takes their bytes, read for the other one."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from claude_openai_proxy.protocols.anthropic import StreamEvent, WholeAnswer
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.admission import AnswerHead
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.answering import Answering
from claude_openai_proxy.service.any_way import on_any_way
from claude_openai_proxy.translate.messages.answer import MessageBuilder, PassedAnswer
from claude_openai_proxy.translate.messages.asked import AskedMessage
from claude_openai_proxy.translate.messages.translation import to_translation

Batch = list[StreamEvent]
"""Events that came together."""


class MessageAnswer:
    """An answer under way; iterating yields the batches of its events, never none."""

    def __init__(self, head: AnswerHead, source: AsyncIterable[Batch]) -> None:
        self.head = head
        self._source = source

    def __aiter__(self) -> AsyncIterator[Batch]:
        """The batches; raises the kinds of `ProxyError`."""
        return aiter(self._source)

    def pass_on(self, take: Callable[[Batch], bool]) -> None:
        """See `Answering.pass_on`."""
        if isinstance(self._source, Answering):
            self._source.pass_on(take)

    async def document(self) -> bytes:
        """JSON: upstream's own, or the message that its events make."""
        builder, sent = MessageBuilder(), b""
        async for batch in self:
            for event in batch:
                if isinstance(event, WholeAnswer):
                    sent = event.sent
                else:
                    builder.feed(event)
        return sent or builder.json()


class MessagesService:
    """Serves the Messages API itself."""

    def __init__(self, *, admissions: Admissions, reject_unsupported: bool) -> None:
        self._admissions = admissions
        self._reject_unsupported = reject_unsupported

    @on_any_way
    @asynccontextmanager
    async def answer(
        self, asked: AskedMessage, *, record: RequestRecord, large: bool = False
    ) -> AsyncIterator[MessageAnswer]:
        """Returns once upstream has answered; leaving cancels what still runs there. Raises `ProxyError`.

        A `large` request is read on a thread of its own, so that it holds nobody else up.
        """
        async with self._admissions.admit(record, model=asked.model, stream=asked.stream) as admission:
            translate = partial(
                to_translation,
                asked,
                admission.model.id,
                admission.upstream.capabilities,
                reject_unsupported=self._reject_unsupported,
            )
            translation = await asyncio.to_thread(translate) if large else translate()
            del asked, translate
            source = await admission.ask(translation, [PassedAnswer()])
            yield MessageAnswer(admission.head, source)
