"""The numbered steps that make the tables: forward only, all that lack in one transaction."""

import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from claude_openai_proxy.storage.interface import StorageRefusedError

STEPS: Final = Path(__file__).with_name("migrations")

KEY_FACT: Final = "storage_key_fingerprint"
"""The fact that tells which key seals the content of a shared database."""


@cache
def steps(kind: str) -> tuple[tuple[int, str], ...]:
    """Number and SQL of each step of an engine, in order; "" where it has nothing to do in one.

    `0001_client_keys.sql` is of the number 1, and of every engine; `0013_key_changes.postgresql.sql` of one alone.
    """
    scripts = dict.fromkeys(sorted(int(path.name[:4]) for path in STEPS.glob("*.sql")), "")
    for path in STEPS.glob("*.sql"):
        if path.suffixes in ([".sql"], [f".{kind}", ".sql"]):
            scripts[int(path.name[:4])] = path.read_text(encoding="utf-8")
    return tuple(scripts.items())


def newest() -> int:
    """The version that this program writes."""
    return steps("sqlite")[-1][0]


def statements(script: str) -> Iterator[str]:
    """The single statements of a step."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""


def newer(where: str, version: int) -> str:
    """Why a database of that version is refused."""
    return f"{where} was written by a newer version of this program (its version {version}, known here {newest()})."


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Take the steps that `path` lacks. Raises `StorageRefusedError` where it is of a newer program."""
    if _version(connection, path) == newest():
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = _version(connection, path)  # another process may have been here first
        for number, script in steps("sqlite"):
            if number > done:
                for statement in statements(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > newest():
        raise StorageRefusedError(f"{newer(str(path), version)} Update, or set STATE_DIR to another directory.")
    return version
