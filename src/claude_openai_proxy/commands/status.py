"""`status`: the running server in one screen, or as JSON."""

import argparse
from collections.abc import Iterator

import msgspec
from msgspec import UNSET

from claude_openai_proxy.commands.invocation import OK, PROBLEMS_FOUND, PROGRAM, Invocation
from claude_openai_proxy.commands.running_server import NotToldError, add_server_flags, running_server
from claude_openai_proxy.commands.tables import aligned
from claude_openai_proxy.service.health import HealthReport
from claude_openai_proxy.service.plan_meter import LimitsReport, WindowReport
from claude_openai_proxy.service.server_status import StatusReport
from claude_openai_proxy.serving.streams import complain, say
from claude_openai_proxy.translate.messages_api.refusals import spoken, window_words

HELP = "the running server in one screen: login, limits, queue, clients, today's use"

Row = tuple[str, str]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Which server, and how it is printed."""
    add_server_flags(parser)
    parser.add_argument("--json", action="store_true", help="print the body of GET /status")


def run(invocation: Invocation) -> int:
    """Not OK where no server answers, or it could not answer a request now."""
    server = running_server(invocation, invocation.settings())
    try:
        body = server.document("/status")
        report = msgspec.json.decode(body, type=StatusReport)
    except NotToldError as error:
        complain([f"{PROGRAM}: {error}"])
        return PROBLEMS_FOUND
    except (msgspec.DecodeError, UnicodeDecodeError):
        complain([f"{PROGRAM}: What answers at {server.url} is no Claude OpenAI Proxy of this version."])
        return PROBLEMS_FOUND
    if invocation.arguments.json:
        say([msgspec.json.format(body, indent=2).decode()])
    else:
        say([_printable(line) for line in screen(report, server.url)])
    return OK if report.health.status == "ok" else PROBLEMS_FOUND


def screen(report: StatusReport, url: str) -> list[str]:
    """A line for each thing that there is something to say of."""
    health = report.health
    head = f"Claude OpenAI Proxy {health.version} at {url}, for {spoken(health.uptime_seconds)}: {health.status}"
    rows = [*_login(health), *_limits(report.logins), *_work(health), *_used(report), *_trouble(report)]
    lines = [head, *(f"{name:<11} {text}".rstrip() for name, text in rows)]
    if report.clients:
        seen = [(one.key, one.client or "-", str(one.requests), str(one.failed)) for one in report.clients]
        lines += ["", "In the last hour:", *aligned(("KEY", "CLIENT", "REQUESTS", "FAILED"), seen)]
    return lines


def _login(health: HealthReport) -> Iterator[Row]:
    billed = f", billed {health.billed}" if health.billed else ""
    yield "login", f"{health.login or 'none'} ({health.upstream}){billed}"
    if health.detail:
        yield "", health.detail
    if health.models:
        yield "models", ", ".join(f"{alias} → {model}" for alias, model in health.models.items())


def _limits(logins: tuple[LimitsReport, ...]) -> Iterator[Row]:
    """Of the login that told last; the others are in the JSON."""
    for login in logins[:1]:
        for window in login.windows:
            yield "limit", f"{window_words(window.name)}: {_window(window)}"
        if login.extra_usage is not UNSET:
            use = "in use" if login.extra_usage.in_use else "not in use"
            yield "limit", f"extra usage: {login.extra_usage.status or 'unknown'}, {use}"


def _window(window: WindowReport) -> str:
    used = "started anew, nothing told since" if window.used_percent is UNSET else f"{window.used_percent:g} % used"
    if window.remaining is not UNSET:
        used = f"{window.remaining} of {window.limit} left"
    resets = f", resets in {spoken(window.resets_in_seconds)}" if window.resets_in_seconds else ""
    return f"{used}{resets} ({window.source})"


def _work(health: HealthReport) -> Iterator[Row]:
    if health.line is not UNSET:
        line = health.line
        waits = f"; the last ones waited {line.median_ms} ms (median), {line.longest_ms} ms at most"
        yield "requests", f"{line.running} with Claude, {line.waiting} in line{waits}"
    if health.pool is not UNSET:
        pool = health.pool
        yield "processes", f"{pool.idle} idle, {pool.busy} busy, {pool.starting} starting, {pool.largest} at most"
    if health.storage is not UNSET:
        yield "storage", f"{health.storage.where}{': ' if health.storage.trouble else ''}{health.storage.trouble}"


def _used(report: StatusReport) -> Iterator[Row]:
    if report.today is UNSET:
        yield "today", "the ledger cannot be read"
        return
    day = report.today
    cached = f" ({day.cached_tokens / day.input_tokens:.0%} from the cache)" if day.input_tokens else ""
    yield (
        "today",
        (
            f"{day.requests} requests, {day.failed} failed; {day.input_tokens:,} tokens in{cached}, "
            f"{day.output_tokens:,} out; {day.list_price:.2f} US dollars by list price, {day.charged:.2f} charged (UTC)"
        ),
    )


def _trouble(report: StatusReport) -> Iterator[Row]:
    if report.last_error is not UNSET:
        last = report.last_error
        words = " ".join(word for word in (last.code or last.error, last.reason) if word)
        yield "last error", f"{last.at} {last.status} {last.route} {last.model} {words} ({last.key}, {last.request_id})"


def _printable(text: str) -> str:
    """Names come from requests: none of them may command a terminal."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)
