"""Files that clients have uploaded, each under the principal who did: another's file is as good as none.

| state | seen by its principal | leaves it |
|---|---|---|
| `coming` | no: pieces of `PIECE_BYTES` come one by one | complete: here; given up, or `COMING_SECONDS` old: gone |
| `here` | yes | it is deleted or expires: gone, or hidden while it is pinned |
| `hidden` | no | nothing pins it any more: gone |

Name and content are sealed; a piece is bound to its file, its principal and its place, so that none opens anywhere
else. What was sealed with another key counts as absent and is not deleted. A small file comes in one transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from claude_openai_proxy.errors import ProxyError

PIECE_BYTES: Final = 1_048_576


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

    async def begin(self, file: StoredFile) -> None:
        """A new file is coming, piece by piece. One of that id that was coming before is begun anew."""
        ...

    async def add(self, file: StoredFile, number: int, piece: bytes, *, room: int | None) -> None:
        """Its next piece, of `PIECE_BYTES` but for the last. Raises `FilesFullError`; `room` None: there is enough."""
        ...

    async def complete(self, file: StoredFile) -> None:
        """All its pieces are there: it is kept under this name, purpose and size."""
        ...

    async def give_up(self, file: StoredFile) -> None:
        """It is not coming any more."""
        ...

    async def piece(self, file: StoredFile, number: int) -> bytes | None:
        """One of its pieces, in whatever state it is; None where there is none, or it cannot be opened."""
        ...

    async def total(self) -> int:
        """Bytes of all files together."""
        ...

    async def pin(self, ids: Collection[str], *, only: bool = False) -> None:
        """Their pieces stay until nothing pins them, whatever becomes of the files. `only`: nothing else is pinned."""
        ...

    async def unpin(self, id_: str) -> None:
        """Its pieces go if it has been deleted meanwhile."""
        ...


def check_room(total: int, size: int, room: int) -> None:
    """Raises `FilesFullError` where `size` bytes more would be too many."""
    if total + size > room:
        raise FilesFullError(
            f"There is no room for {size} bytes: all files of this installation together may have "
            f"{room // 1_048_576} MiB. Delete some, or raise FILES_MB."
        )
