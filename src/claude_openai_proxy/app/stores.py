"""Where this installation keeps what outlives a request: every store, on one database or in memory."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from claude_openai_proxy.app.installation import DATABASE, installation_key
from claude_openai_proxy.settings import Settings, SettingsError
from claude_openai_proxy.storage.allowance_shares import ShareStore, StoredShares
from claude_openai_proxy.storage.batches import BatchStore
from claude_openai_proxy.storage.batches_memory import MemoryBatches
from claude_openai_proxy.storage.batches_sql import StoredBatches
from claude_openai_proxy.storage.client_keys import ClientKeyStore, MemoryClientKeys, StoredClientKeys
from claude_openai_proxy.storage.daily_spend import DailySpendStore, MemoryDailySpend, StoredDailySpend
from claude_openai_proxy.storage.files import FileStore
from claude_openai_proxy.storage.files_memory import MemoryFiles
from claude_openai_proxy.storage.files_sql import StoredFiles
from claude_openai_proxy.storage.interface import StorageRefusedError, StorageState
from claude_openai_proxy.storage.ledger import LedgerStore, MemoryLedger, StoredLedger
from claude_openai_proxy.storage.login_limits import LoginLimitStore, MemoryLoginLimits, StoredLoginLimits
from claude_openai_proxy.storage.queued import QueuedDatabase
from claude_openai_proxy.storage.reasoning import MemoryReasoning, NoReasoning, ReasoningStore, StoredReasoning
from claude_openai_proxy.storage.responses import ResponseStore
from claude_openai_proxy.storage.responses_memory import MemoryResponses
from claude_openai_proxy.storage.responses_sql import StoredResponses
from claude_openai_proxy.storage.sealing import Seal
from claude_openai_proxy.storage.sqlite import SQLiteDatabase
from claude_openai_proxy.storage.usage_links import MemoryUsageLinks, StoredUsageLinks, UsageLinkStore

IN_MEMORY: Final = StorageState("memory", "memory")

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stores:
    """One of each kind. `seal` gives what seals content; it raises as `installation_key` does."""

    client_keys: ClientKeyStore
    login_limits: LoginLimitStore
    daily_spend: DailySpendStore
    reasoning: ReasoningStore
    files: FileStore
    batches: BatchStore
    responses: ResponseStore | None
    """None where they are not kept at all."""
    ledger: LedgerStore
    usage_links: UsageLinkStore
    shares: ShareStore | None
    """None where nothing is kept: one process has all."""
    seal: Callable[[], Seal]
    database: QueuedDatabase | None = field(default=None)

    @property
    def state(self) -> StorageState:
        """How the database is; `IN_MEMORY` where there is none."""
        return self.database.state if self.database else IN_MEMORY

    @property
    def remains(self) -> str:
        """Where what is kept of prompts and answers outlives the process; "" where nothing does."""
        return self.state.where if self.database else ""

    async def open(self) -> str:
        """Make file and tables where they lack; the sentence for why they must not be used, "" where they may.

        A disk in trouble is no reason not to start: it is in `state`, and may heal.
        """
        if self.database is None:
            return ""
        try:
            await asyncio.to_thread(self.database.open)
        except StorageRefusedError as error:
            return error.message
        return ""

    async def aclose(self) -> None:
        """Commit what is left."""
        if self.database is not None:
            await self.database.aclose()


def stores(settings: Settings, told: Callable[[str], None] | None = None) -> Stores:
    """Those that the settings ask for; nothing is opened or written yet.

    `told` hears of trouble and its end, on any thread; the log, where it is None.
    """
    seal = _once(installation_key(settings))
    if settings.storage.kind == "memory":
        return Stores(
            client_keys=MemoryClientKeys(),
            login_limits=MemoryLoginLimits(),
            daily_spend=MemoryDailySpend(),
            reasoning=_reasoning(settings, None, seal),
            files=MemoryFiles(),
            batches=MemoryBatches(),
            responses=_responses(settings, None, seal),
            ledger=MemoryLedger(),
            usage_links=MemoryUsageLinks(),
            shares=None,
            seal=seal,
        )
    database = _database(settings, seal, told or _log)
    return Stores(
        client_keys=StoredClientKeys(database, database.engine.key_changes),
        login_limits=StoredLoginLimits(database),
        daily_spend=StoredDailySpend(database),
        reasoning=_reasoning(settings, database, seal),
        files=StoredFiles(database, seal),
        batches=StoredBatches(database, seal),
        responses=_responses(settings, database, seal),
        ledger=StoredLedger(database),
        usage_links=StoredUsageLinks(database),
        shares=StoredShares(database),
        seal=seal,
        database=database,
    )


def _database(settings: Settings, seal: Callable[[], Seal], told: Callable[[str], None]) -> QueuedDatabase:
    if settings.storage.database is None:
        return SQLiteDatabase(settings.storage.directory / DATABASE, told=told)
    try:
        from claude_openai_proxy.storage.postgresql import PostgreSQLDatabase  # noqa: PLC0415 - an extra brings it
    except ImportError as error:
        raise SettingsError(
            f"DATABASE_URL needs the extra `postgres`: pip install 'claude-openai-proxy[postgres]' ({error})."
        ) from error
    return PostgreSQLDatabase(settings.storage.database.reveal(), fingerprint=lambda: seal().fingerprint, told=told)


def _reasoning(settings: Settings, database: QueuedDatabase | None, seal: Callable[[], Seal]) -> ReasoningStore:
    ttl = settings.storage.reasoning_seconds
    if settings.storage.reasoning == "off":
        return NoReasoning()
    if settings.storage.reasoning == "memory" or database is None:
        return MemoryReasoning(wall_clock=time.time, ttl=ttl)
    return StoredReasoning(database, seal, wall_clock=time.time, ttl=ttl)


def _responses(settings: Settings, database: QueuedDatabase | None, seal: Callable[[], Seal]) -> ResponseStore | None:
    if settings.storage.responses == "off":
        return None
    if settings.storage.responses == "memory" or database is None:
        return MemoryResponses()
    return StoredResponses(database, seal)


def _once(key: Callable[[], bytes]) -> Callable[[], Seal]:
    made: list[Seal] = []

    def seal() -> Seal:
        if not made:
            made.append(Seal(key()))
        return made[0]

    return seal


def _log(trouble: str) -> None:
    """On whatever thread the trouble was met."""
    if trouble:
        log.warning("Storage: %s Requests that need nothing of it go on.", trouble)
    else:
        log.warning("Storage works again.")
