"""Chat completions: OpenAI's dialect on both sides of an admission."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.protocols.openai_chat_response import ChatCompletion, ChunkChoice
from claude_openai_proxy.protocols.openai_usage import CompletionUsage
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.admission import Admission, AnswerHead
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.answering import Answering
from claude_openai_proxy.service.any_way import on_any_way
from claude_openai_proxy.service.stored_completions import StoredCompletions, without_store
from claude_openai_proxy.translate.chat.fields import is_legacy
from claude_openai_proxy.translate.chat.request import to_messages_request
from claude_openai_proxy.translate.chat_answer.chunks import ChoiceStream
from claude_openai_proxy.translate.chat_answer.completion import ChoiceAccumulator, to_chat_completion
from claude_openai_proxy.translate.chat_answer.usage import to_completion_usage

Batch = list[ChunkChoice]
"""Chunks of one choice."""
Keep = Callable[[ChatCompletion], Awaitable[None]]


class ChatAnswer:
    """An answer under way. `created` in seconds since 1970; `model` as the client asked."""

    def __init__(
        self,
        *,
        id_: str,
        created: int,
        model: str,
        include_usage: bool,
        head: AnswerHead,
        source: AsyncIterable[Batch],
        choices: Sequence[ChoiceStream],
        usage: Callable[[], CompletionUsage],
        keep: Keep | None = None,
        settled: Callable[[], bool] = bool,
    ) -> None:
        """`keep` is called with the whole completion once all is `settled`, before the last chunks go out; where the
        usage comes later than they do, before the iteration ends.
        """
        self.id = id_
        self.created = created
        self.model = model
        self.include_usage = include_usage
        self.head = head
        self._source = source
        self._choices = choices
        self._usage = usage
        self._keep = keep
        self._settled = settled

    def __aiter__(self) -> AsyncIterator[Batch]:
        """Chunks, those of one choice and one upstream read together, never none; raises the kinds of `ProxyError`."""
        return self._kept(self._keep) if self._keep else aiter(self._source)

    def pass_on(self, take: Callable[[Batch], bool]) -> None:
        """See `Answering.pass_on`; of several choices, and of what is kept, every batch waits to be iterated."""
        if isinstance(self._source, Answering) and not self._keep:
            self._source.pass_on(take)

    @property
    def usage(self) -> CompletionUsage:
        """Of all choices together; final once the iteration has ended."""
        return self._usage()

    @property
    def service_tier(self) -> str | None:
        """Which tier answered, where upstream said; final once the iteration has ended."""
        return self._choices[0].service_tier

    async def completion(self) -> ChatCompletion:
        """Read to the end and put together."""
        accumulators = [ChoiceAccumulator() for _ in self._choices]
        async for batch in self._source:
            accumulators[batch[0].index].feed(batch)
        completion = self._put_together(accumulators)
        if self._keep:
            await self._keep(completion)
        return completion

    async def _kept(self, keep: Keep) -> AsyncIterator[Batch]:
        """The chunks, while what they are together is kept."""
        accumulators = [ChoiceAccumulator() for _ in self._choices]
        kept = False
        async for batch in self._source:
            accumulators[batch[0].index].feed(batch)
            if self._settled() and all(accumulator.complete for accumulator in accumulators):
                kept = True
                await keep(self._put_together(accumulators))
            yield batch
        if not kept:
            await keep(self._put_together(accumulators))

    def _put_together(self, accumulators: Sequence[ChoiceAccumulator]) -> ChatCompletion:
        return to_chat_completion(
            [accumulator.choice() for accumulator in accumulators],
            self.usage,
            id=self.id,
            created=self.created,
            model=self.model,
            service_tier=self.service_tier,
        )


class ChatService:
    """Serves chat completions; ids and wall-clock time come from outside."""

    def __init__(
        self,
        *,
        admissions: Admissions,
        reject_unsupported: bool,
        new_id: Callable[[], str],
        wall_clock: Callable[[], float],
        stored: StoredCompletions | None = None,
    ) -> None:
        """Without `stored` none is kept, and `store` means nothing."""
        self._admissions = admissions
        self._reject_unsupported = reject_unsupported
        self._new_id = new_id
        self._wall_clock = wall_clock
        self._stored = stored

    @on_any_way
    @asynccontextmanager
    async def chat(
        self, request: ChatCompletionRequest, *, unknown: tuple[str, ...], record: RequestRecord, large: bool = False
    ) -> AsyncIterator[ChatAnswer]:
        """Returns once upstream has answered; leaving cancels what still runs there. Raises `ProxyError`.

        A `large` request is translated on a thread of its own, so that it holds nobody else up.
        """
        request, keep = self._to_be_kept(request, record)
        async with self._admissions.admit(record, model=request.model, stream=bool(request.stream)) as admission:
            translate = partial(
                to_messages_request,
                request,
                facts=admission.model.facts,
                capabilities=admission.upstream.capabilities,
                unknown=unknown,
                reject_unsupported=self._reject_unsupported,
            )
            translation = await asyncio.to_thread(translate) if large else translate()
            legacy = is_legacy(request)
            choices = [ChoiceStream(translation.plan, index=index, legacy=legacy) for index in range(request.n or 1)]
            source = await admission.ask(translation, choices)
            yield self._answer(request, admission, source, choices, keep)

    def _to_be_kept(
        self, request: ChatCompletionRequest, record: RequestRecord
    ) -> tuple[ChatCompletionRequest, Keep | None]:
        """The request without what it says of keeping, and what keeps its completion where that is to be kept."""
        stored = self._stored
        metadata = stored.wanted(request) if stored else None
        if stored is None or metadata is None:
            return request, None
        keep = partial(stored.keep, messages=request.messages, metadata=metadata, record=record)
        return without_store(request), keep

    def _answer(
        self,
        request: ChatCompletionRequest,
        admission: Admission,
        source: AsyncIterable[Batch],
        choices: Sequence[ChoiceStream],
        keep: Keep | None,
    ) -> ChatAnswer:
        options = request.stream_options
        return ChatAnswer(
            id_=self._new_id(),
            created=int(self._wall_clock()),
            model=admission.model.asked,
            include_usage=bool(options and options.include_usage),
            head=admission.head,
            source=source,
            choices=choices,
            usage=lambda: to_completion_usage(admission.usage),
            keep=keep,
            settled=lambda: admission.record.settled,
        )
