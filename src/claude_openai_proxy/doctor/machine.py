"""Checks of this machine and this start: Python, the proxy, its configuration, its port."""

import platform
import sys

import msgspec

from claude_openai_proxy import __version__
from claude_openai_proxy.doctor.report import Row, failed
from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.service.health import HealthReport
from claude_openai_proxy.serving.sockets import AddressError, listen, reached_at
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.upstreams.http import URL, HTTPClient, Patience, Request

OLDEST_PYTHON = (3, 11)
ANSWER_SECONDS = 5.0


def python_row(version: tuple[int, ...] = sys.version_info[:3]) -> Row:
    """The interpreter."""
    found = f"{'.'.join(map(str, version))} ({platform.python_implementation()}, {sys.platform})"
    if version >= OLDEST_PYTHON:
        return Row("Python", "ok", found)
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Row(
        "Python",
        "problem",
        found,
        f"Make the virtual environment anew with Python {wanted} or newer: https://www.python.org/downloads/",
    )


def proxy_row() -> Row:
    """The proxy itself."""
    return Row("Proxy", "ok", f"claude-openai-proxy {__version__}")


def configuration_row(settings: Settings) -> Row:
    """Which source set what; values are not shown, some are secrets."""
    by_source: dict[str, list[str]] = {}
    for name, source in settings.sources.items():
        by_source.setdefault(source, []).append(name)
    named = [f"{', '.join(names)} from {source}" for source, names in by_source.items() if source != "default"]
    dotenv = "" if settings.dotenv_path.is_file() else f"; no {settings.dotenv_path.name} here"
    found = f"{'; '.join(named) or 'defaults only'}{dotenv}"
    if settings.warnings:
        return Row("Configuration", "warning", found, " ".join(settings.warnings))
    return Row("Configuration", "ok", found)


async def port_row(settings: Settings) -> Row:
    """Free, served by this proxy already, or taken."""
    try:
        for listener in listen(settings.host, settings.port):
            listener.close()
    except AddressError as error:
        served = await served_already(settings)
        return Row("Port", "ok", served) if served else failed("Port", str(error))
    shown = f"{settings.port} on {settings.host}" if settings.port else f"any free one on {settings.host}"
    return Row("Port", "ok", f"{shown}: free")


async def served_already(settings: Settings) -> str:
    """A phrase where it is this proxy that has the port; "" otherwise."""
    body = await _health(settings)
    try:
        report = msgspec.json.decode(body, type=HealthReport)
    except (msgspec.DecodeError, RecursionError):
        return ""
    return (
        f"{settings.port} on {settings.host}: this proxy runs there already "
        f"({report.version}, upstream {report.upstream}, {report.status}){_pool(report)}"
    )


def _pool(report: HealthReport) -> str:
    """What its processes do and did, where it works with some."""
    if not report.pool:
        return ""
    pool, line = report.pool, report.line
    ended = ", ".join(f"{count} {why}" for why, count in pool.recycled.items())
    told = f"; processes: {pool.idle} idle, {pool.busy} busy, {pool.starting} starting, {pool.largest} at most"
    waited = f"; waiting: {line.waiting}, {line.median_ms} ms (median)" if line else ""
    return f"{told}; requests: {pool.served}{waited}{f'; ended: {ended}' if ended else ''}"


async def _health(settings: Settings) -> bytes:
    """What whoever has the port answers; b"" where it does not. No key is sent: it may be another program."""
    host = reached_at(settings.host)
    url = URL.parse(f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/health")
    client = HTTPClient()
    try:
        with await client.send(Request("GET", url), Patience(silence=ANSWER_SECONDS)) as response:
            return await response.read_all()
    except ProxyError:
        return b""
    finally:
        await client.aclose()
