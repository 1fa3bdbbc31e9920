"""What the requests used and cost, asked of the ledger: by day, by model, by key and so on."""

import csv
import io
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType

from claude_openai_proxy.storage.ledger import DIMENSIONS, HOUR, MOST_SUMS, Choice, Dimension, LedgerStore, LedgerSum

DEFAULT_SPAN: Final = "7d"
SPAN_WORDS: Final = "a span of time such as 30m, 24h, 7d or 4w"

_SECONDS: Final = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPAN: Final = re.compile(r"(\d{1,6})([mhdw])", re.ASCII)
_LONGEST: Final = 36_500 * 86_400.0
_FORMULA: Final = re.compile(r"[=+\-@\t\r]")
"""A cell that begins so is reckoned by spreadsheets (https://owasp.org/www-community/attacks/CSV_Injection)."""


class UsageFigures(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Sums over requests. Token counts are Claude's own; `cached_share` of the input was read from the cache.

    `list_price_usd` is what the API's price list says, `charged_usd` what somebody charges beyond a plan. What has no
    price there, or is charged by a price list that is not known here, is in neither and counted.
    """

    requests: int
    failed: int
    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    output_tokens: int
    thinking_tokens: int
    web_searches: int
    list_price_usd: float
    charged_usd: float
    cached_share: float | UnsetType = UNSET
    requests_without_list_price: int = 0
    requests_charged_elsewhere: int = 0


class UsageGroup(Struct, frozen=True, omit_defaults=True):
    """`name`: the day (`2027-01-15`), the hour (`2027-01-15T08Z`), the model …; `id`: of a key."""

    name: str
    figures: UsageFigures
    id: str | UnsetType = UNSET


class UsageReport(Struct, frozen=True):
    """`groups` in order of time, or the dearest first; `complete` is false where there were too many of them."""

    by: Dimension
    since: str
    until: str
    groups: tuple[UsageGroup, ...]
    total: UsageFigures
    complete: bool
    object: Literal["usage"] = "usage"


async def nothing_waits() -> None:
    """Where nobody writes beside the reader."""


class Usage:
    """`flush` writes what waits; `wall_clock` gives seconds since 1970. All raise `StorageUnavailableError`."""

    def __init__(
        self,
        store: LedgerStore,
        *,
        wall_clock: Callable[[], float],
        flush: Callable[[], Awaitable[None]] = nothing_waits,
    ) -> None:
        self._store = store
        self._now = wall_clock
        self._flush = flush

    async def report(self, by: Dimension, seconds: float) -> UsageReport:
        """Of the last `seconds`: two questions to the store, whatever is in it."""
        await self._flush()
        now = self._now()
        choice = Choice(max(0.0, now - seconds))
        groups = await self._store.sums(choice, [by])
        (total,) = await self._store.sums(choice, [])
        return UsageReport(
            by=by,
            since=utc(choice.since),
            until=utc(now),
            groups=tuple(_group(by, one) for one in _in_order(by, groups)),
            total=figures(total),
            complete=len(groups) < MOST_SUMS,
        )


def read_span(text: str) -> float:
    """Seconds of `30m`, `24h`, `7d` or `4w`. Raises ValueError."""
    found = _SPAN.fullmatch(text)
    seconds = float(int(found[1]) * _SECONDS[found[2]]) if found else 0.0
    if not 0 < seconds <= _LONGEST:
        raise ValueError
    return seconds


def read_dimension(text: str) -> Dimension:
    """Raises ValueError."""
    for dimension in DIMENSIONS:
        if dimension == text:
            return dimension
    raise ValueError


def figures(one: LedgerSum) -> UsageFigures:
    """To be shown."""
    return UsageFigures(
        requests=one.requests,
        failed=one.failed,
        input_tokens=one.input_tokens,
        cached_tokens=one.cached_tokens,
        cache_write_tokens=one.cache_write_tokens,
        output_tokens=one.output_tokens,
        thinking_tokens=one.thinking_tokens,
        web_searches=one.web_searches,
        list_price_usd=round(one.list_price, 6),
        charged_usd=round(one.charged, 6),
        cached_share=round(one.cached_tokens / one.input_tokens, 4) if one.input_tokens else UNSET,
        requests_without_list_price=one.unpriced,
        requests_charged_elsewhere=one.uncharged,
    )


def utc(seconds: float) -> str:
    """As `2027-01-15T08:00:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def time_words(dimension: Dimension, number: int) -> str:
    """The day or hour that the ledger counts from 1970: `2027-01-15`, `2027-01-15T08Z`."""
    moment = datetime.fromtimestamp(number * (HOUR * 24 if dimension == "day" else HOUR), UTC)
    return moment.strftime("%Y-%m-%d" if dimension == "day" else "%Y-%m-%dT%HZ")


def _in_order(by: Dimension, groups: Sequence[LedgerSum]) -> list[LedgerSum]:
    if by in ("day", "hour"):
        return sorted(groups, key=lambda one: int(one.group[0]))
    return sorted(groups, key=lambda one: (-one.list_price, -one.requests, one.group))


def _group(by: Dimension, one: LedgerSum) -> UsageGroup:
    word = one.group[0]
    if by in ("day", "hour"):
        return UsageGroup(time_words(by, int(word)), figures(one))
    return UsageGroup(one.name, figures(one), id=word) if by == "key" else UsageGroup(word, figures(one))


# ---- for spreadsheets -----------------------------------------------------------------------------------------------


def to_csv(report: UsageReport) -> str:
    """A head and a line for each group; texts in quotes, and none that a spreadsheet would reckon."""
    names = UsageFigures.__struct_fields__
    head = [report.by, *(["id"] if report.by == "key" else []), *names]
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow(head)
    for group in report.groups:
        id_ = [] if group.id is UNSET else [harmless(group.id)]
        values = [getattr(group.figures, name) for name in names]
        writer.writerow([harmless(group.name), *id_, *("" if value is UNSET else value for value in values)])
    return text.getvalue()


def harmless(cell: str) -> str:
    """Text, and nothing else, to a spreadsheet."""
    return f"'{cell}" if _FORMULA.match(cell) else cell
