"""Rows of the ledger from the records of requests that have ended: many at once, by column."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from claude_openai_proxy.records import LedgerRow, LedgerRows, RequestRecord

MOST_CHARACTERS: Final = 120
"""Characters of what comes from a request."""
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

_LARGEST: Final = 2**53
"""Counts come from Claude's side: none is larger than what every database and reader can hold."""
_DEMO: Final = "demo"
_CHARGED_BY_LIST: Final = frozenset({"api", "extra-usage"})

_WORDS: Final = ("client", "model_asked", "model_used", "finish_reason", "error", "speed", "upstream_request_id")
"""What comes from the request and from Claude's side."""
_COUNTS: Final = (
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "thinking_tokens",
    "web_searches",
)


def rows_of(ended: Sequence[RequestRecord | LedgerRow], since_1970: float) -> Sequence[LedgerRow]:
    """The row of each request; `since_1970` plus a moment of a record is that moment since then."""
    records = [one for one in ended if isinstance(one, RequestRecord)]
    if len(records) < len(ended) or not records:
        return [one if isinstance(one, LedgerRow) else row_of(one, since_1970) for one in ended]
    return LedgerRows(_columns(records, since_1970))


def row_of(record: RequestRecord, since_1970: float) -> LedgerRow:
    """The row of one, as `rows_of`."""
    return LedgerRows(_columns([record], since_1970))[0]


def _columns(records: Sequence[RequestRecord], since_1970: float) -> Mapping[str, Sequence[Any]]:
    """By member of a row, in its order."""
    of: dict[str, Sequence[Any]] = dict(
        zip(LedgerRow.__struct_fields__, zip(*[_as_it_is(record) for record in records], strict=True), strict=True)
    )
    for name in _WORDS:
        of[name] = _all_shown(of[name])
    for name in _COUNTS:
        of[name] = _all_within(of[name])
    started = of["at"]
    of["at"] = [moment + since_1970 for moment in started]
    of["dialect"] = [DIALECTS[route] for route in of["route"]]
    of["first_token_ms"] = _milliseconds(started, of["first_token_ms"])
    of["total_ms"] = _milliseconds(started, of["total_ms"])
    of["repairs"] = [",".join(repairs) if repairs else "" for repairs in of["repairs"]]
    return of


def _as_it_is(record: RequestRecord) -> tuple[object, ...]:
    """What the members of its row are made of: words at their full length, moments, repairs one by one."""
    return (
        record.own_id,
        record.started,
        record.principal.id,
        record.principal.name,
        record.client,
        record.route,
        "",
        record.model_asked,
        record.model_used,
        record.upstream,
        record.billed,
        record.status,
        record.finish_reason,
        record.error,
        record.stream,
        record.choices,
        record.speed,
        record.input_tokens,
        record.cached_tokens,
        record.cache_write_tokens,
        record.cache_write_1h_tokens,
        record.output_tokens,
        record.thinking_tokens,
        record.web_searches,
        record.list_price,
        record.has_list_price,
        charged(record),
        record.first_token,
        record.started if record.ended is None else record.ended,
        record.repairs,
        record.upstream_request_id,
    )


def _milliseconds(since: Iterable[float], moments: Iterable[float | None]) -> Sequence[int | None]:
    both = zip(since, moments, strict=True)
    return [None if moment is None else round((moment - began) * 1000) for began, moment in both]


def charged(record: RequestRecord) -> float | None:
    """US dollars that somebody charges for it beyond a plan; None where they have a price list of their own."""
    if not record.list_price or record.billed == "plan" or record.upstream == _DEMO:
        return 0.0
    return record.list_price if record.billed in _CHARGED_BY_LIST and record.has_list_price else None


def _all_within(counts: Sequence[int]) -> Sequence[int]:
    """None below zero, and none beyond what is kept."""
    different = set(counts)
    if min(different) >= 0 and max(different) <= _LARGEST:
        return counts
    return [max(0, min(count, _LARGEST)) for count in counts]


def _all_shown(words: Sequence[str]) -> Sequence[str]:
    """Each as `shown`. Most are what others are."""
    if _are_plain(set(words)):
        return words
    return [shown(word) for word in words]


def shown(text: str) -> str:
    """Cut, and with what a terminal would obey written out: names come from requests and from Claude's side."""
    if _are_plain([text]):
        return text
    cut = text[:MOST_CHARACTERS]
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)[:MOST_CHARACTERS]


def _are_plain(words: Iterable[str]) -> bool:
    """Whether each is shown as it is."""
    return all(len(word) <= MOST_CHARACTERS and word.isprintable() for word in words)
