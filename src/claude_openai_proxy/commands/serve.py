"""`serve`: the server, and what it says when it has started."""

import argparse
import asyncio
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from claude_openai_proxy import __version__
from claude_openai_proxy.app.installation import is_first_start
from claude_openai_proxy.app.wiring import Wiring, wire
from claude_openai_proxy.app.worker import WorkerPlace
from claude_openai_proxy.commands.colours import coloured
from claude_openai_proxy.commands.invocation import OK, PROGRAM, SETTINGS_BY_FLAG, Invocation, add_settings_flags
from claude_openai_proxy.doctor.machine import served_already
from claude_openai_proxy.serving.reload import Reloader, end_with
from claude_openai_proxy.serving.server import limits_here, serve
from claude_openai_proxy.serving.sockets import AddressError, listen, urls
from claude_openai_proxy.serving.streams import say
from claude_openai_proxy.serving.workers import Worker, Workers
from claude_openai_proxy.settings import Settings, SettingsError
from claude_openai_proxy.telemetry.shared_counts import SharedCounts

Announce: TypeAlias = Callable[[list[socket.socket]], Coroutine[None, None, None]]
"""Tells that the server has started, with the sockets that it listens on."""

HELP = "serve the API (default; `start` is the same)"
NEXT = f"next: {PROGRAM} setup"
"""Told once in the life of an installation."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Every setting that has a flag."""
    add_settings_flags(parser, *SETTINGS_BY_FLAG)
    parser.add_argument("--reload", action="store_true", help="for development: start anew when a source file changes")
    parser.add_argument(
        "--end-with", type=int, metavar="DESCRIPTOR", help="stop when this inherited pipe is closed (used by --reload)"
    )


def run(invocation: Invocation) -> int:
    """Until a signal comes."""
    if invocation.arguments.reload:
        return _with_reload(invocation)
    settings = invocation.settings()
    lifeline: int | None = invocation.arguments.end_with
    if settings.workers > 1:
        return _with_workers(invocation, settings, lifeline)
    first = is_first_start(settings)
    wiring = _wired(settings)
    if lifeline is not None:
        end_with(lifeline)
    _serve(wiring, settings, _listen(settings), announce=_announcement(invocation, settings, wiring, first=first))
    return OK


def _with_workers(invocation: Invocation, settings: Settings, lifeline: int | None) -> int:
    """This process only starts the others, before anything that belongs to a server is made in it."""
    first = is_first_start(settings)
    sockets, counts = _listen(settings), SharedCounts(settings.workers)
    became = Workers(settings.workers, say=lambda line: say([line]), lifeline=lifeline).run()
    if isinstance(became, int):
        return became
    return _serve_as(became, invocation, settings, sockets, counts, first=first)


def _serve_as(
    worker: Worker,
    invocation: Invocation,
    settings: Settings,
    sockets: list[socket.socket],
    counts: SharedCounts,
    *,
    first: bool,
) -> int:
    """One worker among others; what is for people is told by the first one."""
    wiring = _wired(settings, WorkerPlace(worker.number, counts))
    tell = _announcement(invocation, settings, wiring, first=first)

    async def announce(sockets: list[socket.socket]) -> None:
        worker.serves()
        if worker.first:
            await tell(sockets)

    _serve(wiring, settings, sockets, announce=announce, who=f"Worker {worker.number}: ")
    return OK


def _wired(settings: Settings, place: WorkerPlace | None = None) -> Wiring:
    """Raises `SettingsError` where it must not be started."""
    wiring = wire(settings, place)
    wiring.log.install()
    if refusal := asyncio.run(wiring.start_refusal()):
        raise SettingsError(refusal)
    return wiring


def _announcement(invocation: Invocation, settings: Settings, wiring: Wiring, *, first: bool) -> Announce:
    async def announce(sockets: list[socket.socket]) -> None:
        addresses = address_lines(settings, urls(sockets))
        say(coloured(addresses, sys.stdout, invocation.environment))
        login = await wiring.start_lines()
        last = [f"{PROGRAM} {__version__}. Ctrl-C stops.", *([NEXT] if first else ())]
        say(coloured([*login, *last], sys.stdout, invocation.environment))
        wiring.log.requests.told("started", [*addresses, *login])

    return announce


def _serve(
    wiring: Wiring, settings: Settings, sockets: list[socket.socket], *, announce: Announce, who: str = ""
) -> None:
    serve(
        wiring.application,
        sockets,
        limits=limits_here(
            client_stall_seconds=settings.client_stall_seconds,
            message_bytes=settings.max_body_mb * 1_048_576 if settings.websocket else 0,
        ),
        drain_seconds=settings.drain_seconds,
        announce=lambda: announce(sockets),
        under_way=wiring.under_way,
        say=lambda line: say([who + line]),
    )
    wiring.log.requests.told("stopped", [])


def _listen(settings: Settings) -> list[socket.socket]:
    """Raises `AddressError`, which says so where it is this proxy itself that has the port."""
    try:
        return listen(settings.host, settings.port)
    except AddressError as error:
        if told := asyncio.run(served_already(settings)):
            host = settings.name_for_clients
            raise AddressError(
                f"{told}. Open http://{host}:{settings.port}/, or stop it first, or choose another port: "
                f"{PROGRAM} --port {settings.port + 1}"
            ) from None
        raise error from None


def _with_reload(invocation: Invocation) -> int:
    command = [sys.executable, "-m", "claude_openai_proxy", *(word for word in invocation.words if word != "--reload")]
    dotenv = invocation.cwd / (invocation.arguments.env_file or ".env")
    say([f"Watching the program and {dotenv.name}: a change starts the server anew."])
    return Reloader(command, watched=lambda: _sources(dotenv), say=lambda line: say([line])).run()


def _sources(dotenv: Path) -> Iterator[Path]:
    yield dotenv
    yield from Path(__file__).parents[1].rglob("*.py")


def address_lines(settings: Settings, addresses: Sequence[str]) -> list[str]:
    """Where it listens, by which name clients and people reach it, and what it read."""
    host, port = settings.name_for_clients, addresses[0].rpartition(":")[2]
    lines = [
        f"Listening on {' and '.join(addresses)}",
        f"Base URL for clients: http://{host}:{port}/v1",
        f"In a browser: open http://{host}:{port}/",
    ]
    if settings.public and not settings.allowed_hosts:
        lines.append("For clients on other machines set ALLOWED_HOSTS to the name by which they reach this one.")
    if settings.files:
        lines.append(f"Settings from {' and '.join(settings.files)}")
    if settings.workers > 1:
        lines.append(f"Workers: {settings.workers} processes share the port and what bounds it")
    return [*lines, *(f"Warning: {warning}" for warning in settings.warnings)]
