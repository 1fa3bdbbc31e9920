"""The upstreams that `test_conformance.py` judges, on each event loop that is used in production.

A test that starts the real CLI costs a second, nearly all of it the CLI's: it is run on one of the loops, by its name,
and on each with `--every-loop`. What does not start it is always run on each.
"""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from zlib import crc32

import pytest

from claude_openai_proxy.upstreams.interface import Upstream
from upstreams.factories import FACTORIES, UpstreamFactory

HERE = Path(__file__).parent
LOOPS = {"asyncio": False} if sys.platform == "win32" else {"asyncio": False, "uvloop": True}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("every_loop"):
        return
    other = [item for item in items if isinstance(item, pytest.Function) and _is_for_another_loop(item)]
    if other:
        config.hook.pytest_deselected(items=other)
        items[:] = [item for item in items if item not in set(other)]


def _is_for_another_loop(item: pytest.Function) -> bool:
    parts = item.name.partition("[")[2].rstrip("]").split("-")
    loop = next((part for part in parts if part in LOOPS), None)
    if loop is None or not item.path.is_relative_to(HERE) or not _starts_the_cli(item):
        return False
    name = item.nodeid.replace(loop, "")
    return loop != list(LOOPS)[crc32(name.encode()) % len(LOOPS)]


def _starts_the_cli(item: pytest.Function) -> bool:
    return "cli" in item.fixturenames or item.callspec.params.get("make_upstream") is FACTORIES["claude_code"]


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
