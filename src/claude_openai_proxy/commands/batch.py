"""`batch`: a file of requests, its way and its results, from the terminal. No server: it takes the way of a client's.

What it began goes on in any server of the same STATE_DIR, and in this command given the batch's id.
"""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from claude_openai_proxy.app.wiring import Wiring, wire
from claude_openai_proxy.commands.invocation import OK, PROBLEMS_FOUND, PROGRAM, Invocation, add_settings_flags
from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.protocols.openai_batches import Batch, BatchRequest
from claude_openai_proxy.records import LOCAL
from claude_openai_proxy.service.files import Upload
from claude_openai_proxy.serving.streams import complain, say
from claude_openai_proxy.settings import SettingsError
from claude_openai_proxy.storage.files import PIECE_BYTES

HELP = "run a file of requests (JSONL, as OpenAI's Batch API takes it), at half price where Claude's API answers"
SHOW_SECONDS: Final = 0.3
BAR: Final = 30
_ENDS: Final = ("completed", "failed", "expired", "cancelled")


class _Line(Struct):
    """What is looked at of the first one."""

    url: str = ""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """What is run, and where its results go."""
    parser.add_argument("file", metavar="FILE", help="the requests; or the id of a batch that was begun before")
    parser.add_argument("--wait", action="store_true", help="stay until it has ended, and write its results")
    parser.add_argument("--out", metavar="FILE", help="where results go (standard output); errors: FILE.errors")
    add_settings_flags(parser, "upstream", "log_level")


def run(invocation: Invocation) -> int:
    """Not OK where a line has failed, or all. Raises `SettingsError`."""
    arguments, settings = invocation.arguments, invocation.settings()
    if settings.storage.kind == "memory" and not arguments.wait:
        raise SettingsError("Nothing is kept here (STATE=memory, or --demo): add --wait, or the batch would be gone.")
    named, path = arguments.file.startswith("batch_"), invocation.cwd / arguments.file
    if not named and not path.is_file():
        raise SettingsError(f"There is no file {arguments.file}.")
    wiring = wire(settings)
    wiring.log.install()
    try:
        return asyncio.run(_run(wiring, arguments, None if named else path))
    except ProxyError as error:
        complain([f"{PROGRAM}: {error.message}"])
        return PROBLEMS_FOUND


async def _run(wiring: Wiring, arguments: argparse.Namespace, path: Path | None) -> int:
    async with wiring.running():
        id_ = arguments.file if path is None else await _begin(wiring, path)
        if wiring.stores.remains:
            complain([f"Goes on in any server of this STATE_DIR, or with: {PROGRAM} batch {id_} --wait"])
        if not arguments.wait:
            return OK
        batch = await _wait(wiring, id_)
        out = Path(arguments.out) if arguments.out else None
        await _write(wiring, batch.output_file_id, out)
        await _write(wiring, batch.error_file_id, out and out.with_name(f"{out.name}.errors"), errors=True)
    complain(
        [f"{PROGRAM}: {error.message} ({_place(error.line)})" for error in batch.errors.data] if batch.errors else []
    )
    return OK if batch.status == "completed" and not batch.request_counts.failed else PROBLEMS_FOUND


def _place(line: int | None) -> str:
    return "the file" if line is None else f"line {line}"


async def _begin(wiring: Wiring, path: Path) -> str:
    """Upload and create."""
    incoming, file = await wiring.batched.files.begin(LOCAL), None
    try:
        with path.open("rb") as content:
            endpoint = _endpoint(content.readline())
            content.seek(0)
            while piece := await asyncio.to_thread(content.read, PIECE_BYTES):
                await incoming.add(piece)
        file = await incoming.finish(Upload(f"{path.stem}.jsonl", b"", "batch"))
    finally:
        if file is None:
            await incoming.give_up()
    request = BatchRequest(input_file_id=file.id, endpoint=endpoint, completion_window="24h")
    batch, _ = await wiring.batched.batches.create(request, LOCAL)
    return batch.id


def _endpoint(first: bytes) -> str:
    """That of the first line: all lines have the same."""
    try:
        return msgspec.json.decode(first.removeprefix(b"\xef\xbb\xbf"), type=_Line).url
    except msgspec.DecodeError:
        return ""


async def _wait(wiring: Wiring, id_: str) -> Batch:
    """Until its end, telling how far it is."""
    shown = ""
    while True:
        batch, mode = await wiring.batched.batches.one(id_, LOCAL)
        told = progress(batch, mode, await wiring.batched.batches.cost(id_, LOCAL))
        if told != shown:
            _show(told, ended=batch.status in _ENDS)
            shown = told
        if batch.status in _ENDS:
            return batch
        await asyncio.sleep(SHOW_SECONDS)


def progress(batch: Batch, mode: str, dollars: float) -> str:
    """A bar of the lines that have ended, and what they cost."""
    counts = batch.request_counts
    done = counts.completed + counts.failed
    full = BAR * done // counts.total if counts.total else 0
    cost = f"${dollars:.4f} instead of ${2 * dollars:.4f}" if mode == "native" else f"${dollars:.4f} by list price"
    failed = f", {counts.failed} failed" if counts.failed else ""
    return f"[{'#' * full}{'.' * (BAR - full)}] {done} of {counts.total} lines{failed}, {cost}, {batch.status}"


def _show(told: str, *, ended: bool) -> None:
    """In place on a terminal, else a line each time."""
    if sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{told}" + ("\n" if ended else ""))
        sys.stderr.flush()
    else:
        complain([told])


async def _write(wiring: Wiring, id_: str | None, out: Path | None, *, errors: bool = False) -> None:
    if id_ is None:
        return
    _, pieces = await wiring.batched.files.pieces(id_, LOCAL)
    if out is not None:
        with out.open("wb") as file:
            async for piece in pieces:
                await asyncio.to_thread(file.write, piece)
        return
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        (complain if errors else say)([line.decode() for line in lines])
