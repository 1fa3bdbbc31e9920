"""`selftest`: what a client needs, tried on the server that runs, or on one of our own."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from claude_openai_proxy.app.installation import operator_credential
from claude_openai_proxy.commands.colours import coloured
from claude_openai_proxy.commands.invocation import OK, PROBLEMS_FOUND, PROGRAM, Invocation, add_settings_flags
from claude_openai_proxy.selftest.asking import CaseFailedError, Proxy
from claude_openai_proxy.selftest.private_server import NoServerError, private_server
from claude_openai_proxy.selftest.verdicts import Verdict, as_json, document, requests_of_claude, verdicts
from claude_openai_proxy.serving.streams import complain, say
from claude_openai_proxy.settings import Settings, SettingsError
from claude_openai_proxy.settings.table import BUILT_IN_ALIASES
from claude_openai_proxy.setup.target import KEY_VARIABLE

HELP = "try what clients need on the running server, or on a private one"

_MODEL: Final = next(alias for alias, line in BUILT_IN_ALIASES.items() if line == "sonnet")
_DEFAULT: Final = "default"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Which server is tried, and how it is told."""
    add_settings_flags(parser, "port", "upstream")
    parser.add_argument(
        "--url",
        metavar="URL",
        help="the server that is tried (default: http://localhost:PORT/v1)",
    )
    parser.add_argument("--model", metavar="MODEL", default=_MODEL, help=f"the model that is asked ({_MODEL})")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument(
        "--report",
        metavar="FILE",
        help="write a file for a bug report: no secret, no address, no content",
    )


def run(invocation: Invocation) -> int:
    """With `--upstream` or `--demo` on a private server. Not OK where a case is a problem. Raises `SettingsError`."""
    settings = invocation.settings()
    try:
        with _proxy(invocation, settings) as proxy:
            return _try(invocation, settings, proxy)
    except NoServerError as error:
        complain([f"{PROGRAM}: {error}"])
        return PROBLEMS_FOUND


@contextmanager
def _proxy(invocation: Invocation, settings: Settings) -> Iterator[Proxy]:
    arguments, key = invocation.arguments, invocation.environment.get(KEY_VARIABLE, "")
    if not (arguments.demo or arguments.upstream):
        url = (arguments.url or f"http://localhost:{settings.port}/v1").rstrip("/")
        yield Proxy(url.removesuffix("/v1"), arguments.model, key)
        return
    words = ["--demo"] if arguments.demo else ["--upstream", arguments.upstream]
    words += ["--env-file", arguments.env_file] if arguments.env_file else []
    with private_server(words, invocation.environment) as root:
        # Nobody else listens there, so our own credential may be shown.
        yield Proxy(root, arguments.model, key or operator_credential(settings))


def _try(invocation: Invocation, settings: Settings, proxy: Proxy) -> int:
    arguments = invocation.arguments
    health = _health(proxy)
    if not arguments.json:
        billed = f"; billed: {health['billed']}" if "billed" in health else ""
        say([f"{proxy.root}: about {requests_of_claude()} small requests to {proxy.model}{billed}."])
    found: list[Verdict] = []
    for verdict in verdicts(proxy):
        found.append(verdict)
        if not arguments.json:
            say(coloured([verdict.line()], sys.stdout, invocation.environment))
    told = document(found, health, settings=[name for name, source in settings.sources.items() if source != _DEFAULT])
    if arguments.json:
        say([as_json(told)])
    if any(one.detail == "nothing answers" for one in found):
        complain([f"Start the server first ({PROGRAM}), name another with --url, or try a private one with --demo."])
    if any("invalid_api_key" in one.detail for one in found):
        complain([f"The server asks for a client key: export {KEY_VARIABLE}=<one of its keys>, and try again."])
    if arguments.report:
        _write(arguments.report, as_json(told))
    return OK if told["ok"] else PROBLEMS_FOUND


def _health(proxy: Proxy) -> dict[str, object]:
    """Empty where nothing answers: the first case says so."""
    try:
        return proxy.get("/health").body
    except CaseFailedError:
        return {}


def _write(file: str, text: str) -> None:
    """Raises `SettingsError` where it cannot be written."""
    try:
        Path(file).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{file} cannot be written: {error.strerror or error}.") from error
    complain([f"Written: {file}. It holds no secret, no address and nothing that was asked or answered."])
