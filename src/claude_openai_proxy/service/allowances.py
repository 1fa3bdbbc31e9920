"""What a client key may use: requests and tokens a minute, US dollars a day (UTC, by list price, whoever charges).

| an answer | of the key's limits |
|---|---|
| is about to be asked for | its estimate is reserved, or it is refused; several of one request all together or none |
| asks Claude once more (a repair, a continuation) | the estimate of that is reserved beside |
| has ended, however | what it took counts in place of what was reserved |
| ends before Claude has told what it took | what was sent and said so far is estimated |

Invariants: what is reserved is reserved at one moment, between no two of which another request can come; what was used
and what is reserved are within the limit whenever something is reserved; nothing is settled twice.

So a limit is overrun only by what the answers under way take beyond their reservations, each by what it says beyond
`OUTPUT_TOKENS` or beyond the estimate of its input: not by how many there are at the same time.

`Allowances` is what the rest knows. Where several processes answer, `leased_allowances` holds a share of each limit.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from msgspec import Struct

from claude_openai_proxy.errors import LimitKind, MinuteLimit, PlanSpentError, RateLimitedError
from claude_openai_proxy.records import KeyLimits, Principal
from claude_openai_proxy.service.minute_window import MinuteWindow, Taken
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.translate.messages_api.refusals import spoken

ELSEWHERE_SECONDS: Final = 2.0
"""What other processes hold of a limit and do not use may be had after so long."""
_WORDS: Final[dict[LimitKind, str]] = {"requests": "requests per min (RPM)", "tokens": "tokens per min (TPM)"}
"""OpenAI's own."""


class Amount(Struct, frozen=True, gc=False):
    """Of requests (an answer each), tokens (input and output) and US dollars."""

    requests: int = 0
    tokens: int = 0
    dollars: float = 0.0

    def __add__(self, other: "Amount") -> "Amount":
        """Both together."""
        return Amount(self.requests + other.requests, self.tokens + other.tokens, self.dollars + other.dollars)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a key stands now: its minutes, and its day in US dollars (`limit`, spent, reserved, seconds to its end)."""

    minutes: tuple[MinuteLimit, ...]
    budget: tuple[float, float, float, float] | None


class Reservation(Protocol):
    """What is kept for one request."""

    async def add(self, amount: Amount) -> None:
        """More of it. Raises as `Allowances.reserve`."""
        ...

    def settle(self, used: Amount) -> None:
        """It has ended and took so much; once."""
        ...


class Allowances(Protocol):
    """The limits of keys."""

    async def reserve(self, principal: Principal, amount: Amount) -> Reservation:
        """Keep `amount`. Raises `RateLimitedError`, and `PlanSpentError` where it is not within the budget."""
        ...

    async def standing(self, principal: Principal) -> Standing:
        """How the key stands."""
        ...

    def minutes(self, principal: Principal) -> tuple[MinuteLimit, ...]:
        """The part of it that is told with every answer."""
        ...


# ---- in this process ------------------------------------------------------------------------------------------------

Spent = Callable[[str, float], Awaitable[float]]
"""US dollars that the requests of a principal's id have cost since a moment: `LedgerStore.spent`."""


@dataclass(slots=True)
class Account:
    """Of one key, in this process.

    `day`: the date that `spent` is of; `read`: whether what was spent before the start is in it.
    """

    requests: MinuteWindow = field(default_factory=MinuteWindow)
    tokens: MinuteWindow = field(default_factory=MinuteWindow)
    day: str = ""
    tomorrow: float = 0.0
    """When the next one begins, in seconds since 1970."""
    spent: float = 0.0
    reserved: float = 0.0
    read: bool = False
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)


class OwnAllowances:
    """Held by this process alone. `clock` counts seconds, `wall_clock` seconds since 1970."""

    def __init__(self, *, clock: Callable[[], float], wall_clock: Callable[[], float], spent: Spent) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._spent = spent
        self._accounts: dict[str, Account] = {}
        """By principal's id: as many as there are keys with limits."""

    async def reserve(self, principal: Principal, amount: Amount) -> Reservation:
        """See `Allowances.reserve`."""
        account = await self._account(principal)
        reservation = KeptReservation(self, account, principal)
        await self.take(reservation, amount)
        return reservation

    async def standing(self, principal: Principal) -> Standing:
        """See `Allowances.standing`."""
        account, limit = await self._account(principal), limits_of(principal).dollars_a_day
        budget = None
        if limit is not None:
            budget = (limit, account.spent, account.reserved, self._until_tomorrow())
        return Standing(self.minutes(principal), budget)

    def minutes(self, principal: Principal) -> tuple[MinuteLimit, ...]:
        """See `Allowances.minutes`."""
        account, limits, now = self._of(principal), limits_of(principal), self._clock()
        told = []
        for kind, limit, window in _minutes(limits, account):
            left = max(0, limit - window.used(now))
            told.append(MinuteLimit(kind, limit, left, window.reset(now)))
        return tuple(told)

    def bounds(self, principal: Principal, account: Account) -> KeyLimits:  # noqa: ARG002 - for others to override
        """What this process may hand out."""
        return limits_of(principal)

    async def aclose(self) -> None:
        """Nothing is left open."""

    # ---- for its reservations ---------------------------------------------------------------------------------------

    async def take(self, reservation: "KeptReservation", amount: Amount) -> None:
        """As `keep`; may wait."""
        self.keep(reservation, amount)

    def keep(self, reservation: "KeptReservation", amount: Amount) -> None:
        """All of it or nothing. Raises as `Allowances.reserve`."""
        account, limits, now = reservation.account, limits_of(reservation.principal), self._clock()
        self._today(account)
        bounds = self.bounds(reservation.principal, account)
        wanted: dict[LimitKind, int] = {"requests": amount.requests, "tokens": amount.tokens}
        for (kind, bound, window), (_, limit, _) in zip(
            _minutes(bounds, account), _minutes(limits, account), strict=True
        ):
            wait = window.wait(wanted[kind], bound, now) if wanted[kind] else 0.0
            if wait is None and wanted[kind] <= limit:
                wait = max(ELSEWHERE_SECONDS, window.wait(wanted[kind], limit, now) or 0.0)
            if wait is None or wait > 0:
                raise self._over(reservation.principal, kind, wanted[kind], wait)
        if limits.dollars_a_day is not None and bounds.dollars_a_day is not None:
            left = bounds.dollars_a_day - account.spent - account.reserved
            if left <= 0 or amount.dollars > left:
                raise self._spent_up(limits.dollars_a_day)
        reservation.requests.append(account.requests.take(amount.requests, now))
        reservation.tokens.append(account.tokens.take(amount.tokens, now))
        reservation.dollars += amount.dollars
        account.reserved += amount.dollars

    def settle(self, reservation: "KeptReservation", used: Amount) -> None:
        """See `Reservation.settle`."""
        account, now = reservation.account, self._clock()
        _correct(account.requests, reservation.requests, used.requests, now)
        _correct(account.tokens, reservation.tokens, used.tokens, now)
        self._today(account)
        account.reserved -= reservation.dollars
        assert account.reserved > -1e-9, "what is settled was reserved"
        account.spent += used.dollars

    # ---- accounts ---------------------------------------------------------------------------------------------------

    def _of(self, principal: Principal) -> Account:
        account = self._accounts.get(principal.id)
        if account is None:
            account = self._accounts[principal.id] = Account()
        return account

    async def _account(self, principal: Principal) -> Account:
        account = self._of(principal)
        if limits_of(principal).dollars_a_day is not None and not account.read:
            async with account.reading:
                await self._read(principal, account)
        return account

    async def _read(self, principal: Principal, account: Account) -> None:
        """Once; while the ledger cannot be read, what this process knows has to do."""
        if account.read:
            return
        try:
            before = await self._spent(principal.id, self._midnight().timestamp())
        except StorageUnavailableError:
            return
        self._today(account)
        account.spent, account.read = max(account.spent, before), True

    def _today(self, account: Account) -> None:
        if self._wall_clock() >= account.tomorrow:
            midnight = self._midnight()
            account.day, account.spent = midnight.date().isoformat(), 0.0
            account.tomorrow = (midnight + timedelta(days=1)).timestamp()

    def _midnight(self) -> datetime:
        now = datetime.fromtimestamp(self._wall_clock(), UTC)
        return now.replace(hour=0, minute=0, second=0, microsecond=0)

    def _until_tomorrow(self) -> float:
        return (self._midnight() + timedelta(days=1)).timestamp() - self._wall_clock()

    # ---- refusals ---------------------------------------------------------------------------------------------------

    def _over(self, principal: Principal, kind: LimitKind, wanted: int, wait: float | None) -> RateLimitedError:
        told = next(one for one in self.minutes(principal) if one.kind == kind)
        what = f"on {_WORDS[kind]}: Limit {told.limit}, Used {told.limit - told.remaining}, Requested {wanted}."
        if wait is None:
            less = "Ask for fewer answers" if kind == "requests" else "Send less, or a smaller max_tokens"
            message = f"Request too large for the key {principal.name} {what} {less}, or ask for a higher limit."
        else:
            message = f"Rate limit reached for the key {principal.name} {what} Please try again in {wait:.3g}s."
        return RateLimitedError(message, kind=kind, retry_after=wait, limits=self.minutes(principal))

    def _spent_up(self, dollars: float) -> PlanSpentError:
        seconds = self._until_tomorrow()
        return PlanSpentError(
            f"The client key's budget is {dollars:g} US dollars a day, and this request may cost more than is left of "
            f"them; the next day starts in {spoken(seconds)}.",
            resets_in=seconds,
        )


class KeptReservation:
    """See `Reservation`."""

    __slots__ = ("_allowances", "_settled", "account", "dollars", "principal", "requests", "tokens")

    def __init__(self, allowances: OwnAllowances, account: Account, principal: Principal) -> None:
        self._allowances = allowances
        self.account = account
        self.principal = principal
        self.requests: list[Taken] = []
        self.tokens: list[Taken] = []
        self.dollars = 0.0
        self._settled = False

    async def add(self, amount: Amount) -> None:
        """See `Reservation.add`."""
        await self._allowances.take(self, amount)

    def settle(self, used: Amount) -> None:
        """See `Reservation.settle`."""
        assert not self._settled, "a request ends once"
        self._settled = True
        self._allowances.settle(self, used)


def limits_of(principal: Principal) -> KeyLimits:
    """Those that are set for it."""
    return principal.limits or _NO_LIMITS


_NO_LIMITS: Final = KeyLimits()


def _minutes(limits: KeyLimits, account: Account) -> list[tuple[LimitKind, int, MinuteWindow]]:
    minutes: list[tuple[LimitKind, int, MinuteWindow]] = []
    if limits.requests_a_minute is not None:
        minutes.append(("requests", limits.requests_a_minute, account.requests))
    if limits.tokens_a_minute is not None:
        minutes.append(("tokens", limits.tokens_a_minute, account.tokens))
    return minutes


def _correct(window: MinuteWindow, taken: list[Taken], used: int, now: float) -> None:
    """What was used is spread over what was reserved, in order; the last one takes the rest, also beyond its own."""
    for one in taken[:-1]:
        given = min(one.amount, used)
        window.correct(one, given, now)
        used -= given
    for one in taken[-1:]:
        window.correct(one, used, now)
