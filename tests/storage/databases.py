"""Databases for tests, and what they told."""

from pathlib import Path

from claude_openai_proxy.storage.sqlite import SQLiteDatabase


def sqlite_in(directory: Path, told: list[str] | None = None) -> SQLiteDatabase:
    """A database in a directory of the test's; `told` collects its sentences."""
    return SQLiteDatabase(directory / "state" / "state.db", told=(told if told is not None else []).append)
