"""The ledger: one row for each request that asked for an answer, and the sums over them.

| asked for | answered by |
|---|---|
| rows that are kept | one write for a batch; a row that is there already, by its time and id, stays |
| rows that are too old | once an hour some thousands by the index of times, and in PostgreSQL whole months first |
| sums by day, model, key and so on | one query on the index of times, `MOST_SUMS` groups at most |
| the last requests | one query on the same index, newest first |
| what a key has spent | one query on the index of principals |
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol, get_args

from msgspec import structs

from claude_openai_proxy.records import LedgerRow
from claude_openai_proxy.storage.interface import Database, Row, Transaction, Value

Dimension = Literal["day", "hour", "model", "key", "client", "upstream", "billed"]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)

MOST_SUMS: Final = 10_000
"""Groups of one question: more than there are hours in LEDGER_DAYS by default."""
MEMORY_ROWS: Final = 10_000
"""As many as are remembered without a database."""
MOST_LET_GO: Final = 5_000
"""Rows that one write deletes."""
WRITE_WAIT: Final = 5.0
"""Seconds that a batch waits for its commit before it is tried again."""

HOUR: Final = 3_600
_HOURS_A_DAY: Final = 24


@dataclass(frozen=True, slots=True)
class LedgerSum:
    """The requests of one group. `group` has one word for each dimension: days and hours as whole numbers since 1970.

    Prices in US dollars; `unpriced` requests used tokens that the price list has no price for, `uncharged` ones were
    paid by a price list that is not known here.
    """

    group: tuple[str, ...] = ()
    name: str = ""
    """Of a key."""
    requests: int = 0
    failed: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    thinking_tokens: int = 0
    web_searches: int = 0
    list_price: float = 0.0
    unpriced: int = 0
    charged: float = 0.0
    uncharged: int = 0


def added(one: LedgerSum, other: LedgerSum) -> LedgerSum:
    """Both together, of no group."""
    numbers = fields(LedgerSum)[2:]
    return LedgerSum((), "", *(getattr(one, number.name) + getattr(other, number.name) for number in numbers))


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows: all since `since` (seconds since 1970) for which each of `having` is so."""

    since: float
    having: Mapping[str, str | int] = field(default_factory=dict)
    """By name: `principal`, `client`, `status`, `failed`."""


class LedgerStore(Protocol):
    """Rows of requests. All raise `StorageUnavailableError`."""

    async def keep(self, rows: Sequence[LedgerRow], *, oldest: float) -> None:
        """Keep these, once each however often they come with the same time, and let go what came before `oldest`.

        What became too old within the last hour may go later; of much that is too old some goes with each batch of
        rows, and all where there are none.
        """
        ...

    async def sums(self, choice: Choice, by: Sequence[Dimension]) -> Sequence[LedgerSum]:
        """One for each group of rows, the busiest `MOST_SUMS` of them, in no order; without `by`, one of all."""
        ...

    async def latest(self, choice: Choice, most: int) -> Sequence[LedgerRow]:
        """The last `most`, newest first."""
        ...

    async def spent(self, principal: str, since: float) -> float:
        """US dollars by list price of a principal's requests since then; of unknown models, by the dearest."""
        ...


# ---- in memory ------------------------------------------------------------------------------------------------------

_OF_ROW: Final[Mapping[Dimension, Callable[[LedgerRow], str]]] = MappingProxyType(
    {
        "day": lambda row: str(int(row.at) // HOUR // _HOURS_A_DAY),
        "hour": lambda row: str(int(row.at) // HOUR),
        "model": attrgetter("model_used"),
        "key": attrgetter("principal"),
        "client": attrgetter("client"),
        "upstream": attrgetter("upstream"),
        "billed": attrgetter("billed"),
    }
)


class MemoryLedger:
    """The last `MEMORY_ROWS`, for as long as the process lives."""

    def __init__(self) -> None:
        self._rows: deque[LedgerRow] = deque(maxlen=MEMORY_ROWS)

    async def keep(self, rows: Sequence[LedgerRow], *, oldest: float) -> None:
        """See `LedgerStore.keep`."""
        known = {row.id for row in self._rows}
        self._rows.extend(row for row in rows if row.id not in known)
        while self._rows and self._rows[0].at < oldest:
            self._rows.popleft()

    async def sums(self, choice: Choice, by: Sequence[Dimension]) -> Sequence[LedgerSum]:
        """See `LedgerStore.sums`."""
        groups: dict[tuple[str, ...], list[LedgerRow]] = {}
        for row in self._chosen(choice):
            groups.setdefault(tuple(_OF_ROW[dimension](row) for dimension in by), []).append(row)
        if not by:
            groups.setdefault((), [])
        busiest = sorted(groups.items(), key=lambda item: len(item[1]), reverse=True)[:MOST_SUMS]
        return [_sum_of(group, rows, named="key" in by) for group, rows in busiest]

    async def latest(self, choice: Choice, most: int) -> Sequence[LedgerRow]:
        """See `LedgerStore.latest`."""
        return sorted(self._chosen(choice), key=lambda row: row.at, reverse=True)[:most]

    async def spent(self, principal: str, since: float) -> float:
        """See `LedgerStore.spent`."""
        return sum(row.list_price for row in self._chosen(Choice(since, {"principal": principal})))

    def _chosen(self, choice: Choice) -> list[LedgerRow]:
        return [
            row
            for row in self._rows
            if row.at >= choice.since and all(getattr(row, name) == value for name, value in choice.having.items())
        ]


def _sum_of(group: tuple[str, ...], rows: Sequence[LedgerRow], *, named: bool) -> LedgerSum:
    counts = {name: sum(getattr(row, name) for row in rows) for name in _COUNTED}
    return LedgerSum(
        group,
        max((row.key for row in rows), default="") if named else "",
        len(rows),
        sum(row.failed for row in rows),
        **counts,
        list_price=sum(row.list_price for row in rows if row.has_list_price),
        unpriced=sum(not row.has_list_price and row.list_price > 0 for row in rows),
        charged=sum(row.charged or 0.0 for row in rows),
        uncharged=sum(row.charged is None for row in rows),
    )


# ---- in a database --------------------------------------------------------------------------------------------------

_COUNTED: Final = (
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "thinking_tokens",
    "web_searches",
)
_COLUMN_NAMES: Final = MappingProxyType({"key": "key_name", "stream": "streamed"})
"""Where they are not those of the row: some words are SQL's own."""
_NAMES: Final = tuple(_COLUMN_NAMES.get(name, name) for name in LedgerRow.__struct_fields__)
_CHOSEN_BY: Final = frozenset({"principal", "client", "status", "failed"})
_FLAGS: Final = tuple(place for place, column in enumerate(structs.fields(LedgerRow)) if column.type is bool)
_COLUMNS: Final = ", ".join(_NAMES)
_TOO_OLD: Final = "SELECT at, id FROM ledger WHERE at < ? ORDER BY at LIMIT ?"
_OF_COLUMNS: Final[Mapping[Dimension, str]] = MappingProxyType(
    {
        "day": f"hour / {_HOURS_A_DAY}",
        "hour": "hour",
        "model": "model_used",
        "key": "principal || ''",  # an expression: no planner walks all of the principals' index for its order
        "client": "client",
        "upstream": "upstream",
        "billed": "billed",
    }
)
_SUMS: Final = ", ".join(
    [
        "COUNT(*)",
        "SUM(failed)",
        *(f"SUM({name})" for name in _COUNTED),
        "SUM(CASE WHEN has_list_price = 1 THEN list_price ELSE 0 END)",
        "SUM(CASE WHEN has_list_price = 0 AND list_price > 0 THEN 1 ELSE 0 END)",
        "SUM(charged)",
        "SUM(CASE WHEN charged IS NULL THEN 1 ELSE 0 END)",
    ]
)
_KINDS: Final[Sequence[Callable[[Any], Any]]] = (int, int, *(int for _ in _COUNTED), float, int, float, int)
"""What each of these is, in the order of `LedgerSum`."""


class StoredLedger:
    """In a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._let_go_until = 0.0

    async def keep(self, rows: Sequence[LedgerRow], *, oldest: float) -> None:
        """See `LedgerStore.keep`."""
        kept = [row for row in rows if row.at >= oldest]
        if kept:
            columns = columns_of(kept)

            def work(transaction: Transaction) -> None:
                transaction.insert_new("ledger", columns)

            await self._database.write(work, wait=WRITE_WAIT, abandon=True)
        if oldest >= self._let_go_until + HOUR:
            while not await self._let_go(oldest) and not kept:
                pass

    async def _let_go(self, oldest: float) -> bool:
        """Whether that was all. No write takes long; what is left over goes with the next batch of rows."""

        def work(transaction: Transaction) -> int:
            transaction.drop_before("ledger", oldest)
            transaction.execute(
                f"DELETE FROM ledger WHERE at < ? AND (at, id) IN ({_TOO_OLD})",  # noqa: S608 - names of our own
                (oldest, oldest, MOST_LET_GO),
            )
            return transaction.changed

        if await self._database.write(work, wait=WRITE_WAIT, abandon=True) >= MOST_LET_GO:
            return False
        self._let_go_until = oldest
        return True

    async def sums(self, choice: Choice, by: Sequence[Dimension]) -> Sequence[LedgerSum]:
        """See `LedgerStore.sums`."""
        sql, parameters = sums_query(choice, by)
        rows = await self._database.read(lambda transaction: transaction.execute(sql, parameters))
        return [_sum(row, len(by)) for row in rows]

    async def latest(self, choice: Choice, most: int) -> Sequence[LedgerRow]:
        """See `LedgerStore.latest`."""
        sql, parameters = latest_query(choice, most)
        rows = await self._database.read(lambda transaction: transaction.execute(sql, parameters))
        return [_row(row) for row in rows]

    async def spent(self, principal: str, since: float) -> float:
        """See `LedgerStore.spent`."""
        sql = "SELECT SUM(list_price) FROM ledger WHERE principal = ? AND at >= ?"
        rows = await self._database.read(lambda transaction: transaction.execute(sql, (principal, since)))
        return float(rows[0][0] or 0.0)


def sums_query(choice: Choice, by: Sequence[Dimension]) -> tuple[str, tuple[Value, ...]]:
    """SQL and parameters of `LedgerStore.sums`."""
    groups = [_OF_COLUMNS[dimension] for dimension in by]
    name = "MAX(key_name)" if "key" in by else "''"
    where, parameters = _where(choice)
    sql = f"SELECT {', '.join([*groups, name, _SUMS])} FROM ledger WHERE {where}"  # noqa: S608 - names of our own
    if groups:
        sql += f" GROUP BY {', '.join(groups)} ORDER BY COUNT(*) DESC LIMIT {MOST_SUMS}"
    return sql, parameters


def latest_query(choice: Choice, most: int) -> tuple[str, tuple[Value, ...]]:
    """SQL and parameters of `LedgerStore.latest`."""
    where, parameters = _where(choice)
    sql = f"SELECT {_COLUMNS} FROM ledger WHERE {where} ORDER BY at DESC LIMIT ?"  # noqa: S608 - names of our own
    return sql, (*parameters, most)


def _where(choice: Choice) -> tuple[str, tuple[Value, ...]]:
    assert _CHOSEN_BY.issuperset(choice.having), "nothing but columns is chosen by"
    return " AND ".join(["at >= ?", *(f"{name} = ?" for name in choice.having)]), (
        choice.since,
        *choice.having.values(),
    )


def columns_of(rows: Sequence[LedgerRow]) -> dict[str, Sequence[Value]]:
    """What is kept of at least one row, by column."""
    columns: dict[str, Sequence[Value]] = dict(zip(_NAMES, zip(*map(structs.astuple, rows), strict=True), strict=True))
    for name in (_NAMES[place] for place in _FLAGS):
        columns[name] = [1 if flag else 0 for flag in columns[name]]
    columns["hour"] = [int(row.at) // HOUR for row in rows]
    columns["failed"] = [1 if row.failed else 0 for row in rows]
    return columns


def _row(row: Row) -> LedgerRow:
    values = list(row)
    for place in _FLAGS:
        values[place] = bool(values[place])
    return LedgerRow(*values)


def _sum(row: Row, dimensions: int) -> LedgerSum:
    """Of no rows at all the sums are NULL."""
    name, *sums = row[dimensions:]
    numbers = [kind(number or 0) for kind, number in zip(_KINDS, sums, strict=True)]
    return LedgerSum(tuple(str(word) for word in row[:dimensions]), name or "", *numbers)
