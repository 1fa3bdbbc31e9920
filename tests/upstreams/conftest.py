"""The upstreams that `test_conformance.py` judges, on each event loop that is used in production."""

import sys
from collections.abc import AsyncIterator

import pytest

from claude_openai_proxy.upstreams.interface import Upstream
from upstreams.factories import FACTORIES, UpstreamFactory

LOOPS = {"asyncio": False} if sys.platform == "win32" else {"asyncio": False, "uvloop": True}


@pytest.fixture(params=list(LOOPS.values()), ids=list(LOOPS))
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Transports differ between the loops: what is written on them runs on both."""
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(params=list(FACTORIES.values()), ids=list(FACTORIES))
def make_upstream(request: pytest.FixtureRequest) -> UpstreamFactory:
    factory: UpstreamFactory = request.param
    return factory


@pytest.fixture
async def upstream(make_upstream: UpstreamFactory, simulator_url: str) -> AsyncIterator[Upstream]:
    async with make_upstream(simulator_url, 10) as upstream:
        yield upstream
