"""Batches with the official SDK, through the whole proxy, in front of the simulator."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from robustness.whole_proxy import WholeProxy, whole_proxy
from web.serving import served


@pytest.fixture
async def simulator() -> Simulator:
    return Simulator()


@pytest.fixture
async def simulator_url(simulator: Simulator) -> AsyncIterator[str]:
    async with simulator.serve() as url:
        yield url


@pytest.fixture
def environment(simulator_url: str, tmp_path: Path) -> dict[str, str]:
    """What the proxy is started with; a test may add to it before it asks for `proxy`."""
    return {
        "ANTHROPIC_API_KEY": "sk-ant-made-up",
        "ANTHROPIC_BASE_URL": simulator_url,
        "HOME": str(tmp_path),
        "UPSTREAM_RETRIES": "0",
        "LOG_LEVEL": "error",
        "BATCH_POLL_SECONDS": "0.02",
        "BATCH_ADOPT_SECONDS": "0.2",
    }


@pytest.fixture
async def proxy(environment: dict[str, str], simulator: Simulator, tmp_path: Path) -> AsyncIterator[WholeProxy]:
    async with whole_proxy(load_settings(Flags(), environment, tmp_path), simulator) as proxy:
        yield proxy


@pytest.fixture
async def client(proxy: WholeProxy) -> AsyncIterator[AsyncOpenAI]:
    http = DefaultAsyncHttpxClient(verify=False)
    async with (
        served(proxy.app) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0, http_client=http) as client,
    ):
        yield client
