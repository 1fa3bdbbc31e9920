"""All that is kept, out into an SQLite file or in from one; its content stays sealed with the key that it has."""

import sqlite3
from contextlib import closing
from pathlib import Path

from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.storage.engine import Engine
from claude_openai_proxy.storage.interface import StorageRefusedError, StorageUnavailableError
from claude_openai_proxy.storage.migration import KEY_FACT
from claude_openai_proxy.storage.moving import copy
from claude_openai_proxy.storage.sealing import KEY_FILE, Seal, generated_key
from claude_openai_proxy.storage.sqlite import SQLiteEngine


class OtherKeyError(ProxyError):
    """What is sealed in the file could never be read where it is brought in."""


def write_out(kept: Stores, engine: Engine, path: Path) -> dict[str, int]:
    """Rows by table, in a new file. Raises `StorageUnavailableError`, `StorageRefusedError`."""
    file = SQLiteEngine(path, own=False)
    rows = _copied(engine, file, file)
    with closing(file.connect()) as connection:
        connection.begin()
        connection.transaction.execute(
            "INSERT INTO facts (name, value) VALUES (?, ?)", (KEY_FACT, kept.seal().fingerprint)
        )
        connection.commit()
    return rows


def bring_in(kept: Stores, engine: Engine, path: Path) -> dict[str, int]:
    """Rows by table. Raises `OtherKeyError`, `NotEmptyError`, `StorageUnavailableError`, `StorageRefusedError`."""
    file = SQLiteEngine(path, own=False)
    sealed_with = _fingerprints(file, path)
    if sealed_with and kept.seal().fingerprint not in sealed_with:
        raise OtherKeyError(
            f"{path} is sealed with another key. Set STORAGE_KEY to the one that it was written with: the STORAGE_KEY "
            f"of that proxy, or else what {KEY_FILE} in its STATE_DIR holds."
        )
    return _copied(file, engine, file)


def _copied(source: Engine, target: Engine, file: SQLiteEngine) -> dict[str, int]:
    trouble: tuple[type[Exception], ...] = (*source.errors.trouble, *target.errors.trouble, OSError)
    try:
        return copy(source, target, file=file)
    except trouble as error:
        blamed = source if isinstance(error, source.errors.trouble) else target
        raise StorageUnavailableError(blamed.sentence(error)) from error


def _fingerprints(file: SQLiteEngine, path: Path) -> set[str]:
    """Of the keys that seal its content, as far as it tells; none where nothing does."""
    try:
        with closing(file.connect(reading=True)) as connection:
            if told := connection.transaction.execute("SELECT value FROM facts WHERE name = ?", (KEY_FACT,)):
                return {told[0][0]}
            seals = {seal for (seal,) in connection.transaction.execute("SELECT DISTINCT seal FROM stored_objects")}
    except (sqlite3.Error, OSError) as error:
        raise StorageUnavailableError(file.sentence(error)) from error
    if not seals and (path.parent / KEY_FILE).exists():
        try:
            return {Seal(generated_key(path.parent)).fingerprint}
        except OSError as error:
            raise StorageRefusedError(f"{path.parent / KEY_FILE} cannot be read: {error.strerror}.") from error
    return seals
