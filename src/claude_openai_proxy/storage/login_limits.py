"""What Claude's side last told of a plan's limits, for each login: it counts after a restart, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from claude_openai_proxy.storage.interface import Database, Transaction
from claude_openai_proxy.translate.messages_api.rate_limits import Limits

LIMITS_SECONDS: Final = 30 * 86_400.0
"""Older ones say nothing of today."""

_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """Of one login: `upstream` and `account` as in `Identity`; `told` in seconds since 1970."""

    upstream: str
    account: str
    told: float
    limits: Limits


class LoginLimitStore(Protocol):
    """The last of each login."""

    async def all(self) -> Sequence[LoginLimits]:
        """Those that are kept, in no order. Raises `StorageUnavailableError`."""
        ...

    def keep(self, kept: LoginLimits) -> None:
        """Instead of what was kept of this login. Nobody waits for it."""
        ...


class MemoryLoginLimits:
    """For as long as the process lives."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], LoginLimits] = {}

    async def all(self) -> Sequence[LoginLimits]:
        """See `LoginLimitStore.all`."""
        return list(self._kept.values())

    def keep(self, kept: LoginLimits) -> None:
        """See `LoginLimitStore.keep`."""
        young = {key: old for key, old in self._kept.items() if old.told >= kept.told - LIMITS_SECONDS}
        self._kept = {**young, (kept.upstream, kept.account): kept}


class StoredLoginLimits:
    """In a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Sequence[LoginLimits]:
        """See `LoginLimitStore.all`."""
        return await self._database.read(_all)

    def keep(self, kept: LoginLimits) -> None:
        """See `LoginLimitStore.keep`."""

        def work(transaction: Transaction) -> None:
            transaction.execute("DELETE FROM login_limits WHERE told < ?", (kept.told - LIMITS_SECONDS,))
            transaction.execute(
                "INSERT INTO login_limits (upstream, account, told, limits) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (upstream, account) DO UPDATE SET told = excluded.told, limits = excluded.limits",
                (kept.upstream, kept.account, kept.told, _encode(kept.limits).decode()),
            )

        self._database.post(work)


def _all(transaction: Transaction) -> list[LoginLimits]:
    rows = transaction.execute("SELECT upstream, account, told, limits FROM login_limits")
    return [
        LoginLimits(upstream, account, told, msgspec.json.decode(limits, type=Limits))
        for upstream, account, told, limits in rows
    ]
