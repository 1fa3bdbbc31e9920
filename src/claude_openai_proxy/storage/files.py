"""Files that clients have uploaded, each under the principal who did: another's file is as good as none.

A file is kept whole or not at all: its row and its pieces of `PIECE_BYTES` bytes are one transaction. Name and content
are sealed; a piece is bound to its file, its principal and its place, so that none opens anywhere else. What was
sealed with another key counts as absent and is not deleted.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.storage.interface import (
    Database,
    Row,
    StorageRefusedError,
    StorageUnavailableError,
    Transaction,
)
from claude_openai_proxy.storage.sealing import Seal

PIECE_BYTES: Final = 1_048_576
KEEP_SECONDS: Final = 20.0
"""How long an upload waits for its commit: the largest file is 32 MiB, and a slow disk may be busy."""

log: Final = logging.getLogger(__name__)


class FilesFullError(ProxyError):
    """All files together would be larger than they may be."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file without its content. `size` in bytes, times in seconds since 1970; `expires` None: never."""

    id: str
    principal: str
    name: str = field(repr=False)
    purpose: str
    size: int
    created: float
    expires: float | None = None

    def is_here(self, now: float) -> bool:
        """Whether it has not expired at `now`."""
        return self.expires is None or now < self.expires


class FileStore(Protocol):
    """Files by principal and id. All raise `StorageUnavailableError`."""

    async def keep(self, file: StoredFile, content: bytes, *, room: int) -> None:
        """Keep a new file. Raises `FilesFullError` where all files together would be more than `room` bytes.

        Those that have expired when it is `created` are deleted first.
        """
        ...

    async def all(self, principal: str, now: float) -> Sequence[StoredFile]:
        """The principal's files, in the order in which they came."""
        ...

    async def one(self, principal: str, id_: str, now: float) -> StoredFile | None:
        """A file of the principal's."""
        ...

    async def content(self, file: StoredFile) -> bytes | None:
        """Its bytes; None where it is not here any more, or cannot be opened."""
        ...

    async def delete(self, principal: str, id_: str, now: float) -> bool:
        """Whether there was one."""
        ...

    async def drop_expired(self, now: float) -> None:
        """Delete what has expired at `now`; nothing is written where nothing has."""
        ...


class MemoryFiles:
    """Files for as long as the process lives."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[StoredFile, bytes]] = {}

    async def keep(self, file: StoredFile, content: bytes, *, room: int) -> None:
        """See `FileStore.keep`."""
        await self.drop_expired(file.created)
        _check_room(sum(kept.size for kept, _ in self._kept.values()), file, room)
        self._kept[file.id] = (file, content)

    async def all(self, principal: str, now: float) -> Sequence[StoredFile]:
        """See `FileStore.all`."""
        mine = [file for file, _ in self._kept.values() if file.principal == principal and file.is_here(now)]
        return sorted(mine, key=lambda file: (file.created, file.id))

    async def one(self, principal: str, id_: str, now: float) -> StoredFile | None:
        """See `FileStore.one`."""
        return next((file for file in await self.all(principal, now) if file.id == id_), None)

    async def content(self, file: StoredFile) -> bytes | None:
        """See `FileStore.content`."""
        kept = self._kept.get(file.id)
        return kept[1] if kept and kept[0].principal == file.principal else None

    async def delete(self, principal: str, id_: str, now: float) -> bool:
        """See `FileStore.delete`."""
        if await self.one(principal, id_, now) is None:
            return False
        del self._kept[id_]
        return True

    async def drop_expired(self, now: float) -> None:
        """See `FileStore.drop_expired`."""
        self._kept = {id_: kept for id_, kept in self._kept.items() if kept[0].is_here(now)}


class StoredFiles:
    """Files in a database, sealed with what `seal` gives."""

    def __init__(self, database: Database, seal: Callable[[], Seal]) -> None:
        self._database = database
        self._seal = seal
        self._told = False

    async def keep(self, file: StoredFile, content: bytes, *, room: int) -> None:
        """See `FileStore.keep`."""
        name, pieces = await asyncio.to_thread(self._sealed, file, content)

        def work(transaction: Transaction) -> None:
            _drop_expired(transaction, file.created)
            size = transaction.execute("SELECT COALESCE(SUM(size), 0) FROM files")[0][0]
            _check_room(int(size), file, room)
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
                "WHERE principal = ? AND (expires IS NULL OR expires > ?) ORDER BY created, id",
                (principal, now),
            )
        )
        return [file for row in rows if (file := self._opened(row)) is not None]

    async def one(self, principal: str, id_: str, now: float) -> StoredFile | None:
        """See `FileStore.one`."""
        rows = await self._database.read(
            lambda transaction: transaction.execute(
                "SELECT id, principal, purpose, size, created, expires, sealed_name FROM files "
                "WHERE id = ? AND principal = ? AND (expires IS NULL OR expires > ?)",
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
            transaction.execute("DELETE FROM files WHERE id = ? AND principal = ?", (id_, principal))
            if deleted := transaction.changed > 0:
                transaction.execute("DELETE FROM file_pieces WHERE file_id = ?", (id_,))
            return deleted

        return await self._database.write(work, abandon=True)

    async def drop_expired(self, now: float) -> None:
        """See `FileStore.drop_expired`."""
        if await self._database.read(lambda transaction: _any_expired(transaction, now)):
            await self._database.write(lambda transaction: _drop_expired(transaction, now))

    # ---- sealing ------------------------------------------------------------------------------------------------

    def _sealed(self, file: StoredFile, content: bytes) -> tuple[bytes, list[bytes]]:
        seal = self._open_seal()
        pieces = [
            seal.seal(content[start : start + PIECE_BYTES], _place(file.principal, file.id, str(number)))
            for number, start in enumerate(range(0, len(content), PIECE_BYTES))
        ]
        return seal.seal(file.name.encode(), _place(file.principal, file.id, "name")), pieces

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


def _check_room(size: int, file: StoredFile, room: int) -> None:
    if size + file.size > room:
        raise FilesFullError(
            f"There is no room for {file.size} bytes: all files of this installation together may have "
            f"{room // 1_048_576} MiB. Delete some, or raise FILES_MB."
        )


def _any_expired(transaction: Transaction, now: float) -> bool:
    return bool(transaction.execute("SELECT 1 FROM files WHERE expires IS NOT NULL AND expires <= ? LIMIT 1", (now,)))


def _drop_expired(transaction: Transaction, now: float) -> None:
    transaction.execute(
        "DELETE FROM file_pieces WHERE file_id IN (SELECT id FROM files WHERE expires IS NOT NULL AND expires <= ?)",
        (now,),
    )
    transaction.execute("DELETE FROM files WHERE expires IS NOT NULL AND expires <= ?", (now,))
