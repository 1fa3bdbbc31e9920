"""Limits that several processes hold together: never more than one would, and little less."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from claude_openai_proxy.errors import PlanSpentError, RateLimitedError
from claude_openai_proxy.records import KeyLimits, Principal
from claude_openai_proxy.service.allowances import Amount, Reservation
from claude_openai_proxy.service.leased_allowances import GOOD_SECONDS, SLICES, LeasedAllowances
from claude_openai_proxy.storage.allowance_shares import SHARE_SECONDS, Share, StoredShares, Wanted
from claude_openai_proxy.storage.interface import StorageUnavailableError
from service.test_allowances import NOON, holder
from storage.databases import sqlite_in

Refused = (RateLimitedError, PlanSpentError)


class Shares(StoredShares):
    """Counts round trips; can be away."""

    asked = 0
    away = False

    async def lease(self, process: str, principal: str, wanted: Sequence[Wanted], now: float) -> Mapping[str, float]:
        self._ask()
        return await super().lease(process, principal, wanted, now)

    async def keep(self, process: str, shares: Sequence[Share], now: float, *, seconds: float) -> None:
        self._ask()
        await super().keep(process, shares, now, seconds=seconds)

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise StorageUnavailableError("The database is away.")


class Machines:
    """Processes with one database, one clock and a ledger that knows nothing yet."""

    def __init__(self, shares: Shares) -> None:
        self.now = 0.0
        self.shares = shares
        self.all: list[LeasedAllowances] = []

    def another(self) -> LeasedAllowances:
        made = LeasedAllowances(
            clock=lambda: self.now,
            wall_clock=lambda: NOON + self.now,
            spent=_nothing,
            shares=self.shares,
            process=f"process {len(self.all)}",
        )
        self.all.append(made)
        return made


async def _nothing(_principal: str, _since: float) -> float:
    return 0.0


@pytest.fixture
async def machines(tmp_path: Path) -> AsyncIterator[Machines]:
    database = sqlite_in(tmp_path)
    machines = Machines(Shares(database))
    yield machines
    for one in machines.all:
        await one.aclose()
    await database.aclose()


async def many(allowances: LeasedAllowances, who: Principal, amount: Amount) -> list[Reservation]:
    """As many as are let in."""
    kept: list[Reservation] = []
    with suppress(*Refused):
        while True:
            kept.append(await allowances.reserve(who, amount))
    return kept


LIMITS: list[tuple[Principal, Amount, int]] = [
    (holder(rpm=40), Amount(1), 40),
    (holder(tpm=4000), Amount(1, 100), 40),
    (holder(dollars=4.0), Amount(1, 0, 0.125), 32),
]


@pytest.mark.parametrize(("ann", "amount", "most"), LIMITS)
async def test_all_of_a_limit_can_be_used_and_no_more(
    machines: Machines, ann: Principal, amount: Amount, most: int
) -> None:
    one, other = machines.another(), machines.another()
    assert len(await many(one, ann, amount)) == most
    assert await many(other, ann, amount) == []


@pytest.mark.parametrize(("ann", "amount", "most"), LIMITS)
async def test_what_lies_unused_elsewhere_is_a_slice_and_is_given_back(
    machines: Machines, ann: Principal, amount: Amount, most: int
) -> None:
    one, other, third = (machines.another() for _ in range(3))
    first = [await one.reserve(ann, amount), await other.reserve(ann, amount)]
    rest = await many(third, ann, amount)
    assert most - 2 * (most // SLICES) <= len(rest) + len(first) < most

    for process in machines.all:
        await process._give_back(seconds=SHARE_SECONDS)

    rest += await many(third, ann, amount)
    assert len(rest) + len(first) == most


async def test_within_a_slice_nobody_waits_for_the_database(machines: Machines) -> None:
    one, ann = machines.another(), holder(rpm=100, tpm=100_000, dollars=10.0)
    for _ in range(10):
        (await one.reserve(ann, Amount(1, 1000, 0.0625))).settle(Amount(1, 1000, 0.0625))
    assert machines.shares.asked == 1
    await one.reserve(ann, Amount(1, 1000, 0.0625))
    assert machines.shares.asked == 2


async def test_a_refusal_says_when_what_lies_elsewhere_may_be_had(machines: Machines) -> None:
    one, other, ann = machines.another(), machines.another(), holder(rpm=2)
    kept = await one.reserve(ann, Amount(2))
    kept.settle(Amount(0))
    with pytest.raises(RateLimitedError) as refused:
        await other.reserve(ann, Amount(1))
    assert refused.value.retry_after == 2.0
    await one._give_back(seconds=SHARE_SECONDS)
    await other.reserve(ann, Amount(1))
    with pytest.raises(RateLimitedError, match="Request too large"):
        await other.reserve(ann, Amount(3))


async def test_while_the_database_is_away_shares_are_used_up_and_nothing_beyond(machines: Machines) -> None:
    one, ann = machines.another(), holder(rpm=100)
    await one.reserve(ann, Amount(1))
    machines.shares.away = True
    for _ in range(9):
        await one.reserve(ann, Amount(1))
    with pytest.raises(StorageUnavailableError):
        await one.reserve(ann, Amount(1))
    await one._give_back(seconds=SHARE_SECONDS)
    machines.shares.away = False
    assert len(await many(one, ann, Amount(1))) == 90


async def test_a_share_that_could_not_be_renewed_is_not_used(machines: Machines) -> None:
    one, ann = machines.another(), holder(dollars=1.0)
    (await one.reserve(ann, Amount(1, 0, 0.0625))).settle(Amount(1, 0, 0.0625))
    machines.shares.away = True
    machines.now = GOOD_SECONDS
    with pytest.raises(StorageUnavailableError):
        await one.reserve(ann, Amount(1, 0, 0.03125))
    machines.shares.away = False
    assert len(await many(one, ann, Amount(1, 0, 0.0625))) == 15


async def test_a_restart_gives_nothing_back_of_the_day_and_a_new_day_all(machines: Machines) -> None:
    one, ann = machines.another(), holder(dollars=1.0)
    (await one.reserve(ann, Amount(1, 0, 0.75))).settle(Amount(1, 0, 0.75))
    await one.aclose()
    again = machines.another()
    with pytest.raises(PlanSpentError):
        await again.reserve(ann, Amount(1, 0, 0.5))
    assert len(await many(again, ann, Amount(1, 0, 0.25))) == 1
    machines.now = 12 * 3600.0
    assert len(await many(machines.another(), ann, Amount(1, 0, 0.25))) == 4


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_no_minute_and_no_day_has_more_than_its_limit(machines: Machines, seed: int) -> None:
    random, ann = Random(seed), Principal("ann", "ann", limits=KeyLimits(12, 1200, 1.0))
    taken: list[tuple[float, Amount]] = []
    under_way: list[tuple[Reservation, Amount, int]] = []

    async def reserves(process: LeasedAllowances) -> None:
        amount = Amount(1, random.randint(1, 300), random.choice([0.0, 0.015625, 0.03125]))
        with suppress(*Refused, StorageUnavailableError):
            under_way.append((await process.reserve(ann, amount), amount, len(taken)))
            taken.append((machines.now, amount))

    async def looks(process: LeasedAllowances) -> None:
        await process._give_back(seconds=SHARE_SECONDS)

    steps: list[Callable[[LeasedAllowances], Awaitable[None]]] = [reserves, reserves, reserves, looks]
    processes = [machines.another() for _ in range(3)]
    for _ in range(150):
        machines.shares.away = random.random() < 0.1
        machines.now += random.choice([0.0, 0.5, 5.0])
        await random.choice(steps)(random.choice(processes))
        if under_way and random.random() < 0.5:
            reservation, amount, place = under_way.pop(random.randrange(len(under_way)))
            used = Amount(1, random.randint(0, amount.tokens), amount.dollars / 2)
            reservation.settle(used)
            taken[place] = (taken[place][0], used)
        last = sum((amount for at, amount in taken if at > machines.now - 60.0), Amount())
        assert last.requests <= 12
        assert last.tokens <= 1200
        assert sum(amount.dollars for _, amount in taken) <= 1.0
    assert len(taken) > 20
    machines.shares.away = False
