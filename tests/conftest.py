"""What every test may use: the event loop, and the simulated Messages API on a loopback port."""

import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.upstreams.claude_code.binary import find_cli
from postgresql_server import own_database, own_schema
from year_ahead import keep_the_clock

# No test depends on how fast this machine is.
settings.register_profile("no_clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no_clock")

keep_the_clock()

# Behind `nohup` this signal is ignored, and whatever is started ignores it, too. One that is caught is not inherited.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-loop", action="store_true", help="tests of the real CLI on each event loop, not on one")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many tests wait for programs that they start."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A proxy that a test has run may have set what the whole process logs."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture(scope="session")
def cli() -> str:
    """The real Claude Code CLI, which the extra `test` brings."""
    found = find_cli("", {})
    if found is None:
        pytest.skip("the Claude Code CLI is not installed")
    return str(found)


@pytest.fixture(scope="session")
def postgresql_database() -> Iterator[str]:
    """The URL of this run's own database."""
    with own_database() as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_database: str) -> Iterator[str]:
    """The URL of an empty place in it, for one test."""
    with own_schema(postgresql_database) as url:
        yield url


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def simulator() -> Simulator:
    return Simulator()


@pytest.fixture
async def simulator_url(simulator: Simulator) -> AsyncIterator[str]:
    async with simulator.serve() as url:
        yield url
