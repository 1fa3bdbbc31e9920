"""Who waits for a place at an upstream, how long, and in which order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from claude_openai_proxy.errors import QueueFullError
from claude_openai_proxy.service.waiting import WaitingLine


def new_line(*, patience: float = 10.0, longest: int = 100) -> WaitingLine:
    return WaitingLine(clock=lambda: 0.0, patience=patience, longest=longest)


class Guests:
    """Requests that note when they are let in, and stay until they are told to leave."""

    def __init__(self, line: WaitingLine, capacity: int | None) -> None:
        self.entered: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._line = line
        self._capacity = capacity
        self._leave: dict[str, asyncio.Event] = {}

    async def come(self, name: str, principal: str = "local", *, places: int = 1) -> None:
        self._leave[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._stay(name, principal, places))
        await breathe()

    async def go(self, name: str) -> None:
        self._leave[name].set()
        await self.tasks[name]
        await breathe()

    async def _stay(self, name: str, principal: str, places: int) -> None:
        async with self._line.place(self._capacity, principal, places=places):
            self.entered.append(name)
            await self._leave[name].wait()


async def breathe() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@asynccontextmanager
async def guests(line: WaitingLine, capacity: int | None) -> AsyncIterator[Guests]:
    party = Guests(line, capacity)
    yield party
    for task in party.tasks.values():
        task.cancel()
    await asyncio.gather(*party.tasks.values(), return_exceptions=True)
    assert line._taken == 0
    assert line.status.waiting == 0


async def test_an_upstream_without_a_limit_needs_no_line() -> None:
    async with guests(new_line(longest=0), None) as party:
        for name in "abc":
            await party.come(name)
        assert party.entered == ["a", "b", "c"]


async def test_whoever_finds_no_place_waits_for_one_and_is_let_in_in_turn() -> None:
    line = new_line()
    async with guests(line, 2) as party:
        for name in "abcd":
            await party.come(name)
        assert party.entered == ["a", "b"]
        assert line.status.waiting == 2
        await party.go("b")
        await party.go("a")
        assert party.entered == ["a", "b", "c", "d"]


async def test_principals_take_turns_however_many_requests_each_has() -> None:
    async with guests(new_line(), 1) as party:
        await party.come("first", "greedy")
        for number in range(3):
            await party.come(f"greedy {number}", "greedy")
        await party.come("modest", "modest")
        await party.come("shy", "shy")
        for done in ("first", "greedy 0", "modest", "shy", "greedy 1"):
            await party.go(done)
        assert party.entered == ["first", "greedy 0", "modest", "shy", "greedy 1", "greedy 2"]


async def test_a_request_of_many_places_is_not_overtaken_for_ever() -> None:
    async with guests(new_line(), 3) as party:
        await party.come("a")
        await party.come("b")
        await party.come("large", places=3)
        await party.come("small")
        await party.go("a")
        assert party.entered == ["a", "b"]
        await party.go("b")
        assert party.entered == ["a", "b", "large"]
        await party.go("large")
        assert party.entered[-1] == "small"


async def test_more_places_than_there_are_count_as_all_of_them() -> None:
    async with guests(new_line(), 2) as party:
        await party.come("huge", places=8)
        await party.come("next")
        assert party.entered == ["huge"]


async def test_a_request_waits_only_so_long() -> None:
    line = new_line(patience=0.05)
    async with guests(line, 1) as party:
        await party.come("a")
        with pytest.raises(QueueFullError, match="no place was free for this request within") as raised:
            async with line.place(1, "b"):
                pass
        assert raised.value.retry_after == 5


async def test_a_line_that_is_too_long_turns_away_at_once() -> None:
    line = new_line(longest=1)
    async with guests(line, 1) as party:
        await party.come("a")
        await party.come("b")
        with pytest.raises(QueueFullError, match="1 requests wait already"):
            async with line.place(1, "c"):
                pass


async def test_a_client_that_leaves_the_line_is_forgotten() -> None:
    line = new_line()
    async with guests(line, 1) as party:
        for name in "abc":
            await party.come(name)
        party.tasks["b"].cancel()
        await breathe()
        await party.go("a")
        assert party.entered == ["a", "c"]


async def test_a_client_that_leaves_in_the_moment_it_is_let_in_frees_its_place() -> None:
    line = new_line()
    async with guests(line, 1) as party:
        for name in "abc":
            await party.come(name)
        party._leave["a"].set()
        await party.tasks["a"]
        party.tasks["b"].cancel()
        await breathe()
        assert party.entered[-1] == "c"


async def test_waits_are_told() -> None:
    now = [0.0]
    line = WaitingLine(clock=lambda: now[0])
    async with guests(line, 1) as party:
        await party.come("a")
        await party.come("b")
        now[0] = 2.0
        await party.go("a")
        assert (line.status.median_ms, line.status.longest_ms) == (1000, 2000)
