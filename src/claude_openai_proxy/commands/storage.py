"""`storage`: is the database whole, and give back the space that it no longer needs."""

import argparse
import asyncio
from typing import Final

from claude_openai_proxy.app.stores import stores
from claude_openai_proxy.commands.invocation import OK, PROBLEMS_FOUND, Invocation, add_settings_flags
from claude_openai_proxy.serving.streams import complain, say
from claude_openai_proxy.settings import SettingsError
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.storage.queued import QueuedDatabase

HELP = "check or compact what is kept"

_MEGABYTE: Final = 1024**2


def add_flags(parser: argparse.ArgumentParser) -> None:
    """A verb each."""
    add_settings_flags(parser)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="check | compact")
    verbs.add_parser("check", help="read all of it; exit code 1 where something is wrong")
    verbs.add_parser("compact", help="give free space back to the disk; a running server waits meanwhile")


def run(invocation: Invocation) -> int:
    """Raises `SettingsError` where nothing is kept."""
    settings = invocation.settings()
    kept = stores(settings, told=lambda _: None)
    if kept.database is None:
        raise SettingsError("STATE=memory keeps nothing that could be looked at.")
    return asyncio.run(_run(invocation.arguments.verb, kept.database))


async def _run(verb: str, database: QueuedDatabase) -> int:
    try:
        await asyncio.to_thread(database.open)
        if verb == "compact":
            before, after = await database.compact()
            say([f"{database.state.where}: {before / _MEGABYTE:.1f} MB, now {after / _MEGABYTE:.1f} MB"])
            return OK
        problems, tables = await database.check()
    except StorageUnavailableError as error:
        complain([error.message])
        return PROBLEMS_FOUND
    finally:
        await database.aclose()
    if problems:
        complain([f"{database.state.where}: {problem}" for problem in problems])
        return PROBLEMS_FOUND
    say([f"{database.state.where}: whole", *(f"  {name}: {rows} rows" for name, rows in tables.items())])
    return OK
