"""Uploaded files: the same tests judge memory and SQLite."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from claude_openai_proxy.storage.files import PIECE_BYTES, FilesFullError, FileStore, StoredFile
from claude_openai_proxy.storage.files_memory import MemoryFiles
from claude_openai_proxy.storage.files_sql import StoredFiles
from claude_openai_proxy.storage.interface import StorageRefusedError, StorageUnavailableError
from claude_openai_proxy.storage.sealing import KEY_BYTES, Seal
from storage.databases import places, sqlite_in

SEAL = Seal(bytes(KEY_BYTES))
ROOM = 10 * PIECE_BYTES
NOTES = StoredFile("file-1", "ann", "notes.txt", "user_data", 5, 100.0)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[FileStore]:
    if request.param == "memory":
        yield MemoryFiles()
        return
    database = places(request.param, request)()
    yield StoredFiles(database, lambda: SEAL)
    await database.aclose()


async def test_a_file_comes_back_as_it_was(store: FileStore) -> None:
    content = bytes(range(256)) * (2 * PIECE_BYTES // 256) + b"the last, shorter piece"
    large = replace(NOTES, size=len(content))
    await store.keep(large, content, room=ROOM)
    assert await store.one("ann", "file-1", 100.0) == large
    assert await store.content(large) == content


async def test_nobody_sees_anothers(store: FileStore) -> None:
    await store.keep(NOTES, b"hello", room=ROOM)
    assert await store.one("bob", "file-1", 100.0) is None
    assert await store.all("bob", 100.0) == []
    assert not await store.delete("bob", "file-1", 100.0)
    assert await store.content(replace(NOTES, principal="bob")) is None
    assert await store.content(NOTES) == b"hello"


async def test_files_stand_in_the_order_in_which_they_came(store: FileStore) -> None:
    for id_, created in (("file-b", 2.0), ("file-c", 3.0), ("file-a", 2.0)):
        await store.keep(replace(NOTES, id=id_, created=created), b"hello", room=ROOM)
    assert [file.id for file in await store.all("ann", 3.0)] == ["file-a", "file-b", "file-c"]


async def test_a_deleted_file_is_gone_and_gives_its_room_back(store: FileStore) -> None:
    await store.keep(NOTES, b"hello", room=5)
    assert await store.delete("ann", "file-1", 100.0)
    assert not await store.delete("ann", "file-1", 100.0)
    assert await store.one("ann", "file-1", 100.0) is None
    assert await store.content(NOTES) is None
    await store.keep(NOTES, b"again", room=5)
    assert await store.content(NOTES) == b"again"


async def test_an_expired_file_is_gone_and_gives_its_room_back(store: FileStore) -> None:
    await store.keep(replace(NOTES, expires=200.0), b"hello", room=5)
    assert await store.one("ann", "file-1", 199.0) is not None
    assert await store.one("ann", "file-1", 200.0) is None
    assert await store.all("ann", 200.0) == []
    assert not await store.delete("ann", "file-1", 200.0)
    later = replace(NOTES, id="file-2", created=200.0)
    await store.keep(later, b"later", room=5)
    assert await store.content(later) == b"later"


async def test_expired_files_can_be_deleted_with_nobody_uploading(store: FileStore) -> None:
    await store.keep(replace(NOTES, expires=200.0), b"hello", room=ROOM)
    await store.keep(replace(NOTES, id="file-2"), b"stays", room=ROOM)
    await store.drop_expired(199.0)
    assert await store.content(NOTES) == b"hello"
    await store.drop_expired(200.0)
    assert await store.content(NOTES) is None
    assert [file.id for file in await store.all("ann", 100.0)] == ["file-2"]


async def test_the_room_is_everybodys_together(store: FileStore) -> None:
    await store.keep(NOTES, b"hello", room=9)
    with pytest.raises(FilesFullError, match="FILES_MB"):
        await store.keep(replace(NOTES, id="file-2", principal="bob"), b"hello", room=9)
    assert await store.all("bob", 100.0) == []


# ---- what only a database has ---------------------------------------------------------------------------------------


async def test_they_outlive_the_process_and_nothing_of_them_can_be_read_on_the_disk(tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    await StoredFiles(database, lambda: SEAL).keep(NOTES, b"hello", room=ROOM)
    await database.aclose()
    written = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    assert b"hello" not in written
    assert b"notes.txt" not in written

    again = sqlite_in(tmp_path)
    store = StoredFiles(again, lambda: SEAL)
    assert await store.one("ann", "file-1", 100.0) == NOTES
    assert await store.content(NOTES) == b"hello"
    await again.aclose()


async def test_with_another_key_they_count_as_absent_and_stay(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = sqlite_in(tmp_path)
    kept = StoredFiles(database, lambda: SEAL)
    await kept.keep(NOTES, b"hello", room=ROOM)

    other = StoredFiles(database, lambda: Seal(b"\1" * KEY_BYTES))
    assert await other.one("ann", "file-1", 100.0) is None
    assert await other.all("ann", 100.0) == []
    assert await other.content(NOTES) is None
    assert not await other.delete("ann", "file-1", 100.0)
    assert len(caplog.records) == 1
    assert await kept.content(NOTES) == b"hello"
    await database.aclose()


async def test_a_piece_that_is_missing_makes_no_shorter_file(tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    store = StoredFiles(database, lambda: SEAL)
    large = replace(NOTES, size=PIECE_BYTES + 1)
    await store.keep(large, bytes(PIECE_BYTES + 1), room=ROOM)
    await database.write(lambda transaction: transaction.execute("DELETE FROM file_pieces WHERE number = 1"))
    assert await store.content(large) is None
    await database.aclose()


@pytest.mark.parametrize("trouble", [OSError("gone"), StorageRefusedError("not yours")])
async def test_without_the_key_storage_is_unavailable(tmp_path: Path, trouble: Exception) -> None:
    def refuse() -> Seal:
        raise trouble

    database = sqlite_in(tmp_path)
    with pytest.raises(StorageUnavailableError):
        await StoredFiles(database, refuse).keep(NOTES, b"hello", room=ROOM)
    await database.aclose()


async def test_a_file_may_come_piece_by_piece_and_is_seen_when_it_is_complete(store: FileStore) -> None:
    coming = replace(NOTES, purpose="", size=0)
    await store.begin(coming)
    await store.add(coming, 0, b"x" * PIECE_BYTES, room=ROOM)
    await store.add(coming, 1, b"end", room=ROOM)
    assert await store.all("ann", 100.0) == []
    assert await store.total() == PIECE_BYTES + 3
    whole = replace(NOTES, purpose="batch", size=PIECE_BYTES + 3)
    await store.complete(whole)
    assert await store.one("ann", "file-1", 100.0) == whole
    assert await store.content(whole) == b"x" * PIECE_BYTES + b"end"
    assert [await store.piece(whole, number) for number in (1, 2)] == [b"end", None]
    assert await store.piece(replace(whole, principal="bob"), 1) is None


async def test_a_file_that_stops_coming_leaves_nothing(store: FileStore) -> None:
    await store.begin(NOTES)
    await store.add(NOTES, 0, b"hello", room=ROOM)
    with pytest.raises(FilesFullError):
        await store.add(NOTES, 1, b"x" * ROOM, room=ROOM)
    await store.give_up(NOTES)
    assert await store.total() == 0
    await store.begin(NOTES)
    await store.add(NOTES, 0, b"again", room=ROOM)
    await store.complete(NOTES)
    assert await store.content(NOTES) == b"again"


async def test_a_pinned_file_that_is_deleted_is_hidden_until_nothing_pins_it(store: FileStore) -> None:
    for id_ in ("file-1", "file-2"):
        await store.keep(replace(NOTES, id=id_), b"hello", room=ROOM)
    await store.pin(["file-1"])
    assert await store.delete("ann", "file-1", 100.0)
    assert not await store.delete("ann", "file-1", 100.0)
    assert await store.one("ann", "file-1", 100.0) is None
    assert await store.piece(NOTES, 0) == b"hello"
    await store.unpin("file-1")
    assert await store.piece(NOTES, 0) is None
    assert await store.one("ann", "file-2", 100.0) is not None
    await store.unpin("file-2")
    assert await store.one("ann", "file-2", 100.0) is not None


async def test_a_pinned_file_that_expires_is_hidden_too(store: FileStore) -> None:
    await store.keep(replace(NOTES, expires=200.0), b"hello", room=ROOM)
    await store.pin(["file-1"])
    await store.keep(replace(NOTES, id="file-2", created=300.0), b"later", room=ROOM)
    assert await store.one("ann", "file-1", 300.0) is None
    assert await store.piece(NOTES, 0) == b"hello"
    await store.pin([], only=True)
    await store.keep(replace(NOTES, id="file-3", created=300.0), b"later", room=ROOM)
    await store.unpin("file-1")
    assert await store.total() == 10
