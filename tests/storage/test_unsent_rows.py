"""Rows of the ledger outlive their process on the way to a database elsewhere: nothing is lost, nothing doubled."""

import asyncio
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.records import LedgerRow
from claude_openai_proxy.storage.unsent_rows import FOLDER, UnsentRows
from claude_openai_proxy.telemetry import ledger as module
from claude_openai_proxy.telemetry.ledger import Ledger
from storage.ledger_rows import ROW
from telemetry.test_ledger import record

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files there have no lock that goes with its process")

APPEND_AND_BE_KILLED = """
import os, signal, sys
from pathlib import Path
from msgspec.structs import replace
from claude_openai_proxy.storage.unsent_rows import UnsentRows
from storage.ledger_rows import ROW
rows = UnsentRows(Path(sys.argv[1]), "killed")
for number in range(3):
    rows.append(replace(ROW, id=f"req_{number}"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@dataclass
class Elsewhere:
    """A database across a network, which can be away."""

    kept: dict[str, LedgerRow] = field(default_factory=dict)
    away: bool = False
    sent: int = 0

    async def __call__(self, rows: Sequence[LedgerRow], *, oldest: float) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise ProxyError(f"away; nothing before {oldest} goes")
        self.sent += len(rows)
        self.kept |= {row.id: row for row in rows}


def ledger(elsewhere: Elsewhere, unsent: UnsentRows) -> Ledger:
    return Ledger(elsewhere, days=400, clock=lambda: 110.0, wall_clock=lambda: 1_800_000_000.0, unsent=unsent)


async def killed(directory: Path) -> Path:
    """A process that has three rows and is no more."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", APPEND_AND_BE_KILLED, str(directory), env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert await process.wait() == -9
    return directory / FOLDER / "killed.rows"


async def test_whoever_is_started_next_sends_what_a_killed_process_left(tmp_path: Path) -> None:
    file = await killed(tmp_path)
    file.write_bytes(file.read_bytes() + b'{"id": "req_cut", "at"')
    elsewhere = Elsewhere()
    book = ledger(elsewhere, UnsentRows(tmp_path, "next"))

    await book.open()
    assert book._writing
    await book._writing

    assert sorted(elsewhere.kept) == ["req_0", "req_1", "req_2"]
    assert elsewhere.kept["req_1"] == replace(ROW, id="req_1")
    assert not file.exists()
    await book.aclose()


async def test_what_others_left_waits_until_the_database_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.001)
    file, elsewhere = await killed(tmp_path), Elsewhere(away=True)
    book = ledger(elsewhere, UnsentRows(tmp_path, "next"))
    await book.open()
    await asyncio.sleep(0)
    assert file.exists()

    elsewhere.away = False

    assert book._writing
    await book._writing
    assert (len(elsewhere.kept), file.exists()) == (3, False)
    await book.aclose()


def test_the_file_of_a_process_that_runs_is_its_own(tmp_path: Path) -> None:
    running, other = UnsentRows(tmp_path, "running"), UnsentRows(tmp_path, "other")
    running.append(ROW)
    assert list(other.abandoned()) == []
    running.close()
    (left,) = other.abandoned()
    assert left.rows() == [ROW]
    assert list(UnsentRows(tmp_path, "third").abandoned()) == []
    left.close()


async def test_a_row_is_on_the_disk_until_it_is_kept(tmp_path: Path) -> None:
    elsewhere, unsent = Elsewhere(away=True), UnsentRows(tmp_path, "one")
    book = ledger(elsewhere, unsent)
    book.ended(record("req_1"))
    await book.flush()
    assert [row.id for row in unsent.rows()] == ["req_1"]

    elsewhere.away = False
    await book.flush()

    assert (list(elsewhere.kept), unsent.rows()) == (["req_1"], [])
    await book.aclose()
    assert list((tmp_path / FOLDER).iterdir()) == []


async def test_what_memory_has_no_room_for_comes_from_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 300)
    elsewhere, unsent = Elsewhere(away=True), UnsentRows(tmp_path, "one")
    book = ledger(elsewhere, unsent)
    for number in range(1000):
        book.ended(record(f"req_{number}"))
    await book.flush()
    elsewhere.away = False

    await book.flush()

    assert len(elsewhere.kept) == 1000
    assert unsent.rows() == []
    await book.aclose()


async def test_what_cannot_be_sent_before_the_end_stays(tmp_path: Path) -> None:
    book = ledger(Elsewhere(away=True), UnsentRows(tmp_path, "one"))
    book.ended(record("req_1"))
    await book.aclose()

    elsewhere = Elsewhere()
    again = ledger(elsewhere, UnsentRows(tmp_path, "again"))
    await again.open()
    assert again._writing
    await again._writing
    assert list(elsewhere.kept) == ["req_1"]
    await again.aclose()


async def test_a_disk_that_takes_nothing_is_told_once_and_rows_are_sent_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder should be", encoding="utf-8")
    elsewhere = Elsewhere()
    book = ledger(elsewhere, UnsentRows(tmp_path, "one"))
    with caplog.at_level(logging.WARNING):
        book.ended(record("req_1"))
        book.ended(record("req_2"))
    assert len(caplog.records) == 1
    await book.aclose()
    assert list(elsewhere.kept) == ["req_1", "req_2"]
