"""`storage`: is the database whole, is it of this version, and all of it out into a file or in from one."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from claude_openai_proxy.app.moving import bring_in, write_out
from claude_openai_proxy.app.stores import Stores, stores
from claude_openai_proxy.commands.invocation import OK, PROBLEMS_FOUND, WRONG_SETTING, Invocation, add_settings_flags
from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.serving.streams import complain, say
from claude_openai_proxy.settings import SettingsError
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.storage.migration import newest
from claude_openai_proxy.storage.queued import QueuedDatabase

HELP = "check, compact or move what is kept"

_MEGABYTE: Final = 1024**2


def add_flags(parser: argparse.ArgumentParser) -> None:
    """A verb each."""
    add_settings_flags(parser)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="check | compact | migrate | export | import")
    verbs.add_parser("check", help="read all of it; exit code 1 where something is wrong")
    verbs.add_parser("compact", help="give free space back to the disk; a running server waits meanwhile")
    verbs.add_parser("migrate", help="make its tables those of this version, as every start does")
    out = verbs.add_parser("export", help="write all of it to a new SQLite file, as STATE_DIR has one")
    out.add_argument("file", metavar="FILE")
    into = verbs.add_parser("import", help="bring all of such a file into an empty database")
    into.add_argument("file", metavar="FILE")


def run(invocation: Invocation) -> int:
    """Raises `SettingsError` where nothing is kept, or the file must not be used."""
    settings = invocation.settings()
    kept = stores(settings, told=lambda _: None)
    if kept.database is None:
        raise SettingsError("STATE=memory keeps nothing that could be looked at.")
    verb = invocation.arguments.verb
    if verb in {"export", "import"}:
        file = invocation.cwd / Path(invocation.arguments.file).expanduser()
        return _move(kept, kept.database, file, out=verb == "export")
    return asyncio.run(_run(kept, kept.database, _VERBS[verb]))


def _move(kept: Stores, database: QueuedDatabase, file: Path, *, out: bool) -> int:
    if file.exists() is out:
        raise SettingsError(f"{file} exists already: take another name." if out else f"{file} is not there.")
    try:
        rows = (write_out if out else bring_in)(kept, database.engine, file)
    except ProxyError as error:
        complain([error.message])
        return WRONG_SETTING
    say([f"{file}: {'written' if out else 'brought in'}", *_row_lines(rows)])
    return OK


async def _run(kept: Stores, database: QueuedDatabase, verb: Callable[[QueuedDatabase], Awaitable[int]]) -> int:
    try:
        if refusal := await kept.open():
            raise SettingsError(refusal)
        return await verb(database)
    except StorageUnavailableError as error:
        complain([error.message])
        return PROBLEMS_FOUND
    finally:
        await kept.aclose()


async def _compact(database: QueuedDatabase) -> int:
    before, after = await database.compact()
    say([f"{database.state.where}: {before / _MEGABYTE:.1f} MB, now {after / _MEGABYTE:.1f} MB"])
    return OK


async def _migrate(database: QueuedDatabase) -> int:
    if trouble := database.state.trouble:
        raise StorageUnavailableError(trouble)
    say([f"{database.state.where}: version {newest()}"])
    return OK


async def _check(database: QueuedDatabase) -> int:
    problems, tables = await database.check()
    if problems:
        complain([f"{database.state.where}: {problem}" for problem in problems])
        return PROBLEMS_FOUND
    say([f"{database.state.where}: whole", *_row_lines(tables)])
    return OK


def _row_lines(tables: Mapping[str, int]) -> list[str]:
    return [f"  {name}: {rows} rows" for name, rows in tables.items()]


_VERBS: Final[Mapping[str, Callable[[QueuedDatabase], Awaitable[int]]]] = {
    "check": _check,
    "compact": _compact,
    "migrate": _migrate,
}
