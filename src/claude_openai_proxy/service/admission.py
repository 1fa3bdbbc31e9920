"""A request on its way to Claude, whatever its dialect: who asks, which model, which upstream, a place, the record.

| what | when |
|---|---|
| upstream and model are found, or the request is refused | `Admissions.admit` is entered |
| the dialect translates for this model and this upstream; its errors cost no place | then |
| a place is waited for, Claude is asked, repairs are tried | `Admission.ask` |
| every stream is cancelled, the place is free, the record has what was used, however it ended | `admit` is left |

What an upstream tells, and what was done to get an answer, has one road into the record: the `AnswerFacts` made here.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from claude_openai_proxy.errors import UpstreamError, UpstreamStatusError
from claude_openai_proxy.protocols.anthropic import CacheCreation, OutputTokensDetails, ServerToolUsage, Usage
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.answering import Answering, Piece, Translator
from claude_openai_proxy.service.interleaved import Interleaved
from claude_openai_proxy.service.models import ModelCatalog, ResolvedModel
from claude_openai_proxy.service.spend_guard import SpendGuard
from claude_openai_proxy.service.waiting import WaitingLine
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.messages_api.usage import NO_USAGE, add_usage
from claude_openai_proxy.upstreams.interface import AnswerFacts, Upstream, UpstreamChoice

NoteLimits = Callable[[str, str, Sequence[tuple[str, str]]], None]
"""Is told what an upstream's kind and account told of its limits, as `PlanMeter.note`."""


def _no_notes(*_: object) -> None:
    pass


class AnswerHead(Struct, frozen=True):
    """What is known of an answer before its first piece; goes into the response's headers."""

    model_used: str
    upstream: str
    upstream_request_id: str
    rate_limits: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    headers: tuple[tuple[str, str], ...] = ()
    """Of upstream's answer, those that clients of the Messages API read."""
    billed: str = ""
    """Who charges for it, as far as is known when it begins."""


@dataclass(frozen=True, slots=True)
class Means:
    """What every admission needs of the server."""

    line: WaitingLine
    clock: Callable[[], float]
    """Counts seconds as the records do."""
    note_limits: NoteLimits = _no_notes
    guard: SpendGuard | None = None
    """None: anything may pay."""


class Admission:
    """One request that has found its model and its upstream."""

    def __init__(
        self, record: RequestRecord, upstream: Upstream, model: ResolvedModel, means: Means, stack: AsyncExitStack
    ) -> None:
        self.record = record
        self.upstream = upstream
        self.model = model
        self._means = means
        self._stack = stack
        self._answerings: list[Answering[Any]] = []

    @property
    def usage(self) -> Usage:
        """Of every answer that was begun; final once all have ended."""
        total = NO_USAGE
        for answering in self._answerings:
            total = answering.usage if total is NO_USAGE else add_usage(total, answering.usage)
        return total

    @property
    def head(self) -> AnswerHead:
        """What can be told once upstream has answered: of the first answer, where there are several."""
        record, facts = self.record, self._answerings[0].facts
        return AnswerHead(
            self.model.id,
            record.upstream,
            facts.request_id,
            facts.rate_limits,
            record.ignored,
            facts.headers,
            record.billed,
        )

    async def ask(
        self, translation: Translation, translators: Sequence[Translator[Piece]]
    ) -> Answering[Piece] | Interleaved[Piece]:
        """The same request, asked once for each translator: see `ask_each`."""
        return await self.ask_each([(translation, translator) for translator in translators])

    async def ask_each(
        self, asked: Sequence[tuple[Translation, Translator[Piece]]], *, at_once: int | None = None
    ) -> Answering[Piece] | Interleaved[Piece]:
        """Wait for a place, then ask; returns once upstream has answered every request that may run at once.

        Iterating gives the pieces of one translator and one upstream read together, never none.

        More answers than `at_once`, or than there are places, come one after the other.

        Raises `QueueFullError`, `NoLoginError`, `UpstreamError` and its kinds.
        """
        record = self.record
        record.ignored = asked[0][0].ignored
        record.repairs.extend(dict.fromkeys(word for translation, _ in asked for word in translation.repairs))
        places = self.upstream.capabilities.simultaneous
        most = min(limit for limit in (len(asked), at_once, places) if limit is not None)
        await self._stack.enter_async_context(self._means.line.place(places, record.principal.id, places=most))
        record.admitted = self._means.clock()
        answerings = [
            Answering(self.upstream, translation, translator, AnswerFacts(repairs=record.repairs))
            for translation, translator in asked
        ]
        self._answerings += answerings
        source = answerings[0] if len(answerings) == 1 else Interleaved(answerings, at_once=most)
        await self._stack.enter_async_context(source)
        self._note_facts()
        record.billed = self._billed()
        return source

    def _billed(self) -> str:
        identity, guard = self.upstream.identity, self._means.guard
        return "extra-usage" if guard is not None and guard.uses_extra(identity) else identity.payer

    def settle(self) -> None:
        """Put into the record what was used and how it ended."""
        record, usage = self.record, self.usage
        self._note_facts()
        record.billed = record.billed and self._billed()
        record.cached_tokens = usage.cache_read_input_tokens or 0
        record.cache_write_tokens = usage.cache_creation_input_tokens or 0
        record.cache_write_1h_tokens = (usage.cache_creation or CacheCreation()).ephemeral_1h_input_tokens or 0
        record.input_tokens = (usage.input_tokens or 0) + record.cached_tokens + record.cache_write_tokens
        record.output_tokens = usage.output_tokens or 0
        record.thinking_tokens = (usage.output_tokens_details or OutputTokensDetails()).thinking_tokens or 0
        record.web_searches = (usage.server_tool_use or ServerToolUsage()).web_search_requests or 0
        translators: list[Translator[Any]] = [answering.translator for answering in self._answerings]
        reasons = (translator.finish_reason for translator in translators)
        record.finish_reason = ",".join(dict.fromkeys(reason for reason in reasons if reason))
        record.skipped_events = sum(translator.answer.skipped for translator in translators)

    def note_failure(self, error: UpstreamError) -> None:
        """An answer that never came has told something, too."""
        for answering in self._answerings[:1]:
            facts = answering.facts
            facts.request_id = error.request_id or facts.request_id
            if isinstance(error, UpstreamStatusError):
                facts.rate_limits = error.rate_limits or facts.rate_limits

    def _note_facts(self) -> None:
        """Repairs are in the record already: each facts' list of them is the record's own."""
        record = self.record
        for answering in self._answerings[:1]:
            facts = answering.facts
            record.upstream_request_id, record.account = facts.request_id, facts.account
            if facts.rate_limits is not record.rate_limits:
                record.rate_limits = facts.rate_limits
                self._means.note_limits(record.upstream, record.account, facts.rate_limits)


class Admissions:
    """Admits requests; `clock` counts seconds as the records do."""

    def __init__(
        self,
        *,
        upstreams: UpstreamChoice,
        catalog: ModelCatalog,
        line: WaitingLine,
        clock: Callable[[], float],
        note_limits: NoteLimits = _no_notes,
        guard: SpendGuard | None = None,
    ) -> None:
        self._upstreams = upstreams
        self._catalog = catalog
        self._means = Means(line, clock, note_limits, guard)

    @asynccontextmanager
    async def admit(self, record: RequestRecord, *, model: str | None, stream: bool) -> AsyncIterator[Admission]:
        """Find upstream and model. Raises `NoLoginError`, `PersonalPlanError`, `PlanSpentError`,
        `ModelNotFoundError`, `ModelNotAllowedError`.
        """
        record.model_asked = model or ""
        record.stream = stream
        upstream = await self._upstreams.current()
        record.upstream = upstream.identity.kind
        resolved = await self._catalog.resolve(model, upstream)
        await self._catalog.check_allowed(record.principal.models, resolved)
        record.model_used = resolved.id
        if self._means.guard is not None:
            self._means.guard.check(upstream.identity, resolved.facts.line or "")
        stack = AsyncExitStack()
        admission = Admission(record, upstream, resolved, self._means, stack)
        try:
            async with stack:
                yield admission
        except UpstreamError as error:
            admission.note_failure(error)
            raise
        finally:
            admission.settle()
