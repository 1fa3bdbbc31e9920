"""Links to the usage page that nobody has used yet: digests of their codes, where any of several workers finds them."""

from typing import Final, Protocol

from claude_openai_proxy.storage.interface import Database, Transaction

MOST_LINKS: Final = 16


class UsageLinkStore(Protocol):
    """By digest. All raise `StorageUnavailableError`."""

    async def add(self, digest: str, *, until: float, now: float) -> None:
        """Keep one until then, in seconds since 1970; let go what is over, and the oldest beyond `MOST_LINKS`."""
        ...

    async def take(self, digest: str, now: float) -> bool:
        """Whether it was there and not over; it is there no more."""
        ...


class MemoryUsageLinks:
    """For as long as the process lives."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    async def add(self, digest: str, *, until: float, now: float) -> None:
        """See `UsageLinkStore.add`."""
        good = {known: end for known, end in self._until.items() if end > now} | {digest: until}
        newest = sorted(good.items(), key=lambda item: item[1], reverse=True)
        self._until = dict(newest[:MOST_LINKS])

    async def take(self, digest: str, now: float) -> bool:
        """See `UsageLinkStore.take`."""
        return self._until.pop(digest, 0.0) > now


class StoredUsageLinks:
    """In a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, digest: str, *, until: float, now: float) -> None:
        """See `UsageLinkStore.add`."""

        def work(transaction: Transaction) -> None:
            transaction.execute("INSERT INTO usage_links (digest, until) VALUES (?, ?)", (digest, until))
            transaction.execute(
                "DELETE FROM usage_links WHERE until <= ? OR digest NOT IN "
                "(SELECT digest FROM usage_links ORDER BY until DESC LIMIT ?)",
                (now, MOST_LINKS),
            )

        await self._database.write(work, abandon=True)

    async def take(self, digest: str, now: float) -> bool:
        """See `UsageLinkStore.take`."""

        def work(transaction: Transaction) -> bool:
            good = transaction.execute("SELECT 1 FROM usage_links WHERE digest = ? AND until > ?", (digest, now))
            transaction.execute("DELETE FROM usage_links WHERE digest = ?", (digest,))
            return bool(good) and transaction.changed > 0

        return await self._database.write(work, abandon=True)
