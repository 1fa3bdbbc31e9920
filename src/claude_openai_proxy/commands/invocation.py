"""One call of the program: its words, what surrounds it, and the settings that follow from both."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from claude_openai_proxy.settings import SETTINGS, Flags, Settings, load_settings

PROGRAM = "claude-openai-proxy"
OK = 0
PROBLEMS_FOUND = 1
WRONG_SETTING = 2

SETTINGS_BY_FLAG = {setting.flag.removeprefix("--").replace("-", "_"): setting for setting in SETTINGS if setting.flag}


@dataclass(frozen=True, slots=True)
class Invocation:
    """`words` is the command line without the program, `arguments` what was read from it."""

    arguments: argparse.Namespace
    words: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    cwd: Path

    def settings(self) -> Settings:
        """Read once per call. Raises `SettingsError`."""
        given = {setting.name: getattr(self.arguments, name, None) for name, setting in SETTINGS_BY_FLAG.items()}
        flags = Flags(
            texts={name: text for name, text in given.items() if text is not None},
            env_file=self.arguments.env_file,
            demo=self.arguments.demo,
        )
        return load_settings(flags, self.environment, self.cwd)


def add_settings_flags(parser: argparse.ArgumentParser, *names: str) -> None:
    """The flags of these settings, and those that every command has which reads settings."""
    for name in names:
        setting = SETTINGS_BY_FLAG[name]
        about = f"{setting.description} Allowed: {setting.allowed}. Default: {setting.shown_default}. ({setting.name})"
        parser.add_argument(setting.flag, dest=name, metavar=name.upper(), help=about.replace("%", "%%"))
    parser.add_argument("--env-file", metavar="FILE", help="read this file instead of .env of the working directory")
    parser.add_argument("--demo", action="store_true", help="answer with the built-in simulator: no login, no network")
