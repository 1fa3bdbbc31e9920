"""Legacy completions: OpenAI's old dialect on both sides of an admission, each prompt a request of its own."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from claude_openai_proxy.protocols.openai_completions import Completion, CompletionChoice, CompletionRequest
from claude_openai_proxy.protocols.openai_usage import CompletionUsage
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.admission import Admission, AnswerHead
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.any_way import on_any_way
from claude_openai_proxy.translate.chat_answer.usage import to_completion_usage
from claude_openai_proxy.translate.completions.answer import CompletionStream, put_together
from claude_openai_proxy.translate.completions.request import prompts_of, to_messages_requests
from claude_openai_proxy.translate.messages_api.translation import Translation

AT_ONCE: Final = 8
"""Prompts of one request that Claude is asked to complete at the same time."""

Batch = list[CompletionChoice]
"""Pieces of one choice."""


class CompletionAnswer:
    """An answer under way. `created` in seconds since 1970; `model` as the client asked."""

    def __init__(
        self, request: CompletionRequest, admission: Admission, source: AsyncIterable[Batch], *, id_: str, created: int
    ) -> None:
        self.id = id_
        self.created = created
        self.model = admission.model.asked
        self.include_usage = bool(request.stream_options and request.stream_options.include_usage)
        self.head: AnswerHead = admission.head
        self._choices = len(prompts_of(request)) * (request.n or 1)
        self._admission = admission
        self._source = source

    def __aiter__(self) -> AsyncIterator[Batch]:
        """Pieces, those of one choice and one upstream read together, never none; raises the kinds of `ProxyError`."""
        return aiter(self._source)

    @property
    def usage(self) -> CompletionUsage:
        """Of all choices together; final once the iteration has ended."""
        return to_completion_usage(self._admission.usage)

    async def completion(self) -> Completion:
        """Read to the end and put together."""
        pieces = [piece async for batch in self for piece in batch]
        choices = put_together(pieces, self._choices)
        return Completion(id=self.id, created=self.created, model=self.model, choices=choices, usage=self.usage)


class CompletionService:
    """Serves legacy completions; ids and wall-clock time come from outside."""

    def __init__(
        self,
        *,
        admissions: Admissions,
        reject_unsupported: bool,
        new_id: Callable[[], str],
        wall_clock: Callable[[], float],
    ) -> None:
        self._admissions = admissions
        self._reject_unsupported = reject_unsupported
        self._new_id = new_id
        self._wall_clock = wall_clock

    @on_any_way
    @asynccontextmanager
    async def complete(
        self, request: CompletionRequest, *, unknown: tuple[str, ...], record: RequestRecord, large: bool = False
    ) -> AsyncIterator[CompletionAnswer]:
        """Returns once upstream has answered; leaving cancels what still runs there. Raises `ProxyError`.

        A `large` request is translated on a thread of its own, so that it holds nobody else up.
        """
        async with self._admissions.admit(record, model=request.model, stream=bool(request.stream)) as admission:
            translate = partial(
                to_messages_requests,
                request,
                facts=admission.model.facts,
                capabilities=admission.upstream.capabilities,
                unknown=unknown,
                reject_unsupported=self._reject_unsupported,
            )
            translations = await asyncio.to_thread(translate) if large else translate()
            source = await admission.ask_each(_each_choice(request, translations), at_once=AT_ONCE)
            yield CompletionAnswer(request, admission, source, id_=self._new_id(), created=int(self._wall_clock()))


def _each_choice(
    request: CompletionRequest, translations: list[Translation]
) -> list[tuple[Translation, CompletionStream]]:
    """The choices of one prompt stand together, as OpenAI counts them."""
    echoes = prompts_of(request) if request.echo else [""] * len(translations)
    pairs = [
        (translation, echo)
        for translation, echo in zip(translations, echoes, strict=True)
        for _ in range(request.n or 1)
    ]
    return [
        (translation, CompletionStream(translation.plan, index=index, echo=echo))
        for index, (translation, echo) in enumerate(pairs)
    ]
