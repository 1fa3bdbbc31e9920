"""Which part of a key's limits each process may hand out by itself: their sum is never more than the limit.

| a share | counts with | until |
|---|---|---|
| of a process that renews it | all of it, used or not | it is given back |
| of one that has not for `SHARE_SECONDS` (it died) | what it had used of a day; nothing of a minute | its day is over |

Shares are given and renewed by one process at a time: each takes the one row of `allowance_turns` first. There is only
SQL: where nothing is kept, one process has all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from claude_openai_proxy.storage.interface import Database, Transaction

SHARE_SECONDS: Final = 120.0
"""Twice as long as a process uses a share that it could not renew, which also bears with clocks that differ."""
DAYS_SECONDS: Final = 2 * 86_400.0
"""Older ones are of no day that still counts."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """More of one limit. `day` is "" for a minute's; `in_use`: what the process has used and reserved of its share.

    `needed` more at least, `hoped` more at best; `spent_elsewhere`: what the ledger knows of
    all others.
    """

    kind: str
    day: str
    limit: float
    in_use: float
    needed: float
    hoped: float
    spent_elsewhere: float = 0.0


@dataclass(frozen=True, slots=True)
class Share:
    """What a process keeps of one limit, and what it has used of it on that day."""

    principal: str
    kind: str
    day: str
    share: float
    used: float


class ShareStore(Protocol):
    """`process` is an id of one run; `now` in seconds since 1970."""

    async def lease(self, process: str, principal: str, wanted: Sequence[Wanted], now: float) -> Mapping[str, float]:
        """The whole share of each kind that could be given; of the others nothing changes.

        Raises `StorageUnavailableError`.
        """
        ...

    async def keep(self, process: str, shares: Sequence[Share], now: float, *, seconds: float) -> None:
        """These are the process's shares, for so many seconds. Raises `StorageUnavailableError`."""
        ...


class StoredShares:
    """In a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lease(self, process: str, principal: str, wanted: Sequence[Wanted], now: float) -> Mapping[str, float]:
        """See `ShareStore.lease`."""

        def work(transaction: Transaction) -> dict[str, float]:
            _alone(transaction)
            transaction.execute("DELETE FROM allowance_shares WHERE good_until < ?", (now - DAYS_SECONDS,))
            given: dict[str, float] = {}
            for one in wanted:
                free = one.limit - one.in_use - _of_others(transaction, process, principal, one, now)
                if free >= one.needed:
                    given[one.kind] = one.in_use + min(free, max(one.needed, one.hoped))
                    share = Share(principal, one.kind, one.day, given[one.kind], 0.0)
                    _put(transaction, process, share, now + SHARE_SECONDS)
            return given

        return await self._database.write(work, apart=True)

    async def keep(self, process: str, shares: Sequence[Share], now: float, *, seconds: float) -> None:
        """See `ShareStore.keep`."""

        def work(transaction: Transaction) -> None:
            _alone(transaction)
            for share in shares:
                _put(transaction, process, share, now + seconds)

        await self._database.write(work, apart=True)


def _alone(transaction: Transaction) -> None:
    """Until this transaction ends nobody else reads or writes shares."""
    transaction.execute(
        "INSERT INTO allowance_turns (name, turn) VALUES ('shares', 1) "
        "ON CONFLICT (name) DO UPDATE SET turn = allowance_turns.turn + 1"
    )


def _of_others(transaction: Transaction, process: str, principal: str, one: Wanted, now: float) -> float:
    """What of the limit is not this process's to give."""
    rows = transaction.execute(
        "SELECT share, used, good_until FROM allowance_shares "
        "WHERE principal = ? AND kind = ? AND day = ? AND process <> ?",
        (principal, one.kind, one.day, process),
    )
    held: float = sum(share if good_until > now else used for share, used, good_until in rows)
    unused: float = sum(share - used for share, used, good_until in rows if good_until > now)
    return max(held, one.spent_elsewhere + unused)


def _put(transaction: Transaction, process: str, share: Share, good_until: float) -> None:
    """What was used of a day never becomes less."""
    transaction.execute(
        "INSERT INTO allowance_shares (process, principal, kind, day, share, used, good_until) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (principal, kind, day, process) DO UPDATE SET "
        "share = excluded.share, good_until = excluded.good_until, used = CASE "
        "WHEN excluded.used > allowance_shares.used THEN excluded.used ELSE allowance_shares.used END",
        (process, share.principal, share.kind, share.day, share.share, share.used, good_until),
    )
