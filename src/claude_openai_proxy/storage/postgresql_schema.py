"""The tables in PostgreSQL: the same numbered steps as in SQLite, one process at a time, and whose content it is."""

from typing import Any, Final

import psycopg

from claude_openai_proxy.storage.interface import StorageRefusedError
from claude_openai_proxy.storage.migration import KEY_FACT, newer, newest, steps

TABLE_SECONDS: Final = 3.0
"""How long a step waits for a table that is in use."""

_ALONE: Final = "SELECT pg_advisory_xact_lock(hashtextextended('claude-openai-proxy: steps', 0))"


def is_older(connection: "psycopg.Connection[Any]", where: str) -> bool:
    """Whether it lacks steps. Raises `StorageRefusedError` as `newer` says."""
    return _version(connection, where) < newest()


def migrate(connection: "psycopg.Connection[Any]", where: str) -> None:
    """Take the steps that the database lacks, all in one transaction. Raises `StorageRefusedError` as `newer` says.

    Where a table is in use, it gives up soon: whoever waits for a table holds up all who come after.
    """
    try:
        with connection.transaction():
            connection.execute("SET LOCAL lock_timeout = '60s'")
            connection.execute(_ALONE)
            connection.execute(f"SET LOCAL lock_timeout = '{TABLE_SECONDS}s'")
            connection.execute("CREATE TABLE IF NOT EXISTS schema_steps (number INTEGER PRIMARY KEY)")
            done = _version(connection, where)  # another process may have been here first
            for number, script in steps("postgresql"):
                if number > done:
                    connection.execute(_in_its_words(script))
                    connection.execute("INSERT INTO schema_steps (number) VALUES (%s)", (number,))
    except psycopg.errors.InsufficientPrivilege as error:
        raise StorageRefusedError(f"{where}: its user may not make tables there ({error}).") from error


def check_key(connection: "psycopg.Connection[Any]", fingerprint: str, where: str) -> None:
    """The first proxy's key is everyone's. Raises `StorageRefusedError` for another."""
    kept = _fact(connection)
    if not kept:
        connection.execute(
            "INSERT INTO facts (name, value) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING", (KEY_FACT, fingerprint)
        )
        kept = _fact(connection)
    if kept != fingerprint:
        raise StorageRefusedError(
            f"{where} is sealed with another STORAGE_KEY. Proxies on one database need the same: give this one theirs."
        )


def _fact(connection: "psycopg.Connection[Any]") -> str:
    rows = connection.execute("SELECT value FROM facts WHERE name = %s", (KEY_FACT,)).fetchall()
    return str(rows[0][0]) if rows else ""


def _version(connection: "psycopg.Connection[Any]", where: str) -> int:
    ((table,),) = connection.execute("SELECT to_regclass('schema_steps')").fetchall()
    if table is None:
        return 0
    ((version,),) = connection.execute("SELECT coalesce(max(number), 0) FROM schema_steps").fetchall()
    if version > newest():
        raise StorageRefusedError(f"{newer(where, version)} Update this one, too.")
    return int(version)


def _in_its_words(script: str) -> str:
    """Bytes have another name here; everything else in the steps of both engines is what both know."""
    return script.replace(" BLOB", " BYTEA")
