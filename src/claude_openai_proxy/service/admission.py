"""A request on its way to Claude, whatever its dialect: who asks, which model, which upstream, a place, the record.

| what | when |
|---|---|
| upstream and model are found, or the request is refused | `Admissions.admit` is entered |
| the dialect translates for this model and this upstream; its errors cost no place | then |
| a place is waited for, Claude is asked, repairs are tried | `Admission.ask` |
| every stream is cancelled, the place is free, the record has what was used, however it ended | `admit` is left |

What an upstream tells, and what was done to get an answer, has one road into the record: the `AnswerFacts` made here.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from claude_openai_proxy.errors import (
    NoLoginError,
    ProxyError,
    UpstreamError,
    UpstreamStatusError,
)
from claude_openai_proxy.protocols.anthropic import Usage
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.answer_head import AnswerHead as AnswerHead
from claude_openai_proxy.service.answer_parts import Piece, Translator
from claude_openai_proxy.service.answering import Answering
from claude_openai_proxy.service.any_way import AnotherWayError, asks_again
from claude_openai_proxy.service.fallback_budget import estimated_cost
from claude_openai_proxy.service.interleaved import Interleaved
from claude_openai_proxy.service.key_share import KeyShare
from claude_openai_proxy.service.means import Means
from claude_openai_proxy.service.models import ResolvedModel
from claude_openai_proxy.service.waiting import TakenPlaces
from claude_openai_proxy.service.ways import Way
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.messages_api.usage import NO_USAGE, add_usage
from claude_openai_proxy.translate.models.prices import cost, price_of
from claude_openai_proxy.upstreams.interface import AnswerFacts


class Admission:
    """One request that has found its model and its upstream."""

    def __init__(
        self,
        record: RequestRecord,
        way: Way,
        model: ResolvedModel,
        means: Means,
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
        self._taken: TakenPlaces | None = None
        self._source: AbstractAsyncContextManager[Any] | None = None
        self._answerings: list[Answering[Any]] = []
        self._complete = 0
        """Of those."""
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
            note(record, word)
        most = await self._take_places(len(asked), at_once)
        answerings = await self._answerings_of(asked)
        self._answerings += answerings
        source: Answering[Piece] | Interleaved[Piece]
        source = answerings[0] if len(answerings) == 1 else Interleaved(answerings, at_once=most)
        try:
            await source.__aenter__()
        except (UpstreamError, NoLoginError) as error:
            self.note_failure(error)
            if await self._leaves(error):
                self._share.counts_elsewhere = True
                raise AnotherWayError from error
            raise
        self._source = source
        self._note_facts()
        record.billed = self._billed()
        return source

    async def _take_places(self, wanted: int, at_once: int | None) -> int:
        """How many answers may run at once."""
        record, places, of_upstream = self.record, self._means.places, self.upstream.capabilities.simultaneous
        most = min([limit for limit in (wanted, at_once, of_upstream, places.most) if limit is not None])
        assert self._taken is None, "it asks once"
        taken = places.take(of_upstream, record.principal.id, places=most)
        record.waited = await taken.__aenter__()
        self._taken = taken
        record.admitted = self._means.clock()
        return most

    async def leave(self) -> None:
        """Cancel every stream, free the place."""
        try:
            if self._source is not None:
                await self._source.__aexit__(None, None, None)
        finally:
            for answering in self._answerings:
                answering.release()
            if self._taken is not None:
                await self._taken.__aexit__(None, None, None)

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
                answered=self._answered,
            )
            for known, (_, translator), meter in zip(recalled, asked, self._share.meters(len(asked)), strict=True)
        ]

    def _answered(self) -> None:
        """One answer is complete; with the last of them all is known."""
        self._complete += 1
        if self._complete == len(self._answerings):
            self.settle()
            self.record.settled = True
            if self.record.when_settled:
                self.record.when_settled(self.record)

    def settle(self) -> None:
        """Put into the record what was used and how it ended; once."""
        if self.record.settled:
            return
        record, usage = self.record, self.usage
        self._note_facts()
        record.list_price = sum([cost(self.model.id, message) for message in self._messages()])
        record.has_list_price = price_of(self.model.id) is not None
        record.speed = usage.speed or ""
        if self._reserved and (budget := self._means.ways.budget):
            budget.settle(self._reserved, record.list_price)
            self._reserved = 0.0
        record.billed = record.billed and self._billed()
        record.cached_tokens = usage.cache_read_input_tokens or 0
        record.cache_write_tokens = usage.cache_creation_input_tokens or 0
        by_life, details, tools = usage.cache_creation, usage.output_tokens_details, usage.server_tool_use
        record.cache_write_1h_tokens = (by_life and by_life.ephemeral_1h_input_tokens) or 0
        record.input_tokens = (usage.input_tokens or 0) + record.cached_tokens + record.cache_write_tokens
        record.output_tokens = usage.output_tokens or 0
        record.thinking_tokens = (details and details.thinking_tokens) or 0
        self._share.settle()
        record.web_searches = (tools and tools.web_search_requests) or 0
        translators: list[Translator[Any]] = [answering.translator for answering in self._answerings]
        reasons = [translator.finish_reason for translator in translators]
        record.finish_reason = ",".join(dict.fromkeys([reason for reason in reasons if reason]))
        record.skipped_events = sum([translator.answer.skipped for translator in translators])

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


def note(record: RequestRecord, repair: str) -> None:
    """Each repair is told once."""
    if repair not in record.repairs:
        record.repairs.append(repair)
