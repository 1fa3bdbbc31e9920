"""Who waits for a place with the server or at an upstream, how long, and in which order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

import pytest

from claude_openai_proxy.errors import QueueFullError
from claude_openai_proxy.service.waiting import Places


def new_line(*, patience: float = 10.0, longest: int = 100, most: int | None = None) -> Places:
    return Places(clock=lambda: 0.0, patience=patience, longest=longest, most=most)


class Guests:
    """Requests that note when they are let in, and stay until they are told to leave."""

    def __init__(self, line: Places, capacity: int | None) -> None:
        self.entered: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._line = line
        self._capacity = capacity
        self._leave: dict[str, asyncio.Event] = {}

    async def come(self, name: str, principal: str = "local", *, places: int = 1, by_api: bool = False) -> None:
        self._leave[name] = asyncio.Event()
        capacity = None if by_api else self._capacity
        self.tasks[name] = asyncio.create_task(self._stay(name, principal, places, capacity))
        await breathe()

    async def go(self, name: str) -> None:
        self._leave[name].set()
        await self.tasks[name]
        await breathe()

    async def _stay(self, name: str, principal: str, places: int, capacity: int | None) -> None:
        async with self._line.take(capacity, principal, places=places):
            self.entered.append(name)
            await self._leave[name].wait()


async def breathe() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@asynccontextmanager
async def guests(line: Places, capacity: int | None) -> AsyncIterator[Guests]:
    party = Guests(line, capacity)
    yield party
    for task in party.tasks.values():
        task.cancel()
    await asyncio.gather(*party.tasks.values(), return_exceptions=True)
    assert (line.status.running, line.status.waiting) == (0, 0)
    assert not line.server._lines | line.upstream._lines


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
            async with line.take(1, "b"):
                pass
        assert raised.value.retry_after == 5


async def test_a_line_that_is_too_long_turns_away_at_once() -> None:
    line = new_line(longest=1)
    async with guests(line, 1) as party:
        await party.come("a")
        await party.come("b")
        with pytest.raises(QueueFullError, match="1 requests wait already"):
            async with line.take(1, "c"):
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
    line = Places(clock=lambda: now[0])
    async with guests(line, 1) as party:
        await party.come("a")
        await party.come("b")
        now[0] = 2.0
        await party.go("a")
        assert (line.status.median_ms, line.status.longest_ms) == (1000, 2000)


async def test_the_server_s_own_bound_counts_whatever_the_upstream() -> None:
    line = new_line(most=2)
    async with guests(line, 5) as party:
        await party.come("a", by_api=True)
        await party.come("b")
        await party.come("c", by_api=True)
        await party.come("d")
        assert (party.entered, line.status.waiting) == (["a", "b"], 2)
        await party.go("b")
        await party.go("a")
        assert party.entered == ["a", "b", "c", "d"]


async def test_who_waits_for_a_process_holds_a_place_with_the_server_until_he_leaves() -> None:
    line = new_line(most=3)
    async with guests(line, 1) as party:
        await party.come("a")
        await party.come("b")
        await party.come("c", by_api=True)
        assert (party.entered, line.status.running) == (["a", "c"], 3)
        party.tasks["b"].cancel()
        await breathe()
        await party.come("d", by_api=True)
        assert party.entered == ["a", "c", "d"]


async def test_without_patience_nobody_waits() -> None:
    line = new_line(patience=0, most=1)
    async with guests(line, None) as party:
        await party.come("a")
        with pytest.raises(QueueFullError, match="within 0 s"):
            async with line.take(None, "b"):
                pass
        await party.go("a")
        await party.come("c")
        assert party.entered == ["a", "c"]


async def test_a_full_line_is_shared_out_among_principals() -> None:
    line = new_line(longest=3)
    async with guests(line, 1) as party:
        await party.come("first", "greedy")
        for number in range(3):
            await party.come(f"greedy {number}", "greedy")
        await party.come("modest", "modest")
        with pytest.raises(QueueFullError, match="3 requests wait already"):
            await party.tasks["greedy 2"]
        with pytest.raises(QueueFullError):
            async with line.take(1, "greedy"):
                pass
        with pytest.raises(QueueFullError):
            async with line.take(1, "modest"):
                pass
        for done in ("first", "greedy 0", "modest"):
            await party.go(done)
        assert party.entered == ["first", "greedy 0", "modest", "greedy 1"]


async def test_of_any_number_of_requests_that_come_and_go_never_more_are_inside_than_there_are_places() -> None:
    line, chance = new_line(most=5, longest=20), Random(8)
    inside = {"server": 0, "upstream": 0}
    most = dict(inside)

    async def ask(number: int) -> None:
        capacity, places = chance.choice([None, 3]), chance.randint(1, 4)
        with suppress(QueueFullError):
            async with line.take(capacity, f"key {number % 4}", places=places):
                held = {"server": min(places, 5), "upstream": min(places, 3) if capacity else 0}
                for name, count in held.items():
                    inside[name] += count
                    most[name] = max(most[name], inside[name])
                for _ in range(chance.randint(0, 5)):
                    await asyncio.sleep(0)
                for name, count in held.items():
                    inside[name] -= count

    asking = []
    for number in range(500):
        asking.append(asyncio.create_task(ask(number)))
        if not chance.randint(0, 3):
            asking[chance.randint(0, number)].cancel()
            await asyncio.sleep(0)
    await asyncio.gather(*asking, return_exceptions=True)
    assert most == {"server": 5, "upstream": 3}
    assert (line.status.running, line.status.waiting) == (0, 0)
