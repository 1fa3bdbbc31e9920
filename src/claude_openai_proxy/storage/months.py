"""Tables of PostgreSQL that have a partition for each month: made before the first row of the month before it comes.

| table    | its time | rows of a month                   | rows from before there were months                     |
|----------|----------|-----------------------------------|--------------------------------------------------------|
| `ledger` | `at`     | in `ledger_2027_01`, by UTC       | in `ledger_before`, together                           |

Bounds are read from the database, never from names. A partition is attached, which lets others read and write
meanwhile; dropping one waits a second at most for those who read, who would have to wait for it, too.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from claude_openai_proxy.storage.interface import Transaction

TIMES: Final = MappingProxyType({"ledger": "at"})
"""The column of each such table that tells the month."""

_BOUNDS: Final = re.compile(r"FROM \((MINVALUE|'[^']+')\) TO \('([^']+)'\)")


def month_of(moment: float) -> tuple[int, int]:
    """The first second of a month of UTC, and that of the next one, since 1970."""
    first = datetime.fromtimestamp(moment, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    year, before = divmod(first.year * 12 + first.month, 12)
    return int(first.timestamp()), int(datetime(year, before + 1, 1, tzinfo=UTC).timestamp())


def cover(transaction: Transaction, table: str, moments: Iterable[float]) -> None:
    """Have partitions for rows of these moments, and for the month after the last one."""
    wanted = {month_of(moment) for moment in moments}
    wanted.add(month_of(max(wanted)[1]))
    if _lacking(transaction, table, wanted):
        transaction.alone(f"months of {table}")
        for first, end in _lacking(transaction, table, wanted):
            name = f"{table}_{datetime.fromtimestamp(first, UTC):%Y_%m}"
            transaction.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
            transaction.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})")


def drop_before(transaction: Transaction, table: str, oldest: float) -> None:
    """Drop the partitions in which no row is of `oldest` or later; those that are in use, another time."""
    for name, _, end in _partitions(transaction, table):
        if end <= oldest:
            transaction.execute(
                "DO $$ BEGIN"
                f" SET LOCAL lock_timeout = '1s'; DROP TABLE IF EXISTS {name}; SET LOCAL lock_timeout TO DEFAULT;"
                " EXCEPTION WHEN lock_not_available THEN NULL; END $$"
            )


def _lacking(transaction: Transaction, table: str, wanted: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    there = _partitions(transaction, table)
    return sorted(month for month in wanted if not any(first <= month[0] < end for _, first, end in there))


def _partitions(transaction: Transaction, table: str) -> list[tuple[str, float, float]]:
    """Names as SQL has them, and bounds."""
    rows = transaction.execute(
        "SELECT quote_ident(c.relname), pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = ?::regclass",
        (table,),
    )
    found = [(name, _BOUNDS.search(bounds)) for name, bounds in rows]
    return [
        (name, float("-inf") if bounds[1] == "MINVALUE" else float(bounds[1].strip("'")), float(bounds[2]))
        for name, bounds in found
        if bounds
    ]
