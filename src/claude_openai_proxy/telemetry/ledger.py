"""The reader that keeps a row of each request: collected for a moment, written in batches, never waited for.

| state   | rows           | leaves it                                                      |
|---------|----------------|----------------------------------------------------------------|
| empty   | none           | a request ends: waiting                                        |
| waiting | some           | `WAIT_SECONDS` pass, or `BATCH_ROWS` rows are there: writing   |
| writing | some, or more  | they are kept: empty or waiting; they could not be: waiting    |

Invariants: at most one write is under way; a row is let go only once it is kept, or when more than `MOST_WAITING` wait
(the oldest first, counted and said once until a write succeeds); what is tried again is kept once, by the request's own
id and time, which are fixed before the first try. A process that is killed loses what waits, the requests of its last
second; unless they are `unsent` rows, which are on this machine's disk before they wait, and which whoever is started
next sends.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Protocol

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.records import LedgerRow, RecordReader, RequestRecord

WAIT_SECONDS: Final = 1.0
BATCH_ROWS: Final = 256
MOST_WAITING: Final = 10_000
DAY_SECONDS: Final = 86_400
MOST_CHARACTERS: Final = 120
"""Characters of what comes from a request."""
_LARGEST: Final = 2**53
"""Counts come from Claude's side: none is larger than what every database and reader can hold."""

DIALECTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/v1/chat/completions": "chat",
        "/v1/completions": "completions",
        "/v1/messages": "messages",
        "/v1/responses": "responses",
        "/v1/responses/compact": "responses",
    }
)
"""By route: those that ask for an answer. Only they have rows."""
_NOBODY: Final = "anonymous"
"""Strangers must not be able to fill a disk: who was not let in has no row."""

_DEMO: Final = "demo"
_CHARGED_BY_LIST: Final = frozenset({"api", "extra-usage"})

log: Final = logging.getLogger(__name__)


class _Keep(Protocol):
    """`LedgerStore.keep`."""

    def __call__(self, rows: Sequence[LedgerRow], *, oldest: float) -> Awaitable[None]: ...


class _Abandoned(Protocol):
    """`unsent_rows.Abandoned`."""

    def rows(self) -> list[LedgerRow]: ...
    def forget(self) -> None: ...
    def close(self) -> None: ...


class _Unsent(Protocol):
    """`unsent_rows.UnsentRows`."""

    def append(self, row: LedgerRow) -> None: ...
    def rows(self) -> list[LedgerRow]: ...
    def clear(self) -> None: ...
    def close(self) -> None: ...
    def abandoned(self) -> Iterator[_Abandoned]: ...


class Ledger(RecordReader):
    """Reads records on the event loop and hands their rows to `keep`.

    `days`: how long rows are kept; 0 keeps none. `clock` is the records', `wall_clock` counts seconds since 1970.
    `unsent`: where rows are until they are kept; None where `keep` is as near.
    """

    def __init__(
        self,
        keep: _Keep,
        *,
        days: int,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        unsent: _Unsent | None = None,
    ) -> None:
        self._keep = keep
        self._unsent = unsent
        self._others = unsent is not None and days > 0
        """Whether files of others may be there to be sent."""
        self._days = days
        self._clock = clock
        self._wall_clock = wall_clock
        self._waiting: deque[RequestRecord | LedgerRow] = deque()
        """Rows where they have been made already: to be written elsewhere, or in a try that failed."""
        self._due = asyncio.Event()
        """A full batch waits, or some rows have waited long enough."""
        self._one_write = asyncio.Lock()
        self._writing: asyncio.Task[None] | None = None
        self._lost = 0

    async def open(self) -> None:
        """Let go, in the background, what is older than it may be."""
        self._writing = asyncio.create_task(self._write())

    def ended(self, record: RequestRecord) -> None:
        """Let it wait to be written."""
        if record.route not in DIALECTS or record.method != "POST" or record.principal.id == _NOBODY or not self._days:
            return
        if self._unsent is None:
            self._waiting.append(record)
        else:
            row = row_of(record, self._wall_clock() - self._clock())
            self._unsent.append(row)
            self._waiting.append(row)
        if len(self._waiting) >= BATCH_ROWS:
            self._due.set()
            self._make_room()
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def flush(self) -> None:
        """Return when all that has ended until now is kept, or cannot be."""
        left = len(self._waiting)
        while left > 0 and await self._write_batch():
            left -= BATCH_ROWS

    async def aclose(self) -> None:
        """Write what waits, in one try."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait([self._writing])
        await self.flush()
        if self._unsent is not None:
            self._unsent.close()

    # ---- in the background ------------------------------------------------------------------------------------------

    async def _write(self) -> None:
        """Batch after batch until nothing waits."""
        try:
            kept = await self._write_batch() if not self._waiting else True
            while self._waiting or self._others:
                if kept:
                    await self._send_for_others()
                if self._waiting or self._others:
                    await self._moment(hurries=kept)
                    kept = await self._write_batch()
        finally:
            self._writing = None

    async def _moment(self, *, hurries: bool) -> None:
        """More may come meanwhile. A full batch does not wait for it, unless the last one could not be written."""
        if not hurries:
            await asyncio.sleep(WAIT_SECONDS)
            return
        timer = asyncio.get_running_loop().call_later(WAIT_SECONDS, self._due.set)
        try:
            await self._due.wait()
        finally:
            timer.cancel()

    async def _write_batch(self) -> bool:
        """Whether it was kept; what was not waits again."""
        async with self._one_write:
            batch = [self._waiting.popleft() for _ in range(min(BATCH_ROWS, len(self._waiting)))]
            if len(self._waiting) < BATCH_ROWS:
                self._due.clear()
            now, kept = self._wall_clock(), False
            since_1970 = now - self._clock()
            rows = [one if isinstance(one, LedgerRow) else row_of(one, since_1970) for one in batch]
            try:
                await self._keep(rows, oldest=now - self._days * DAY_SECONDS)
                await self._send_what_was_given_up()
                kept, self._lost = True, 0
                if self._unsent is not None and not self._waiting:
                    self._unsent.clear()
            except ProxyError:  # The database tells of its trouble itself.
                pass
            finally:
                if not kept:
                    self._waiting.extendleft(reversed(rows))
                    self._make_room()
            return kept

    async def _send_what_was_given_up(self) -> None:
        """Rows that are in no memory any more are on the disk."""
        if self._lost and self._unsent is not None:
            await self._send(self._unsent.rows())

    async def _send_for_others(self) -> None:
        """What processes that were killed have left; all of it, or again a moment later."""
        if self._unsent is None or not self._others:
            return
        for left in self._unsent.abandoned():
            try:
                await self._send(left.rows())
                left.forget()
            except ProxyError:
                return
            finally:
                left.close()
        self._others = False

    async def _send(self, rows: Sequence[LedgerRow]) -> None:
        oldest = self._wall_clock() - self._days * DAY_SECONDS
        for start in range(0, len(rows), BATCH_ROWS):
            await self._keep(rows[start : start + BATCH_ROWS], oldest=oldest)

    def _make_room(self) -> None:
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            if not self._lost and self._unsent is None:
                log.warning("The ledger cannot be written: rows of the requests that wait longest are given up.")
            self._lost += 1


# ---- a row ----------------------------------------------------------------------------------------------------------


def row_of(record: RequestRecord, since_1970: float) -> LedgerRow:
    """The row of a request that has ended; `since_1970` plus a moment of the record is that moment since then."""
    started, first_token = record.started, record.first_token
    client, asked, used, finish_reason, error, speed = _repeated(
        record.client, record.model_asked, record.model_used, record.finish_reason, record.error, record.speed
    )
    tokens, cached, written, written_1h, output, thinking, searches = _counts(record)
    return LedgerRow(  # by place: by name it takes three times as long
        record.own_id,
        started + since_1970,
        record.principal.id,
        record.principal.name,
        client,
        record.route,
        DIALECTS[record.route],
        asked,
        used,
        record.upstream,
        record.billed,
        record.status,
        finish_reason,
        error,
        record.stream,
        record.choices,
        speed,
        tokens,
        cached,
        written,
        written_1h,
        output,
        thinking,
        searches,
        record.list_price,
        record.has_list_price,
        charged(record),
        None if first_token is None else round((first_token - started) * 1000),
        round(((record.ended or started) - started) * 1000),
        ",".join(record.repairs) if record.repairs else "",
        shown(record.upstream_request_id),
    )


@lru_cache(maxsize=256)
def _repeated(*words: str) -> Sequence[str]:
    """Each as `shown`: words from the request and from Claude's side that many requests have alike."""
    return tuple(map(shown, words))


def _counts(record: RequestRecord) -> Sequence[int]:
    """What Claude's side counted, none below zero and none beyond what is kept."""
    counts = tokens, cached, written, written_1h, output, thinking, searches = (
        record.input_tokens,
        record.cached_tokens,
        record.cache_write_tokens,
        record.cache_write_1h_tokens,
        record.output_tokens,
        record.thinking_tokens,
        record.web_searches,
    )
    # Of all their bits: not below the largest of them, and below zero where one of them is.
    if 0 <= tokens | cached | written | written_1h | output | thinking | searches <= _LARGEST:
        return counts
    return [max(0, min(count, _LARGEST)) for count in counts]


def charged(record: RequestRecord) -> float | None:
    """US dollars that somebody charges for it beyond a plan; None where they have a price list of their own."""
    if not record.list_price or record.billed == "plan" or record.upstream == _DEMO:
        return 0.0
    return record.list_price if record.billed in _CHARGED_BY_LIST and record.has_list_price else None


def shown(text: str) -> str:
    """Cut, and with what a terminal would obey written out: names come from requests and from Claude's side."""
    if len(text) <= MOST_CHARACTERS and text.isprintable():
        return text
    cut = text[:MOST_CHARACTERS]
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)[:MOST_CHARACTERS]
