"""How the lines of a batch are answered: which way a new one takes, and the run of one that is there."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from claude_openai_proxy.errors import NotOfferedError, ProxyError, UpstreamStatusError
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.allowances import Allowances
from claude_openai_proxy.service.batches.asking import Pace
from claude_openai_proxy.service.batches.batches import ChosenWay
from claude_openai_proxy.service.batches.budget import principal_of
from claude_openai_proxy.service.batches.desk import Desk
from claude_openai_proxy.service.batches.dialects import LineDialect, Refuses
from claude_openai_proxy.service.batches.document import document_of
from claude_openai_proxy.service.batches.emulated import PAUSE_SECONDS_OF_LINE, EmulatedRun
from claude_openai_proxy.service.batches.gate import Gate
from claude_openai_proxy.service.batches.input_file import InputFile
from claude_openai_proxy.service.batches.line_run import LineRuns
from claude_openai_proxy.service.batches.native import NativeRun
from claude_openai_proxy.service.batches.run import MOST_LINES, BatchRun, Way
from claude_openai_proxy.service.means import no_notes
from claude_openai_proxy.service.models import ModelCatalog, Models, ResolvedModel
from claude_openai_proxy.service.reasoning import ReasoningVault
from claude_openai_proxy.storage.batches import BatchStore, StoredBatch
from claude_openai_proxy.storage.files import FileStore, StoredFile
from claude_openai_proxy.upstreams.api.upstream import MessagesAPI
from claude_openai_proxy.upstreams.interface import Upstream, UpstreamChoice

OFF: Final = "This proxy runs no batches (BATCHES=off): send the requests one by one, or have the setting changed."
NOT_HERE: Final = "The way to Claude in use has no Message Batches. BATCHES=emulated would run the lines one by one."
_NONE_THERE: Final = frozenset({404, 405, 501})

Kind = Literal["auto", "native", "emulated", "off"]


@dataclass(slots=True)
class BatchWays:
    """`live` admits requests with the models that it is given, through the way that is in use, and no other.

    `longest`: bytes of a line. `clock` is the records', `wall_clock` counts from 1970.
    """

    kind: Kind
    upstreams: UpstreamChoice
    catalog: ModelCatalog
    store: BatchStore
    files: FileStore
    dialects: Mapping[str, LineDialect]
    refuses: Refuses
    vault: ReasoningVault
    gate: Gate
    allowances: Allowances
    live: Callable[[Models], Admissions]
    pace: Pace
    delete_upstream: bool
    longest: int
    queued: int
    emulated_lines: int
    clock: Callable[[], float]
    wall_clock: Callable[[], float]
    told: Callable[[RequestRecord], None] = no_notes
    """Is given the record of each line that Claude was asked for."""
    _seen: str = ""
    """The account whose Message Batches have been seen to be there."""

    async def choose(self) -> ChosenWay:
        """For a new batch. Raises `NotOfferedError` where it cannot be run, and what asking for the way raises."""
        if self.kind == "off":
            raise NotOfferedError(OFF)
        upstream = await self.upstreams.current()
        kind = upstream.identity.kind
        if self.kind == "emulated" or (self.kind == "auto" and not isinstance(upstream, MessagesAPI)):
            return ChosenWay("emulated", kind)
        if not isinstance(upstream, MessagesAPI):
            raise NotOfferedError(NOT_HERE)
        await self._check_there(upstream)
        return ChosenWay("native", kind)

    async def _check_there(self, upstream: MessagesAPI) -> None:
        """A gateway may have none: asked once for each login. Other trouble may pass before the file is read."""
        if upstream.identity.account and upstream.identity.account == self._seen:
            return
        try:
            await upstream.batches.list(limit=1)
        except UpstreamStatusError as error:
            if error.status in _NONE_THERE:
                raise NotOfferedError(NOT_HERE) from error
        except ProxyError:
            pass
        else:
            self._seen = upstream.identity.account

    async def begin(self, batch: StoredBatch, holder: str, news: asyncio.Event) -> BatchRun:
        """Its run, from what is kept of it, under the lease of `holder`."""
        document = document_of(batch)
        dialect = self.dialects[document.endpoint]
        runs = LineRuns(
            batch,
            document,
            principal=principal_of(document, batch.principal),
            dialect=dialect,
            refuses=self.refuses,
            catalog=self.catalog,
            vault=self.vault,
            clock=self.clock,
        )
        file = StoredFile(batch.input_file, batch.principal, "", "batch", document.input_bytes, batch.created)
        desk = Desk(
            batch,
            document,
            self.store,
            holder,
            InputFile(self.files, file),
            runs,
            self.wall_clock,
            self.told,
        )
        return BatchRun(
            desk,
            self.files,
            wanted=dialect.wanted,
            allowances=self.allowances,
            resolve=partial(self._resolve, document.principal_models),
            way=partial(self._way, desk, news),
            longest=self.longest,
            most_lines=MOST_LINES if document.mode == "native" else self.emulated_lines,
            queued=self.queued,
        )

    async def _resolve(self, allowed: tuple[str, ...], name: str | None) -> str:
        upstream = await self.upstreams.current()
        model: ResolvedModel = await self.catalog.resolve(name, upstream)
        await self.catalog.check_allowed(allowed, model)
        return model.id

    async def _way(self, desk: Desk, news: asyncio.Event) -> Way:
        upstream: Upstream = await self.upstreams.current()
        if desk.document.mode == "emulated":
            return EmulatedRun(
                desk,
                upstream=self.upstreams.current,
                admissions=self.live(desk.runs.models),
                gate=self.gate,
                kind=desk.document.kind,
                news=news,
                pause=min(PAUSE_SECONDS_OF_LINE, self.pace.poll),
            )
        if not isinstance(upstream, MessagesAPI):
            raise NotOfferedError(NOT_HERE)  # Another login is in use for now: it is not run at the full price instead.
        return NativeRun(desk, upstream, upstream.batches, pace=self.pace, news=news, delete=self.delete_upstream)
