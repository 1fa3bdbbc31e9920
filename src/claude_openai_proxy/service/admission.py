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
from typing import Any

from msgspec import structs

from claude_openai_proxy.errors import (
    ModelNotAllowedError,
    NoLoginError,
    ProxyError,
    UpstreamError,
    UpstreamStatusError,
)
from claude_openai_proxy.protocols.anthropic import (
    CacheCreation,
    OutputTokensDetails,
    ServerToolUsage,
    Usage,
)
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.allowances import Allowances
from claude_openai_proxy.service.answer_head import AnswerHead as AnswerHead
from claude_openai_proxy.service.answering import Answering, Piece, Translator
from claude_openai_proxy.service.any_way import AnotherWayError, asks_again
from claude_openai_proxy.service.fallback_budget import estimated_cost
from claude_openai_proxy.service.interleaved import Interleaved
from claude_openai_proxy.service.key_share import KeyShare
from claude_openai_proxy.service.means import Means, NoteLimits, no_notes
from claude_openai_proxy.service.models import Models, ResolvedModel
from claude_openai_proxy.service.reasoning import ReasoningVault
from claude_openai_proxy.service.spend_guard import SpendGuard
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.service.ways import Way, Ways
from claude_openai_proxy.storage.reasoning import NoReasoning
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.messages_api.usage import NO_USAGE, add_usage
from claude_openai_proxy.translate.models.prices import cost, price_of
from claude_openai_proxy.upstreams.interface import AnswerFacts, UpstreamChoice

LONGEST_MODEL = 256
"""Characters that are known of a model's name, which may be as long as a request."""


class Admission:
    """One request that has found its model and its upstream."""

    def __init__(
        self,
        record: RequestRecord,
        way: Way,
        model: ResolvedModel,
        means: Means,
        stack: AsyncExitStack,
        *,
        spare: ResolvedModel | None = None,
    ) -> None:
        """`spare` may stand in for `model`."""
        self.record = record
        self.upstream = way.upstream
        self._way = way
        self._spare = spare
        self._reserved = 0.0
        """US dollars of the fallback's budget."""
        self._share = KeyShare(record, means.allowances, model.id)
        self._is_reserved = False
        self.model = model
        self._means = means
        self._stack = stack
        self._answerings: list[Answering[Any]] = []
        self.lost: tuple[tuple[str, str], ...] = ()
        """Thinking that the client carried itself and that could not go back: its name there, and why."""

    @property
    def usage(self) -> Usage:
        """Of every answer that was begun; final once all have ended."""
        total = NO_USAGE
        for answering in self._answerings:
            total = answering.usage if total is NO_USAGE else add_usage(total, answering.usage)
        return total

    def _messages(self) -> list[Usage]:
        """The usage of every message, each by itself."""
        return [message for answering in self._answerings for message in answering.messages]

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
            self._share.minutes,
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

        Raises `QueueFullError`, `NoLoginError`, `PlanSpentError`, `RateLimitedError`, `UpstreamError` and its
        kinds; `AnotherWayError` where the request may be sent once more (`any_way` does).
        """
        record = self.record
        await self.reserve([translation for translation, _ in asked])
        record.ignored, record.choices = asked[0][0].ignored, len(asked)
        for word in (word for translation, _ in asked for word in translation.repairs):
            _note(record, word)
        places, of_upstream = self._means.places, self.upstream.capabilities.simultaneous
        most = min(limit for limit in (len(asked), at_once, of_upstream, places.most) if limit is not None)
        taken = places.take(of_upstream, record.principal.id, places=most)
        record.waited = await self._stack.enter_async_context(taken)
        record.admitted = self._means.clock()
        answerings = await self._answerings_of(asked)
        self._answerings += answerings
        source = answerings[0] if len(answerings) == 1 else Interleaved(answerings, at_once=most)
        try:
            await self._stack.enter_async_context(source)
        except (UpstreamError, NoLoginError) as error:
            self.note_failure(error)
            if await self._leaves(error):
                self._share.counts_elsewhere = True
                raise AnotherWayError from error
            raise
        self._note_facts()
        record.billed = self._billed()
        return source

    async def _leaves(self, error: ProxyError) -> bool:
        """Never where the status is out, or where nobody would ask again."""
        if not asks_again() or self.record.status:
            return False
        ways, spare = self._means.ways, self._spare
        has_spare = spare is not None and not ways.is_limited(self._way, spare)
        return await ways.leaves(self._way, self.model, error, has_spare=has_spare)

    async def reserve(self, translations: Sequence[Translation]) -> None:
        """What answers to these may cost, if that has not been done: for who must know before anybody is asked.

        Raises `PlanSpentError`, `RateLimitedError`, `StorageUnavailableError`.
        """
        if self._is_reserved:
            return
        self._is_reserved = True
        await self._reserve(translations)
        await self._share.reserve([translation.request for translation in translations])

    async def _reserve(self, translations: Sequence[Translation]) -> None:
        budget = self._means.ways.budget
        if budget is not None and self._way.fallback and self.upstream.identity.payer != "plan":
            dollars = sum(estimated_cost(self.model.id, translation.request) for translation in translations)
            await budget.refresh()
            budget.reserve(dollars)
            self._reserved = dollars

    def _billed(self) -> str:
        identity, guard = self.upstream.identity, self._means.guard
        return "extra-usage" if guard is not None and guard.uses_extra(identity) else identity.payer

    async def _answerings_of(self, asked: Sequence[tuple[Translation, Translator[Piece]]]) -> list[Answering[Piece]]:
        """Each translation with its turns as Claude said them."""
        translations = [translation for translation, _ in asked]
        recalled = await self._means.vault.recall_each(
            translations, self.record, self.upstream.identity, self.model.facts
        )
        self.lost = recalled[0].lost
        return [
            Answering(
                self.upstream,
                known.translation,
                translator,
                AnswerFacts(repairs=self.record.repairs),
                whole=not self.record.stream,
                keeper=known.keeper(),
                meter=meter,
            )
            for known, (_, translator), meter in zip(recalled, asked, self._share.meters(len(asked)), strict=True)
        ]

    def settle(self) -> None:
        """Put into the record what was used and how it ended."""
        record, usage = self.record, self.usage
        self._note_facts()
        record.list_price = sum(cost(self.model.id, message) for message in self._messages())
        record.has_list_price = price_of(self.model.id) is not None
        record.speed = usage.speed or ""
        if self._reserved and (budget := self._means.ways.budget):
            budget.settle(self._reserved, record.list_price)
            self._reserved = 0.0
        record.billed = record.billed and self._billed()
        record.cached_tokens = usage.cache_read_input_tokens or 0
        record.cache_write_tokens = usage.cache_creation_input_tokens or 0
        record.cache_write_1h_tokens = (usage.cache_creation or CacheCreation()).ephemeral_1h_input_tokens or 0
        record.input_tokens = (usage.input_tokens or 0) + record.cached_tokens + record.cache_write_tokens
        record.output_tokens = usage.output_tokens or 0
        record.thinking_tokens = (usage.output_tokens_details or OutputTokensDetails()).thinking_tokens or 0
        self._share.settle()
        record.web_searches = (usage.server_tool_use or ServerToolUsage()).web_search_requests or 0
        translators: list[Translator[Any]] = [answering.translator for answering in self._answerings]
        reasons = (translator.finish_reason for translator in translators)
        record.finish_reason = ",".join(dict.fromkeys(reason for reason in reasons if reason))
        record.skipped_events = sum(translator.answer.skipped for translator in translators)

    def note_failure(self, error: UpstreamError | NoLoginError) -> None:
        """An answer that never came has told something, too."""
        if isinstance(error, NoLoginError):
            return
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
        catalog: Models,
        places: Places,
        clock: Callable[[], float],
        note_limits: NoteLimits = no_notes,
        guard: SpendGuard | None = None,
        ways: Ways | None = None,
        vault: ReasoningVault | None = None,
        allowances: Allowances | None = None,
    ) -> None:
        """Without a `vault` nothing is kept and nothing put back."""
        self._catalog = catalog
        self._means = Means(
            places,
            clock,
            ways or Ways(upstreams, clock=clock, guard=guard),
            note_limits,
            guard,
            allowances,
            vault or ReasoningVault(NoReasoning()),
        )

    @asynccontextmanager
    async def admit(self, record: RequestRecord, *, model: str | None, stream: bool) -> AsyncIterator[Admission]:
        """Find upstream and model. Raises `NoLoginError`, `PersonalPlanError`, `PlanSpentError`,
        `ModelNotFoundError`, `ModelNotAllowedError`.
        """
        record.model_asked = (model or "")[:LONGEST_MODEL]
        record.stream = stream
        way = await self._means.ways.first()
        record.upstream = way.upstream.identity.kind
        way, resolved = await self._found(record, way, model)
        record.upstream, record.model_used = way.upstream.identity.kind, resolved.id
        if self._means.guard is not None and not way.fallback:
            self._means.guard.check(way.upstream.identity, resolved.line)
        stack, spare = AsyncExitStack(), await self._spare(record, way, resolved)
        admission = Admission(record, way, resolved, self._means, stack, spare=spare)
        try:
            async with stack:
                yield admission
        except UpstreamError as error:
            admission.note_failure(error)
            raise
        finally:
            admission.settle()

    async def _found(self, record: RequestRecord, way: Way, name: str | None) -> tuple[Way, ResolvedModel]:
        """The model, and what stands in for it or for the way now; the record says so."""
        model = await self._resolved(record, way, name)
        instead = await self._means.ways.instead_of_spent(way, model)
        if instead is not way:
            way, model = instead, await self._resolved(record, instead, name)
        if way.fallback:
            _note(record, "fallback_upstream")
        if model.stands_in:
            _note(record, "fallback_model")
        return way, model

    async def _resolved(self, record: RequestRecord, way: Way, name: str | None) -> ResolvedModel:
        """The model, or the first of its stand-ins that is not limited and that the client key is for."""
        model = await self._catalog.resolve(name, way.upstream)
        await self._catalog.check_allowed(record.principal.models, model)
        seen = {model.id}
        while self._means.ways.is_limited(way, model):
            spare = await self._spare(record, way, model)
            if spare is None or spare.id in seen:
                break
            model = spare
            seen.add(model.id)
        return model

    async def _spare(self, record: RequestRecord, way: Way, model: ResolvedModel) -> ResolvedModel | None:
        """What stands in for `model` where that is limited; None also where the client key is not for it."""
        if (name := self._means.ways.stand_in(model)) is None:
            return None
        spare = await self._catalog.stand_in(name, model, way.upstream)
        if spare is None or spare.id == model.id:
            return None
        try:
            await self._catalog.check_allowed(record.principal.models, structs.replace(spare, asked=name))
        except ModelNotAllowedError:
            return None
        return spare


def _note(record: RequestRecord, repair: str) -> None:
    if repair not in record.repairs:
        record.repairs.append(repair)
