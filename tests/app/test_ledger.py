"""Every request of a whole proxy in the ledger: over restarts, and while the file is of no use."""

import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import msgspec
import pytest

from claude_openai_proxy.app.installation import DATABASE
from claude_openai_proxy.app.wiring import Wiring, wire
from claude_openai_proxy.records import LedgerRow
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.simulator.message_events import message_end, message_start
from claude_openai_proxy.simulator.script import Script
from claude_openai_proxy.storage.ledger import Choice
from claude_openai_proxy.storage.sqlite import connect
from web.direct import HELLO, STREAM, Answer, call

USAGE = {
    "input_tokens": 1_000,
    "output_tokens": 1,
    "cache_read_input_tokens": 5_000,
    "cache_creation_input_tokens": 300,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100},
    "speed": "fast",
}


def state_of(home: Path) -> Path:
    return home / ".local/state/claude-openai-proxy"


@asynccontextmanager
async def proxy(home: Path, url: str, **environment: str) -> AsyncIterator[Wiring]:
    login = {"ANTHROPIC_API_KEY": "sk-ant-made-up", "ANTHROPIC_BASE_URL": url, "UPSTREAM_RETRIES": "0"}
    wiring = wire(load_settings(Flags(), {"HOME": str(home), **login, **environment}, home))
    async with wiring.running():
        yield wiring


async def rows_of(home: Path, url: str) -> Sequence[LedgerRow]:
    """Read by another process's eyes: after a restart."""
    async with proxy(home, url) as again:
        return await again.stores.ledger.latest(Choice(0), 100)


async def asked(wiring: Wiring, body: bytes = HELLO, path: str = "/v1/chat/completions") -> Answer:
    return await call(wiring.application, "POST", path, body, headers={"user-agent": "OpenAI/Python 3.50"})


async def test_a_request_is_in_the_ledger_after_a_restart(
    tmp_path: Path, simulator: Simulator, simulator_url: str
) -> None:
    simulator.play(Script.events([message_start(usage=USAGE), *message_end("end_turn", usage={"output_tokens": 70})]))
    async with proxy(tmp_path, simulator_url) as wiring:
        assert (await asked(wiring, STREAM)).status == 200

    (row,) = await rows_of(tmp_path, simulator_url)

    assert (row.principal, row.key, row.client, row.dialect) == ("local", "local", "OpenAI/Python 3.50", "chat")
    assert (row.model_asked, row.model_used) == ("custom-claude-4-opus", "claude-opus-5-5")
    assert (row.upstream, row.billed, row.charged) == ("api", "gateway", None)
    assert (row.status, row.finish_reason, row.stream, row.choices) == (200, "stop", True, 1)
    assert (row.input_tokens, row.cached_tokens) == (6_300, 5_000)
    assert (row.cache_write_tokens, row.cache_write_1h_tokens, row.output_tokens) == (300, 100, 70)
    assert row.speed == "fast"
    assert row.list_price == pytest.approx((4_000 + 1_000 + 1_000 + 800 + 1_400) * 2 / 1e6)
    assert row.id != ""
    assert row.first_token_ms is not None
    assert row.first_token_ms <= row.total_ms


async def test_what_was_said_is_nowhere_in_it(tmp_path: Path, simulator_url: str) -> None:
    body = HELLO.replace(b"Hi", b"the prompt that nobody keeps")
    async with proxy(tmp_path, simulator_url, REASONING_STORE="off") as wiring:
        assert (await asked(wiring, body)).status == 200
    assert len(await rows_of(tmp_path, simulator_url)) == 1
    assert not any(b"nobody keeps" in file.read_bytes() for file in state_of(tmp_path).iterdir())


async def test_each_answer_of_several_is_priced_by_itself(
    tmp_path: Path, simulator: Simulator, simulator_url: str
) -> None:
    simulator.play(*[Script.text("Hi", usage={"input_tokens": 60_000, "output_tokens": 10})] * 2)
    body = b'{"model":"claude-haiku-5-5","n":2,"messages":[{"role":"user","content":"Hi"}]}'
    async with proxy(tmp_path, simulator_url) as wiring:
        assert (await asked(wiring, body)).status == 200

    (row,) = await rows_of(tmp_path, simulator_url)

    assert (row.choices, row.input_tokens, row.output_tokens) == (2, 120_000, 20)
    assert row.list_price == pytest.approx(2 * (60_000 * 0.1 + 10 * 0.5) / 1e6)


@pytest.mark.parametrize(
    ("path", "body", "dialect"),
    [
        ("/v1/completions", b'{"model":"claude-opus-5-5","prompt":"Once"}', "completions"),
        (
            "/v1/messages",
            HELLO.replace(b"custom-claude-4-opus", b"claude-opus-5-5")[:-1] + b',"max_tokens":9}',
            "messages",
        ),
        ("/v1/responses", b'{"model":"claude-opus-5-5","input":"Hi"}', "responses"),
    ],
)
async def test_every_dialect_is_in_the_ledger(
    tmp_path: Path, simulator_url: str, path: str, body: bytes, dialect: str
) -> None:
    async with proxy(tmp_path, simulator_url) as wiring:
        assert (await asked(wiring, body, path)).status == 200
    (row,) = await rows_of(tmp_path, simulator_url)
    assert (row.dialect, row.route, row.status) == (dialect, path, 200)
    assert row.input_tokens > 0
    assert row.output_tokens > 0
    assert row.list_price > 0


async def test_a_response_in_the_background_is_there_with_what_it_used_in_the_end(
    tmp_path: Path, simulator_url: str
) -> None:
    body = b'{"model":"claude-opus-5-5","input":"Hi","background":true}'
    async with proxy(tmp_path, simulator_url) as wiring:
        queued = msgspec.json.decode((await asked(wiring, body, "/v1/responses")).body)
        status = queued["status"]
        while status != "completed":
            answer = await call(wiring.application, "GET", f"/v1/responses/{queued['id']}")
            status = msgspec.json.decode(answer.body)["status"]
    (row,) = await rows_of(tmp_path, simulator_url)
    assert (row.dialect, row.finish_reason) == ("responses", "completed")
    assert row.output_tokens > 0


async def test_requests_that_failed_are_there_with_their_error(tmp_path: Path, simulator_url: str) -> None:
    async with proxy(tmp_path, simulator_url) as wiring:
        assert (await asked(wiring, b'{"model":"no-such","messages":[]}')).status == 404
        assert (await asked(wiring, b"{")).status == 400

    rows = await rows_of(tmp_path, simulator_url)

    assert [(row.status, row.error, row.model_asked, row.list_price) for row in rows] == [
        (400, "InvalidRequestError", "", 0.0),
        (404, "ModelNotFoundError", "no-such", 0.0),
    ]


async def test_a_client_cannot_bring_down_what_reads_the_ledger_by_its_names(
    tmp_path: Path, simulator_url: str
) -> None:
    body = b'{"model":"\\ud83d\\u001b[2J\\u0000' + b"x" * 300 + b'","messages":[{"role":"user","content":"Hi"}]}'
    async with proxy(tmp_path, simulator_url) as wiring:
        await asked(wiring, body)
    rows = await rows_of(tmp_path, simulator_url)
    assert all(row.model_asked.isprintable() and len(row.model_asked) <= 120 for row in rows)


async def test_without_days_there_is_none(tmp_path: Path, simulator_url: str) -> None:
    async with proxy(tmp_path, simulator_url) as wiring:
        await asked(wiring)
    async with proxy(tmp_path, simulator_url, LEDGER_DAYS="0") as wiring:
        await asked(wiring)
    assert await rows_of(tmp_path, simulator_url) == []


# ---- a file of no use -----------------------------------------------------------------------------------------------


async def test_a_corrupt_file_holds_no_request_up_and_is_told_once(
    tmp_path: Path, simulator_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with proxy(tmp_path, simulator_url) as wiring:
        await asked(wiring)
        await wiring.ledger.flush()
        spoil(state_of(tmp_path) / DATABASE)
        answers = []
        for _ in range(3):
            answers.append(await asked(wiring))
            await wiring.ledger.flush()
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert len(told(caplog)) == 1


async def test_a_locked_file_holds_no_request_up_is_told_once_and_the_rows_come_later(
    tmp_path: Path, simulator_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_openai_proxy.storage.sqlite.BUSY_SECONDS", 0.01)
    async with proxy(tmp_path, simulator_url) as wiring:
        await asked(wiring)
        with closing(sqlite3.connect(state_of(tmp_path) / DATABASE, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            answers = [await asked(wiring) for _ in range(3)]
            await wiring.ledger.flush()
            other.execute("ROLLBACK")
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert told(caplog) == ["database is locked"]
    assert len(await rows_of(tmp_path, simulator_url)) == 4


async def test_a_full_disk_holds_no_request_up_and_is_told_once(
    tmp_path: Path, simulator_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_no_page_more(path: Path, *, own: bool) -> sqlite3.Connection:
        connection = connect(path, own=own)
        connection.execute("PRAGMA max_page_count=1")  # SQLite makes of it what there are
        return connection

    monkeypatch.setattr("claude_openai_proxy.storage.sqlite.connect", with_no_page_more)
    async with proxy(tmp_path, simulator_url) as wiring:
        answers = [await asked(wiring, b'{"model":"' + b"m" * 120 + b'","messages":[]}') for _ in range(300)]
    assert {answer.status for answer in answers} == {404}
    assert told(caplog) == ["database or disk is full"]


def spoil(file: Path) -> None:
    """By another process: closing the file in this one would take SQLite's locks on it away."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = file.stat().st_size
    command = f"import os; f = open({str(file)!r}, 'r+b'); f.write(os.urandom({size}))"
    subprocess.run([sys.executable, "-c", command], check=True)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said of the trouble itself, in SQLite's words."""
    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    return [
        line.partition(f"{DATABASE}: ")[2].partition(".")[0]
        for line in lines
        if line.startswith("Storage: ") or "ledger" in line
    ]
