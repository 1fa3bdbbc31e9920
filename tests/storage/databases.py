"""Databases for tests, and what they told."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from claude_openai_proxy.storage.interface import WRITE_SECONDS, Work
from claude_openai_proxy.storage.postgresql import PostgreSQLDatabase
from claude_openai_proxy.storage.queued import QueuedDatabase
from claude_openai_proxy.storage.sqlite import SQLiteDatabase

T = TypeVar("T")

PATIENCE_SECONDS = 60.0

Places = Callable[[], QueuedDatabase]
"""Each call gives the same place once more, as another process would see it."""


def sqlite_in(directory: Path, told: list[str] | None = None) -> SQLiteDatabase:
    """A database in a directory of the test's; `told` collects its sentences."""
    return SQLiteDatabase(directory / "state" / "state.db", told=(told if told is not None else []).append)


class _Patient(PostgreSQLDatabase):
    """Waits longer than any request would: how fast a busy machine commits is nothing to a test."""

    async def write(
        self,
        work: Work[T],
        /,
        *,
        wait: float = WRITE_SECONDS,
        abandon: bool = False,
        undo: Work[object] | None = None,
        apart: bool = False,
    ) -> T:
        return await super().write(work, wait=max(wait, PATIENCE_SECONDS), abandon=abandon, undo=undo, apart=apart)


def postgresql_at(url: str, told: list[str] | None = None, *, fingerprint: str = "f") -> PostgreSQLDatabase:
    """A database of the test's own at `url`."""
    return _Patient(url, fingerprint=lambda: fingerprint, told=(told if told is not None else []).append)


def places(kind: str, request: pytest.FixtureRequest) -> Places:
    """Of the engine `kind`, empty at first."""
    if kind == "postgresql":
        url: str = request.getfixturevalue("postgresql_url")
        return lambda: postgresql_at(url)
    directory: Path = request.getfixturevalue("tmp_path")
    return lambda: sqlite_in(directory)
