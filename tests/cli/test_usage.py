"""`usage`: what it prints of a ledger, whether a server runs or not."""

import asyncio
import json
import re
import signal
import subprocess
import urllib.request
from pathlib import Path
from time import time

from msgspec.structs import replace

from claude_openai_proxy.records import LedgerRow
from claude_openai_proxy.storage.ledger import StoredLedger
from claude_openai_proxy.storage.sqlite import SQLiteDatabase
from cli.running import finished, running
from cli.test_keys import LOGIN, becomes
from storage.ledger_rows import ROW


def usage(home: Path, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return finished("usage", *words, home=home, extra={"PYTHONIOENCODING": "utf-8", **extra})


def kept(home: Path, *rows: LedgerRow) -> None:
    async def keep() -> None:
        file = home / ".local/state/claude-openai-proxy/state.db"
        database = SQLiteDatabase(file, told=lambda _: None)
        await StoredLedger(database).keep(rows, oldest=0)
        await database.aclose()

    asyncio.run(keep())


def test_a_table_with_bars_and_a_total(tmp_path: Path) -> None:
    cheap = replace(ROW, at=time(), input_tokens=1_234_567, cached_tokens=0, list_price=1.0, charged=None)
    dear = replace(ROW, id="2", at=time(), model_used="claude-opus-5-5", list_price=4.0, charged=0.0, status=500)
    kept(tmp_path, cheap, dear)

    run = usage(tmp_path, "--by", "model")

    assert run.returncode == 0
    assert run.stdout.splitlines() == [
        "MODEL              REQUESTS  FAILED      INPUT  CACHED  OUTPUT  LIST PRICE  CHARGED",
        "claude-opus-5-5           1       1      1,000     60%      50       $4.00    $0.00  ████████████████████",
        "claude-sonnet-5-5         1       -  1,234,567      0%      50       $1.00    $0.00  █████",
        "total                     2       1  1,235,567      0%     100       $5.00    $0.00",
        "0% of the input was read from the cache.",
        "Not in CHARGED: 1 requests paid to a gateway or a cloud, which has prices of its own.",
    ]


def test_nothing_kept_is_said(tmp_path: Path) -> None:
    assert usage(tmp_path).stdout.startswith("No requests since 20")


def test_a_terminal_without_blocks_gets_others(tmp_path: Path) -> None:
    kept(tmp_path, replace(ROW, at=time()))
    run = usage(tmp_path, PYTHONIOENCODING="ascii")
    assert run.stdout.splitlines()[1].endswith("$0.25  ####################")


def test_json_and_csv(tmp_path: Path) -> None:
    kept(tmp_path, replace(ROW, at=time(), client="=1+1"))
    told = json.loads(usage(tmp_path, "--by", "client", "--since", "24h", "--json").stdout)
    assert (told["by"], told["groups"][0]["name"], told["total"]["requests"]) == ("client", "=1+1", 1)
    lines = usage(tmp_path, "--by", "client", "--csv").stdout.splitlines()
    assert lines[1].startswith('"\'=1+1",1,0,1000,')


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    wrong = usage(tmp_path, "--since", "soon")
    assert (wrong.returncode, "is not a span of time" in wrong.stderr) == (2, True)
    memory = usage(tmp_path, STATE="memory")
    assert (memory.returncode, "GET /usage" in memory.stderr) == (2, True)


def test_a_file_of_no_use_is_said_in_a_line(tmp_path: Path) -> None:
    state = tmp_path / ".local/state/claude-openai-proxy"
    state.mkdir(parents=True, mode=0o700)
    (state / "state.db").write_bytes(b"no database, but long enough to be looked at" * 200)
    run = usage(tmp_path)
    assert run.returncode == 1
    assert run.stderr.splitlines() == [f"{state / 'state.db'}: file is not a database."]


def test_a_link_to_the_page_of_the_running_server(tmp_path: Path) -> None:
    with running("serve", "--port", "0", home=tmp_path, extra=LOGIN) as command:
        port = command.port()
        told = usage(tmp_path, "--open", PORT=str(port))
        assert (told.returncode, told.stdout) == (0, f"http://localhost:{port}/usage\n")

        finished("keys", "add", "ann", home=tmp_path)
        becomes(command, port, "", 401)
        told = usage(tmp_path, "--open", PORT=str(port))

        assert re.fullmatch(rf"http://localhost:{port}/usage#[0-9a-f]{{32}}\n", told.stdout)
        assert told.stderr == "Good for 60 seconds, and once.\n"
        code = told.stdout.strip().rpartition("#")[2]
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/usage/session", method="POST", headers={"x-usage-code": code}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            cookie = answer.headers["set-cookie"].partition(";")[0]
        page = urllib.request.Request(
            f"http://127.0.0.1:{port}/usage", headers={"cookie": cookie, "accept": "text/html"}
        )
        with urllib.request.urlopen(page, timeout=60) as answer:
            assert b"<h1>Usage</h1>" in answer.read()
        command.signal(signal.SIGTERM)
        command.end()
        assert code not in command.errors()
        assert cookie not in command.errors()


def test_without_a_server_there_is_no_link(tmp_path: Path) -> None:
    told = usage(tmp_path, "--open", PORT="9")
    assert told.returncode == 1
    assert told.stderr.startswith("Nothing answers at http://127.0.0.1:9/usage/link. Start the proxy first")
