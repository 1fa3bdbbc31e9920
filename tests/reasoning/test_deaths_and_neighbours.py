"""The thinking of a loop outlives its process, is found by another one, and never gets into a loop beside it."""

import asyncio
import signal
import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from cli.running import running
from reasoning.loops import JSONObject, Loop, asked_of, shares_read, thought_turns
from robustness.whole_proxy import WholeProxy, until, whole_proxy
from web.serving import served

OPUS = "claude-opus-5-5"
BUDGET_ONLY = "claude-haiku-4-5"
"""Thinks with a budget, and demands the thinking of the running loop."""
HIGH = {"reasoning_effort": "high"}


def turns_in_the_file(home: Path) -> int:
    """Committed. On a busy machine that may be later than the answer's end, which waits for a moment only."""
    path = home / ".local/state/claude-openai-proxy/state.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        (count,) = database.execute("SELECT count(*) FROM reasoning").fetchone()
    return int(count)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", [OPUS, BUDGET_ONLY])
async def test_a_server_that_is_killed_between_turns_loses_no_thinking(
    simulator: Simulator, environment: dict[str, str], tmp_path: Path, model: str, streamed: bool
) -> None:
    """Killed as soon as the turn is in the file."""
    messages: list[JSONObject] = []
    for turns in range(4):
        with running("serve", "--port", "0", home=tmp_path, extra=environment) as command:
            port = await asyncio.to_thread(command.port)
            async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="any", max_retries=0) as client:
                loop = Loop.of_rounds(client, model, 9, calls=2, streamed=streamed, options=dict(HIGH))
                loop.messages = messages or loop.messages
                assert await loop.turn()
                kept = turns + 1
                await until(lambda: turns_in_the_file(tmp_path) == kept)  # noqa: B023 - called at once
                command.signal(signal.SIGKILL)
                messages = loop.messages
            await asyncio.to_thread(command.end)
        request = asked_of(simulator)[-1]
        assert request.broken_rule == ""
        assert thought_turns(request) == [True] * turns
    assert min(shares_read(asked_of(simulator))[1:]) > 0.5


async def test_two_servers_of_one_directory_take_turns(
    simulator: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    settings = load_settings(Flags(), environment, tmp_path)
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(2):
            proxy = await stack.enter_async_context(whole_proxy(settings, simulator))
            url = await stack.enter_async_context(served(proxy.app))
            client = AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0)
            clients.append(await stack.enter_async_context(client))
        loop = Loop.of_rounds(clients[0], OPUS, 9, calls=2, options=dict(HIGH))
        for turns in range(6):
            loop.client = clients[turns % 2]
            assert await loop.turn()
            kept = turns + 1
            await until(lambda: turns_in_the_file(tmp_path) == kept)  # noqa: B023 - called at once
            assert thought_turns(asked_of(simulator)[-1]) == [True] * turns


async def test_equal_conversations_at_the_same_time_keep_their_own_thinking(
    client: AsyncOpenAI, simulator: Simulator, proxy: WholeProxy
) -> None:
    loops = [Loop.of_rounds(client, OPUS, 4, calls=3, options=dict(HIGH)) for _ in range(6)]
    assert await asyncio.gather(*(loop.run() for loop in loops)) == [5] * 6
    requests = asked_of(simulator)
    assert {request.broken_rule for request in requests} == {""}
    assert all(all(thought_turns(request)) for request in requests)
    assert not any(record.thinking_left_out for record in proxy.ledger.records)
    assert sum(record.thinking_put_back for record in proxy.ledger.records) == 6 * (1 + 2 + 3 + 4)


@pytest.mark.parametrize("model", [OPUS, BUDGET_ONLY])
async def test_an_equal_conversation_that_does_not_think_gets_nothing_of_the_one_that_did(
    client: AsyncOpenAI, simulator: Simulator, model: str
) -> None:
    """Its calls say the same and have other ids: another turn with those would not go with its results."""
    thinking = Loop.of_rounds(client, model, 4, calls=2, options=dict(HIGH))
    assert await thinking.run() == 5
    without = {"reasoning_effort": "low"} if model == OPUS else {}
    simulator.forget()
    plain = Loop.of_rounds(client, model, 4, calls=2, options=without)
    assert await plain.run() == 5
    requests = asked_of(simulator)
    assert {request.broken_rule for request in requests} == {""}
    assert not any(any(thought_turns(request)) for request in requests)
