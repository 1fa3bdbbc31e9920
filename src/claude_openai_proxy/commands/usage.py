"""`usage`: what the requests used and cost, as a table with bars, as JSON or as CSV, read from the ledger itself; and a
link to the page of a server that runs.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import UNSET

from claude_openai_proxy.app.installation import operator_credential
from claude_openai_proxy.app.stores import stores
from claude_openai_proxy.commands.invocation import OK, PROBLEMS_FOUND, PROGRAM, Invocation, add_settings_flags
from claude_openai_proxy.commands.tables import aligned
from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.service.usage import (
    DEFAULT_SPAN,
    SPAN_WORDS,
    Usage,
    UsageFigures,
    UsageReport,
    read_span,
    to_csv,
)
from claude_openai_proxy.serving.sockets import reached_at
from claude_openai_proxy.serving.streams import complain, say, say_on
from claude_openai_proxy.settings import Settings, SettingsError
from claude_openai_proxy.setup.json_http import NoAnswerError, StatusError, document, message_of
from claude_openai_proxy.storage.ledger import DIMENSIONS, Dimension

HELP = "what the requests used and cost, by day, model, key, client"

_BAR: Final = 20
"""Characters of the longest."""
_HEAD: Final = ("REQUESTS", "FAILED", "INPUT", "CACHED", "OUTPUT", "LIST PRICE", "CHARGED", "")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """What is asked for, and how it is printed."""
    add_settings_flags(parser)
    parser.add_argument("--by", choices=DIMENSIONS, default="day", help="a line for each (day; days and hours in UTC)")
    parser.add_argument(
        "--since", type=_span, default=DEFAULT_SPAN, metavar="SPAN", help=f"the last 30m, 24h, 7d, 4w ({DEFAULT_SPAN})"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the body of GET /usage")
    form.add_argument("--csv", action="store_true", help="print a table for a spreadsheet")
    form.add_argument("--open", action="store_true", help="print a link to the page, good for a minute and once")


def run(invocation: Invocation) -> int:
    """Reads the database, whether a server runs or not. Raises `SettingsError` where nothing is kept."""
    settings, arguments = invocation.settings(), invocation.arguments
    if arguments.open:
        return _open(settings)
    if settings.storage.kind == "memory":
        raise SettingsError("STATE=memory keeps the ledger in the server itself: ask it, at GET /usage.")
    try:
        report = asyncio.run(_report(settings, arguments.by, arguments.since))
    except ProxyError as error:
        complain([error.message])
        return PROBLEMS_FOUND
    if arguments.json:
        say([msgspec.json.format(msgspec.json.encode(report), indent=2).decode()])
    elif arguments.csv:
        say_on(to_csv(report))
    else:
        say(table(report, bar=_bar_for(getattr(sys.stdout, "encoding", None) or "ascii")))
    return OK


def _open(settings: Settings) -> int:
    """The running server makes the link, for whoever can read its STATE_DIR."""
    host = reached_at(settings.host)
    base = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    credential = operator_credential(settings)
    try:
        answer = document(f"{base}/usage/link", {"authorization": f"Bearer {credential}"} if credential else {}, {})
    except NoAnswerError as error:
        complain([f"{error} Start the proxy first ({PROGRAM}), or name its port: PORT={settings.port + 1}"])
        return PROBLEMS_FOUND
    except StatusError as error:
        complain([message_of(error)])
        return PROBLEMS_FOUND
    if not answer or "code" not in answer:
        complain([f"What answers at {base} is no Claude OpenAI Proxy."])
        return PROBLEMS_FOUND
    code = f"#{answer['code']}" if answer["code"] else ""
    say([f"http://{settings.name_for_clients}:{settings.port}/usage{code}"])
    if code:
        complain([f"Good for {answer['expires_in']} seconds, and once."])
    return OK


async def _report(settings: Settings, by: Dimension, seconds: float) -> UsageReport:
    """Raises `SettingsError`, `StorageUnavailableError`."""
    kept = stores(settings, told=lambda _: None)
    try:
        if refusal := await kept.open():
            raise SettingsError(refusal)
        return await Usage(kept.ledger, wall_clock=time.time).report(by, seconds)
    finally:
        await kept.aclose()


# ---- a table --------------------------------------------------------------------------------------------------------


def table(report: UsageReport, *, bar: str = "█") -> list[str]:
    """Aligned, with a bar for each line's share of the largest price, and what the figures do not say below."""
    if not report.groups:
        return [f"No requests since {report.since}."]
    size = _size_of(report)
    largest = max(size(group.figures) for group in report.groups)
    rows = [
        (group.name or "-", *_cells(group.figures), bar * round(_BAR * size(group.figures) / largest if largest else 0))
        for group in report.groups
    ]
    rows.append(("total", *_cells(report.total), ""))
    return [*aligned((report.by.upper(), *_HEAD), rows, right=range(1, len(_HEAD))), *notes(report)]


def notes(report: UsageReport) -> list[str]:
    """Sentences on what the sums leave out."""
    total, told = report.total, []
    if total.cached_share is not UNSET:
        told.append(f"{total.cached_share:.0%} of the input was read from the cache.")
    if total.requests_without_list_price:
        told.append(f"Not in LIST PRICE: {total.requests_without_list_price} requests of models without one.")
    if total.requests_charged_elsewhere:
        told.append(
            f"Not in CHARGED: {total.requests_charged_elsewhere} requests paid to a gateway or a cloud, which has "
            "prices of its own."
        )
    if not report.complete:
        told.append("There are more lines than these; the total has all.")
    return told


def _size_of(report: UsageReport) -> Callable[[UsageFigures], float]:
    """What bars are drawn by."""
    if report.total.list_price_usd:
        return lambda figures: figures.list_price_usd
    return lambda figures: float(figures.requests)


def _cells(figures: UsageFigures) -> tuple[str, ...]:
    return (
        f"{figures.requests:,}",
        f"{figures.failed:,}" if figures.failed else "-",
        f"{figures.input_tokens:,}",
        "-" if figures.cached_share is UNSET else f"{figures.cached_share:.0%}",
        f"{figures.output_tokens:,}",
        f"${figures.list_price_usd:,.2f}",
        f"${figures.charged_usd:,.2f}",
    )


def _bar_for(encoding: str) -> str:
    try:
        "█".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return "#"
    return "█"


def _span(text: str) -> float:
    try:
        return read_span(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not {SPAN_WORDS}") from None
