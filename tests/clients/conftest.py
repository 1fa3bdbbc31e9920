"""Real clients against the whole proxy, through each upstream. Nothing they do leaves this machine."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic
from anyio.from_thread import start_blocking_portal
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI

from claude_openai_proxy.upstreams.claude_code.binary import find_cli
from clients.proxies import REFUSED, Kind, Proxy, running_proxy

QUIET: Mapping[str, str] = {
    "HTTP_PROXY": REFUSED,
    "HTTPS_PROXY": REFUSED,
    "ALL_PROXY": REFUSED,
    "NO_PROXY": "127.0.0.1,localhost",
    "DO_NOT_TRACK": "1",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "OTEL_SDK_DISABLED": "true",
    "HF_HUB_OFFLINE": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "AIDER_ANALYTICS_DISABLE": "true",
    "AIDER_CHECK_UPDATE": "false",
    "NEXT_TELEMETRY_DISABLED": "1",
    "KILO_DISABLE_AUTOUPDATE": "1",
    "KILO_DISABLE_MODELS_FETCH": "1",
}
"""Tracing, telemetry and update checks off; whatever asks for another host all the same is refused."""
OTHER_LOGINS = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_API_BASE",
    "OPENAI_ORG_ID",
    "LANGSMITH_API_KEY",
)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in OTHER_LOGINS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def proxies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Kind], Proxy]]:
    """Each kind is started when it is first asked for, and stops at the end of the run."""
    started: dict[Kind, Proxy] = {}
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())

        def proxy(kind: Kind) -> Proxy:
            if kind not in started:
                home = tmp_path_factory.mktemp("home")
                started[kind] = stack.enter_context(portal.wrap_async_context_manager(running_proxy(kind, home)))
            return started[kind]

        yield proxy


@pytest.fixture
def api_proxy(proxies: Callable[[Kind], Proxy]) -> Iterator[Proxy]:
    """For what need not be tried through each upstream."""
    running = proxies("api")
    yield running
    running.forget()


@pytest.fixture(params=["api", "claude-code"])
def proxy(request: pytest.FixtureRequest, proxies: Callable[[Kind], Proxy]) -> Iterator[Proxy]:
    if request.param == "claude-code" and find_cli("", {}) is None:
        pytest.skip("the Claude Code CLI is not installed")
    running = proxies(request.param)
    yield running
    running.forget()


# The proxy speaks no TLS, and to load the certificates for it would take longer than most tests.


@pytest.fixture
def client(proxy: Proxy) -> Iterator[OpenAI]:
    http = DefaultHttpxClient(verify=False)
    with OpenAI(base_url=proxy.base_url, api_key="any value", max_retries=0, http_client=http) as client:
        yield client


@pytest.fixture
async def async_client(proxy: Proxy) -> AsyncIterator[AsyncOpenAI]:
    http = DefaultAsyncHttpxClient(verify=False)
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="any value", max_retries=0, http_client=http) as client:
        yield client


@pytest.fixture
def claude(proxy: Proxy) -> Iterator[Anthropic]:
    http = anthropic.DefaultHttpxClient(verify=False)
    with Anthropic(base_url=proxy.native_url, api_key="any value", max_retries=0, http_client=http) as client:
        yield client


@pytest.fixture
async def async_claude(proxy: Proxy) -> AsyncIterator[AsyncAnthropic]:
    http = anthropic.DefaultAsyncHttpxClient(verify=False)
    async with AsyncAnthropic(
        base_url=proxy.native_url, auth_token="any value", max_retries=0, http_client=http
    ) as client:
        yield client
