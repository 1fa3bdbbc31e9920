"""`storage export` and `storage import`: from `state.db` to PostgreSQL and back without loss."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from claude_openai_proxy.app.installation import DATABASE
from claude_openai_proxy.app.stores import Stores, stores
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.storage.batches import StoredBatch
from claude_openai_proxy.storage.client_keys import StoredKey, new_secret
from claude_openai_proxy.storage.daily_spend import Spend
from claude_openai_proxy.storage.files import PIECE_BYTES, StoredFile
from claude_openai_proxy.storage.migration import newest
from claude_openai_proxy.storage.moving import LEDGER_ROWS_AT_A_TIME, ROWS_AT_A_TIME, tables
from claude_openai_proxy.storage.responses import Item, StoredObject
from claude_openai_proxy.storage.sealing import KEY_FILE
from claude_openai_proxy.translate.messages_api.kept_turns import KeptTurn
from cli.running import finished
from storage.ledger_rows import DAY, ROW

STATE = ".local/state/claude-openai-proxy"
FILE = StoredFile("file-1", "ann", "notes.txt", "user_data", PIECE_BYTES + 1, 100.0)
RESPONSE = StoredObject("resp_1", "response", "ann", 100.0, b'{"id": "resp_1"}', status="in_progress")
MANY = 2 * ROWS_AT_A_TIME + 1
MANY_IN_THE_LEDGER = LEDGER_ROWS_AT_A_TIME + 1


async def fill(kept: Stores) -> None:
    """Something of what has meaning to the stores, and of two kinds more rows than are moved at a time."""
    await kept.client_keys.add(StoredKey("key_1", "ann", ("opus",), created=1.0), new_secret())
    kept.daily_spend.add(Spend("2027-01-15", 0.25))
    await kept.files.keep(FILE, bytes(PIECE_BYTES) + b"x", room=10 * PIECE_BYTES)
    await kept.batches.create(StoredBatch("batch_1", "ann", 100.0, "file-1", "validating", b"{}"))
    await kept.reasoning.keep(KeptTurn(("calls", "said"), "claude-opus-5-5", "api", "prefix", b"thought"))
    assert kept.responses is not None
    items = [Item(f"item_{number}", "input", b'{"a": 1}') for number in range(MANY)]
    await kept.responses.add(RESPONSE, items, 100.0)
    rows = [replace(ROW, id=f"req_{number}", at=ROW.at + number * DAY / 64) for number in range(MANY_IN_THE_LEDGER)]
    await kept.ledger.keep(rows, oldest=0.0)
    assert kept.database is not None
    await kept.database.settle()


def content(file: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(file)) as connection:
        rows = {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in tables()}
    rows["facts"] = [row for row in rows["facts"] if row[0] != "storage_key_fingerprint"]
    return rows


def fill_the_rest(file: Path) -> None:
    """A row of no meaning in every table that has none: whatever is kept tomorrow is moved, too."""
    values = {"TEXT": "made up", "BLOB": b"\0\xff", "INTEGER": 7, "BIGINT": 2**53, "DOUBLE PRECISION": 0.1}
    with closing(sqlite3.connect(file)) as connection, connection:
        for table in tables():
            if not connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
                row = [values[kind] for _, _, kind, *_ in connection.execute(f"PRAGMA table_info({table})")]
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)


@pytest.fixture
async def state(tmp_path: Path) -> Path:
    """A home with a filled `state.db`."""
    kept = stores(load_settings(Flags(), {"HOME": str(tmp_path)}, tmp_path))
    assert await kept.open() == ""
    await fill(kept)
    await kept.aclose()
    fill_the_rest(tmp_path / STATE / DATABASE)
    return tmp_path


def shared(home: Path, url: str) -> dict[str, str]:
    return {"DATABASE_URL": url, "STORAGE_KEY": (home / STATE / KEY_FILE).read_text(encoding="utf-8")}


async def test_all_moves_to_postgresql_and_back_without_loss(state: Path, postgresql_url: str, tmp_path: Path) -> None:
    extra = shared(state, postgresql_url)
    original = content(state / STATE / DATABASE)
    assert len(original["stored_items"]) == MANY
    assert len(original["ledger"]) == MANY_IN_THE_LEDGER, "of more than one month"
    assert all(original.values())

    into = finished("storage", "import", str(state / STATE / DATABASE), home=tmp_path, extra=extra)
    assert (into.returncode, into.stderr) == (0, "")
    assert f"  stored_items: {MANY} rows" in into.stdout

    out = finished("storage", "export", "copy.db", home=tmp_path, extra=extra)
    assert (out.returncode, out.stderr) == (0, "")
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert content(tmp_path / "copy.db") == original

    kept = stores(load_settings(Flags(), {"HOME": str(tmp_path), **extra}, tmp_path))
    assert await kept.files.content(FILE) == bytes(PIECE_BYTES) + b"x"
    await kept.aclose()


async def test_back_into_a_file_of_an_installation(state: Path, postgresql_url: str, tmp_path: Path) -> None:
    extra = shared(state, postgresql_url)
    finished("storage", "import", str(state / STATE / DATABASE), home=tmp_path, extra=extra)
    finished("storage", "export", "copy.db", home=tmp_path, extra=extra)
    new_home = tmp_path / "new"
    new_home.mkdir()
    run = finished("storage", "import", str(tmp_path / "copy.db"), home=new_home, extra={"STATE_DIR": "state"})
    assert (run.returncode, "is sealed with another key" in run.stderr) == (2, True)
    key = {"STATE_DIR": "state", "STORAGE_KEY": extra["STORAGE_KEY"]}
    run = finished("storage", "import", str(tmp_path / "copy.db"), home=new_home, extra=key)
    assert (run.returncode, run.stderr) == (0, "")
    assert content(new_home / "state" / DATABASE) == content(state / STATE / DATABASE)


async def test_what_is_kept_is_never_mixed_or_overwritten(state: Path, tmp_path: Path) -> None:
    before = content(state / STATE / DATABASE)
    out = finished("storage", "export", "copy.db", home=state)
    assert out.returncode == 0
    again = finished("storage", "export", "copy.db", home=state)
    assert (again.returncode, "copy.db exists already" in again.stderr) == (2, True)
    into = finished("storage", "import", "copy.db", home=state)
    assert (into.returncode, "has rows in client_keys already: nothing was copied" in into.stderr) == (2, True)
    missing = finished("storage", "import", "none.db", home=state)
    assert (missing.returncode, "none.db is not there" in missing.stderr) == (2, True)
    (tmp_path / "text.db").write_text("no database " * 100, encoding="utf-8")
    broken = finished("storage", "import", "text.db", home=state)
    assert (broken.returncode, "not a database" in broken.stderr) == (2, True)
    assert content(state / STATE / DATABASE) == before


def test_tables_are_made_those_of_this_version(postgresql_url: str, tmp_path: Path) -> None:
    extra = {"DATABASE_URL": postgresql_url, "STORAGE_KEY": "the-same-for-all-of-them"}
    run = finished("storage", "migrate", home=tmp_path, extra=extra)
    assert (run.returncode, run.stdout.splitlines()[0].endswith(f": version {newest()}")) == (0, True)
    whole = finished("storage", "check", home=tmp_path, extra=extra)
    assert (whole.returncode, ": whole" in whole.stdout) == (0, True)
    away = finished("storage", "migrate", home=tmp_path, extra={**extra, "DATABASE_URL": "postgresql://127.0.0.1:9/x"})
    assert (away.returncode, "127.0.0.1:9" in away.stderr) == (1, True)
