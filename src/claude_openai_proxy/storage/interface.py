"""What a store asks of a database, whichever it is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from claude_openai_proxy.errors import ProxyError

T = TypeVar("T")
Value: TypeAlias = str | bytes | int | float | None
Row: TypeAlias = tuple[Any, ...]

WRITE_SECONDS = 1.0
"""How long a request waits for its write to be committed unless it says otherwise."""


class StorageUnavailableError(ProxyError):
    """The database cannot take or give this now; `retry_after` in seconds."""

    def __init__(self, message: str, *, retry_after: float = 2.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StorageRefusedError(ProxyError):
    """The place or the file must not be used: another owner, a network file system, a newer version's file."""


class Transaction(Protocol):
    """One transaction, on the thread that runs it. Parameters are marked `?`."""

    def execute(self, sql: str, parameters: Sequence[Value] = (), /) -> list[Row]:
        """Run one statement; all rows of its answer."""
        ...

    def execute_many(self, sql: str, rows: Iterable[Sequence[Value]], /) -> None:
        """Run one statement for each of `rows`."""
        ...

    def insert_new(self, table: str, columns: Mapping[str, Sequence[Value]], /) -> None:
        """Insert many rows at once, but those whose primary key is there; `columns`: by name, its value in each row."""
        ...

    def drop_before(self, table: str, oldest: float, /) -> None:
        """Drop what has no row of `oldest` or later, where the engine has such parts of a table."""
        ...

    def alone(self, *names: str) -> None:
        """Until the end, no other transaction that asks for one of these names goes on.

        What is first read and then written by what was read asks for it: SQLite has one writer anyway, others do not.
        """
        ...

    @property
    def changed(self) -> int:
        """Rows that the last statement changed."""
        ...


Work: TypeAlias = Callable[[Transaction], T]
"""What is to be done inside a transaction; it must not wait for anything but the database."""


@dataclass(frozen=True, slots=True)
class StorageState:
    """How a database is. `where` is a path or address in words; `trouble` a sentence, "" where all is well."""

    kind: str
    where: str
    trouble: str = ""
    dropped: int = 0
    """Posted writes that were given up since the start."""
    late: int = 0
    """Writes whose caller stopped waiting for them."""


class Changes(Protocol):
    """Hears of what others change in one thing, and knows whether it would have."""

    @property
    def count(self) -> int:
        """Of changes that were heard of, or may have been missed; it never stands at the same number again."""
        ...

    def sure(self) -> bool:
        """Whether what was read since `count` stands as it does is what there is, or was a moment ago."""
        ...


class Database(Protocol):
    """One place where rows are kept. Methods are called on the event loop."""

    async def read(self, work: Work[T], /) -> T:
        """The result of `work`, which changes nothing. Raises `StorageUnavailableError`."""
        ...

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
        """The result of `work`, once committed; `apart`: in a transaction of its own, for it keeps others waiting.

        Raises `StorageUnavailableError` after `wait` seconds; the write then still happens as soon as it can, unless
        `abandon` and it has not begun. `undo` is posted where this raises that and the write is kept, or may be.
        """
        ...

    def post(self, work: Work[object], /, *, name: str = "") -> None:
        """Have `work` committed soon; nobody waits. Tried again while the database is in trouble, bounded in number.

        One that waits under the same `name` is not done: this one is, in its place.
        """
        ...

    @property
    def state(self) -> StorageState:
        """How it is now."""
        ...

    @property
    def well_for(self) -> float:
        """Seconds since it was last in trouble; infinite where it never was."""
        ...

    async def settle(self) -> None:
        """Return when everything written or posted before is committed or given up."""
        ...

    async def aclose(self) -> None:
        """Commit what is left and close."""
        ...
