"""The one place where objects are made and put together."""

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext

from claude_openai_proxy import __version__
from claude_openai_proxy.protocols.openai_chat_response import Model
from claude_openai_proxy.service.chat import ChatService
from claude_openai_proxy.service.health import HealthService
from claude_openai_proxy.service.models import ModelCatalog, ModelNames
from claude_openai_proxy.settings import NetworkSettings, Settings
from claude_openai_proxy.settings.directories import state_directory
from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.telemetry.logging_setup import LogFormat, set_up_logging
from claude_openai_proxy.upstreams.claude_code import ClaudeCode
from claude_openai_proxy.upstreams.claude_code.login import single_user_refusal
from claude_openai_proxy.upstreams.claude_settings import ClaudeSettingsFiles, managed_directory, user_directory
from claude_openai_proxy.upstreams.credentials import Credential, CredentialSource
from claude_openai_proxy.upstreams.current_login import CurrentLogin
from claude_openai_proxy.upstreams.http import HTTPClient, Proxies
from claude_openai_proxy.upstreams.http.trust import tls_context
from claude_openai_proxy.upstreams.interface import UpstreamChoice
from claude_openai_proxy.upstreams.messages_api import MessagesAPI
from claude_openai_proxy.upstreams.only import OnlyUpstream
from claude_openai_proxy.upstreams.selection import SelectedUpstream
from claude_openai_proxy.web.application import Application
from claude_openai_proxy.web.chat_completions import ChatCompletions
from claude_openai_proxy.web.doors import Doors
from claude_openai_proxy.web.health import HealthPage
from claude_openai_proxy.web.models import ModelPages
from claude_openai_proxy.web.page import Page
from claude_openai_proxy.web.routes import make_router

START_SECONDS = 5.0
"""What is told at the start waits so long for the Claude Code CLI."""

DEMO_PACE_SECONDS = 0.01
DEMO_NOTE = "Demo: the built-in simulator answers, not Claude. Nothing leaves this machine, nothing is billed."


Pins = Callable[[], Mapping[str, str]]
"""Which line of models is pinned to which id at the moment."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """A server put together, and what can be told of it."""

    application: Application
    start_lines: Callable[[], Awaitable[list[str]]]
    start_refusal: Callable[[], Coroutine[None, None, str]]
    """Why it must not be started for the login there is; "" where it may."""
    _catalog: ModelCatalog
    _aclose: Callable[[], Awaitable[None]]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """For use without a server; leaving closes connections and processes."""
        try:
            yield
        finally:
            await self._aclose()

    async def model_lines(self) -> list[str]:
        """The aliases and models, a line each."""
        return [_model_line(model) for model in await self._catalog.list()]


def create_app(settings: Settings) -> Application:
    """The ASGI application for these settings."""
    return wire(settings).application


def wire(settings: Settings) -> Wiring:
    """Put a server together. Raises `UntrustedLoginError` for a credential that would go where it must not."""
    upstreams = demo_upstream() if settings.demo else selected_upstream(settings)
    pins: Pins = dict
    if isinstance(upstreams, SelectedUpstream):
        upstreams.configured()
        pins = upstreams.logins.pins
    catalog = model_catalog(settings, upstreams, pins)

    async def aclose() -> None:
        await catalog.aclose()
        await upstreams.aclose()

    async def start_lines() -> list[str]:
        return [*await _login_lines(upstreams), *_alias_lines(await catalog.aliases())]

    async def start_refusal() -> str:
        return await _start_refusal(settings, upstreams)

    application = _application(settings, upstreams, catalog, shutdown=aclose)
    return Wiring(application, start_lines, start_refusal, catalog, aclose)


# ---- parts, also for whoever examines them one by one ---------------------------------------------------------------


def model_catalog(settings: Settings, upstreams: UpstreamChoice, pins: Pins = dict) -> ModelCatalog:
    """The models of these upstreams, under the names that the settings give them."""
    return ModelCatalog(
        current=upstreams.current,
        names=ModelNames(settings.aliases, settings.default_model),
        pins=pins,
        clock=time.monotonic,
    )


def chat_service(settings: Settings, upstreams: UpstreamChoice, catalog: ModelCatalog) -> ChatService:
    """Chat completions through these upstreams."""
    return ChatService(
        upstreams=upstreams,
        catalog=catalog,
        reject_unsupported=settings.unsupported_parameters == "reject",
        new_id=lambda: f"chatcmpl-{secrets.token_hex(14)}",
        wall_clock=time.time,
    )


# ---- upstreams ------------------------------------------------------------------------------------------------------


def selected_upstream(settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> SelectedUpstream:
    """Both ways to Claude, and the choice between them."""
    user = user_directory(settings.environment)
    files = ClaudeSettingsFiles(user=user, managed=Path(managed_directory(sys.platform)), clock=clock)
    logins = CurrentLogin(
        layers=settings.login_layers,
        files=files,
        environment=settings.environment,
        clock=clock,
        upstream=settings.upstream,
    )
    return SelectedUpstream(
        logins=logins,
        api=_api(settings, logins),
        claude_code=_claude_code(settings, logins),
        preference=settings.upstream,
        refusal=lambda login: _single_user_refusal(settings, personal=login.personal),
        clock=clock,
    )


def _single_user_refusal(settings: Settings, *, personal: bool) -> str:
    return single_user_refusal(
        personal=personal,
        public=settings.public,
        client_keys=len(settings.client_keys),
        single_user=settings.single_user,
    )


def _api(settings: Settings, credentials: CredentialSource) -> MessagesAPI:
    return MessagesAPI(
        client=_http_client(settings.network),
        credentials=credentials,
        timeout=settings.timeout,
        total_timeout=settings.total_timeout,
        retries=settings.upstream_retries,
    )


def _claude_code(settings: Settings, logins: CurrentLogin) -> ClaudeCode:
    return ClaudeCode(
        cli=settings.claude_cli_path or "",
        environment=logins.cli_environment(),
        state_dir=state_directory(settings.environment, sys.platform),
        timeout=settings.timeout,
        total_timeout=settings.total_timeout,
        pool_size=settings.claude_pool_size,
        retries=settings.upstream_retries,
    )


def _http_client(network: NetworkSettings) -> HTTPClient:
    def tls() -> SSLContext:
        return tls_context(str(network.ssl_cert_file or ""), str(network.ssl_cert_dir or ""))

    proxies = Proxies(
        http=network.http_proxy.reveal() if network.http_proxy else "",
        https=network.https_proxy.reveal() if network.https_proxy else "",
        no_proxy=network.no_proxy,
    )
    return HTTPClient(tls=tls, proxies=proxies)


class _DemoCredential:
    """The simulator takes any key."""

    async def credential(self) -> Credential:
        return Credential("api_key", "sk-ant-demo", "http://demo.invalid", "the demo")

    async def refused(self, credential: Credential) -> bool:  # noqa: ARG002 - the protocol's signature
        return False

    def describe(self) -> str:
        return "none needed (demo)"


def demo_upstream() -> OnlyUpstream:
    """The built-in simulator."""
    simulator = Simulator(keep=0, pace=DEMO_PACE_SECONDS)

    async def dial(
        factory: Callable[[], asyncio.Protocol], *_: object
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        return await simulator.dial(factory)

    upstream = MessagesAPI(client=HTTPClient(dial=dial), credentials=_DemoCredential(), kind="demo")
    return OnlyUpstream(upstream, login="none needed (demo)", closing=simulator.aclose)


# ---- the application ------------------------------------------------------------------------------------------------


def _application(
    settings: Settings, upstreams: UpstreamChoice, catalog: ModelCatalog, *, shutdown: Callable[[], Awaitable[None]]
) -> Application:
    health = HealthService(upstreams=upstreams, catalog=catalog, version=__version__, clock=time.monotonic)
    router = make_router(
        chat=ChatCompletions(
            chat_service(settings, upstreams, catalog),
            body_limit=settings.max_body_mb * 1024 * 1024,
            clock=time.monotonic,
            wall_clock=time.time,
        ),
        models=ModelPages(catalog),
        health=HealthPage(health),
        page=Page(health, needs_key=bool(settings.client_keys)),
    )
    log_line = set_up_logging(
        level=settings.log_level, format_=_log_format(settings), stream=sys.stderr, wall_clock=time.time
    )
    return Application(
        router=router,
        doors=_doors(settings),
        clock=time.monotonic,
        wall_clock=time.time,
        new_id=lambda: f"req_{secrets.token_hex(12)}",
        upstream_retries=settings.upstream_retries,
        readers=[log_line],
        shutdown=shutdown,
    )


def _doors(settings: Settings) -> Doors:
    return Doors(
        keys={key.secret.reveal(): key.name for key in settings.client_keys},
        allowed_hosts=settings.allowed_hosts,
        allowed_origins=settings.allowed_origins,
        public=settings.public,
    )


def _log_format(settings: Settings) -> LogFormat:
    if settings.log_format == "auto":
        return "console" if sys.stderr.isatty() else "json"
    return settings.log_format


# ---- what is told at the start --------------------------------------------------------------------------------------


async def _start_refusal(settings: Settings, upstreams: UpstreamChoice) -> str:
    """The CLI is asked only where its answer can matter; requests are judged again, so that it need not answer now."""
    if isinstance(upstreams, SelectedUpstream) and _single_user_refusal(settings, personal=True):
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                return await upstreams.start_refusal()
    return ""


async def _login_lines(upstreams: UpstreamChoice) -> list[str]:
    if not isinstance(upstreams, SelectedUpstream):
        return [DEMO_NOTE]
    silent = f"The Claude Code CLI has not told its login within {START_SECONDS:g} s; /health tells it once it has."
    state = await _in_time(_state_lines(upstreams), otherwise=[silent])
    return [*state, *await _in_time(_shadow_lines(upstreams), otherwise=[])]


async def _in_time(lines: Awaitable[list[str]], *, otherwise: list[str]) -> list[str]:
    try:
        async with asyncio.timeout(START_SECONDS):
            return await lines
    except TimeoutError:
        return otherwise


async def _state_lines(upstreams: SelectedUpstream) -> list[str]:
    status = await upstreams.status()
    if not status.logged_in:
        return [*upstreams.notes(), status.detail]
    return [f"Upstream: {upstreams.kind}, login: {status.login}", f"Billed: {status.billed}", *upstreams.notes()]


async def _shadow_lines(upstreams: SelectedUpstream) -> list[str]:
    subscription = await upstreams.shadowed_subscription()
    return [f"The key comes before your {subscription}. To use that: --upstream claude-code"] if subscription else []


def _alias_lines(aliases: Mapping[str, str]) -> list[str]:
    return [f"Model {alias} -> {id_}" for alias, id_ in aliases.items()]


def _model_line(model: Model) -> str:
    return f"{model.id} -> {model.resolves_to}" if model.resolves_to else model.id
