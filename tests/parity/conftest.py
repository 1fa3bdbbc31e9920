"""Two proxies for a whole module: made-up logins, simulated APIs, and a trap for whatever else the CLI would call."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from claude_openai_proxy.app.wiring import create_app
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from parity.sides import Pair, Side
from upstreams.claude_code.conftest import Trap
from web.serving import served

API = {"ANTHROPIC_API_KEY": "sk-ant-made-up"}
CLAUDE_CODE = {"CLAUDE_UPSTREAM": "claude-code", "CLAUDE_CODE_OAUTH_TOKEN": "made-up-oauth-token"}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Of the scope of the proxies."""
    return "asyncio"


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up user's; the proof of the CLI's contract is kept there for the rest of the run."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
async def trap() -> AsyncIterator[Trap]:
    """Refuses all that would leave this machine; nothing may have been asked for in the end."""
    trap = Trap()
    server = await asyncio.start_server(trap.serve, "127.0.0.1", 0)
    trap.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield trap
    assert trap.hosts == []


@pytest.fixture(scope="module")
def environment(cli: str, home: Path, trap: Trap) -> dict[str, str]:
    """What both proxies are started with, beside their login."""
    return {
        "HOME": str(home),
        "CLAUDE_CONFIG_DIR": str(home / "claude"),
        "XDG_STATE_HOME": str(home / "state"),
        "PATH": "/usr/bin:/bin",
        "CLAUDE_CLI_PATH": cli,
        "HTTPS_PROXY": trap.url,
        "HTTP_PROXY": trap.url,
        "NO_PROXY": "127.0.0.1",
        "UPSTREAM_RETRIES": "0",
    }


@pytest.fixture(scope="module")
async def pair(environment: dict[str, str], home: Path) -> AsyncIterator[Pair]:
    """Both ways to Claude."""
    async with both_ways(environment, home) as pair:
        yield pair


@asynccontextmanager
async def both_ways(environment: Mapping[str, str], home: Path) -> AsyncIterator[Pair]:
    """Two proxies, each in front of its own simulated API unless `environment` names another place."""
    async with proxy({**environment, **API}, home) as api, proxy({**environment, **CLAUDE_CODE}, home) as claude_code:
        yield Pair(api, claude_code)


@asynccontextmanager
async def proxy(environment: Mapping[str, str], home: Path) -> AsyncIterator[Side]:
    simulator = Simulator()
    async with simulator.serve() as upstream:
        settings = load_settings(Flags(), {"ANTHROPIC_BASE_URL": upstream, **environment}, home)
        async with served(create_app(settings)) as url:
            yield Side(url, simulator)
