"""The console command: reads the command line and the environment, talks to a person, leaves the work to others."""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from claude_openai_proxy import __version__
from claude_openai_proxy.app import Wiring, wire
from claude_openai_proxy.doctor.examination import examine
from claude_openai_proxy.doctor.report import as_json, as_table
from claude_openai_proxy.logins.login import UntrustedLoginError
from claude_openai_proxy.serving.reload import Reloader, end_with
from claude_openai_proxy.serving.server import limits_here, serve
from claude_openai_proxy.serving.sockets import AddressError, listen, urls
from claude_openai_proxy.serving.streams import complain, open_standard_streams, say
from claude_openai_proxy.settings import LOCALHOST, SETTINGS, Flags, Settings, SettingsError, load_settings

PROGRAM = "claude-openai-proxy"
PROBLEMS_FOUND = 1
WRONG_SETTING = 2
INTERRUPTED = 130

_COMMANDS = ("serve", "models", "doctor")
_FLAGS = {setting.flag.removeprefix("--").replace("-", "_"): setting for setting in SETTINGS if setting.flag}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. What the user can mend is told in one line, with exit code 2."""
    open_standard_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser().parse_args(_with_command(words))
    try:
        return _run(arguments, words)
    except (SettingsError, AddressError, UntrustedLoginError) as error:
        complain([f"{PROGRAM}: {line}" for line in str(error).splitlines()])
        return WRONG_SETTING
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    if arguments.command == "doctor":
        return _doctor(arguments)
    return _serve(arguments, words) if arguments.command == "serve" else _models(arguments)


# ---- the command line -----------------------------------------------------------------------------------------------


def _with_command(words: list[str]) -> list[str]:
    """`serve` is what is meant where no command is named."""
    if words and words[0] in {*_COMMANDS, "-h", "--help", "--version"}:
        return words
    return ["serve", *words]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="An OpenAI-compatible API server that answers with Claude.",
        epilog=f"Without a command: serve. Its flags: {PROGRAM} serve --help",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    server = commands.add_parser("serve", help="serve the API (default)", allow_abbrev=False)
    _add_flags(server, *_FLAGS)
    server.add_argument("--reload", action="store_true", help="for development: start anew when a source file changes")
    server.add_argument(
        "--end-with", type=int, metavar="DESCRIPTOR", help="stop when this inherited pipe is closed (used by --reload)"
    )
    models = commands.add_parser("models", help="list the aliases and models", allow_abbrev=False)
    _add_flags(models, "upstream", "log_level")
    doctor = commands.add_parser("doctor", help="check everything that an answer depends on", allow_abbrev=False)
    _add_flags(doctor, "host", "port", "upstream")
    doctor.add_argument("--no-request", action="store_true", help="do not send a small request to Claude")
    doctor.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return parser


def _add_flags(parser: argparse.ArgumentParser, *names: str) -> None:
    for name in names:
        setting = _FLAGS[name]
        about = f"{setting.description} Default: {setting.shown_default}. ({setting.name})"
        parser.add_argument(setting.flag, dest=name, metavar=name.upper(), help=about.replace("%", "%%"))
    parser.add_argument("--env-file", metavar="FILE", help="read this file instead of .env of the working directory")
    parser.add_argument("--demo", action="store_true", help="answer with the built-in simulator: no login, no network")


def _settings(arguments: argparse.Namespace) -> Settings:
    given = {setting.name: getattr(arguments, name, None) for name, setting in _FLAGS.items()}
    flags = Flags(
        texts={name: text for name, text in given.items() if text is not None},
        env_file=arguments.env_file,
        demo=arguments.demo,
    )
    return load_settings(flags, dict(os.environ), _working_directory())


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise SettingsError("The working directory is gone. Change to one that exists, and start again.") from None


# ---- the commands ---------------------------------------------------------------------------------------------------


def _serve(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    if arguments.reload:
        return _serve_with_reload(arguments, words)
    settings = _settings(arguments)
    wiring = wire(settings)
    if refusal := asyncio.run(wiring.start_refusal()):
        raise SettingsError(refusal)
    sockets = listen(settings.host, settings.port)

    async def announce() -> None:
        say(addresses := [*_address_lines(settings, urls(sockets)), *_configuration_lines(settings)])
        say(login := await wiring.start_lines())
        wiring.log.told("started", [*addresses, *login])

    if arguments.end_with is not None:
        end_with(arguments.end_with)
    serve(
        wiring.application,
        sockets,
        limits=limits_here(client_stall_seconds=settings.client_stall_seconds),
        drain_seconds=settings.drain_seconds,
        announce=announce,
        say=lambda line: say([line]),
    )
    wiring.log.told("stopped", [])
    return 0


def _serve_with_reload(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    command = [sys.executable, "-m", "claude_openai_proxy", *(word for word in words if word != "--reload")]
    dotenv = _working_directory() / (arguments.env_file or ".env")
    return Reloader(command, watched=lambda: _sources(dotenv), say=lambda line: say([line])).run()


def _sources(dotenv: Path) -> Iterator[Path]:
    yield dotenv
    yield from Path(__file__).parent.rglob("*.py")


def _models(arguments: argparse.Namespace) -> int:
    asyncio.run(_print_models(wire(_settings(arguments))))
    return 0


async def _print_models(wiring: Wiring) -> None:
    async with wiring.running():
        say(await wiring.model_lines())


def _doctor(arguments: argparse.Namespace) -> int:
    report = asyncio.run(examine(lambda: _settings(arguments), with_request=not arguments.no_request))
    say([as_json(report) if arguments.json else as_table(report)])
    return 0 if report.ok else PROBLEMS_FOUND


def _address_lines(settings: Settings, addresses: Sequence[str]) -> list[str]:
    host, port = _name_for_clients(settings), addresses[0].rpartition(":")[2]
    lines = [f"Listening on {' and '.join(addresses)}", f"Base URL for clients: http://{host}:{port}/v1"]
    if settings.public and not settings.allowed_hosts:
        lines.append("For clients on other machines set ALLOWED_HOSTS to the name by which they reach this one.")
    return lines


def _configuration_lines(settings: Settings) -> list[str]:
    files = [f"Settings from {' and '.join(settings.files)}"] if settings.files else []
    return [*files, *(f"Warning: {warning}" for warning in settings.warnings)]


def _name_for_clients(settings: Settings) -> str:
    """A name that the proxy answers to; an address to listen on, such as 0.0.0.0, need not be one."""
    if not settings.public:
        return f"[{settings.host}]" if ":" in settings.host else settings.host
    return next((name for name in settings.allowed_hosts if name != "*"), LOCALHOST)
