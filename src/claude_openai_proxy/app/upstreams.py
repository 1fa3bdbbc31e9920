"""The ways to Claude from their settings: key and Claude Code, or the demo."""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from ssl import SSLContext

from claude_openai_proxy.app.installation import installation_key
from claude_openai_proxy.app.pseudonyms import Pseudonyms
from claude_openai_proxy.app.worker import pool_largest
from claude_openai_proxy.logins.claude_settings import ClaudeSettingsFiles, managed_directory, user_directory
from claude_openai_proxy.logins.credentials import Credential, CredentialSource
from claude_openai_proxy.logins.current import CurrentLogin
from claude_openai_proxy.logins.layers import Layer
from claude_openai_proxy.settings import NetworkSettings, Settings, confirmation
from claude_openai_proxy.upstreams.api.upstream import MessagesAPI
from claude_openai_proxy.upstreams.claude_code import ClaudeCode
from claude_openai_proxy.upstreams.claude_code.login import single_user_refusal
from claude_openai_proxy.upstreams.http import HTTPClient, Proxies
from claude_openai_proxy.upstreams.http.trust import tls_context
from claude_openai_proxy.upstreams.only import OnlyUpstream
from claude_openai_proxy.upstreams.selection import SelectedUpstream

DEMO_PACE_SECONDS = 0.01


def selected_upstream(
    settings: Settings,
    *,
    clock: Callable[[], float] = time.monotonic,
    client_keys: Callable[[], int] | None = None,
) -> SelectedUpstream:
    """Both ways to Claude, and the choice between them. `client_keys` counts the keys that open the door now."""
    count = client_keys or (lambda: len(settings.client_keys))
    user = user_directory(settings.environment)
    files = ClaudeSettingsFiles(user=user, managed=Path(managed_directory(sys.platform)), clock=clock)
    logins = CurrentLogin(
        layers=tuple(Layer(one.name, one.trust, one.variables) for one in settings.login_sources),
        files=files,
        environment=settings.environment,
        clock=clock,
        upstream=settings.upstream,
        unconfirmed=confirmation(settings.unconfirmed),
    )
    return SelectedUpstream(
        logins=logins,
        api=_api(settings, logins),
        claude_code=_claude_code(settings, logins),
        preference=settings.upstream,
        refusal=lambda login: plan_refusal(settings, personal=login.personal, client_keys=count()),
        clock=clock,
    )


def plan_refusal(settings: Settings, *, personal: bool, client_keys: int) -> str:
    """Why a login must not be served the way these settings would; "" where it may."""
    return single_user_refusal(
        personal=personal,
        public=settings.public,
        client_keys=client_keys,
        single_user=settings.single_user,
    )


def _api(settings: Settings, credentials: CredentialSource) -> MessagesAPI:
    return MessagesAPI(
        client=_http_client(settings.network),
        credentials=credentials,
        timeout=settings.timeout,
        total_timeout=settings.total_timeout,
        retries=settings.upstream_retries,
        pseudonym=Pseudonyms(installation_key(settings)),
        workspace=settings.workspace_id or "",
    )


def _claude_code(settings: Settings, logins: CurrentLogin) -> ClaudeCode:
    return ClaudeCode(
        cli=settings.claude_cli_path or "",
        environment=logins.cli_environment(),
        keys=logins.cli_keys(),
        state_dir=settings.storage.directory,
        timeout=settings.timeout,
        total_timeout=settings.total_timeout,
        pool_size=settings.claude_pool_size,
        pool_largest=pool_largest(settings),
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
    from claude_openai_proxy.simulator import Simulator  # noqa: PLC0415 - the demo alone needs it

    simulator = Simulator(keep=0, pace=DEMO_PACE_SECONDS)

    async def dial(
        factory: Callable[[], asyncio.Protocol], *_: object
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        return await simulator.dial(factory)

    upstream = MessagesAPI(client=HTTPClient(dial=dial), credentials=_DemoCredential(), kind="demo")
    return OnlyUpstream(upstream, login="none needed (demo)", closing=simulator.aclose)
