"""What was spent on a day (UTC) on answers that a fallback gave, in US dollars: a restart does not make it less."""

from dataclasses import dataclass
from typing import Protocol

from claude_openai_proxy.storage.interface import Database, Transaction


@dataclass(frozen=True, slots=True)
class Spend:
    """`day` as `2027-01-15`."""

    day: str
    dollars: float


class DailySpendStore(Protocol):
    """Sums by day."""

    async def on(self, day: str) -> float:
        """What was spent on `day`. Raises `StorageUnavailableError`."""
        ...

    def add(self, spend: Spend) -> None:
        """Add to a day's sum. Nobody waits for it."""
        ...


class MemoryDailySpend:
    """For as long as the process lives; one day at a time is asked for."""

    def __init__(self) -> None:
        self._sum = Spend("", 0.0)

    async def on(self, day: str) -> float:
        """See `DailySpendStore.on`."""
        return self._sum.dollars if self._sum.day == day else 0.0

    def add(self, spend: Spend) -> None:
        """See `DailySpendStore.add`."""
        before = self._sum.dollars if self._sum.day == spend.day else 0.0
        self._sum = Spend(spend.day, before + spend.dollars)


class StoredDailySpend:
    """In a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def on(self, day: str) -> float:
        """See `DailySpendStore.on`."""

        def work(transaction: Transaction) -> float:
            rows = transaction.execute("SELECT dollars FROM daily_spend WHERE day = ?", (day,))
            return float(rows[0][0]) if rows else 0.0

        return await self._database.read(work)

    def add(self, spend: Spend) -> None:
        """See `DailySpendStore.add`."""

        def work(transaction: Transaction) -> None:
            transaction.execute(
                "INSERT INTO daily_spend (day, dollars) VALUES (?, ?) "
                "ON CONFLICT (day) DO UPDATE SET dollars = daily_spend.dollars + excluded.dollars",
                (spend.day, spend.dollars),
            )

        self._database.post(work)
