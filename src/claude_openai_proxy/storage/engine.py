"""What `queued` asks of an engine: connections, which errors mean what, and what each does its own way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from claude_openai_proxy.storage.interface import Changes, Transaction


class Connection(Protocol):
    """One connection, used by one thread at a time."""

    @property
    def transaction(self) -> Transaction:
        """What works are given while a transaction is open."""
        ...

    def begin(self) -> str:
        """Open a transaction, for a reading connection one that sees one moment; what `was_committed` asks for.

        "" where a commit that fails has kept nothing, whatever the error.
        """
        ...

    def was_committed(self, transaction: str) -> bool:
        """Whether one whose commit was never answered is kept. Raises trouble where that is not decided yet."""
        ...

    def savepoint(self) -> None:
        """Where `roll_back_one` goes back to."""
        ...

    def release(self) -> None:
        """Forget the savepoint."""
        ...

    def roll_back_one(self) -> None:
        """Back to the savepoint, and forget it."""
        ...

    def commit(self) -> None:
        """End the transaction and keep it."""
        ...

    def roll_back(self) -> None:
        """End the transaction, if one is open, and keep nothing of it."""
        ...

    def close(self) -> None:
        """Never raises for a connection that is broken."""
        ...


@dataclass(frozen=True, slots=True)
class Errors:
    """Classes of exceptions by what they say. What is in none of them is a bug of the work's."""

    trouble: tuple[type[Exception], ...]
    """The database cannot do it now: it is told, and tried again later."""
    work: tuple[type[Exception], ...]
    """This work alone is to blame: a row that is there already, for instance."""
    again: tuple[type[Exception], ...] = ()
    """Two transactions were in each other's way: at once again."""
    silent: tuple[type[Exception], ...] = ()
    """Trouble that took its time to be known: it is not waited for once more on a new connection."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds, for a database that may be silent. None: it never is."""

    read: float | None = None
    """A read is given up after so long."""
    pause: float = 0.0
    """After a failure nobody tries anew for so long; all are told the same."""


class Engine(Protocol):
    """One way to keep rows."""

    kind: str
    where: str
    """A path or an address in words, without a secret."""
    errors: Errors
    patience: Patience

    @property
    def key_changes(self) -> Changes | None:
        """What hears of client keys that others change; None where nothing does."""
        ...

    def connect(self, *, reading: bool = False) -> Connection:
        """A connection to a database of the right version, its steps taken.

        Raises `StorageRefusedError`, and the errors of trouble.
        """
        ...

    def sentence(self, error: Exception) -> str:
        """Trouble, for people."""
        ...

    def check(self, transaction: Transaction) -> tuple[list[str], Sequence[str]]:
        """What is wrong, and the names of the tables."""
        ...

    def compact(self) -> tuple[int, int]:
        """Give free space back; bytes before and after. Raises as `connect` does."""
        ...
