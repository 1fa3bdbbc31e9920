"""The whole proxy on a real port, in front of the simulated Messages API."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from claude_openai_proxy.app.wiring import create_app
from claude_openai_proxy.settings import Flags, load_settings
from web.serving import served

KEY = "sk-ant-made-up"


@pytest.fixture
def environment(simulator_url: str, tmp_path: Path) -> dict[str, str]:
    """What the proxy is started with; a test may add to it before it asks for `base_url`."""
    return {
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": simulator_url,
        "HOME": str(tmp_path),
        "UPSTREAM_RETRIES": "0",
    }


@pytest.fixture
async def base_url(environment: dict[str, str], tmp_path: Path) -> AsyncIterator[str]:
    settings = load_settings(Flags(), environment, tmp_path)
    async with served(create_app(settings)) as url:
        yield f"{url}/v1"


@pytest.fixture
async def client(base_url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=base_url, api_key="any value", max_retries=0) as sdk:
        yield sdk
