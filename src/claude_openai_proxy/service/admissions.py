"""Who is admitted: upstream and model of a request, or why it is refused. What follows: `service.admission`."""

from collections.abc import Callable
from types import TracebackType
from typing import Final

from msgspec import structs

from claude_openai_proxy.errors import ModelNotAllowedError, UpstreamError
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.admission import Admission, note
from claude_openai_proxy.service.allowances import Allowances
from claude_openai_proxy.service.means import Means, NoteLimits, no_notes
from claude_openai_proxy.service.models import Models, ResolvedModel
from claude_openai_proxy.service.reasoning import ReasoningVault
from claude_openai_proxy.service.spend_guard import SpendGuard
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.service.ways import Way, Ways
from claude_openai_proxy.storage.reasoning import NoReasoning
from claude_openai_proxy.upstreams.interface import UpstreamChoice

LONGEST_MODEL: Final = 256
"""Characters that are known of a model's name, which may be as long as a request."""


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

    def admit(self, record: RequestRecord, *, model: str | None, stream: bool) -> "Admitting":
        """Entering finds upstream and model, and raises `NoLoginError`, `PersonalPlanError`, `PlanSpentError`,
        `ModelNotFoundError`, `ModelNotAllowedError`.
        """
        return Admitting(self, record, model, stream=stream)

    async def admission(self, record: RequestRecord, *, model: str | None, stream: bool) -> Admission:
        """What `admit` gives, for whoever leaves and settles it."""
        record.model_asked = (model or "")[:LONGEST_MODEL]
        record.stream = stream
        way = await self._means.ways.first()
        record.upstream = way.upstream.identity.kind
        way, resolved = await self._found(record, way, model)
        record.upstream, record.model_used = way.upstream.identity.kind, resolved.id
        if self._means.guard is not None and not way.fallback:
            self._means.guard.check(way.upstream.identity, resolved.line)
        return Admission(record, way, resolved, self._means, spare=await self._spare(record, way, resolved))

    async def _found(self, record: RequestRecord, way: Way, name: str | None) -> tuple[Way, ResolvedModel]:
        """The model, and what stands in for it or for the way now; the record says so."""
        model = await self._resolved(record, way, name)
        instead = await self._means.ways.instead_of_spent(way, model)
        if instead is not way:
            way, model = instead, await self._resolved(record, instead, name)
        if way.fallback:
            note(record, "fallback_upstream")
        if model.stands_in:
            note(record, "fallback_model")
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


class Admitting:
    """See `Admissions.admit`."""

    __slots__ = ("_admission", "_admissions", "_model", "_record", "_stream")

    def __init__(self, admissions: Admissions, record: RequestRecord, model: str | None, *, stream: bool) -> None:
        self._admissions = admissions
        self._record = record
        self._model = model
        self._stream = stream

    async def __aenter__(self) -> Admission:
        """Let it in."""
        admitted = await self._admissions.admission(self._record, model=self._model, stream=self._stream)
        self._admission = admitted
        return admitted

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """However it ended, nothing of it goes on, and the record has what was used."""
        admission = self._admission
        try:
            await admission.leave()
        except UpstreamError as failure:
            admission.note_failure(failure)
            raise
        finally:
            if isinstance(error, UpstreamError):
                admission.note_failure(error)
            admission.settle()
