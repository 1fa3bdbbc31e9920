"""The limits of keys: reserved, settled, told, and never overrun by more than is stated."""

import asyncio
from random import Random

import pytest

from claude_openai_proxy.errors import MinuteLimit, PlanSpentError, RateLimitedError
from claude_openai_proxy.records import KeyLimits, Principal
from claude_openai_proxy.service.allowances import Amount, OwnAllowances, Reservation
from claude_openai_proxy.storage.interface import StorageUnavailableError

NOON = 1_800_014_400.0
"""12:00 UTC on 2027-01-15."""


def holder(rpm: int | None = None, tpm: int | None = None, dollars: float | None = None, id_: str = "k") -> Principal:
    return Principal("ann", id_, limits=KeyLimits(rpm, tpm, dollars))


class Day:
    """A clock, a calendar, and what was spent before the start."""

    def __init__(self) -> None:
        self.now = 0.0
        self.before: float | StorageUnavailableError = 0.0
        self.asked: list[tuple[str, float]] = []

    async def spent(self, principal: str, since: float) -> float:
        self.asked.append((principal, since))
        await asyncio.sleep(0)
        if isinstance(self.before, StorageUnavailableError):
            raise self.before
        return self.before

    def allowances(self) -> OwnAllowances:
        return OwnAllowances(clock=lambda: self.now, wall_clock=lambda: NOON + self.now, spent=self.spent)


async def test_requests_of_a_minute_are_counted_and_the_refusal_says_when_to_come_back() -> None:
    day, ann = Day(), holder(rpm=2)
    allowances = day.allowances()
    await allowances.reserve(ann, Amount(1))
    day.now = 15.0
    await allowances.reserve(ann, Amount(1))
    with pytest.raises(RateLimitedError) as refused:
        await allowances.reserve(ann, Amount(1))
    assert refused.value.message == (
        "Rate limit reached for the key ann on requests per min (RPM): Limit 2, Used 2, Requested 1. "
        "Please try again in 45s."
    )
    assert (refused.value.kind, refused.value.retry_after) == ("requests", 45.0)
    assert refused.value.limits == (MinuteLimit("requests", 2, 0, 60.0),)
    day.now = 60.0
    await allowances.reserve(ann, Amount(1))


async def test_tokens_are_settled_with_what_was_used() -> None:
    day, ann = Day(), holder(rpm=10, tpm=1000)
    allowances = day.allowances()
    first = await allowances.reserve(ann, Amount(1, 900))
    with pytest.raises(RateLimitedError, match=r"tokens per min \(TPM\): Limit 1000, Used 900, Requested 200"):
        await allowances.reserve(ann, Amount(1, 200))
    first.settle(Amount(1, 100))
    await allowances.reserve(ann, Amount(1, 200))
    assert allowances.minutes(ann) == (MinuteLimit("requests", 10, 8, 60.0), MinuteLimit("tokens", 1000, 700, 60.0))


async def test_what_is_refused_takes_nothing() -> None:
    day, ann = Day(), holder(rpm=10, tpm=100, dollars=1.0)
    allowances = day.allowances()
    for amount in (Amount(1, 101, 0.1), Amount(1, 50, 1.1), Amount(11, 50, 0.1)):
        with pytest.raises((RateLimitedError, PlanSpentError)):
            await allowances.reserve(ann, amount)
    standing = await allowances.standing(ann)
    assert [one.remaining for one in standing.minutes] == [10, 100]
    assert standing.budget == (1.0, 0.0, 0.0, 12 * 3600)


async def test_a_request_that_is_never_within_its_limit_need_not_be_tried_again() -> None:
    allowances = Day().allowances()
    with pytest.raises(RateLimitedError, match=r"Request too large for the key ann .* a smaller max_tokens") as refused:
        await allowances.reserve(holder(tpm=100), Amount(1, 101))
    assert refused.value.retry_after is None
    with pytest.raises(RateLimitedError, match="Ask for fewer answers"):
        await allowances.reserve(holder(rpm=3), Amount(4))


async def test_a_request_that_never_reached_claude_gives_everything_back() -> None:
    allowances, ann = Day().allowances(), holder(rpm=1, tpm=100, dollars=1.0)
    reservation = await allowances.reserve(ann, Amount(1, 100, 1.0))
    reservation.settle(Amount())
    await allowances.reserve(ann, Amount(1, 100, 1.0))


async def test_more_of_the_same_request_is_reserved_beside_and_settled_together() -> None:
    day, ann = Day(), holder(tpm=300, dollars=1.0)
    allowances = day.allowances()
    reservation = await allowances.reserve(ann, Amount(1, 100, 0.4))
    day.now = 30.0
    await reservation.add(Amount(0, 100, 0.4))
    with pytest.raises(RateLimitedError):
        await reservation.add(Amount(0, 101, 0.1))
    with pytest.raises(PlanSpentError):
        await reservation.add(Amount(0, 10, 0.3))
    reservation.settle(Amount(1, 130, 0.5))
    assert [one.remaining for one in allowances.minutes(ann)] == [170]
    assert (await allowances.standing(ann)).budget == (1.0, 0.5, 0.0, 12 * 3600 - 30)
    day.now = 60.0
    assert [one.remaining for one in allowances.minutes(ann)] == [270]


async def test_a_budget_begins_anew_with_the_day_and_counts_what_runs_over_midnight_there() -> None:
    day, ann = Day(), holder(dollars=1.0)
    allowances = day.allowances()
    (await allowances.reserve(ann, Amount(1, 0, 0.9))).settle(Amount(1, 0, 0.9))
    over_midnight = await allowances.reserve(ann, Amount(1, 0, 0.05))
    with pytest.raises(PlanSpentError, match="the next day starts in 12 h 0 min") as refused:
        await allowances.reserve(ann, Amount(1, 0, 0.2))
    assert refused.value.resets_in == 12 * 3600
    day.now = 12 * 3600.0
    over_midnight.settle(Amount(1, 0, 0.3))
    assert (await allowances.standing(ann)).budget == (1.0, 0.3, 0.0, 24 * 3600)


async def test_what_was_spent_before_the_start_counts_and_is_asked_for_once() -> None:
    day, ann = Day(), holder(dollars=1.0)
    day.before = 0.75
    allowances = day.allowances()
    results = await asyncio.gather(
        *(allowances.reserve(ann, Amount(1, 0, 0.2)) for _ in range(5)), return_exceptions=True
    )
    assert sum(not isinstance(one, Exception) for one in results) == 1
    assert day.asked == [("k", NOON - 12 * 3600)]


async def test_while_the_ledger_cannot_be_read_requests_go_on_and_it_is_asked_again() -> None:
    day, ann = Day(), holder(dollars=1.0)
    day.before = StorageUnavailableError("The disk is gone.")
    allowances = day.allowances()
    (await allowances.reserve(ann, Amount(1, 0, 0.5))).settle(Amount(1, 0, 0.5))
    day.before = 0.9
    with pytest.raises(PlanSpentError):
        await allowances.reserve(ann, Amount(1, 0, 0.2))


async def test_keys_do_not_share_and_a_new_limit_counts_at_once() -> None:
    allowances = Day().allowances()
    await allowances.reserve(holder(rpm=1), Amount(1))
    await allowances.reserve(holder(rpm=1, id_="other"), Amount(1))
    with pytest.raises(RateLimitedError):
        await allowances.reserve(holder(rpm=1), Amount(1))
    await allowances.reserve(holder(rpm=2), Amount(1))


@pytest.mark.parametrize("beyond", [0, 40])
@pytest.mark.parametrize("seed", range(10))
async def test_a_limit_is_overrun_by_no_more_than_what_answers_under_way_take_beyond_their_reservations(
    seed: int, beyond: int
) -> None:
    """Reserved: 100 tokens and 10 cents each. Used: at most `beyond` more, whoever comes and ends when."""
    chance, day, ann = Random(seed), Day(), holder(tpm=1000, dollars=5.0)
    allowances, running, spent, bound = day.allowances(), list[Reservation](), 0.0, 0.0

    def end(reservation: Reservation) -> float:
        used = chance.randint(0, 100 + beyond)
        reservation.settle(Amount(1, used, used / 1000))
        return used / 1000

    for _ in range(1000):
        day.now += chance.choice([0.0, 0.1, 2.0, 20.0])
        if running and chance.random() < 0.5:
            spent += end(running.pop(chance.randrange(len(running))))
            continue
        try:
            running.append(await allowances.reserve(ann, Amount(1, 100, 0.1)))
        except (RateLimitedError, PlanSpentError):
            continue
        assert spent + len(running) * 0.1 <= 5.0 + 1e-9
        assert allowances.minutes(ann)[0].remaining >= 0
        bound = 5.0 + len(running) * beyond / 1000
    spent += sum(end(reservation) for reservation in running)
    assert 4.5 < spent <= bound + 1e-9
    with pytest.raises(PlanSpentError):
        await allowances.reserve(ann, Amount(1, 0, 0.6))


async def test_requests_that_come_at_the_same_time_cannot_use_the_same_dollars() -> None:
    allowances, ann = Day().allowances(), holder(rpm=1000, tpm=10_000, dollars=1.0)
    inside, most, spent = 0, 0, 0.0
    await allowances.standing(ann)

    async def ask() -> None:
        nonlocal inside, most, spent
        reservation = await allowances.reserve(ann, Amount(1, 100, 0.1))
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        spent += 0.13
        reservation.settle(Amount(1, 130, 0.13))

    results = await asyncio.gather(*(ask() for _ in range(200)), return_exceptions=True)
    let_in = sum(one is None for one in results)
    assert most == let_in == 10
    assert spent == pytest.approx(1.0 + 10 * 0.03)
    with pytest.raises(PlanSpentError):
        await allowances.reserve(ann, Amount(1, 0, 0.0))
