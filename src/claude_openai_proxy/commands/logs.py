"""`logs`: the last requests of the running server, and with `-f` each one as it ends."""

import argparse
import sys
import time
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import msgspec

from claude_openai_proxy.commands.invocation import OK, PROBLEMS_FOUND, PROGRAM, Invocation
from claude_openai_proxy.commands.running_server import NotToldError, add_server_flags, running_server
from claude_openai_proxy.serving.streams import complain, say_on
from claude_openai_proxy.telemetry.lines import ConsoleLines
from claude_openai_proxy.telemetry.log_entry import LogEntry

HELP = "the running server's last requests, and with -f each one as it ends"

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class _Line(LogEntry, frozen=True, kw_only=True):
    time: str
    level: str


_decode: Final = msgspec.json.Decoder(_Line).decode


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Which requests, and how they are printed."""
    add_server_flags(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on with each request as it ends")
    parser.add_argument("--key", metavar="NAME", help="of this client key only")
    parser.add_argument("--client", metavar="TEXT", help="of clients whose name (user-agent) has this in it")
    parser.add_argument("--status", metavar="STATUS", help="of this status only: 429, 5xx, or error")
    parser.add_argument("--json", action="store_true", help="print the lines as JSON")


def run(invocation: Invocation) -> int:
    """Not OK where the server does not tell, or ends what was to be followed."""
    arguments = invocation.arguments
    asked = {name: getattr(arguments, name) for name in ("key", "client", "status") if getattr(arguments, name)}
    query = urlencode(asked | ({"follow": "yes"} if arguments.follow else {}))
    lines = ConsoleLines(colour=sys.stdout.isatty() and not invocation.environment.get("NO_COLOR"))
    try:
        for kind, data in running_server(invocation, invocation.settings()).events(f"/logs?{query}"):
            if kind == "left_out":
                complain([f"{PROGRAM}: more came than could be shown: {data}"])
            else:
                say_on(f"{data}\n" if arguments.json else _shown(data, lines))
    except NotToldError as error:
        complain([f"{PROGRAM}: {error}"])
        return PROBLEMS_FOUND
    if arguments.follow:
        complain([f"{PROGRAM}: The server has stopped."])
        return PROBLEMS_FOUND
    return OK


def _shown(data: str, lines: ConsoleLines) -> str:
    try:
        line = _decode(data)
        at = datetime.fromisoformat(line.time).timestamp()
    except (msgspec.DecodeError, ValueError):
        return lines.event(time.time(), _LEVELS["warning"], "", ["A line that cannot be read."])
    return lines.request(at, _LEVELS.get(line.level, _LEVELS["info"]), "request", line)
