"""Nothing grows and nothing is left over many requests; `benchmarks/claude_code.py soak` does the same for longer."""

import asyncio
import gc
from pathlib import Path

import pytest

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.simulator import Cut, Script, Simulator
from claude_openai_proxy.upstreams.claude_code import ClaudeCode
from upstreams.claude_code.conftest import MakeUpstream
from upstreams.claude_code.requests_of_the_tests import answer, asking

ROUNDS = 5
AT_ONCE = 20
PIPES = 3
"""To and from a process."""


def open_files(upstream: ClaudeCode) -> int:
    """Besides those of the processes that wait: in place of one that did not get ready the next request starts one."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir())) - PIPES * upstream.pool.idle


async def ask_many(upstream: ClaudeCode) -> None:
    """Some are answered, some fail, some leave."""
    asked = [asyncio.create_task(answer(upstream, asking(f"question {number}"))) for number in range(AT_ONCE)]
    await asked[3]
    asked[-1].cancel()
    for result in await asyncio.gather(*asked, return_exceptions=True):
        assert not isinstance(result, BaseException) or isinstance(result, ProxyError | asyncio.CancelledError)
    while upstream.pool.starting or upstream._pool._tasks:
        await asyncio.gather(*upstream._pool._tasks)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
async def test_nothing_grows_over_a_hundred_requests(
    make_upstream: MakeUpstream, simulator: Simulator, private_directories: Path
) -> None:
    lost = Script(before=(Cut(),), skip_rules=True)
    simulator.play_when(lambda request: b"question 7" in request.body, lost)
    upstream = make_upstream(pool_size=2, pool_largest=2)
    await ask_many(upstream)
    before = open_files(upstream)

    for _ in range(ROUNDS - 1):
        await ask_many(upstream)

    assert open_files(upstream) <= before + 2
    assert upstream.pool.served >= ROUNDS * (AT_ONCE - 1)
    assert upstream.pool.recycled.get("failed", 0) >= ROUNDS
    await upstream.aclose()
    assert list(private_directories.glob("*/*")) == []  # noqa: ASYNC240
    assert len(simulator.requests) <= ROUNDS * AT_ONCE
