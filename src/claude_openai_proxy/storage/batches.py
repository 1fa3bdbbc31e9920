"""Batches, their lines, and what has been asked of Claude for them, each under the principal who made them.

| a line is | when |
|---|---|
| `waiting` | read, and nothing asked for it |
| `sent` | in a part (a Message Batch), or being answered |
| `again` | its answers so far are kept, and ask for another request |
| `done`, `failed` | it has its line of the output file, or of the error file; that is never left |

Invariants: only who holds a batch's lease changes what is kept of it, but for the wish to cancel it; a line ends once.
What clients and Claude have said is sealed, bound to its batch and its place.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from claude_openai_proxy.errors import ProxyError

LineState = Literal["waiting", "sent", "again", "done", "failed"]
PartState = Literal["intended", "made", "collected"]

ENDS: Final[tuple[LineState, ...]] = ("done", "failed")
WAITING: Final[tuple[LineState, ...]] = ("waiting",)
SENT: Final[tuple[LineState, ...]] = ("sent",)
AGAIN: Final[tuple[LineState, ...]] = ("again",)
OPEN: Final[tuple[LineState, ...]] = ("waiting", "sent", "again")


class LeaseLostError(ProxyError):
    """Another process works on the batch now."""

    def __init__(self) -> None:
        super().__init__("Another process has taken this batch over.")


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """`document` is the service's own; times in seconds since 1970. `holder` has its lease until `held_until`."""

    id: str
    principal: str
    created: float
    input_file: str
    status: str
    document: bytes = field(repr=False)
    cancel_asked: float | None = None
    ended: float | None = None
    holder: str = ""
    held_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """`number` counts lines of the input file from 1; `start` and `length` are bytes of it.

    `part`: the last Message Batch that it is in, 0 for none. `requests` have been made of it so far, in `tries` rounds.
    """

    number: int
    start: int
    length: int
    state: LineState = "waiting"
    part: int = 0
    requests: int = 0
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens, as Claude counts them; `cached` are among `input`, `thinking` among `output`. What it cost in dollars."""

    input: int = 0
    cached: int = 0
    output: int = 0
    thinking: int = 0
    dollars: float = 0.0


@dataclass(frozen=True, slots=True)
class LineEnd:
    """How a line ended: its line of the output file, or, where it `failed`, of the error file."""

    number: int
    failed: bool
    line: bytes = field(repr=False)
    counts: Counts = Counts()


@dataclass(frozen=True, slots=True)
class Part:
    """A Message Batch of one batch; `upstream_id` is "" until Claude's side has told it."""

    number: int
    requests: int
    submitted: float
    upstream_id: str = ""
    state: PartState = "intended"


@dataclass(frozen=True, slots=True)
class Totals:
    """Lines of a batch: all, and those that have ended each way."""

    total: int = 0
    done: int = 0
    failed: int = 0
    counts: Counts = Counts()


class BatchStore(Protocol):
    """All raise `StorageUnavailableError`; those with a `holder` raise `LeaseLostError` where it has no lease."""

    async def create(self, batch: StoredBatch) -> None:
        """A new one."""
        ...

    async def one(self, principal: str, id_: str) -> StoredBatch | None:
        """One of the principal's."""
        ...

    async def page(self, principal: str, *, after: str, limit: int) -> Sequence[StoredBatch] | None:
        """The principal's, newest first, behind the batch `after` ("": from the first); None where that is none."""
        ...

    async def unfinished(self) -> Sequence[StoredBatch]:
        """Everybody's, oldest first."""
        ...

    async def drop(self, before: float) -> None:
        """Those that ended before then."""
        ...

    async def claim(self, id_: str, holder: str, *, now: float, until: float, instead_of: str = "") -> bool:
        """Take or renew the lease; one that another has and that has not ended only `instead_of` him."""
        ...

    async def release(self, id_: str, holder: str) -> None:
        """Give the lease up."""
        ...

    async def save(self, batch: StoredBatch, holder: str) -> None:
        """Its status, end and document. With its end, its lines are gone."""
        ...

    async def ask_cancel(self, principal: str, id_: str, now: float) -> StoredBatch | None:
        """It is to be cancelled, if it has not ended; as it is now, None where there is none."""
        ...

    async def cancel_asked(self, id_: str) -> bool:
        """Whether it is to be cancelled."""
        ...

    async def queued(self, principal: str) -> int:
        """Lines of the principal's that have not ended."""
        ...

    async def add_lines(self, id_: str, holder: str, lines: Sequence[Line]) -> None:
        """New lines; those that are there already stay as they are."""
        ...

    async def lines(self, id_: str, states: Collection[LineState], *, after: int, limit: int) -> Sequence[Line]:
        """In order, behind the line `after`."""
        ...

    async def line(self, id_: str, number: int) -> Line | None:
        """One of them."""
        ...

    async def begin_part(self, id_: str, holder: str, part: Part, lines: Sequence[Line]) -> None:
        """It is about to be asked for, with these lines, as they are then."""
        ...

    async def save_part(self, id_: str, holder: str, part: Part) -> None:
        """As it is now."""
        ...

    async def parts(self, id_: str) -> Sequence[Part]:
        """In order."""
        ...

    async def upstream_ids(self) -> set[str]:
        """Of everybody's parts."""
        ...

    async def of_part(self, id_: str, part: int, *, after: int, limit: int) -> Sequence[Line]:
        """Its lines that are `sent`, in order."""
        ...

    async def set_line(self, id_: str, holder: str, line: Line, answers: Sequence[tuple[int, bytes]] = ()) -> None:
        """A line as it is now, and more answers of it, by their number. One that has ended stays as it is."""
        ...

    async def end_line(self, id_: str, holder: str, end: LineEnd) -> bool:
        """Whether it had not ended yet; its answers are gone."""
        ...

    async def answers(self, id_: str, line: int) -> dict[int, bytes]:
        """What is kept of Claude's answers to a line, by number."""
        ...

    async def ends(self, id_: str, *, failed: bool, after: int, limit: int) -> Sequence[LineEnd]:
        """Lines that ended that way, in order."""
        ...

    async def totals(self, id_: str) -> Totals:
        """Of its lines."""
        ...


def added(one: Counts, other: Counts) -> Counts:
    """The sum."""
    return Counts(
        one.input + other.input,
        one.cached + other.cached,
        one.output + other.output,
        one.thinking + other.thinking,
        one.dollars + other.dollars,
    )
