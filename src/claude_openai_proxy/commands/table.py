"""Which commands there are, and how a command line is read: also one that is nearly right."""

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Final, NoReturn, Protocol, cast

from claude_openai_proxy import __version__
from claude_openai_proxy.commands.invocation import PROGRAM, WRONG_SETTING, Invocation

DEFAULT: Final = "serve"
_ROOM: Final = __name__.rpartition(".")[0]
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


COMMANDS: Final = (
    "serve",
    "models",
    "doctor",
    "login",
    "selftest",
    "chat",
    "batch",
    "setup",
    "service",
    "config",
    "completion",
    "keys",
    "storage",
    "status",
    "logs",
    "usage",
)
"""Each is a file of the room, which is imported when it is meant: most need little of what the server needs."""


def command(name: str) -> Command:
    """One of `COMMANDS`."""
    return cast("Command", import_module(f"{_ROOM}.{name}"))


class Parser(argparse.ArgumentParser):
    """Names the flag that was probably meant."""

    def flags(self) -> set[str]:
        """All of them."""
        return {flag for action in self._actions for flag in action.option_strings}

    def without_value(self) -> list[str]:
        """The flags that the next word does not belong to."""
        return [flag for action in self._actions if action.nargs == 0 for flag in action.option_strings]

    def error(self, message: str) -> NoReturn:
        """In a line, with what was probably meant."""
        wrong = message.partition("unrecognized arguments: ")[2].partition(" ")[0].partition("=")[0]
        meant = get_close_matches(wrong, sorted(self.flags()), n=1) if wrong.startswith("-") else []
        hint = f": did you mean {meant[0]}?" if meant else f". What there is: {self.prog} --help"
        self.exit(WRONG_SETTING, f"{PROGRAM}: {message}{hint}\n")


def read(words: Sequence[str]) -> argparse.Namespace:
    """The arguments, with `command`. Ends the program for help, the version, and what cannot be read."""
    name, rest = _split(list(words))
    if name == "help":
        return _help(rest)
    arguments = parser(name).parse_args(rest)
    arguments.command = name
    return arguments


def parser(name: str) -> Parser:
    """Of one of `COMMANDS`."""
    meant = command(name)
    made = Parser(prog=f"{PROGRAM} {name}", description=meant.HELP.capitalize() + ".", allow_abbrev=False)
    meant.add_flags(made)
    return made


def _split(words: list[str]) -> tuple[str, list[str]]:
    """The command, wherever it stands, and the other words; `serve` is meant where none is named."""
    alone: frozenset[str] | None = None
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
        elif "=" not in word:
            alone = alone or _without_value(words)
            belongs_to_flag = word not in alone
    return DEFAULT, words


def _without_value(words: list[str]) -> frozenset[str]:
    """The flags that the next word does not belong to: of `serve`, and of every command where it lacks one of these."""
    named = {word.partition("=")[0] for word in words if word.startswith("-")}
    meant = parser(DEFAULT)
    known = [meant] if named <= meant.flags() else [parser(name) for name in COMMANDS]
    return frozenset(flag for each in known for flag in each.without_value())


def _command(word: str) -> str:
    if word in COMMANDS or word in _HELP:
        return word if word in COMMANDS else "help"
    return _unknown(word)


def _unknown(word: str) -> NoReturn:
    meant = get_close_matches(word, [*COMMANDS, *_SYNONYMS, "help"], n=1)
    hint = f": did you mean {meant[0]}?" if meant else "."
    told = f"{PROGRAM}: there is no command {word!r}{hint} Commands: {', '.join(COMMANDS)}, help\n"
    Parser().exit(WRONG_SETTING, told)


def _help(words: Sequence[str]) -> NoReturn:
    """Of one command, or of all: then with the flags of the one that is meant where none is named."""
    for word in words:
        if (name := _SYNONYMS.get(word, word)) in COMMANDS:
            print(parser(name).format_help())
            raise SystemExit(0)
    listed = "\n".join(f"  {name:<10} {command(name).HELP}" for name in COMMANDS)
    flags = parser(DEFAULT).format_help().partition("options:")[2]
    print(
        f"usage: {PROGRAM} [command] [flags]\n\n"
        "An OpenAI-compatible API server that answers with Claude.\n\n"
        f"commands:\n{listed}\n  help       this; help COMMAND: the flags of a command\n  --version, -V\n\n"
        f"flags of {DEFAULT}, which is meant where no command is named:{flags}"
    )
    raise SystemExit(0)
