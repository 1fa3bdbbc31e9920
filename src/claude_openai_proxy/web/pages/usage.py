"""`GET /usage`: what the requests used and cost, as JSON or CSV."""

from typing import Final
from urllib.parse import parse_qs

import msgspec

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.service.usage import (
    DEFAULT_SPAN,
    SPAN_WORDS,
    Usage,
    UsageReport,
    read_dimension,
    read_span,
    to_csv,
)
from claude_openai_proxy.storage.ledger import DIMENSIONS
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import Access
from claude_openai_proxy.web.exchange import JSON, Exchange

_encode: Final = msgspec.json.Encoder().encode
_CSV: Final = b"text/csv; charset=utf-8"
_FORMATS: Final = ("json", "csv")
_HEADERS: Final = ((b"cache-control", b"no-store"), (b"vary", b"accept"))


class UsagePage:
    """Figures of everybody's requests."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage

    @staticmethod
    def access(_: Exchange) -> Access:
        """Who used what is not every client's business."""
        return "operator"

    async def __call__(self, exchange: Exchange) -> None:
        """`by`, `since` and `format` in the query. Raises `InvalidRequestError`, `StorageUnavailableError`."""
        query = {name: values[-1] for name, values in parse_qs(exchange.query.decode("latin-1")).items()}
        async with ClientWatch(exchange):
            form = _format(exchange, query)
            report = await self._report(query)
            if form == "csv":
                await exchange.answer(200, to_csv(report).encode(), content_type=_CSV, headers=_HEADERS)
            else:
                await exchange.answer(200, _encode(report), content_type=JSON, headers=_HEADERS)

    async def _report(self, query: dict[str, str]) -> UsageReport:
        try:
            by = read_dimension(query.get("by", "day"))
        except ValueError:
            raise InvalidRequestError(f"by must be one of {', '.join(DIMENSIONS)}.", param="by") from None
        try:
            seconds = read_span(query.get("since", DEFAULT_SPAN))
        except ValueError:
            raise InvalidRequestError(f"since must be {SPAN_WORDS}.", param="since") from None
        return await self._usage.report(by, seconds)


def _format(exchange: Exchange, query: dict[str, str]) -> str:
    asked = query.get("format", "")
    if asked and asked not in _FORMATS:
        raise InvalidRequestError(f"format must be one of {', '.join(_FORMATS)}.", param="format")
    return asked or ("csv" if "text/csv" in exchange.header(b"accept").lower() else "json")
