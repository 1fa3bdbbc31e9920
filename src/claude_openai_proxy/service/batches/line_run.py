"""A line on its way to an answer, and what is told of it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from msgspec import Raw

from claude_openai_proxy.errors import ModelNotFoundError, ProxyError
from claude_openai_proxy.protocols.openai_batches import LineError, LineResponse, ResultLine
from claude_openai_proxy.records import Principal, RequestRecord
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.batches.dialects import LineDialect, Refusal, Refuses
from claude_openai_proxy.service.batches.document import Document, encode_document
from claude_openai_proxy.service.batches.line_check import ReadLine
from claude_openai_proxy.service.batches.replayed import ReplayedUpstream
from claude_openai_proxy.service.models import Models, ResolvedModel
from claude_openai_proxy.service.reasoning import ReasoningVault
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.storage.batches import Counts, LineEnd, StoredBatch
from claude_openai_proxy.translate.models.facts import facts_for
from claude_openai_proxy.translate.models.prices import WEB_SEARCH
from claude_openai_proxy.upstreams.interface import Upstream

HALF: Final = 0.5
"""Of every rate is what Message Batches cost (https://docs.anthropic.com/en/docs/build-with-claude/batch-processing)."""

_SEPARATORS: Final = tuple((sign.encode(), b"\\u%04x" % ord(sign)) for sign in "\u2028\u2029\x85")
"""Clients that take a file apart with `splitlines` take these for ends of lines, too."""

EXPIRED: Final = LineError("batch_expired", "This request could not be executed before the completion window expired.")
CANCELLED: Final = LineError("batch_cancelled", "This request was not executed: its batch was cancelled.")


class SettledModels:
    """The models of a batch as they were at its creation: what a name stands for later is another thing."""

    def __init__(self, models: Mapping[str, str], catalog: Models) -> None:
        self._models = models
        self._catalog = catalog

    async def resolve(self, name: str | None, upstream: Upstream | None = None) -> ResolvedModel:
        """See `ModelCatalog.resolve`."""
        id_ = self._models.get(name or "")
        if id_ is None:
            return await self._catalog.resolve(name, upstream)
        try:
            facts = (await self._catalog.resolve(id_, upstream)).facts
        except ModelNotFoundError:  # It has gone since.
            facts = facts_for(id_, None)
        return ResolvedModel(name or id_, id_, facts)

    async def stand_in(self, name: str, model: ResolvedModel, upstream: Upstream) -> ResolvedModel | None:
        """None: a batch has time."""
        del name, model, upstream
        return None

    async def check_allowed(self, names: Collection[str], model: ResolvedModel) -> None:
        """Keys were looked at when it was made."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a line: `noted` requests are to be asked first; else it is `answered`, or refused."""

    noted: list[bytes] = field(repr=False)
    status: int
    body: bytes = field(repr=False)
    record: RequestRecord
    error: ProxyError | None = None


class LineRuns:
    """Runs the lines of one batch. `clock` counts seconds as the records do."""

    def __init__(
        self,
        batch: StoredBatch,
        document: Document,
        *,
        principal: Principal,
        dialect: LineDialect,
        refuses: Refuses,
        catalog: Models,
        vault: ReasoningVault,
        clock: Callable[[], float],
    ) -> None:
        self._batch = batch
        self._document = document
        self._dialect = dialect
        self._refuses = refuses
        self.models = SettledModels(document.models, catalog)
        self._vault = vault
        self._clock = clock
        self._principal = principal

    async def replay(
        self,
        number: int,
        line: ReadLine,
        upstream: Upstream,
        results: Mapping[int, bytes],
        *,
        single: bool = False,
        last: bool = False,
    ) -> Ran:
        """From what Claude has answered so far, by number; nobody is asked. `last`: nor will be.

        `single`: its first round has one request.
        """
        first = 1
        if not single:
            ran = await self._once(number, line, replayed := ReplayedUpstream(upstream, {}, first=1))
            first = len(replayed.noted)
            if not first or not results:
                return ran
        replayed = ReplayedUpstream(upstream, results, first=first)
        ran = await self._once(number, line, replayed)
        while first > 1 and replayed.again():
            ran = await self._once(number, line, replayed)
        if last and replayed.noted:
            replayed.no_more()
            ran = await self._once(number, line, replayed)
        if not ran.noted and ran.error is None and self._dialect.keeps(bytes(line.body)):
            replayed.rewind()
            ran = await self._once(number, line, replayed, keep=True)
        return ran

    async def _once(self, number: int, line: ReadLine, upstream: ReplayedUpstream, *, keep: bool = False) -> Ran:
        admissions = Admissions(
            upstreams=upstream,
            catalog=self.models,
            places=Places(clock=self._clock),
            clock=self._clock,
            vault=self._vault,
        )
        ran = await self.ask(number, line, admissions, keep=keep)
        return replace(ran, noted=upstream.noted)

    async def ask(self, number: int, line: ReadLine, admissions: Admissions, *, keep: bool = True) -> Ran:
        """Through `admissions`."""
        record, failure = self._record(number), None
        try:
            body = await self._dialect.answer(bytes(line.body), admissions, record, keep=keep)
            record.status = 200
        except ProxyError as error:
            refusal, failure = self._refuses(error), error
            body, record.status, record.error = refusal.body, refusal.status, type(error).__name__
        record.ended = self._clock()
        return Ran([], record.status, body, record, failure)

    def _record(self, number: int) -> RequestRecord:
        id_ = self.request_id(number)
        return RequestRecord(
            id=id_,
            own_id=id_,
            principal=self._principal,
            method="POST",
            route=self._document.endpoint,
            started=self._clock(),
            batch=self._batch.id,
        )

    def request_id(self, number: int) -> str:
        """The line's own, whoever runs it, however often."""
        return f"batch_req_{self._document.letters}{number}"

    # ---- its end ------------------------------------------------------------------------------------------------

    def end(self, number: int, line: ReadLine, ran: Ran, *, dollars: float = 0.0) -> LineEnd:
        """What the endpoint answered."""
        record = ran.record
        response = LineResponse(ran.status, record.own_id, Raw(ran.body), list(record.ignored))
        counts = Counts(
            record.input_tokens, record.cached_tokens, record.output_tokens, record.thinking_tokens, dollars
        )
        return LineEnd(number, ran.status != 200, self._line(number, line, response, None), counts)

    def not_run(self, number: int, line: ReadLine, error: LineError) -> LineEnd:
        """Nobody answered."""
        return LineEnd(number, failed=True, line=self._line(number, line, None, error))

    def refusal(self, error: ProxyError) -> Refusal:
        """As the endpoint would tell it."""
        return self._refuses(error)

    def refused(self, number: int, line: ReadLine, refusal: Refusal) -> LineEnd:
        """Claude was not asked, or has lost it."""
        response = LineResponse(refusal.status, self.request_id(number), Raw(refusal.body))
        return LineEnd(number, failed=True, line=self._line(number, line, response, None))

    def _line(self, number: int, line: ReadLine, response: LineResponse | None, error: LineError | None) -> bytes:
        told = ResultLine(id=self.request_id(number), custom_id=line.custom_id, response=response, error=error)
        text = encode_document(told)
        for separator, escaped in _SEPARATORS:
            text = text.replace(separator, escaped)
        return text


def at_half_price(record: RequestRecord) -> float:
    """US dollars that the line cost in a Message Batch, put into the record; searches are not known to cost less."""
    searches = record.web_searches * WEB_SEARCH
    record.list_price = searches + HALF * (record.list_price - searches)
    return record.list_price
