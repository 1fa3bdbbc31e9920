"""`config`: every setting, what it is now, where that comes from, and what it would be otherwise."""

import argparse

import msgspec
from msgspec import Struct

from claude_openai_proxy.app.start import printable
from claude_openai_proxy.commands.invocation import OK, SETTINGS_BY_FLAG, Invocation, add_settings_flags
from claude_openai_proxy.commands.tables import aligned
from claude_openai_proxy.serving.streams import complain, say
from claude_openai_proxy.settings import SETTINGS, Settings

HELP = "show every setting, its value and where it comes from"


class ShownSetting(Struct, frozen=True):
    """One setting; `value` is `***` for a secret that is set."""

    name: str
    value: str
    source: str
    default: str


class ShownSettings(Struct, frozen=True):
    """All of them, and the files that were read."""

    settings: tuple[ShownSetting, ...]
    files: tuple[str, ...]
    warnings: tuple[str, ...]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Those of the server, so that what they would do can be seen."""
    add_settings_flags(parser, *SETTINGS_BY_FLAG)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(invocation: Invocation) -> int:
    """Raises `SettingsError`, which tells everything that is wrong."""
    shown = shown_settings(invocation.settings())
    if invocation.arguments.json:
        say([msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()])
        return OK
    rows = [(one.name, printable(one.value), printable(one.source), one.default) for one in shown.settings]
    say(aligned(("setting", "value", "from", "default"), rows))
    complain([f"Warning: {printable(warning)}" for warning in shown.warnings])
    return OK


def shown_settings(settings: Settings) -> ShownSettings:
    """In the order of the table."""
    rows = (
        ShownSetting(
            name=setting.name,
            value=settings.shown[setting.name],
            source=settings.sources[setting.name],
            default=setting.shown_default,
        )
        for setting in SETTINGS
    )
    return ShownSettings(tuple(rows), settings.files, settings.warnings)
