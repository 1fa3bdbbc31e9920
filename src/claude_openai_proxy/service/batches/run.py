"""One batch from its file to its results. Every step can be begun again: what is done stays done.

| status | meanwhile | then |
|---|---|---|
| validating | every line is looked at; then the first request goes out | failed, or in_progress |
| in_progress | Claude answers (`native.py`, or `emulated.py`) | finalizing |
| finalizing | each line gets its line of a result file, then the files are written | its end, at once with the lines' |
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Protocol

from claude_openai_proxy.protocols.openai_batches import BatchError
from claude_openai_proxy.service.allowances import Allowances
from claude_openai_proxy.service.batches.budget import reserved
from claude_openai_proxy.service.batches.desk import LINES_AT_ONCE, BatchFailedError, Desk
from claude_openai_proxy.service.batches.document import with_totals
from claude_openai_proxy.service.batches.line_check import LineCheck, Resolve
from claude_openai_proxy.storage.batches import Line
from claude_openai_proxy.storage.files import PIECE_BYTES, FileStore, StoredFile

MOST_LINES: Final = 50_000
ENDS_AT_ONCE: Final = 50
"""In memory: an answer may be large."""


class Way(Protocol):
    """How the lines are answered."""

    async def run(self) -> None:
        """To the end of every line. Raises `BatchFailedError`, and whatever is worth to be tried again."""
        ...


class BatchRun:
    """`longest`: bytes of a line; `most_lines` of this way, `queued` may wait of one principal's in all."""

    def __init__(
        self,
        desk: Desk,
        files: FileStore,
        *,
        wanted: str,
        resolve: Resolve,
        allowances: Allowances,
        way: Callable[[], Awaitable[Way]],
        longest: int,
        most_lines: int,
        queued: int,
    ) -> None:
        self._desk = desk
        self._files = files
        self._wanted = wanted
        self._resolve = resolve
        self._allowances = allowances
        self._way = way
        self._longest = longest
        self._most_lines = min(most_lines, MOST_LINES)
        self._queued = queued

    async def run(self) -> None:
        """To its end. Raises `LeaseLostError`, and what another try may mend."""
        desk = self._desk
        try:
            if not desk.document.models:
                await self._read_file()
            async with reserved(desk, self._allowances):
                await (await self._way()).run()
        except BatchFailedError as error:
            desk.document.errors = desk.document.errors or [BatchError(error.code, error.message, error.param)]
            await desk.save("failed", ended=desk.wall_clock())
        else:
            await self._finish()
        await self._files.unpin(desk.batch.input_file)

    # ---- the file ---------------------------------------------------------------------------------------------------

    async def _read_file(self) -> None:
        """Keep where each line is, and what the names of models mean now. Raises `BatchFailedError`."""
        desk = self._desk
        check = LineCheck(desk.document.endpoint, self._wanted, self._resolve)
        lines: list[Line] = []
        count = 0
        async for line in desk.source.lines(self._longest):
            await check.look(line.number, line.data)
            count += 1
            if count > self._most_lines:
                raise BatchFailedError("invalid_request", f"A batch may have {self._most_lines} lines here.")
            lines.append(Line(line.number, line.start, line.length))
            if len(lines) == LINES_AT_ONCE:
                await desk.store.add_lines(desk.batch.id, desk.holder, lines)
                lines = []
        await desk.store.add_lines(desk.batch.id, desk.holder, lines)
        await self._judge(check, count)
        desk.document.models, desk.document.estimate = check.models, check.dollars
        desk.document.asked = next(iter(check.models))
        await desk.save("validating")

    async def _judge(self, check: LineCheck, count: int) -> None:
        desk = self._desk
        if check.errors:
            desk.document.errors = check.errors
            raise BatchFailedError("invalid_request", "Some lines cannot be used.")
        if not count:
            raise BatchFailedError("empty_file", "The input file has no lines.")
        if await desk.store.queued(desk.batch.principal) > self._queued:
            raise BatchFailedError(
                "token_limit_exceeded", f"More than {self._queued} lines of yours would be waiting: try again later."
            )

    # ---- the results ------------------------------------------------------------------------------------------------

    async def _finish(self) -> None:
        """Write the files, and then say so."""
        desk, document = self._desk, self._desk.document
        totals = await desk.store.totals(desk.batch.id)
        if not document.finalizing:
            document.finalizing = desk.wall_clock()
            await desk.save("finalizing")
        if totals.done:
            await self._write(document.output_file, "output", failed=False)
        if totals.failed:
            await self._write(document.error_file, "error", failed=True)
        with_totals(document, totals)
        document.has_output, document.has_errors = totals.done > 0, totals.failed > 0
        status = "expired" if document.has_expired else "completed"
        if await desk.is_cancelled():
            status = "cancelled"
        await desk.save(status, ended=desk.wall_clock())

    async def _write(self, id_: str, kind: str, *, failed: bool) -> None:
        """The lines in the order of the input. A file that is whole already stays as it is."""
        desk, now = self._desk, self._desk.wall_clock()
        batch = desk.batch
        if await self._files.one(batch.principal, id_, now) is not None:
            return
        expires = now + desk.document.output_seconds
        file = StoredFile(id_, batch.principal, f"{batch.id}_{kind}.jsonl", "batch_output", 0, now, expires)
        await self._files.begin(file)
        size, number = 0, 0
        async for piece in _pieces(self._ended_lines(failed=failed)):
            await self._files.add(file, number, piece, room=None)
            size, number = size + len(piece), number + 1
        await self._files.complete(StoredFile(id_, batch.principal, file.name, file.purpose, size, now, expires))

    async def _ended_lines(self, *, failed: bool) -> AsyncIterator[bytes]:
        desk, after = self._desk, 0
        while ends := await desk.store.ends(desk.batch.id, failed=failed, after=after, limit=ENDS_AT_ONCE):
            for end in ends:
                yield end.line + b"\n"
            after = ends[-1].number


async def _pieces(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Of the size of a file's."""
    rest = bytearray()
    async for line in lines:
        rest += line
        while len(rest) >= PIECE_BYTES:
            yield bytes(rest[:PIECE_BYTES])
            del rest[:PIECE_BYTES]
    if rest:
        yield bytes(rest)
