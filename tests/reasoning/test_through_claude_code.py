"""The same loops through the Claude Code process: nothing of it depends on the way."""

import asyncio
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from models_of_the_day import OFFERED
from reasoning.loops import SYSTEM, Loop, all_that_was_written_is_read, asked_of, shares_read, thought_turns
from reasoning.test_loops import EFFORTS, MODELS, thinks
from robustness.whole_proxy import WholeProxy, whole_proxy
from upstreams.claude_code.conftest import Trap
from web.serving import served

NAMES = {name for model in OFFERED for name in (model.id, model.alias)}
ASKED = product([model for model in MODELS if model in NAMES], EFFORTS)
CASES = [(model, effort, number % 2 == 1) for number, (model, effort) in enumerate(ASKED)]
"""Whole and streamed take turns: by the API each is asked both ways."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Of the scope of the proxy: its processes are used by all tests."""
    return "asyncio"


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator()


@pytest.fixture(scope="module")
async def proxy(cli: str, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WholeProxy]:
    home: Path = tmp_path_factory.mktemp("home")
    trap = Trap()
    nowhere = await asyncio.start_server(trap.serve, "127.0.0.1", 0)
    trap.url = f"http://127.0.0.1:{nowhere.sockets[0].getsockname()[1]}"
    async with nowhere, simulator.serve() as upstream:
        environment = {
            "ANTHROPIC_BASE_URL": upstream,
            "CLAUDE_CODE_OAUTH_TOKEN": "made-up-oauth-token",
            "CLAUDE_UPSTREAM": "claude-code",
            "CLAUDE_CLI_PATH": cli,
            "CLAUDE_CONFIG_DIR": str(home / "claude"),
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
            "HTTPS_PROXY": trap.url,
            "HTTP_PROXY": trap.url,
            "NO_PROXY": "127.0.0.1",
            "LOG_LEVEL": "error",
        }
        async with whole_proxy(load_settings(Flags(), environment, home), simulator) as proxy:
            yield proxy
    assert trap.hosts == []


@pytest.fixture(scope="module")
async def base_url(proxy: WholeProxy) -> AsyncIterator[str]:
    async with served(proxy.app) as url:
        yield f"{url}/v1"


@pytest.fixture
async def client(base_url: str, proxy: WholeProxy, simulator: Simulator) -> AsyncIterator[AsyncOpenAI]:
    simulator.forget()
    proxy.ledger.records.clear()
    async with AsyncOpenAI(base_url=base_url, api_key="any", max_retries=0) as client:
        yield client


@pytest.mark.parametrize(("model", "effort", "streamed"), CASES)
async def test_ten_turns_keep_their_thinking_and_are_read_from_the_cache(
    client: AsyncOpenAI, simulator: Simulator, proxy: WholeProxy, model: str, effort: str | None, streamed: bool
) -> None:
    options = {"reasoning_effort": effort} if effort else {}
    loop = Loop.of_rounds(client, model, 9, calls=2, streamed=streamed, options=options)
    assert await loop.run() == 10

    requests = asked_of(simulator)
    assert [request.broken_rule for request in requests] == [""] * 10
    assert all(all(thought_turns(request)) == thinks(model, effort) for request in requests[1:])
    assert min(shares_read(requests)[2:]) >= 0.9
    put_back = [record.thinking_put_back for record in proxy.ledger.records]
    assert put_back == (list(range(10)) if thinks(model, effort) else [0] * 10)


async def test_wide_turns_are_read_from_the_cache(client: AsyncOpenAI, simulator: Simulator) -> None:
    loop = Loop.of_rounds(client, "claude-opus-5-5", 10, calls=25, system=3 * SYSTEM, found="Found.")
    assert await loop.run() == 11
    requests = asked_of(simulator)
    assert {request.broken_rule for request in requests} == {""}
    assert min(shares_read(requests)[2:]) >= 0.9
    assert all_that_was_written_is_read(requests)
