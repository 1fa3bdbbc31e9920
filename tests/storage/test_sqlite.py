"""The SQLite file: what is committed when, and what a disk in trouble costs."""

import asyncio
import multiprocessing
import os
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from claude_openai_proxy.storage.committing import Job
from claude_openai_proxy.storage.engine import Patience
from claude_openai_proxy.storage.interface import (
    Row,
    StorageRefusedError,
    StorageUnavailableError,
    Transaction,
)
from claude_openai_proxy.storage.migration import newest, statements, steps
from claude_openai_proxy.storage.place import network_file_system
from claude_openai_proxy.storage.sqlite import SQLiteDatabase
from storage.databases import PATIENCE_SECONDS, sqlite_in
from storage.neighbours import put, write_and_leave


def names(transaction: Transaction) -> list[Row]:
    return transaction.execute("SELECT name FROM facts ORDER BY name")


def broken(_: Transaction) -> None:
    raise sqlite3.OperationalError("disk I/O error")


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
async def database(tmp_path: Path, told: list[str]) -> AsyncIterator[SQLiteDatabase]:
    made = sqlite_in(tmp_path, told)
    made.open()
    yield made
    await made.aclose()


async def test_what_was_written_is_read_by_another_connection(database: SQLiteDatabase, tmp_path: Path) -> None:
    assert await database.write(put("a")) == 1
    other = sqlite_in(tmp_path)
    assert await other.read(names) == [("a",)]
    await other.aclose()


async def test_opening_the_file_again_keeps_the_locks_that_tell_other_processes_of_this_one(
    database: SQLiteDatabase, tmp_path: Path
) -> None:
    assert await database.read(names) == []
    database.open()
    other = multiprocessing.get_context("spawn").Process(target=write_and_leave, args=(tmp_path,))
    other.start()
    await asyncio.to_thread(other.join)

    assert await database.read(names) == [("of another process",)]


async def test_a_post_is_committed_without_anybody_waiting(database: SQLiteDatabase) -> None:
    for number in range(1000):
        database.post(put(f"{number:04}"))
    await database.settle()
    assert len(await database.read(names)) == 1000
    assert database.state.dropped == 0


async def test_more_works_than_may_wait_are_dropped_and_counted(
    database: SQLiteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_openai_proxy.storage.line.MOST_JOBS", 5)
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: Transaction) -> None:
        begun.set()
        go_on.wait(10)

    database.post(hold)
    await asyncio.to_thread(begun.wait, 10)
    for number in range(8):
        database.post(put(f"{number}"))
    assert database.state.dropped == 3
    go_on.set()
    await database.settle()
    assert await database.read(names) == [(f"{number}",) for number in range(5)]


async def test_trouble_that_only_a_reader_met_keeps_no_later_work_waiting(
    database: SQLiteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database.engine, "patience", Patience(pause=3600.0))
    monkeypatch.setattr("claude_openai_proxy.storage.queued.RETRY_SECONDS", 3600.0)
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: Transaction) -> None:
        begun.set()
        go_on.wait(10)

    held = asyncio.create_task(database.write(hold, wait=PATIENCE_SECONDS))
    await asyncio.to_thread(begun.wait, 10)
    with pytest.raises(StorageUnavailableError):
        await database.read(broken)
    go_on.set()
    await held
    assert await database.write(put("a"), wait=PATIENCE_SECONDS) == 1


async def test_trouble_that_a_reader_met_may_have_ended_before_its_pause_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_openai_proxy.storage.queued.RETRY_SECONDS", 3600.0)
    begun, go_on, well = (threading.Event() for _ in range(3))

    def told(trouble: str) -> None:
        if trouble:  # on the reader's thread, while the batch under way goes on
            go_on.set()
            well.wait(10)
        else:
            well.set()

    def hold(_: Transaction) -> None:
        begun.set()
        go_on.wait(10)

    database = SQLiteDatabase(tmp_path / "state" / "state.db", told=told)
    monkeypatch.setattr(database.engine, "patience", Patience(pause=3600.0))
    held = asyncio.create_task(database.write(hold, wait=PATIENCE_SECONDS))
    await asyncio.to_thread(begun.wait, 10)
    with pytest.raises(StorageUnavailableError):
        await database.read(broken)
    await held
    while database._writing:  # noqa: ASYNC110 - another thread makes it so
        await asyncio.sleep(0)
    assert await database.write(put("a"), wait=PATIENCE_SECONDS) == 1
    await database.aclose()


async def test_a_work_that_fails_takes_no_other_with_it(database: SQLiteDatabase) -> None:
    await database.write(put("a"))
    results = await asyncio.gather(
        database.write(put("b")), database.write(put("a")), database.write(put("c")), return_exceptions=True
    )
    assert [type(result) for result in results] == [int, sqlite3.IntegrityError, int]
    assert await database.read(names) == [("a",), ("b",), ("c",)]


async def test_a_bug_in_a_work_is_told_and_later_works_go_on(database: SQLiteDatabase) -> None:
    def broken(_: Transaction) -> int:
        raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        await database.write(broken)
    assert await database.write(put("a")) == 1


async def test_directory_and_file_are_private(database: SQLiteDatabase, tmp_path: Path) -> None:
    await database.write(put("a"))
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in [tmp_path / "state", *sorted((tmp_path / "state").iterdir())]
    }
    assert modes == {"state": 0o700, "state.db": 0o600, "state.db-shm": 0o600, "state.db-wal": 0o600}


async def test_a_locked_file_delays_a_write_by_its_stated_wait_only(database: SQLiteDatabase, tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "state" / "state.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailableError):
        await database.write(put("waited for"), wait=0.01)
    with pytest.raises(StorageUnavailableError):
        await database.write(put("abandoned"), wait=0.01, abandon=True)
    database.post(put("posted"))
    assert database.state.late == 2
    holder.execute("COMMIT")
    holder.close()
    await database.settle()
    assert await database.read(names) == [("posted",), ("waited for",)]
    assert database.state.trouble == ""


async def test_a_disk_in_trouble_is_told_once_and_heals_by_itself(
    database: SQLiteDatabase, told: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "state" / "state.db"
    await database.write(put("before"))
    await database.aclose()
    content = path.read_bytes()
    path.write_bytes(b"this is no database, and longer than a header of one hundred bytes" * 100)
    troubled = sqlite_in(tmp_path, told)
    troubled.open()
    troubled.post(put("kept in line"))
    for _ in range(3):
        with pytest.raises(StorageUnavailableError, match="not a database"):
            await troubled.write(put("refused"))
        with pytest.raises(StorageUnavailableError, match="not a database"):
            await troubled.read(names)
    assert [bool(sentence) for sentence in told] == [True]
    path.write_bytes(content)
    await troubled.settle()
    assert await troubled.read(names) == [("before",), ("kept in line",)]
    assert [bool(sentence) for sentence in told] == [True, False]
    await troubled.aclose()


async def test_a_file_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    first = sqlite_in(tmp_path)
    first.open()
    await first.aclose()
    connection = sqlite3.connect(tmp_path / "state" / "state.db")
    connection.execute(f"PRAGMA user_version={newest() + 1}")
    connection.close()
    second = sqlite_in(tmp_path)
    with pytest.raises(StorageRefusedError, match=f"newer version .*version {newest() + 1}, known here {newest()}"):
        second.open()
    await second.aclose()


def test_steps_are_numbered_without_a_gap_and_each_engine_takes_them_all() -> None:
    for kind in ("sqlite", "postgresql"):
        assert [number for number, _ in steps(kind)] == list(range(1, newest() + 1))
    assert all(list(statements(script)) for _, script in steps("sqlite") if script)
    assert all(one or other for (_, one), (_, other) in zip(steps("sqlite"), steps("postgresql"), strict=True))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
async def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", 12_345, 12_345)
    database = sqlite_in(tmp_path)
    with pytest.raises(StorageRefusedError, match="belongs to another user"):
        database.open()
    await database.aclose()


@pytest.mark.parametrize(
    ("directory", "kind"),
    [("/srv/shared/state", "nfs4"), ("/srv/state", ""), ("/srv/with space/x", "cifs"), ("/srv/sharedness", "")],
)
def test_a_network_file_system_is_known_by_the_mounts(tmp_path: Path, directory: str, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "40 22 0:40 / /srv/shared rw shared:2 - nfs4 server:/export rw\n"
        "41 22 0:41 / /srv/with\\040space rw - cifs //server/share rw\n"
    )
    assert network_file_system(Path(directory), mounts) == kind


def _write_from_another_process(directory: Path, number: int) -> None:
    async def write() -> None:
        database = sqlite_in(directory)
        database.open()
        for row in range(50):
            await database.write(put(f"{number}-{row:02}"), wait=60)
        await database.aclose()

    asyncio.run(write())


def test_several_servers_share_a_directory_from_its_first_moment(tmp_path: Path) -> None:
    spawning = multiprocessing.get_context("fork")
    processes = [spawning.Process(target=_write_from_another_process, args=(tmp_path, n)) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    connection = sqlite3.connect(tmp_path / "state" / "state.db")
    assert connection.execute("SELECT count(*) FROM facts").fetchone() == (200,)
    connection.close()


async def test_who_comes_while_a_failed_run_ends_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = threading.Event()

    def fails(_: Path, *, own: bool) -> sqlite3.Connection:  # noqa: ARG001 - as `connect` has it
        opened.wait()
        raise OSError("the disk is gone")

    monkeypatch.setattr("claude_openai_proxy.storage.sqlite.connect", fails)
    database = sqlite_in(tmp_path)
    late = Job(put("b"), posted=False)
    first = asyncio.ensure_future(database.write(put("a"), wait=60))
    while not database._batch:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    database._batch[0].result.add_done_callback(lambda _: database._enqueue(late))
    opened.set()

    with pytest.raises(StorageUnavailableError, match="the disk is gone"):
        await first
    error = await asyncio.to_thread(late.result.exception, 60)

    assert isinstance(error, StorageUnavailableError)
    await database.aclose()
