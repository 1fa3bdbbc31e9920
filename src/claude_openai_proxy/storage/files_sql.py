"""Files in a database, sealed."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from typing import Final

from claude_openai_proxy.storage.files import PIECE_BYTES, StoredFile, check_room
from claude_openai_proxy.storage.interface import (
    Database,
    Row,
    StorageRefusedError,
    StorageUnavailableError,
    Transaction,
)
from claude_openai_proxy.storage.sealing import Seal

KEEP_SECONDS: Final = 20.0
"""How long an upload waits for a commit: the largest is of 32 MiB, and a slow disk may be busy."""
COMING_SECONDS: Final = 6 * 3600.0
"""An upload that has not ended by then never will."""

_ALONE: Final = "files"

log: Final = logging.getLogger(__name__)


class StoredFiles:
    """See `FileStore` for all of it. `seal` gives what seals."""

    def __init__(self, database: Database, seal: Callable[[], Seal]) -> None:
        self._database = database
        self._seal = seal
        self._told = False

    async def keep(self, file: StoredFile, content: bytes, *, room: int) -> None:
        """See `FileStore.keep`."""
        name, pieces = await asyncio.to_thread(self._sealed, file, content)

        def work(transaction: Transaction) -> None:
            transaction.alone(_ALONE)
            _drop_expired(transaction, file.created)
            check_room(_total(transaction), file.size, room)
            transaction.execute(
                "INSERT INTO files (id, principal, purpose, size, created, expires, sealed_name) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (file.id, file.principal, file.purpose, file.size, file.created, file.expires, name),
            )
            transaction.execute_many(
                "INSERT INTO file_pieces (file_id, number, sealed) VALUES (?, ?, ?)",
                [(file.id, number, piece) for number, piece in enumerate(pieces)],
            )

        await self._database.write(work, wait=KEEP_SECONDS, abandon=True)

    async def all(self, principal: str, now: float) -> Sequence[StoredFile]:
        """See `FileStore.all`."""
        rows = await self._database.read(
            lambda transaction: transaction.execute(
                "SELECT id, principal, purpose, size, created, expires, sealed_name FROM files "
                "WHERE principal = ? AND state = 'here' AND (expires IS NULL OR expires > ?) ORDER BY created, id",
                (principal, now),
            )
        )
        return [file for row in rows if (file := self._opened(row)) is not None]

    async def one(self, principal: str, id_: str, now: float) -> StoredFile | None:
        """See `FileStore.one`."""
        rows = await self._database.read(
            lambda transaction: transaction.execute(
                "SELECT id, principal, purpose, size, created, expires, sealed_name FROM files "
                "WHERE id = ? AND principal = ? AND state = 'here' AND (expires IS NULL OR expires > ?)",
                (id_, principal, now),
            )
        )
        return self._opened(rows[0]) if rows else None

    async def content(self, file: StoredFile) -> bytes | None:
        """See `FileStore.content`."""
        rows = await self._database.read(
            lambda transaction: transaction.execute(
                "SELECT number, sealed FROM file_pieces WHERE file_id = ? ORDER BY number", (file.id,)
            )
        )
        return await asyncio.to_thread(self._joined, file, rows)

    async def delete(self, principal: str, id_: str, now: float) -> bool:
        """See `FileStore.delete`."""
        if await self.one(principal, id_, now) is None:
            return False

        def work(transaction: Transaction) -> bool:
            transaction.execute("UPDATE files SET state = 'hidden' WHERE id = ? AND state = 'here'", (id_,))
            deleted = transaction.changed > 0
            _sweep(transaction)
            return deleted

        return await self._database.write(work, abandon=True)

    async def drop_expired(self, now: float) -> None:
        """See `FileStore.drop_expired`."""
        if await self._database.read(lambda transaction: _any_expired(transaction, now)):
            await self._database.write(lambda transaction: _drop_expired(transaction, now))

    async def begin(self, file: StoredFile) -> None:
        """See `FileStore.begin`."""
        name = await asyncio.to_thread(self._sealed_name, file)

        def work(transaction: Transaction) -> None:
            _drop_expired(transaction, file.created)
            transaction.execute("DELETE FROM files WHERE id = ? AND state = 'coming'", (file.id,))
            transaction.execute("DELETE FROM file_pieces WHERE file_id = ?", (file.id,))
            transaction.execute(
                "INSERT INTO files (id, principal, purpose, size, created, expires, sealed_name, state) "
                "VALUES (?, ?, ?, 0, ?, ?, ?, 'coming')",
                (file.id, file.principal, file.purpose, file.created, file.expires, name),
            )

        await self._database.write(work, wait=KEEP_SECONDS)

    async def add(self, file: StoredFile, number: int, piece: bytes, *, room: int | None) -> None:
        """See `FileStore.add`."""
        sealed = await asyncio.to_thread(self._sealed_piece, file, number, piece)

        def work(transaction: Transaction) -> None:
            if room is not None:
                transaction.alone(_ALONE)
                check_room(_total(transaction), len(piece), room)
            transaction.execute(
                "INSERT INTO file_pieces (file_id, number, sealed) VALUES (?, ?, ?)", (file.id, number, sealed)
            )
            transaction.execute("UPDATE files SET size = size + ? WHERE id = ?", (len(piece), file.id))

        await self._database.write(work, wait=KEEP_SECONDS)

    async def complete(self, file: StoredFile) -> None:
        """See `FileStore.complete`."""
        name = await asyncio.to_thread(self._sealed_name, file)
        sql = "UPDATE files SET state = 'here', purpose = ?, size = ?, expires = ?, sealed_name = ? WHERE id = ?"
        row = (file.purpose, file.size, file.expires, name, file.id)
        await self._database.write(lambda transaction: transaction.execute(sql, row), wait=KEEP_SECONDS)

    async def give_up(self, file: StoredFile) -> None:
        """See `FileStore.give_up`."""

        def work(transaction: Transaction) -> None:
            transaction.execute("UPDATE files SET state = 'hidden' WHERE id = ? AND state = 'coming'", (file.id,))
            _sweep(transaction)

        await self._database.write(work, wait=KEEP_SECONDS)

    async def piece(self, file: StoredFile, number: int) -> bytes | None:
        """See `FileStore.piece`."""
        sql = "SELECT sealed FROM file_pieces WHERE file_id = ? AND number = ?"
        rows = await self._database.read(lambda transaction: transaction.execute(sql, (file.id, number)))
        if not rows:
            return None
        place = _place(file.principal, file.id, str(number))
        return await asyncio.to_thread(self._open_seal().open, bytes(rows[0][0]), place)

    async def total(self) -> int:
        """See `FileStore.total`."""
        return await self._database.read(_total)

    async def pin(self, ids: Collection[str], *, only: bool = False) -> None:
        """See `FileStore.pin`."""

        def work(transaction: Transaction) -> None:
            if only:
                transaction.execute("UPDATE files SET pinned = 0")
            transaction.execute_many("UPDATE files SET pinned = 1 WHERE id = ?", [(id_,) for id_ in ids])
            _sweep(transaction)

        await self._database.write(work, wait=KEEP_SECONDS)

    async def unpin(self, id_: str) -> None:
        """See `FileStore.unpin`."""

        def work(transaction: Transaction) -> None:
            transaction.execute("UPDATE files SET pinned = 0 WHERE id = ?", (id_,))
            _sweep(transaction)

        await self._database.write(work, wait=KEEP_SECONDS)

    # ---- sealing ------------------------------------------------------------------------------------------------

    def _sealed(self, file: StoredFile, content: bytes) -> tuple[bytes, list[bytes]]:
        pieces = [
            self._sealed_piece(file, number, content[start : start + PIECE_BYTES])
            for number, start in enumerate(range(0, len(content), PIECE_BYTES))
        ]
        return self._sealed_name(file), pieces

    def _sealed_piece(self, file: StoredFile, number: int, piece: bytes) -> bytes:
        return self._open_seal().seal(piece, _place(file.principal, file.id, str(number)))

    def _sealed_name(self, file: StoredFile) -> bytes:
        return self._open_seal().seal(file.name.encode(), _place(file.principal, file.id, "name"))

    def _opened(self, row: Row) -> StoredFile | None:
        id_, principal, purpose, size, created, expires, sealed_name = row
        name = self._open_seal().open(bytes(sealed_name), _place(principal, id_, "name"))
        if name is None:
            self._tell()
            return None
        return StoredFile(id_, principal, name.decode(), purpose, int(size), created, expires)

    def _joined(self, file: StoredFile, rows: Sequence[Row]) -> bytes | None:
        seal = self._open_seal()
        pieces: list[bytes] = []
        for number, sealed in rows:
            piece = seal.open(bytes(sealed), _place(file.principal, file.id, str(number)))
            if piece is None:
                return None
            pieces.append(piece)
        content = b"".join(pieces)
        return content if len(content) == file.size else None

    def _open_seal(self) -> Seal:
        try:
            return self._seal()
        except (OSError, StorageRefusedError) as error:
            raise StorageUnavailableError(f"The key that seals files cannot be used: {error}") from error

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            log.warning("Some uploaded files were sealed with another STORAGE_KEY: they count as absent.")


def _place(principal: str, id_: str, part: str) -> bytes:
    """What a sealed value is bound to. A principal's id and a file's have no slash in them."""
    return f"files/{principal}/{id_}/{part}".encode()


def _total(transaction: Transaction) -> int:
    return int(transaction.execute("SELECT COALESCE(SUM(size), 0) FROM files")[0][0])


def _any_expired(transaction: Transaction, now: float) -> bool:
    return bool(transaction.execute("SELECT 1 FROM files WHERE expires <= ? LIMIT 1", (now,)))


def _drop_expired(transaction: Transaction, now: float) -> None:
    transaction.execute(
        "UPDATE files SET state = 'hidden' WHERE expires <= ? OR (state = 'coming' AND created <= ?)",
        (now, now - COMING_SECONDS),
    )
    _sweep(transaction)


def _sweep(transaction: Transaction) -> None:
    """What is hidden and not pinned goes."""
    gone = "SELECT id FROM files WHERE state = 'hidden' AND pinned = 0"
    transaction.execute(f"DELETE FROM file_pieces WHERE file_id IN ({gone})")  # noqa: S608
    transaction.execute("DELETE FROM files WHERE state = 'hidden' AND pinned = 0")
