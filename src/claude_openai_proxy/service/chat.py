"""A chat completion from request to end: model, translation, upstream, translation back, record."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from msgspec import Struct

from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.protocols.openai_chat_response import ChatCompletion, CompletionUsage
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.answering import Answering, Batch
from claude_openai_proxy.service.interleaved import Interleaved
from claude_openai_proxy.service.models import ModelCatalog, ResolvedModel
from claude_openai_proxy.service.waiting import WaitingLine
from claude_openai_proxy.translate.chat.fields import is_legacy
from claude_openai_proxy.translate.chat.request import to_messages_request
from claude_openai_proxy.translate.chat_answer.completion import ChoiceAccumulator, to_chat_completion
from claude_openai_proxy.translate.chat_answer.usage import to_completion_usage
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.messages_api.usage import add_usage
from claude_openai_proxy.upstreams.interface import Upstream, UpstreamChoice


class AnswerHead(Struct, frozen=True):
    """What is known of an answer before its first chunk; goes into the response's headers."""

    model_used: str
    upstream: str
    upstream_request_id: str
    rate_limits: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]


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
        source: Answering | Interleaved,
    ) -> None:
        self.id = id_
        self.created = created
        self.model = model
        self.include_usage = include_usage
        self.head = head
        self._source = source

    def __aiter__(self) -> AsyncIterator[Batch]:
        """Chunks, those of one choice and one upstream read together, never none; raises the kinds of `ProxyError`."""
        return aiter(self._source)

    @property
    def choices(self) -> list[Answering]:
        """Each choice's run."""
        return [self._source] if isinstance(self._source, Answering) else list(self._source.choices)

    @property
    def usage(self) -> CompletionUsage:
        """Of all choices together; final once the iteration has ended."""
        first, *others = [choice.usage for choice in self.choices]
        for usage in others:
            first = add_usage(first, usage)
        return to_completion_usage(first)

    @property
    def service_tier(self) -> str | None:
        """Which tier answered, where upstream said."""
        return self.choices[0].choice.service_tier

    async def completion(self) -> ChatCompletion:
        """Read to the end and put together."""
        accumulators = [ChoiceAccumulator() for _ in self.choices]
        async for batch in self:
            accumulators[batch[0].index].feed(batch)
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
        upstreams: UpstreamChoice,
        catalog: ModelCatalog,
        reject_unsupported: bool,
        new_id: Callable[[], str],
        wall_clock: Callable[[], float],
        line: WaitingLine,
    ) -> None:
        self._line = line
        self._upstreams = upstreams
        self._catalog = catalog
        self._reject_unsupported = reject_unsupported
        self._new_id = new_id
        self._wall_clock = wall_clock

    @asynccontextmanager
    async def chat(
        self, request: ChatCompletionRequest, *, unknown: tuple[str, ...], record: RequestRecord
    ) -> AsyncIterator[ChatAnswer]:
        """Returns once upstream has answered; leaving cancels what still runs there. Raises `ProxyError`."""
        record.model_asked = request.model or ""
        record.stream = bool(request.stream)
        upstream = await self._upstreams.current()
        record.upstream = upstream.identity.kind
        model = await self._catalog.resolve(request.model)
        record.model_used = model.id
        translation = self._translate(request, model, upstream, unknown)
        record.ignored = translation.ignored
        record.repairs.extend(translation.repairs)
        places, choices = upstream.capabilities.simultaneous, request.n or 1
        async with (
            self._line.place(places, record.principal.name, places=choices),
            _source(upstream, translation, record, n=choices, legacy=is_legacy(request)) as source,
        ):
            answer = self._answer(request, model, translation, source, record)
            try:
                yield answer
            finally:
                _conclude(record, answer)

    def _translate(
        self, request: ChatCompletionRequest, model: ResolvedModel, upstream: Upstream, unknown: tuple[str, ...]
    ) -> Translation:
        return to_messages_request(
            request,
            facts=model.facts,
            capabilities=upstream.capabilities,
            unknown=unknown,
            reject_unsupported=self._reject_unsupported,
        )

    def _answer(
        self,
        request: ChatCompletionRequest,
        model: ResolvedModel,
        translation: Translation,
        source: Answering | Interleaved,
        record: RequestRecord,
    ) -> ChatAnswer:
        facts = (source if isinstance(source, Answering) else source.choices[0]).facts
        record.upstream_request_id = facts.request_id
        options = request.stream_options
        return ChatAnswer(
            id_=self._new_id(),
            created=int(self._wall_clock()),
            model=model.asked,
            include_usage=bool(options and options.include_usage),
            head=AnswerHead(model.id, record.upstream, facts.request_id, facts.rate_limits, translation.ignored),
            source=source,
        )


def _source(
    upstream: Upstream, translation: Translation, record: RequestRecord, *, n: int, legacy: bool
) -> Answering | Interleaved:
    if n == 1:
        return Answering(upstream, translation, record, legacy=legacy)
    return Interleaved([Answering(upstream, translation, record, index=index, legacy=legacy) for index in range(n)])


def _conclude(record: RequestRecord, answer: ChatAnswer) -> None:
    usage = answer.usage
    record.input_tokens = usage.prompt_tokens
    record.output_tokens = usage.completion_tokens
    record.cached_tokens = usage.prompt_tokens_details.cached_tokens
    choices = [answering.choice for answering in answer.choices]
    record.finish_reason = ",".join(dict.fromkeys(choice.finish_reason for choice in choices if choice.finish_reason))
    record.skipped_events = sum(choice.answer.skipped for choice in choices)
