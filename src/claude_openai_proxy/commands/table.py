"""Which commands there are, and how a command line is read: also one that is nearly right."""

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final, NoReturn, Protocol

from claude_openai_proxy import __version__
from claude_openai_proxy.commands import (
    batch,
    chat,
    completion,
    config,
    doctor,
    keys,
    login,
    logs,
    models,
    selftest,
    serve,
    service,
    setup,
    status,
    storage,
    usage,
)
from claude_openai_proxy.commands.invocation import PROGRAM, WRONG_SETTING, Invocation

DEFAULT: Final = "serve"
_HELP: Final = frozenset({"help", "--help", "-h"})
_SYNONYMS: Final = {"start": DEFAULT, "-V": "--version"}


class Command(Protocol):
    """What each file of the room has."""

    @property
    def HELP(self) -> str:  # noqa: N802 - a module's constant
        """A line."""
        ...

    def add_flags(self, parser: argparse.ArgumentParser) -> None:
        """What may be said of it."""
        ...

    def run(self, invocation: Invocation) -> int:
        """Do it; the exit code."""
        ...


COMMANDS: Final[dict[str, Command]] = {
    "serve": serve,
    "models": models,
    "doctor": doctor,
    "login": login,
    "selftest": selftest,
    "chat": chat,
    "batch": batch,
    "setup": setup,
    "service": service,
    "config": config,
    "completion": completion,
    "keys": keys,
    "storage": storage,
    "status": status,
    "logs": logs,
    "usage": usage,
}


class _Parser(argparse.ArgumentParser):
    """Names the flag that was probably meant."""

    def without_value(self) -> list[str]:
        """The flags that the next word does not belong to."""
        return [flag for action in self._actions if action.nargs == 0 for flag in action.option_strings]

    def error(self, message: str) -> NoReturn:
        """In a line, with what was probably meant."""
        wrong = message.partition("unrecognized arguments: ")[2].partition(" ")[0].partition("=")[0]
        known = [flag for action in self._actions for flag in action.option_strings]
        meant = get_close_matches(wrong, known, n=1) if wrong.startswith("-") else []
        hint = f": did you mean {meant[0]}?" if meant else f". What there is: {self.prog} --help"
        self.exit(WRONG_SETTING, f"{PROGRAM}: {message}{hint}\n")


def read(words: Sequence[str]) -> argparse.Namespace:
    """The arguments, with `command`. Ends the program for help, the version, and what cannot be read."""
    known = parsers()
    name, rest = _split(list(words), known)
    if name == "help":
        return _help(rest, known)
    arguments = known[name].parse_args(rest)
    arguments.command = name
    return arguments


def parsers() -> dict[str, _Parser]:
    """One for each command."""
    return {name: _parser_of(name, command) for name, command in COMMANDS.items()}


def _parser_of(name: str, command: Command) -> _Parser:
    parser = _Parser(prog=f"{PROGRAM} {name}", description=command.HELP.capitalize() + ".", allow_abbrev=False)
    command.add_flags(parser)
    return parser


def _split(words: list[str], known: dict[str, _Parser]) -> tuple[str, list[str]]:
    """The command, wherever it stands, and the other words; `serve` is meant where none is named."""
    alone = {flag for parser in known.values() for flag in parser.without_value()}
    belongs_to_flag = False
    for place, word in enumerate(words):
        plain = _SYNONYMS.get(word, word)
        if belongs_to_flag:
            belongs_to_flag = False
        elif plain == "--version":
            print(f"{PROGRAM} {__version__}")
            raise SystemExit(0)
        elif plain in _HELP or not word.startswith("-"):
            rest = [*words[:place], *words[place + 1 :]]
            return _command(plain), rest
        else:
            belongs_to_flag = "=" not in word and word not in alone
    return DEFAULT, words


def _command(word: str) -> str:
    if word in COMMANDS or word in _HELP:
        return word if word in COMMANDS else "help"
    return _unknown(word)


def _unknown(word: str) -> NoReturn:
    meant = get_close_matches(word, [*COMMANDS, *_SYNONYMS, "help"], n=1)
    hint = f": did you mean {meant[0]}?" if meant else "."
    told = f"{PROGRAM}: there is no command {word!r}{hint} Commands: {', '.join(COMMANDS)}, help\n"
    _Parser().exit(WRONG_SETTING, told)


def _help(words: Sequence[str], known: dict[str, _Parser]) -> NoReturn:
    """Of one command, or of all: then with the flags of the one that is meant where none is named."""
    for word in words:
        if (name := _SYNONYMS.get(word, word)) in known:
            print(known[name].format_help())
            raise SystemExit(0)
    listed = "\n".join(f"  {name:<10} {command.HELP}" for name, command in COMMANDS.items())
    flags = known[DEFAULT].format_help().partition("options:")[2]
    print(
        f"usage: {PROGRAM} [command] [flags]\n\n"
        "An OpenAI-compatible API server that answers with Claude.\n\n"
        f"commands:\n{listed}\n  help       this; help COMMAND: the flags of a command\n  --version, -V\n\n"
        f"flags of {DEFAULT}, which is meant where no command is named:{flags}"
    )
    raise SystemExit(0)
