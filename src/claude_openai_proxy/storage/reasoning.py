"""Turns with Claude's signed thinking, for clients that cannot hand it back: sealed, for a day, bounded.

Where there are too many, those that were used longest ago go first. A use is not written when it happens: uses are
collected and go to the database together, `USE_SECONDS` apart; a process that is killed forgets those of that time.

A turn that is not there seldom comes later: it is kept before its answer ends. So what was looked for in vain is not
looked for again for a while; another process on the same database may keep it after all.
"""

import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.storage.interface import Database, Row, StorageUnavailableError, Transaction
from claude_openai_proxy.storage.sealing import Seal
from claude_openai_proxy.translate.messages_api.kept_turns import KeptTurn

DAY_SECONDS: Final = 86_400.0
MOST_TURNS: Final = 100_000
MOST_BYTES: Final = 512 * 1024 * 1024
"""Of all turns in a database."""
MOST_TURNS_IN_MEMORY: Final = 5_000
MOST_BYTES_IN_MEMORY: Final = 64 * 1024 * 1024
EMPTY_SECONDS: Final = 1.0
COMMIT_SECONDS: Final = 0.05
"""The last event of an answer waits no longer for its turn to be written."""

ABSENT_SECONDS: Final = 30.0
"""What was looked for in vain is not looked for again before."""

USE_SECONDS: Final = 60.0
"""Between two writes of what was used since."""

_MOST_USED: Final = 1_000
"""Keys of turns whose use is not written yet; when there are more, they are written at once."""
_ABSENT_KEYS: Final = 20_000
_SWEEP_EVERY: Final = 200
"""Turns that are kept between two looks at what is old or too much."""

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReasoningFigures:
    """How much is kept, and how often a turn was not written in time. `oldest` in seconds since 1970, 0 for none."""

    turns: int
    bytes: int
    oldest: float
    late: int = 0


NO_FIGURES: Final = ReasoningFigures(0, 0, 0.0)


class ReasoningStore(Protocol):
    """Keeps turns. Never raises: what cannot be read counts as absent."""

    async def find(self, keys: Collection[str]) -> dict[str, list[KeptTurn]]:
        """The turns under each of `keys`, oldest first; those without any are left out."""
        ...

    async def keep(self, turn: KeptTurn) -> None:
        """Returns once it is kept, or after `COMMIT_SECONDS`."""
        ...

    async def figures(self) -> ReasoningFigures:
        """Of all that is kept."""
        ...

    async def is_empty(self) -> bool:
        """Whether nothing is kept for anybody, as it was a second ago at most."""
        ...


class MemoryReasoning:
    """For as long as the process lives. `wall_clock` in seconds since 1970, `ttl` in seconds."""

    def __init__(
        self,
        *,
        wall_clock: Callable[[], float],
        ttl: float = DAY_SECONDS,
        most_turns: int = MOST_TURNS_IN_MEMORY,
        most_bytes: int = MOST_BYTES_IN_MEMORY,
    ) -> None:
        self._wall_clock = wall_clock
        self._ttl = ttl
        self._most_turns = most_turns
        self._most_bytes = most_bytes
        self._bytes = 0
        self._turns: OrderedDict[int, tuple[KeptTurn, float]] = OrderedDict()
        """By number, the one used last at the end; with the time when it was kept."""
        self._by_key: dict[str, list[int]] = {}
        self._next = 0

    async def find(self, keys: Collection[str]) -> dict[str, list[KeptTurn]]:
        """See `ReasoningStore.find`."""
        return self.known(keys)

    def known(self, keys: Collection[str]) -> dict[str, list[KeptTurn]]:
        """As `find`, without waiting."""
        found = {}
        for key in keys:
            numbers = [number for number in self._by_key.get(key, ()) if self._is_young(number)]
            for number in numbers:
                self._turns.move_to_end(number)
            if numbers:
                found[key] = [self._turns[number][0] for number in numbers]
        return found

    async def keep(self, turn: KeptTurn) -> None:
        """See `ReasoningStore.keep`."""
        self.put(turn, self._wall_clock())

    def put(self, turn: KeptTurn, at: float) -> None:
        """A turn that was kept at that time."""
        number, self._next = self._next, self._next + 1
        self._turns[number] = turn, at
        self._bytes += len(turn.content)
        for key in turn.keys:
            self._by_key.setdefault(key, []).append(number)
        while len(self._turns) > self._most_turns or self._bytes > self._most_bytes:
            self._drop(next(iter(self._turns)))

    async def figures(self) -> ReasoningFigures:
        """See `ReasoningStore.figures`."""
        for number in [number for number in self._turns if not self._is_young(number)]:
            self._drop(number)
        oldest = min((at for _, at in self._turns.values()), default=0.0)
        return ReasoningFigures(len(self._turns), self._bytes, oldest)

    async def is_empty(self) -> bool:
        """See `ReasoningStore.is_empty`."""
        return not self._turns

    def _is_young(self, number: int) -> bool:
        return self._wall_clock() - self._turns[number][1] < self._ttl

    def _drop(self, number: int) -> None:
        turn, _ = self._turns.pop(number)
        self._bytes -= len(turn.content)
        for key in turn.keys:
            numbers = self._by_key[key]
            numbers.remove(number)
            if not numbers:
                del self._by_key[key]


class NoReasoning:
    """`REASONING_STORE=off`."""

    async def find(self, keys: Collection[str]) -> dict[str, list[KeptTurn]]:  # noqa: ARG002 - nothing is kept
        """See `ReasoningStore.find`."""
        return {}

    async def keep(self, turn: KeptTurn) -> None:
        """See `ReasoningStore.keep`."""

    async def figures(self) -> ReasoningFigures:
        """See `ReasoningStore.figures`."""
        return NO_FIGURES

    async def is_empty(self) -> bool:
        """See `ReasoningStore.is_empty`."""
        return True


class StoredReasoning:
    """In a database, read from memory first. `seal` raises as `generated_key` does: then memory is all there is."""

    def __init__(
        self,
        database: Database,
        seal: Callable[[], Seal],
        *,
        wall_clock: Callable[[], float],
        ttl: float = DAY_SECONDS,
        memory: MemoryReasoning | None = None,
        most_turns: int = MOST_TURNS,
        most_bytes: int = MOST_BYTES,
        commit_seconds: float = COMMIT_SECONDS,
    ) -> None:
        self._database = database
        self._seal = seal
        self._wall_clock = wall_clock
        self._ttl = ttl
        self._memory = memory or MemoryReasoning(wall_clock=wall_clock, ttl=ttl)
        self._most_turns = most_turns
        self._most_bytes = most_bytes
        self._commit_seconds = commit_seconds
        self._absent: OrderedDict[str, float] = OrderedDict()
        """Until when each key is not looked for."""
        self._empty_until = 0.0
        """Until when nothing is looked for, since there was nothing at all."""
        self._used: dict[str, float] = {}
        """When the turns of each key were last asked for, as far as that is not written yet."""
        self._write_uses_at = wall_clock() + USE_SECONDS
        self._late = 0
        self._kept = 0
        self._told = False

    async def find(self, keys: Collection[str]) -> dict[str, list[KeptTurn]]:
        """See `ReasoningStore.find`."""
        found = self._memory.known(keys)
        now = self._wall_clock()
        missing = [key for key in keys if key not in found and self._absent.get(key, now) <= now]
        if missing:
            try:
                rows = await self._database.read(lambda transaction: _rows(transaction, missing))
            except StorageUnavailableError:
                return found
            self._remember(rows)
            found = self._memory.known(keys)
            self._note_absent([key for key in missing if key not in found], now)
        self._note_used(found, now)
        return found

    async def keep(self, turn: KeptTurn) -> None:
        """See `ReasoningStore.keep`."""
        now = self._wall_clock()
        self._memory.put(turn, now)
        self._empty_until = 0.0
        for key in turn.keys:
            self._absent.pop(key, None)
        id_ = secrets.token_hex(12)
        try:
            sealed = self._seal().seal(msgspec.json.encode(turn), _about(id_))
            await self._database.write(
                lambda transaction: _insert(transaction, id_, turn, sealed, now), wait=self._commit_seconds
            )
        except (ProxyError, OSError):
            self._late += 1
        self._kept += 1
        if self._kept % _SWEEP_EVERY == 1:
            self._write_uses(now)
            self._database.post(self._sweep)

    async def figures(self) -> ReasoningFigures:
        """See `ReasoningStore.figures`."""
        try:
            turns, size, oldest = await self._database.read(_figures)
        except StorageUnavailableError:
            turns, size, oldest = 0, 0, 0.0
        return ReasoningFigures(turns, size, oldest, self._late)

    async def is_empty(self) -> bool:
        """See `ReasoningStore.is_empty`. Asked again while it is: another process may have kept something."""
        now = self._wall_clock()
        if self._empty_until <= now and not await self._memory.is_empty():
            return False
        if self._empty_until <= now:
            try:
                empty = not await self._database.read(_any)
            except StorageUnavailableError:
                empty = True
            if not empty:
                return False
            self._empty_until = now + EMPTY_SECONDS
        return True

    def _note_absent(self, keys: Iterable[str], now: float) -> None:
        for key in keys:
            self._absent[key] = now + ABSENT_SECONDS
            self._absent.move_to_end(key)
        while len(self._absent) > _ABSENT_KEYS:
            self._absent.popitem(last=False)

    def _note_used(self, keys: Iterable[str], now: float) -> None:
        self._used.update(dict.fromkeys(keys, now))
        if now >= self._write_uses_at or len(self._used) > _MOST_USED:
            self._write_uses(now)

    def _write_uses(self, now: float) -> None:
        used, self._used = self._used, {}
        self._write_uses_at = now + USE_SECONDS
        if used:
            self._database.post(lambda transaction: _use(transaction, used))

    def _remember(self, rows: Iterable[Row]) -> None:
        """What does not open (another key, damage) counts as absent, stays, and is told once."""
        now = self._wall_clock()
        try:
            seal = self._seal()
        except (ProxyError, OSError):
            return
        for id_, sealed, at in rows:
            if now - at >= self._ttl:
                continue
            plain = seal.open(bytes(sealed), _about(id_))
            if plain is not None:
                self._memory.put(msgspec.json.decode(plain, type=KeptTurn), at)
            elif not self._told:
                self._told = True
                log.warning("Some kept thinking was sealed with another STORAGE_KEY: it counts as absent.")

    def _sweep(self, transaction: Transaction) -> None:
        """What is too old, then of what is too much that which was used longest ago."""
        transaction.execute("DELETE FROM reasoning WHERE at < ?", (self._wall_clock() - self._ttl,))
        turns, size, _ = _figures(transaction)
        while turns > self._most_turns or size > self._most_bytes:
            few = max(1, turns // 10)
            transaction.execute(
                "DELETE FROM reasoning WHERE id IN (SELECT id FROM reasoning ORDER BY used LIMIT ?)", (few,)
            )
            turns, size, _ = _figures(transaction)


def _any(transaction: Transaction) -> bool:
    return bool(transaction.execute("SELECT 1 FROM reasoning LIMIT 1"))


def _rows(transaction: Transaction, keys: Collection[str]) -> list[Row]:
    """Each row once, oldest first."""
    marks = ",".join("?" * len(keys))
    sql = f"SELECT id, sealed, at FROM reasoning WHERE key_calls IN ({marks}) OR key_said IN ({marks}) ORDER BY at"  # noqa: S608
    return transaction.execute(sql, (*keys, *keys))


def _insert(transaction: Transaction, id_: str, turn: KeptTurn, sealed: bytes, now: float) -> None:
    calls, said = (turn.keys[0], turn.keys[-1]) if len(turn.keys) > 1 else (None, turn.keys[0])
    transaction.execute(
        "INSERT INTO reasoning (id, key_calls, key_said, sealed, bytes, at, used) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (id_, calls, said, sealed, len(sealed), now, now),
    )


def _use(transaction: Transaction, used: Mapping[str, float]) -> None:
    transaction.execute_many(
        "UPDATE reasoning SET used = ? WHERE (key_calls = ? OR key_said = ?) AND used < ?",
        [(at, key, key, at) for key, at in used.items()],
    )


def _figures(transaction: Transaction) -> tuple[int, int, float]:
    ((turns, size, oldest),) = transaction.execute(
        "SELECT count(*), coalesce(sum(bytes), 0), coalesce(min(at), 0) FROM reasoning"
    )
    return turns, size, oldest


def _about(id_: str) -> bytes:
    return b"reasoning\0" + id_.encode()
