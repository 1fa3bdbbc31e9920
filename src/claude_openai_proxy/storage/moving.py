"""All that is kept, from one database to another: out of or into an SQLite file, whole or not at all.

Both are of the same version by then, so the rows are the same; only what a database knows of itself stays behind.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Final

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.storage.engine import Connection, Engine
from claude_openai_proxy.storage.interface import Row, Transaction
from claude_openai_proxy.storage.migration import KEY_FACT, steps
from claude_openai_proxy.storage.sqlite import SQLiteEngine

ROWS_AT_A_TIME: Final = 64
"""Pieces of files have a mebibyte each."""
LEDGER_ROWS_AT_A_TIME: Final = 4_096
"""They are small, and there may be millions."""

_CREATED: Final = re.compile(r"^CREATE TABLE (\w+)", re.MULTILINE)
_PASSING: Final = frozenset({"facts", "runners", "conversation_locks"})
"""Rows that a database may have although nothing was kept in it."""


class NotEmptyError(ProxyError):
    """Where something is kept already, nothing else is brought in."""


def tables() -> list[str]:
    """In the order in which rows may come: none points to a later table."""
    return list(dict.fromkeys(name for _, script in steps("sqlite") for name in _CREATED.findall(script)))


def copy(source: Engine, target: Engine, *, file: SQLiteEngine) -> dict[str, int]:
    """Rows by table. `file` is whichever of the two is the file: it tells the columns.

    Raises `NotEmptyError`, and as `Engine.connect` does.
    """
    with ExitStack() as closing:
        reading, writing, known = source.connect(reading=True), target.connect(), file.connect(reading=True)
        for connection in (reading, writing, known):
            closing.callback(connection.close)
        columns = {table: _columns(known.transaction, table) for table in tables()}
        reading.begin()
        closing.callback(reading.roll_back)
        writing.begin()
        closing.callback(writing.roll_back)
        _check_empty(writing.transaction, target.where)
        counts = {table: _copy(reading, writing, table, *columns[table]) for table in tables()}
        writing.commit()
    return counts


def _copy(reading: Connection, writing: Connection, table: str, names: Sequence[str], key: Sequence[str]) -> int:
    count, transaction = 0, writing.transaction
    for rows in _pages(reading.transaction, table, names, key):
        kept = [row for row in rows if table != "facts" or row[0] != KEY_FACT]
        if kept:
            transaction.insert_new(table, dict(zip(names, zip(*kept, strict=True), strict=True)))
        count += len(kept)
    return count


def _pages(transaction: Transaction, table: str, names: Sequence[str], key: Sequence[str]) -> Iterator[list[Row]]:
    """By the primary key, a few rows at a time."""
    most = LEDGER_ROWS_AT_A_TIME if table == "ledger" else ROWS_AT_A_TIME
    selected, order = ", ".join(names), ", ".join(key)
    after = f"WHERE ({order}) > ({', '.join('?' * len(key))})"
    places = [names.index(name) for name in key]
    rows = transaction.execute(f"SELECT {selected} FROM {table} ORDER BY {order} LIMIT {most}")  # noqa: S608
    while rows:
        yield rows
        rows = transaction.execute(
            f"SELECT {selected} FROM {table} {after} ORDER BY {order} LIMIT {most}",  # noqa: S608
            [rows[-1][place] for place in places],
        )


def _columns(transaction: Transaction, table: str) -> tuple[list[str], list[str]]:
    """Names of all, and of the primary key in its order, as SQLite tells them."""
    told = transaction.execute(f"PRAGMA table_info({table})")
    key = sorted((place, name) for _, name, _, _, _, place in told if place)
    return [row[1] for row in told], [name for _, name in key]


def _check_empty(transaction: Transaction, where: str) -> None:
    for table in tables():
        if table not in _PASSING and transaction.execute(f"SELECT 1 FROM {table} LIMIT 1"):  # noqa: S608
            raise NotEmptyError(f"{where} has rows in {table} already: nothing was copied. Take an empty one.")
