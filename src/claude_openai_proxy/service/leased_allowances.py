"""The limits of keys where several processes answer: each hands out a share that it has leased from a database.

| a share | leaves it |
|---|---|
| none | a request needs some: leased, as much as that or a tenth of the limit, if so much is free; or refused |
| leased | used up: more is leased; a look every `LOOK_SECONDS` finds it unused: given back |
| not renewed for `GOOD_SECONDS` (the database is away) | nothing more is handed out of it, until it can be renewed |

Invariants: what this process has used and reserved is within its share, whenever something is reserved; a share is
made smaller here before it is there, and larger there before it is here; so what all processes reserve is within the
limit, as that of one process is. What this costs: a request may be refused though a tenth of its limit for each other
process lies unused there, for `LOOK_SECONDS` at most, or `SHARE_SECONDS` where that one has died.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from claude_openai_proxy.errors import PlanSpentError, RateLimitedError
from claude_openai_proxy.records import KeyLimits, Principal
from claude_openai_proxy.service.allowances import (
    Account,
    Amount,
    KeptReservation,
    OwnAllowances,
    Spent,
    Standing,
    limits_of,
)
from claude_openai_proxy.storage.allowance_shares import SHARE_SECONDS, Share, ShareStore, Wanted
from claude_openai_proxy.storage.interface import StorageUnavailableError

SLICES: Final = 10
"""A share grows by such a part of the limit, or by what a request needs where that is more."""
LOOK_SECONDS: Final = 2.0
GOOD_SECONDS: Final = SHARE_SECONDS / 2
RENEW_SECONDS: Final = SHARE_SECONDS / 6
_DOLLARS: Final = "dollars"


@dataclass(slots=True)
class _Held:
    """Of one key: this process's share of each limit, by kind. `good_until` by the monotonic clock."""

    principal: Principal
    shares: dict[str, float] = field(default_factory=dict)
    day: str = ""
    good_until: float = 0.0
    kept: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Share and use of each kind as the database has them."""
    leasing: asyncio.Lock = field(default_factory=asyncio.Lock)


class LeasedAllowances(OwnAllowances):
    """`process` is an id of this run; `shares` are leased there; the rest as in `OwnAllowances`."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        spent: Spent,
        shares: ShareStore,
        process: str,
    ) -> None:
        super().__init__(clock=clock, wall_clock=wall_clock, spent=spent)
        self._shares = shares
        self._process = process
        self._held: dict[str, _Held] = {}
        self._looking: asyncio.Task[None] | None = None

    async def take(self, reservation: KeptReservation, amount: Amount) -> None:
        """See `OwnAllowances.take`. Raises `StorageUnavailableError` where a share must be leased and cannot be."""
        try:
            self.keep(reservation, amount)
        except (RateLimitedError, PlanSpentError):
            await self._lease(reservation.principal, reservation.account, amount)
            self.keep(reservation, amount)

    async def standing(self, principal: Principal) -> Standing:
        """See `Allowances.standing`; of the day's dollars, what all processes have written down."""
        own = await super().standing(principal)
        if own.budget is None:
            return own
        limit, spent, reserved, seconds = own.budget
        return Standing(own.minutes, (limit, max(spent, await self._spent_by_all(principal)), reserved, seconds))

    async def aclose(self) -> None:
        """Give back what is not used."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
        await self._give_back(seconds=0.0)

    def bounds(self, principal: Principal, account: Account) -> KeyLimits:
        """See `OwnAllowances.bounds`: the shares."""
        limits, held = limits_of(principal), self._held.get(principal.id)
        usable = held.shares if held and self._clock() < held.good_until else {}
        today = held is not None and held.day == account.day
        return KeyLimits(
            None if limits.requests_a_minute is None else int(usable.get("requests", 0)),
            None if limits.tokens_a_minute is None else int(usable.get("tokens", 0)),
            None if limits.dollars_a_day is None else usable.get(_DOLLARS, 0.0) if today else 0.0,
        )

    async def _account(self, principal: Principal) -> Account:
        """What others spent, and this process before it was started, is in no share of its own."""
        account = self._accounts.setdefault(principal.id, Account(read=True))
        self._today(account)
        return account

    # ---- leasing ----------------------------------------------------------------------------------------------------

    async def _lease(self, principal: Principal, account: Account, amount: Amount) -> None:
        held = self._held.setdefault(principal.id, _Held(principal))
        async with held.leasing:
            spent = await self._spent_by_all(principal) if limits_of(principal).dollars_a_day is not None else 0.0
            held.principal = principal
            since = self._clock()
            wanted = self._wanted(held, account, amount, spent)
            given = await self._shares.lease(self._process, principal.id, wanted, self._wall_clock())
            held.shares |= given
            held.kept |= {kind: (share, -1.0) for kind, share in given.items()}
            held.day = account.day
            if len(given) == len(wanted):
                held.good_until = since + GOOD_SECONDS
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    def _wanted(self, held: _Held, account: Account, amount: Amount, spent: float) -> list[Wanted]:
        """A share that can no longer be trusted shrinks to what is in use, and grows from there."""
        limits, use = limits_of(held.principal), self._in_use(account)
        needed = {"requests": amount.requests, "tokens": amount.tokens, _DOLLARS: amount.dollars}
        bounds: dict[str, float | None] = {
            "requests": limits.requests_a_minute, "tokens": limits.tokens_a_minute, _DOLLARS: limits.dollars_a_day,
        }  # fmt: skip
        wanted = []
        for kind, limit in bounds.items():
            if limit is not None:
                day = account.day if kind == _DOLLARS else ""
                hoped = limit / SLICES if kind == _DOLLARS else math.ceil(limit / SLICES)
                known = max(0.0, spent - account.spent) if kind == _DOLLARS else 0.0
                wanted.append(Wanted(kind, day, limit, use[kind], needed[kind], hoped, known))
        return wanted

    def _in_use(self, account: Account) -> dict[str, float]:
        now = self._clock()
        self._today(account)
        return {
            "requests": account.requests.used(now),
            "tokens": account.tokens.used(now),
            _DOLLARS: account.spent + account.reserved,
        }

    async def _spent_by_all(self, principal: Principal) -> float:
        try:
            return await self._spent(principal.id, self._midnight().timestamp())
        except StorageUnavailableError:
            return 0.0

    # ---- giving back ------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """As long as anything is held."""
        try:
            while self._held:
                await asyncio.sleep(LOOK_SECONDS)
                await self._give_back(seconds=SHARE_SECONDS)
        finally:
            self._looking = None

    async def _give_back(self, *, seconds: float) -> None:
        """All that is not in use, and renew the rest; what cannot be written now is tried at the next look."""
        since, shares = self._clock(), []
        looked = [held for held in self._held.values() if not held.leasing.locked()]
        for held in looked:
            shares += self._shrunk(held, since, closing=not seconds)
        try:
            if shares:
                await self._shares.keep(self._process, shares, self._wall_clock(), seconds=seconds)
        except StorageUnavailableError:
            return
        for share in shares:
            self._held[share.principal].kept[share.kind] = share.share, share.used
            self._held[share.principal].good_until = since + GOOD_SECONDS
        for held in looked:
            if not any(held.shares.values()) and not held.leasing.locked():
                del self._held[held.principal.id]

    def _shrunk(self, held: _Held, now: float, *, closing: bool) -> list[Share]:
        """Those that the database does not know like this, or for which it is time."""
        account, changed = self._accounts[held.principal.id], False
        due, use = closing or now > held.good_until - GOOD_SECONDS + RENEW_SECONDS, self._in_use(account)
        shares = []
        for kind in held.shares:
            dollars = kind == _DOLLARS
            if dollars and held.day != account.day:
                held.shares[kind] = 0.0
                continue
            held.shares[kind] = min(held.shares[kind], use[kind])
            told = held.shares[kind], account.spent if dollars else 0.0
            changed |= held.kept.get(kind) != told
            shares.append(Share(held.principal.id, kind, held.day if dollars else "", *told))
        return shares if changed or due else []
