"""What the steps of one batch share: its store under the lease, its input, its lines."""

from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.batches.document import Document, encode_document
from claude_openai_proxy.service.batches.input_file import InputFile
from claude_openai_proxy.service.batches.line_check import ReadLine, decode_read_line
from claude_openai_proxy.service.batches.line_run import LineRuns
from claude_openai_proxy.storage.batches import BatchStore, Line, LineEnd, LineState, Part, StoredBatch

LINES_AT_ONCE = 500


@dataclass(slots=True)
class Desk:
    """`wall_clock` gives seconds since 1970. `told` is given the record of each line that Claude was asked for."""

    batch: StoredBatch
    document: Document
    store: BatchStore
    holder: str
    source: InputFile
    runs: LineRuns
    wall_clock: Callable[[], float]
    told: Callable[[RequestRecord], None]
    spent: float = 0.0
    """US dollars that lines have cost while this process worked on it."""

    async def save(self, status: str, *, ended: float | None = None) -> None:
        """Status and document; with an end, for good."""
        document = encode_document(self.document)
        batch = self.batch
        self.batch = StoredBatch(
            batch.id, batch.principal, batch.created, batch.input_file, status, document, batch.cancel_asked, ended
        )
        await self.store.save(self.batch, self.holder)

    async def is_cancelled(self) -> bool:
        """Whether somebody has asked for it."""
        return await self.store.cancel_asked(self.batch.id)

    async def read(self, line: Line) -> ReadLine:
        """It has been looked at before. Raises `StorageUnavailableError`."""
        return decode_read_line(await self.source.read(line.start, line.length))

    async def lines(self, states: Collection[LineState]) -> AsyncIterator[Line]:
        """In order; each may change its state meanwhile."""
        after = 0
        while some := await self.store.lines(self.batch.id, states, after=after, limit=LINES_AT_ONCE):
            for line in some:
                yield line
            after = some[-1].number

    async def parts(self) -> list[Part]:
        """In order."""
        return list(await self.store.parts(self.batch.id))

    async def end(self, end: LineEnd, record: RequestRecord | None = None) -> None:
        """A line's end is kept, and then told: once, whoever else may come to it."""
        if await self.store.end_line(self.batch.id, self.holder, end) and record is not None:
            self.spent += end.counts.dollars
            self.told(record)


class BatchFailedError(ProxyError):
    """Nothing of the batch can be run; `code` and `message` are for its `errors`."""

    def __init__(self, code: str, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
