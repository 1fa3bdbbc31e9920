"""Batches in a database. What clients and Claude have said is sealed."""

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar

from claude_openai_proxy.storage.batches import (
    Counts,
    LeaseLostError,
    Line,
    LineEnd,
    LineState,
    Part,
    StoredBatch,
    Totals,
)
from claude_openai_proxy.storage.interface import (
    Database,
    Row,
    StorageRefusedError,
    StorageUnavailableError,
    Transaction,
    Work,
)
from claude_openai_proxy.storage.sealing import Seal

T = TypeVar("T")

KEEP_SECONDS: Final = 20.0
"""Nobody waits for most of it, and a slow disk may be busy."""

_BATCH: Final = "SELECT id, principal, created, input_file, status, sealed, cancel_asked, ended, holder, held_until "
_LINE: Final = "SELECT number, start, length, state, part, requests, tries FROM batch_lines WHERE batch_id = ? "

log: Final = logging.getLogger(__name__)


class StoredBatches:
    """See `BatchStore` for all of it. `seal` gives what seals."""

    def __init__(self, database: Database, seal: Callable[[], Seal]) -> None:
        self._database = database
        self._seal = seal
        self._told = False

    async def create(self, batch: StoredBatch) -> None:
        """See `BatchStore.create`."""
        sealed = self._sealed(batch.document, batch.id, "document")
        row = (batch.id, batch.principal, batch.created, batch.input_file, batch.status, sealed)

        def work(transaction: Transaction) -> None:
            transaction.execute(
                "INSERT INTO batches (id, principal, created, input_file, status, sealed, holder, held_until) "
                "VALUES (?, ?, ?, ?, ?, ?, '', 0)",
                row,
            )

        await self._database.write(work, wait=KEEP_SECONDS, abandon=True)

    async def one(self, principal: str, id_: str) -> StoredBatch | None:
        """See `BatchStore.one`."""
        rows = await self._read(f"{_BATCH} FROM batches WHERE id = ? AND principal = ?", (id_, principal))
        return self._batch(rows[0]) if rows else None

    async def page(self, principal: str, *, after: str, limit: int) -> Sequence[StoredBatch] | None:
        """See `BatchStore.page`."""

        def work(transaction: Transaction) -> list[Row] | None:
            here: tuple[object, ...] = ()
            if after:
                sql = "SELECT created, created, id FROM batches WHERE id = ? AND principal = ?"
                found = transaction.execute(sql, (after, principal))
                if not found:
                    return None
                here = found[0]
            behind = "AND (created < ? OR (created = ? AND id < ?)) " if here else ""
            sql = f"{_BATCH} FROM batches WHERE principal = ? {behind}ORDER BY created DESC, id DESC LIMIT ?"
            return transaction.execute(sql, (principal, *here, limit))  # type: ignore[arg-type]  # of a row

        rows = await self._database.read(work)
        return None if rows is None else self._batches(rows)

    async def unfinished(self) -> Sequence[StoredBatch]:
        """See `BatchStore.unfinished`."""
        return self._batches(await self._read(f"{_BATCH} FROM batches WHERE ended IS NULL ORDER BY created, id"))

    async def drop(self, before: float) -> None:
        """See `BatchStore.drop`."""
        await self._write(lambda transaction: transaction.execute("DELETE FROM batches WHERE ended < ?", (before,)))

    async def claim(self, id_: str, holder: str, *, now: float, until: float, instead_of: str = "") -> bool:
        """See `BatchStore.claim`."""

        def work(transaction: Transaction) -> bool:
            transaction.alone(id_)
            transaction.execute(
                "UPDATE batches SET holder = ?, held_until = ? WHERE id = ? AND ended IS NULL "
                "AND (holder IN (?, ?) OR held_until <= ?)",
                (holder, until, id_, holder, instead_of, now),
            )
            return transaction.changed > 0

        return await self._write(work)

    async def release(self, id_: str, holder: str) -> None:
        """See `BatchStore.release`."""
        sql = "UPDATE batches SET holder = '', held_until = 0 WHERE id = ? AND holder = ?"
        await self._write(lambda transaction: transaction.execute(sql, (id_, holder)))

    async def save(self, batch: StoredBatch, holder: str) -> None:
        """See `BatchStore.save`."""
        sealed = self._sealed(batch.document, batch.id, "document")

        def work(transaction: Transaction) -> None:
            transaction.execute(
                "UPDATE batches SET status = ?, ended = ?, sealed = ? WHERE id = ?",
                (batch.status, batch.ended, sealed, batch.id),
            )
            if batch.ended is not None:
                for table in ("batch_lines", "batch_replies", "batch_parts"):
                    transaction.execute(f"DELETE FROM {table} WHERE batch_id = ?", (batch.id,))  # noqa: S608

        await self._held(batch.id, holder, work)

    async def ask_cancel(self, principal: str, id_: str, now: float) -> StoredBatch | None:
        """See `BatchStore.ask_cancel`."""
        sql = (
            "UPDATE batches SET cancel_asked = ? "
            "WHERE id = ? AND principal = ? AND cancel_asked IS NULL AND ended IS NULL"
        )
        await self._write(lambda transaction: transaction.execute(sql, (now, id_, principal)))
        return await self.one(principal, id_)

    async def cancel_asked(self, id_: str) -> bool:
        """See `BatchStore.cancel_asked`."""
        return bool(await self._read("SELECT id FROM batches WHERE id = ? AND cancel_asked IS NOT NULL", (id_,)))

    async def queued(self, principal: str) -> int:
        """See `BatchStore.queued`."""
        rows = await self._read(
            "SELECT COUNT(*) FROM batch_lines WHERE state NOT IN ('done', 'failed') "
            "AND batch_id IN (SELECT id FROM batches WHERE principal = ? AND ended IS NULL)",
            (principal,),
        )
        return int(rows[0][0])

    # ---- lines and parts --------------------------------------------------------------------------------------------

    async def add_lines(self, id_: str, holder: str, lines: Sequence[Line]) -> None:
        """See `BatchStore.add_lines`."""
        rows = [(id_, line.number, line.start, line.length, line.state) for line in lines]

        def work(transaction: Transaction) -> None:
            transaction.execute_many(
                "INSERT INTO batch_lines (batch_id, number, start, length, state, part, requests, tries, "
                "input_tokens, cached_tokens, output_tokens, thinking_tokens, dollars) "
                "VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING",
                rows,
            )

        await self._held(id_, holder, work)

    async def lines(self, id_: str, states: Collection[LineState], *, after: int, limit: int) -> Sequence[Line]:
        """See `BatchStore.lines`."""
        marks = ", ".join("?" for _ in states)
        sql = f"{_LINE} AND state IN ({marks}) AND number > ? ORDER BY number LIMIT ?"
        return [Line(*row) for row in await self._read(sql, (id_, *states, after, limit))]

    async def line(self, id_: str, number: int) -> Line | None:
        """See `BatchStore.line`."""
        rows = await self._read(f"{_LINE} AND number = ?", (id_, number))
        return Line(*rows[0]) if rows else None

    async def begin_part(self, id_: str, holder: str, part: Part, lines: Sequence[Line]) -> None:
        """See `BatchStore.begin_part`."""

        def work(transaction: Transaction) -> None:
            _keep_part(transaction, id_, part)
            transaction.execute_many(
                "UPDATE batch_lines SET state = ?, part = ?, requests = ?, tries = ? WHERE batch_id = ? AND number = ?",
                [(line.state, line.part, line.requests, line.tries, id_, line.number) for line in lines],
            )

        await self._held(id_, holder, work)

    async def save_part(self, id_: str, holder: str, part: Part) -> None:
        """See `BatchStore.save_part`."""
        await self._held(id_, holder, lambda transaction: _keep_part(transaction, id_, part))

    async def parts(self, id_: str) -> Sequence[Part]:
        """See `BatchStore.parts`."""
        sql = (
            "SELECT number, requests, submitted, upstream_id, state FROM batch_parts WHERE batch_id = ? ORDER BY number"
        )
        return [Part(*row) for row in await self._read(sql, (id_,))]

    async def upstream_ids(self) -> set[str]:
        """See `BatchStore.upstream_ids`."""
        rows = await self._read("SELECT upstream_id FROM batch_parts WHERE upstream_id <> ''")
        return {row[0] for row in rows}

    async def of_part(self, id_: str, part: int, *, after: int, limit: int) -> Sequence[Line]:
        """See `BatchStore.of_part`."""
        sql = f"{_LINE} AND part = ? AND state = 'sent' AND number > ? ORDER BY number LIMIT ?"
        return [Line(*row) for row in await self._read(sql, (id_, part, after, limit))]

    async def set_line(self, id_: str, holder: str, line: Line, answers: Sequence[tuple[int, bytes]] = ()) -> None:
        """See `BatchStore.set_line`."""
        rows = [
            (id_, line.number, number, self._sealed(answer, id_, f"{line.number}/{number}"))
            for number, answer in answers
        ]

        def work(transaction: Transaction) -> None:
            transaction.execute(
                "UPDATE batch_lines SET state = ?, part = ?, requests = ?, tries = ? "
                "WHERE batch_id = ? AND number = ? AND state NOT IN ('done', 'failed')",
                (line.state, line.part, line.requests, line.tries, id_, line.number),
            )
            if transaction.changed:
                transaction.execute_many(
                    "INSERT INTO batch_replies (batch_id, line, number, sealed) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT DO NOTHING",
                    rows,
                )

        await self._held(id_, holder, work)

    async def end_line(self, id_: str, holder: str, end: LineEnd) -> bool:
        """See `BatchStore.end_line`."""
        counts, sealed = end.counts, self._sealed(end.line, id_, f"{end.number}/end")
        told = (counts.input, counts.cached, counts.output, counts.thinking, counts.dollars)

        def work(transaction: Transaction) -> bool:
            transaction.execute(
                "UPDATE batch_lines SET state = ?, sealed = ?, input_tokens = ?, cached_tokens = ?, output_tokens = ?, "
                "thinking_tokens = ?, dollars = ? "
                "WHERE batch_id = ? AND number = ? AND state NOT IN ('done', 'failed')",
                ("failed" if end.failed else "done", sealed, *told, id_, end.number),
            )
            if ended := transaction.changed > 0:
                transaction.execute("DELETE FROM batch_replies WHERE batch_id = ? AND line = ?", (id_, end.number))
            return ended

        return await self._held(id_, holder, work)

    async def answers(self, id_: str, line: int) -> dict[int, bytes]:
        """See `BatchStore.answers`."""
        rows = await self._read("SELECT number, sealed FROM batch_replies WHERE batch_id = ? AND line = ?", (id_, line))
        opened = {number: self._opened(sealed, id_, f"{line}/{number}") for number, sealed in rows}
        return {number: answer for number, answer in opened.items() if answer is not None}

    async def ends(self, id_: str, *, failed: bool, after: int, limit: int) -> Sequence[LineEnd]:
        """See `BatchStore.ends`."""
        rows = await self._read(
            "SELECT number, sealed, input_tokens, cached_tokens, output_tokens, thinking_tokens, dollars "
            "FROM batch_lines WHERE batch_id = ? AND state = ? AND number > ? ORDER BY number LIMIT ?",
            (id_, "failed" if failed else "done", after, limit),
        )
        ends = []
        for number, sealed, *counts in rows:
            if (line := self._opened(sealed, id_, f"{number}/end")) is not None:
                ends.append(LineEnd(number, failed, line, Counts(*counts)))
        return ends

    async def totals(self, id_: str) -> Totals:
        """See `BatchStore.totals`."""
        rows = await self._read(
            "SELECT COUNT(*), COALESCE(SUM(CASE WHEN state = 'done' THEN 1 ELSE 0 END), 0), "
            "COALESCE(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), 0), COALESCE(SUM(input_tokens), 0), "
            "COALESCE(SUM(cached_tokens), 0), COALESCE(SUM(output_tokens), 0), COALESCE(SUM(thinking_tokens), 0), "
            "COALESCE(SUM(dollars), 0) FROM batch_lines WHERE batch_id = ?",
            (id_,),
        )
        total, done, failed, input_, cached, output, thinking, dollars = rows[0]
        counts = Counts(int(input_), int(cached), int(output), int(thinking), float(dollars))
        return Totals(int(total), int(done), int(failed), counts)

    # ---- reading, writing, sealing ----------------------------------------------------------------------------------

    async def _read(self, sql: str, parameters: Sequence[str | int | float] = ()) -> list[Row]:
        return await self._database.read(lambda transaction: transaction.execute(sql, parameters))

    async def _write(self, work: Work[T]) -> T:
        return await self._database.write(work, wait=KEEP_SECONDS)

    async def _held(self, id_: str, holder: str, work: Work[T]) -> T:
        """`work`, where the lease is the holder's."""

        def fenced(transaction: Transaction) -> T:
            transaction.alone(id_)
            held = "SELECT id FROM batches WHERE id = ? AND holder = ? AND ended IS NULL"
            if not transaction.execute(held, (id_, holder)):
                raise LeaseLostError
            return work(transaction)

        return await self._write(fenced)

    def _batches(self, rows: Sequence[Row]) -> list[StoredBatch]:
        return [batch for row in rows if (batch := self._batch(row)) is not None]

    def _batch(self, row: Row) -> StoredBatch | None:
        id_, principal, created, input_file, status, sealed, *rest = row
        document = self._opened(sealed, id_, "document")
        return None if document is None else StoredBatch(id_, principal, created, input_file, status, document, *rest)

    def _sealed(self, plain: bytes, id_: str, part: str) -> bytes:
        return self._open_seal().seal(plain, f"batches/{id_}/{part}".encode())

    def _opened(self, sealed: bytes, id_: str, part: str) -> bytes | None:
        plain = self._open_seal().open(bytes(sealed), f"batches/{id_}/{part}".encode())
        if plain is None and not self._told:
            self._told = True
            log.warning("Some batches were sealed with another STORAGE_KEY: they count as absent.")
        return plain

    def _open_seal(self) -> Seal:
        try:
            return self._seal()
        except (OSError, StorageRefusedError) as error:
            raise StorageUnavailableError(f"The key that seals batches cannot be used: {error}") from error


def _keep_part(transaction: Transaction, id_: str, part: Part) -> None:
    transaction.execute(
        "INSERT INTO batch_parts (batch_id, number, requests, submitted, upstream_id, state) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (batch_id, number) DO UPDATE SET requests = excluded.requests, submitted = excluded.submitted, "
        "upstream_id = excluded.upstream_id, state = excluded.state",
        (id_, part.number, part.requests, part.submitted, part.upstream_id, part.state),
    )
