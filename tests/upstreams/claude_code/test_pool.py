"""The pool, against a stand-in that misbehaves on demand: what is used again, what is not, and what is left."""

import asyncio
import gc
import json
from collections import UserDict
from collections.abc import AsyncIterator, ItemsView
from pathlib import Path

import pytest

from claude_openai_proxy.errors import UpstreamConnectionError
from claude_openai_proxy.upstreams.claude_code.pool import FAILURES, STARTS, Pool
from claude_openai_proxy.upstreams.claude_code.process import CliProcess, Launch
from claude_openai_proxy.upstreams.claude_code.turn import Turn
from claude_openai_proxy.upstreams.interface import AnswerFacts
from upstreams.claude_code.fake_cli import CLEARED, install_fake_cli
from upstreams.claude_code.recordings import recorded
from upstreams.claude_code.requests_of_the_tests import MODEL, asking, text_of

TEXT = [line.decode() for line in recorded("text")]
CUT_OFF = [line.decode() for line in recorded("max_tokens")]
ANSWER = '{"type":"stream_event","event":{"type":"ping"}}'


@pytest.fixture
async def pool(launch: Launch) -> AsyncIterator[Pool]:
    pool = Pool(size=1, largest=2)
    pool.use(launch)
    yield pool
    await pool.aclose()


async def settle(pool: Pool) -> None:
    """Until nothing is under way in the background."""
    while pool._tasks:
        await asyncio.gather(*pool._tasks)


async def ask(pool: Pool, process: CliProcess) -> str:
    """Ask and let go of the process as the upstream does; what it answered."""
    turn = Turn(process, asking(), AnswerFacts(), now=0.0, timeout=10.0, deadline=None)
    await turn.begin()
    answer = text_of([event async for batch in turn for event in batch])
    assert turn.reusable
    pool.recycle(process, model=MODEL, settled=turn.settled)
    return answer


async def asked(pool: Pool, *, prompted: bool = True) -> CliProcess:
    process = await pool.take(prompted=prompted)
    process.prompted |= prompted
    await ask(pool, process)
    await settle(pool)
    return process


async def test_processes_are_started_ahead_and_used(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=TEXT)
    pool = Pool(size=2, largest=4)
    pool.use(launch)
    pool.refill()
    await settle(pool)
    ready = list(pool._idle)

    taken = await pool.take()

    assert len(ready) == 2
    assert taken in ready
    pool.retire(taken, "failed", interrupt=False)
    await pool.aclose()
    assert not any(process.alive for process in ready)


async def test_a_process_serves_one_conversation_after_another(tmp_path: Path, pool: Pool) -> None:
    install_fake_cli(tmp_path, turn=TEXT)

    first, second = await asked(pool), await asked(pool)

    assert first is second
    assert (pool.status.served, pool.status.idle, dict(pool.status.recycled)) == (2, 1, {})


async def test_a_request_without_a_system_prompt_gets_a_process_that_never_had_one(tmp_path: Path, pool: Pool) -> None:
    install_fake_cli(tmp_path, turn=TEXT)

    with_prompt = await asked(pool)
    without = await asked(pool, prompted=False)

    assert with_prompt is not without
    assert await asked(pool, prompted=False) is without
    assert await asked(pool, prompted=True) is with_prompt


async def test_where_no_more_may_run_an_unsuited_process_gives_way(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=TEXT)
    pool = Pool(size=1, largest=1)
    pool.use(launch)

    with_prompt, without = await asked(pool), await asked(pool, prompted=False)

    assert with_prompt is not without
    assert not with_prompt.alive
    await pool.aclose()


@pytest.mark.parametrize(
    "cleared",
    [[], CLEARED[1:], [CLEARED[0], ANSWER, *CLEARED[1:]], [CLEARED[0], TEXT[-1]], ["garbage"], ["exit"]],
    ids=["says nothing", "no reset", "answers", "another result", "garbage", "dies"],
)
async def test_a_process_that_does_not_forget_for_certain_is_ended(
    tmp_path: Path, pool: Pool, cleared: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_openai_proxy.upstreams.claude_code.clearing.CLEAR_SECONDS", 0.5)
    install_fake_cli(tmp_path, turn=TEXT, cleared=cleared)

    process = await asked(pool)

    assert not process.alive
    assert pool.status.recycled == {"not cleared": 1}


async def test_a_turn_that_the_cli_does_not_end_itself_ends_the_process(
    tmp_path: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_openai_proxy.upstreams.claude_code.clearing.SETTLE_SECONDS", 0.5)
    install_fake_cli(tmp_path, turn=[line for line in TEXT if json.loads(line)["type"] != "result"])

    assert not (await asked(pool)).alive


async def test_after_a_stop_reason_that_invites_another_request_a_process_is_killed_at_once(
    tmp_path: Path, pool: Pool
) -> None:
    install_fake_cli(tmp_path, turn=[*CUT_OFF, "hang"])
    process = await pool.take()
    turn = Turn(process, asking(), AnswerFacts(), now=0.0, timeout=10.0, deadline=None)

    await turn.begin()
    async for _ in turn:
        pass

    assert turn.done
    assert not turn.reusable
    await process._pipes.exited.wait()
    pool.retire(process, "stop reason", interrupt=False)


async def test_a_process_that_says_something_while_idle_is_not_used(tmp_path: Path, pool: Pool) -> None:
    install_fake_cli(tmp_path, turn=TEXT, cleared=[*CLEARED, '{"type":"system"}', ANSWER])
    first = await asked(pool)
    while first.quiet:  # noqa: ASYNC110  # nobody tells that it speaks
        await asyncio.sleep(0)

    second = await pool.take()

    assert first is not second
    assert sum(pool.status.recycled.values()) == 1
    pool.give_back(second)


async def test_an_idle_process_that_died_is_not_handed_out(tmp_path: Path, pool: Pool) -> None:
    install_fake_cli(tmp_path, turn=TEXT)
    dead = await asked(pool)
    dead.kill()
    await dead._pipes.exited.wait()

    taken = await pool.take()

    assert taken.alive
    assert pool.status.recycled == {"died": 1}
    pool.give_back(taken)


async def test_a_process_is_replaced_after_so_many_uses(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=TEXT)
    pool = Pool(size=1, largest=1, uses=2)
    pool.use(launch)

    used = [await asked(pool) for _ in range(4)]

    assert used[0] is used[1]
    assert used[2] is used[3]
    assert used[1] is not used[2]
    assert pool.status.recycled == {"uses": 2}
    await pool.aclose()


async def test_a_process_that_has_grown_is_replaced(
    tmp_path: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_openai_proxy.upstreams.claude_code.pool.MEMORY_BYTES", 1)
    install_fake_cli(tmp_path, turn=TEXT)

    process = await pool.take()
    if not process.memory():
        pytest.skip("this system does not tell the memory of a process")
    await ask(pool, process)
    await settle(pool)

    assert pool.status.recycled == {"memory": 1}


async def test_processes_of_another_login_are_ended_idle_or_busy(tmp_path: Path, pool: Pool, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=TEXT)
    idle = await asked(pool)
    busy = await pool.take(prompted=False)

    pool.use(Launch(launch.cli, launch.environment, launch.patience))
    await ask(pool, busy)
    await settle(pool)

    assert not idle.alive
    assert not busy.alive
    assert pool.status.recycled == {"login": 2}


async def test_what_was_started_for_a_peak_is_ended_when_it_is_idle(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=TEXT)
    pool = Pool(size=1, largest=3, idle_seconds=0.1)
    pool.use(launch)
    taken = [await pool.take() for _ in range(3)]

    for process in taken:
        pool.give_back(process)
    async with asyncio.timeout(10):
        while pool.status.idle > 1:  # noqa: ASYNC110  # a timer of the pool's own
            await asyncio.sleep(0.01)

    assert pool.status.recycled == {"idle": 2}
    await pool.aclose()


async def test_nothing_is_kept_where_the_size_is_none(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=TEXT)
    pool = Pool(size=0, largest=2)
    pool.use(launch)

    assert not (await asked(pool)).alive
    await pool.aclose()


async def test_the_first_process_starts_alone(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=TEXT, started=tmp_path / "started")
    pool = Pool(size=4, largest=4)
    pool.use(launch)

    pool.refill()
    await settle(pool)

    first, *others = (tmp_path / "started").read_text().splitlines()
    assert first.startswith("start")
    assert others[0] == first.replace("start", "ready")
    assert pool.status.idle == 4
    await pool.aclose()


async def test_a_failed_start_is_the_failure_of_the_request_that_waits(tmp_path: Path, pool: Pool) -> None:
    for _ in range(FAILURES - 1):
        with pytest.raises(UpstreamConnectionError):
            await pool.take()

    install_fake_cli(tmp_path)
    pool.give_back(await pool.take())


async def test_starts_that_fail_are_not_paid_by_every_request_and_the_next_launch_is_tried_at_once(
    tmp_path: Path, launch: Launch
) -> None:
    started = tmp_path / "started"
    install_fake_cli(tmp_path, start=["exit"], started=started)
    pool = Pool(size=2, largest=40)
    pool.use(launch)

    results = await asyncio.gather(*(pool.take() for _ in range(20)), return_exceptions=True)
    later = await asyncio.gather(*(pool.take() for _ in range(20)), return_exceptions=True)
    pool.refill()

    assert all(isinstance(result, UpstreamConnectionError) for result in [*results, *later])
    assert len(started.read_text().splitlines()) <= FAILURES + STARTS
    assert pool.trouble is not None
    install_fake_cli(tmp_path)
    pool.use(Launch(launch.cli, launch.environment))
    pool.give_back(await pool.take())
    await pool.aclose()


async def test_while_another_process_may_be_free_soon_nobody_is_told_of_starts_that_fail(
    tmp_path: Path, launch: Launch
) -> None:
    install_fake_cli(tmp_path, turn=TEXT)
    pool = Pool(size=1, largest=4)
    pool.use(launch)
    busy = await pool.take()
    install_fake_cli(tmp_path, start=["exit"])
    for _ in range(FAILURES):  # one by one: of two starts that fail together nobody may be told of the second
        with pytest.raises(UpstreamConnectionError):
            await pool.take()

    waiting = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    pool.give_back(busy)
    assert await waiting is busy
    pool.retire(busy, "failed", interrupt=False)
    await pool.aclose()


async def test_requests_that_wait_are_not_lost_when_a_start_fails(pool: Pool) -> None:
    waiting = [asyncio.create_task(pool.take()) for _ in range(5)]

    results = await asyncio.gather(*waiting, return_exceptions=True)

    assert all(isinstance(result, UpstreamConnectionError) for result in results)


async def test_whoever_waits_when_the_pool_closes_is_told(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, start=["hang"])
    pool = Pool(size=1, largest=1)
    pool.use(Launch(launch.cli, launch.environment, 0.5))
    waiting = asyncio.create_task(pool.take())
    await asyncio.sleep(0)

    await pool.aclose()

    with pytest.raises(UpstreamConnectionError):
        await waiting


async def test_never_more_processes_than_the_maximum(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=TEXT)
    pool = Pool(size=1, largest=1)
    pool.use(launch)
    first = await pool.take()
    waiting = [asyncio.create_task(pool.take()) for _ in range(3)]
    await settle(pool)

    assert not any(task.done() for task in waiting)
    assert (pool.status.busy, pool.status.idle, pool.status.starting) == (1, 0, 0)
    pool.give_back(first)
    for task in waiting:
        assert await task is first
        pool.give_back(first)
    await pool.aclose()


async def test_whoever_waits_at_the_maximum_gets_a_place_that_a_failure_frees(tmp_path: Path, launch: Launch) -> None:
    install_fake_cli(tmp_path, turn=TEXT)
    pool = Pool(size=0, largest=1)
    pool.use(launch)
    first = await pool.take()
    waiting = asyncio.create_task(pool.take())
    await settle(pool)

    pool.retire(first, "failed", interrupt=False)

    second = await waiting
    assert second is not first
    pool.give_back(second)
    await pool.aclose()


class Unforeseen(UserDict[str, str]):
    """An environment that fails in a way that no start is expected to."""

    def items(self) -> ItemsView[str, str]:
        raise RuntimeError("Nobody foresaw this.")


async def test_a_start_that_fails_as_nobody_foresaw_costs_neither_the_request_nor_a_place(
    tmp_path: Path, launch: Launch
) -> None:
    install_fake_cli(tmp_path)
    pool = Pool(size=1, largest=1)
    pool.use(Launch(launch.cli, Unforeseen()))
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(str(context.get("exception"))))

    for _ in range(2):
        with pytest.raises(UpstreamConnectionError, match="could not be started"):
            await asyncio.wait_for(pool.take(), 30)

    assert pool.status.starting == 0
    pool.use(launch)
    pool.give_back(await pool.take())
    gc.collect()
    assert set(told) == {"Nobody foresaw this."}
    await pool.aclose()
