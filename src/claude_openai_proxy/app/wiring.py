"""A server from its settings: service, web, telemetry, and what can be told of it."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from claude_openai_proxy.app.batches import BatchParts, batches
from claude_openai_proxy.app.doors import doors
from claude_openai_proxy.app.files import client_files
from claude_openai_proxy.app.keys import client_keys
from claude_openai_proxy.app.life import Life
from claude_openai_proxy.app.money import Money, money
from claude_openai_proxy.app.response_state import (
    background_responses,
    conversations,
    stored_completions,
    stored_responses,
)
from claude_openai_proxy.app.responses import responses
from claude_openai_proxy.app.secrecy import blotter
from claude_openai_proxy.app.sight import sight
from claude_openai_proxy.app.start import (
    login_lines,
    model_line,
    model_lines,
    money_lines,
    remains_lines,
    start_refusal,
)
from claude_openai_proxy.app.stores import Stores, stores
from claude_openai_proxy.app.upstreams import demo_upstream, selected_upstream
from claude_openai_proxy.app.usage import ledger
from claude_openai_proxy.app.worker import WorkerPlace, part_of
from claude_openai_proxy.errors import NoLoginError
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.protocols.openai_chat_response import ModelList
from claude_openai_proxy.records import LOCAL, RecordReader, RequestRecord
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.background_responses import BackgroundResponses
from claude_openai_proxy.service.chat import ChatAnswer, ChatService
from claude_openai_proxy.service.client_keys import ClientKeys
from claude_openai_proxy.service.completions import CompletionService
from claude_openai_proxy.service.files import Files
from claude_openai_proxy.service.messages import MessagesService
from claude_openai_proxy.service.model_names import ModelNames
from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.service.reasoning import ReasoningVault
from claude_openai_proxy.service.stored_completions import StoredCompletions
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.telemetry.ledger import Ledger
from claude_openai_proxy.telemetry.logging_setup import Log, new_log
from claude_openai_proxy.upstreams.interface import Upstream, UpstreamChoice
from claude_openai_proxy.upstreams.selection import SelectedUpstream
from claude_openai_proxy.web.application import Application
from claude_openai_proxy.web.batches.batches import BatchPages
from claude_openai_proxy.web.blotting import Blotter
from claude_openai_proxy.web.body import Bodies
from claude_openai_proxy.web.chat.completions import ChatCompletions
from claude_openai_proxy.web.completions.completions import Completions
from claude_openai_proxy.web.files.files import FilePages
from claude_openai_proxy.web.messages.messages import Messages
from claude_openai_proxy.web.models import ModelPages
from claude_openai_proxy.web.responses.socket import ResponsesSocket
from claude_openai_proxy.web.routes import OwnPages, Router, make_router
from claude_openai_proxy.web.visitor import TrustedProxies

Pins = Callable[[], Mapping[str, str]]
"""Which line of models is pinned to which id at the moment."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """A server put together, and what can be told of it."""

    application: Application
    log: Log
    """Not installed yet: wiring has no effects beyond its objects."""
    stores: Stores
    batched: BatchParts
    ledger: Ledger
    _keys: ClientKeys
    _settings: Settings
    _upstreams: UpstreamChoice
    _catalog: ModelCatalog
    _admissions: Admissions
    _spending: Money
    _background: BackgroundResponses
    _life: Life

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """For use without a server; leaving closes connections and processes."""
        try:
            await self._life.start()
            yield
        finally:
            await self._life.end()

    def under_way(self) -> int:
        """Responses in the background: what goes on though no client waits for it."""
        return self._background.under_way

    async def start_lines(self) -> list[str]:
        """Login and models, for people."""
        login = await login_lines(self._upstreams)
        await self._spending.open()
        spending = await money_lines(self._settings, self._upstreams, self._spending.guard)
        return [*login, *spending, *remains_lines(self.stores.remains), *await self._model_lines()]

    async def _model_lines(self) -> list[str]:
        return await model_lines(self._catalog, self._settings.model_fallbacks.values())

    async def start_refusal(self) -> str:
        """Why it must not be started: for the login there is, or for what is kept; "" where it may."""
        return await self.stores.open() or await start_refusal(self._settings, self._upstreams, self._keys)

    async def model_lines(self) -> list[str]:
        """The aliases and models, a line each."""
        return [model_line(model) for model in await self._catalog.list()]

    async def models(self) -> ModelList:
        """The same as `GET /v1/models` answers."""
        return ModelList(data=await self._catalog.list())

    def chat(self, request: ChatCompletionRequest) -> AbstractAsyncContextManager[ChatAnswer]:
        """One answer without a server; leaving cancels what still runs. Entering and iterating raise `ProxyError`."""
        record = RequestRecord("", LOCAL, "", "", time.monotonic())
        return _chat_service(self._settings, self._admissions).chat(request, unknown=(), record=record)

    def models_trouble(self) -> str:
        """Why what was listed is the built-in table; "" where upstream was asked."""
        return self._catalog.trouble


async def _nothing() -> None:
    pass


def create_app(settings: Settings) -> Application:
    """The ASGI application for these settings."""
    return wire(settings).application


def wire(settings: Settings, worker: WorkerPlace | None = None) -> Wiring:
    """Put a server together: objects only, no thread, no connection, nothing global, so that it may follow a fork.

    `worker`: it is one of several that serve together, and keeps its part of the bounds.

    Raises `UntrustedLoginError` for a credential that would go where it must not.
    """
    if worker is not None:
        settings = part_of(settings, worker.number)
    kept = stores(settings)
    keys = client_keys(settings, kept)
    upstreams = demo_upstream() if settings.demo else selected_upstream(settings, client_keys=lambda: keys.count)
    pins, prepare = _prepared(upstreams)
    catalog = model_catalog(settings, upstreams, pins)

    places, spending = _places(settings), money(settings, kept, upstreams)
    blots, background = blotter(settings, upstreams), background_responses(kept)
    book, files = ledger(settings, kept), client_files(settings, kept)
    seen = sight(
        settings, upstreams, catalog, places,
        blotter=blots, kept=kept, spending=spending, keys=keys, book=book, worker=worker,
    )  # fmt: skip
    batched = batches(
        settings, kept, upstreams, catalog, places,
        spending=spending, background=background, files=files, seen=seen, keys=keys,
    )  # fmt: skip
    closing = [batched.collector.aclose, keys.aclose, background.aclose, *seen.closing, files.aclose]
    closing += [catalog.aclose, upstreams.aclose, spending.allowances.aclose, book.aclose]
    opening = [spending.open, book.open, files.start, background.open, batched.collector.open]
    life = Life(kept, opening, closing, prepare)
    request_log = _log(settings, blots)
    admissions = _admissions(upstreams, catalog, places, spending=spending, kept=kept)
    router = _router(
        settings, admissions, catalog, own=seen.pages, kept=kept, background=background, files=files, batched=batched
    )
    readers: list[RecordReader] = [request_log.requests, *seen.readers]
    application = _application(settings, router, readers=readers, blotter=blots, life=life, keys=keys)
    parts = (keys, settings, upstreams, catalog, admissions, spending, background, life)
    return Wiring(application, request_log, kept, batched, book, *parts)


def _prepared(upstreams: UpstreamChoice) -> tuple[Pins, Callable[[], Awaitable[None]]]:
    """What pins models, and what makes the way ready."""
    if not isinstance(upstreams, SelectedUpstream):
        return dict, _nothing
    upstreams.configured()
    return upstreams.logins.pins, upstreams.prepare


# ---- parts, also for whoever examines them one by one ---------------------------------------------------------------


def model_catalog(settings: Settings, upstreams: UpstreamChoice | None, pins: Pins = dict) -> ModelCatalog:
    """The models of these upstreams, under the names that the settings give them; None: those of the built-in table."""
    return ModelCatalog(
        current=upstreams.current if upstreams else _nobody,
        names=ModelNames(settings.aliases, settings.default_model),
        pins=pins,
        clock=time.monotonic,
    )


def _places(settings: Settings) -> Places:
    return Places(clock=time.monotonic, most=settings.max_concurrent_requests, patience=settings.queue_seconds)


async def _nobody() -> Upstream:
    raise NoLoginError("Nobody is asked.")


def chat_service(
    settings: Settings, upstreams: UpstreamChoice, catalog: ModelCatalog, places: Places | None = None
) -> ChatService:
    """Chat completions through these upstreams; whoever does not find one free waits for one of `places`."""
    places = places or Places(clock=time.monotonic)
    admissions = Admissions(upstreams=upstreams, catalog=catalog, places=places, clock=time.monotonic)
    return _chat_service(settings, admissions)


def _chat_service(settings: Settings, admissions: Admissions, stored: StoredCompletions | None = None) -> ChatService:
    return ChatService(
        admissions=admissions,
        reject_unsupported=settings.unsupported_parameters == "reject",
        new_id=lambda: f"chatcmpl-{os.urandom(14).hex()}",
        wall_clock=time.time,
        stored=stored,
    )


def _admissions(
    upstreams: UpstreamChoice, catalog: ModelCatalog, places: Places, *, spending: Money, kept: Stores
) -> Admissions:
    return Admissions(
        upstreams=upstreams,
        catalog=catalog,
        places=places,
        clock=time.monotonic,
        note_limits=spending.meter.note,
        guard=spending.guard,
        ways=spending.ways,
        allowances=spending.allowances,
        vault=ReasoningVault(kept.reasoning),
    )


def _router(
    settings: Settings,
    admissions: Admissions,
    catalog: ModelCatalog,
    *,
    own: OwnPages,
    kept: Stores,
    background: BackgroundResponses,
    files: Files,
    batched: BatchParts,
) -> Router:
    state = background.state
    bodies = Bodies(limit=settings.max_body_mb * 1024 * 1024)
    reject = settings.unsupported_parameters == "reject"
    chat = _chat_service(settings, admissions, StoredCompletions(state))
    completions = CompletionService(
        admissions=admissions,
        reject_unsupported=reject,
        new_id=lambda: f"cmpl-{os.urandom(14).hex()}",
        wall_clock=time.time,
    )
    messages = MessagesService(admissions=admissions, reject_unsupported=reject)
    return make_router(
        chat=ChatCompletions(chat, bodies=bodies, files=files, clock=time.monotonic, wall_clock=time.time),
        completions=Completions(completions, bodies=bodies, clock=time.monotonic, wall_clock=time.time),
        messages=Messages(messages, bodies=bodies, clock=time.monotonic),
        responses=responses(settings, kept, admissions, background=background, files=files, bodies=bodies),
        socket=ResponsesSocket(clock=time.monotonic),
        models=ModelPages(catalog),
        own=own,
        files=FilePages(files, bodies=bodies),
        batches=BatchPages(batched.batches, bodies=bodies),
        stored_completions=stored_completions(state, bodies),
        stored_responses=stored_responses(background),
        conversations=conversations(state, bodies),
    )


def _application(
    settings: Settings,
    router: Router,
    *,
    readers: Sequence[RecordReader],
    blotter: Blotter,
    life: Life,
    keys: ClientKeys,
) -> Application:
    return Application(
        router=router,
        doors=doors(settings, keys),
        clock=time.monotonic,
        wall_clock=time.time,
        new_id=lambda: f"req_{os.urandom(12).hex()}",
        upstream_retries=settings.upstream_retries,
        readers=readers,
        trusted=TrustedProxies(settings.trusted_proxies),
        blot=blotter.all,
        startup=life.serve,
        shutdown=life.end,
    )


def _log(settings: Settings, blotter: Blotter) -> Log:
    return new_log(
        level=settings.log_level,
        format_=settings.log_format,
        stream=sys.stderr,
        wall_clock=time.time,
        blot=blotter.secrets,
        later=lambda seconds, tell: asyncio.get_running_loop().call_later(seconds, tell),
    )
