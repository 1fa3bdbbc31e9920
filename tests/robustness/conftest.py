"""The whole proxy as it is wired for users, in front of the simulated Messages API, with everything watched."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from robustness.whole_proxy import WholeProxy, whole_proxy

KEY = "sk-ant-made-up"


@pytest.fixture
def environment(simulator_url: str, tmp_path: Path) -> dict[str, str]:
    """What the proxy is started with; a test may add to it before it asks for `proxy`."""
    return {
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": simulator_url,
        "HOME": str(tmp_path),
        "UPSTREAM_RETRIES": "0",
        "LOG_LEVEL": "error",
    }


@pytest.fixture
async def proxy(environment: dict[str, str], simulator: Simulator, tmp_path: Path) -> AsyncIterator[WholeProxy]:
    async with whole_proxy(load_settings(Flags(), environment, tmp_path), simulator) as proxy:
        yield proxy
