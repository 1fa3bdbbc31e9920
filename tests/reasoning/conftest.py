"""The whole proxy with its memory, in front of a simulator that keeps the books."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from robustness.whole_proxy import WholeProxy, whole_proxy
from web.serving import served


@pytest.fixture
def environment(simulator_url: str, tmp_path: Path) -> dict[str, str]:
    """By API key."""
    return {
        "ANTHROPIC_API_KEY": "sk-ant-made-up",
        "ANTHROPIC_BASE_URL": simulator_url,
        "HOME": str(tmp_path),
        "UPSTREAM_RETRIES": "0",
        "LOG_LEVEL": "error",
    }


@pytest.fixture
async def proxy(environment: dict[str, str], simulator: Simulator, tmp_path: Path) -> AsyncIterator[WholeProxy]:
    async with whole_proxy(load_settings(Flags(), environment, tmp_path), simulator) as proxy:
        yield proxy


@pytest.fixture
async def client(proxy: WholeProxy) -> AsyncIterator[AsyncOpenAI]:
    async with served(proxy.app) as url, AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        yield client
