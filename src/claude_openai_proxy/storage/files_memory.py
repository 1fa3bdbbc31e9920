"""Files for as long as the process lives."""

from collections.abc import Collection, Sequence

from claude_openai_proxy.storage.files import PIECE_BYTES, StoredFile, check_room


class MemoryFiles:
    """See `FileStore` for all of it."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[StoredFile, bytes]] = {}
        self._coming: dict[str, dict[int, bytes]] = {}
        self._hidden: dict[str, tuple[StoredFile, bytes]] = {}
        self._pinned: set[str] = set()

    async def keep(self, file: StoredFile, content: bytes, *, room: int) -> None:
        """See `FileStore.keep`."""
        await self.drop_expired(file.created)
        check_room(await self.total(), file.size, room)
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
        self._drop(id_)
        return True

    async def drop_expired(self, now: float) -> None:
        """See `FileStore.drop_expired`."""
        for id_, (file, _) in list(self._kept.items()):
            if not file.is_here(now):
                self._drop(id_)

    async def begin(self, file: StoredFile) -> None:
        """See `FileStore.begin`."""
        self._coming[file.id] = {}

    async def add(self, file: StoredFile, number: int, piece: bytes, *, room: int | None) -> None:
        """See `FileStore.add`."""
        if room is not None:
            check_room(await self.total(), len(piece), room)
        self._coming[file.id][number] = piece

    async def complete(self, file: StoredFile) -> None:
        """See `FileStore.complete`."""
        pieces = self._coming.pop(file.id)
        self._kept[file.id] = (file, b"".join(piece for _, piece in sorted(pieces.items())))

    async def give_up(self, file: StoredFile) -> None:
        """See `FileStore.give_up`."""
        self._coming.pop(file.id, None)

    async def piece(self, file: StoredFile, number: int) -> bytes | None:
        """See `FileStore.piece`."""
        kept = self._kept.get(file.id) or self._hidden.get(file.id)
        start = number * PIECE_BYTES
        if kept is None or kept[0].principal != file.principal:
            return None
        return kept[1][start : start + PIECE_BYTES] or None

    async def total(self) -> int:
        """See `FileStore.total`."""
        coming = sum(len(piece) for pieces in self._coming.values() for piece in pieces.values())
        return coming + sum(len(content) for _, content in (*self._kept.values(), *self._hidden.values()))

    async def pin(self, ids: Collection[str], *, only: bool = False) -> None:
        """See `FileStore.pin`."""
        self._pinned = set(ids) if only else self._pinned | set(ids)

    async def unpin(self, id_: str) -> None:
        """See `FileStore.unpin`."""
        self._pinned.discard(id_)
        self._hidden.pop(id_, None)

    def _drop(self, id_: str) -> None:
        gone = self._kept.pop(id_)
        if id_ in self._pinned:
            self._hidden[id_] = gone
