"""What PostgreSQL is asked for: rows and responses a second, bytes and log bytes of a request, connections.

python benchmarks/database.py [ROWS]     20,000 rows of the ledger unless told otherwise; Linux

The server is one of its own, as `initdb` makes it. Log bytes are those of the write-ahead log (WAL) after a checkpoint,
so whole pages are among them. What is told a second depends on how busy this machine is; processor time does not.
"""

import asyncio
import multiprocessing
import os
import re
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import msgspec

from claude_openai_proxy.app.wiring import Wiring, wire
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.simulator.script import Script
from claude_openai_proxy.storage.client_keys import StoredKey, new_secret
from claude_openai_proxy.storage.ledger import Choice, StoredLedger
from claude_openai_proxy.storage.responses import Item, StoredObject
from claude_openai_proxy.storage.responses_sql import StoredResponses
from claude_openai_proxy.storage.sealing import Seal
from claude_openai_proxy.telemetry.ledger import BATCH_ROWS
from postgresql_server import execute, private_server
from storage.databases import postgresql_at
from storage.ledger_rows import ROW
from web.direct import call

MODEL = "claude-opus-5-5"
REQUESTS = 500
TEXT = "All work and no play makes a dull answer. "


# ---- the ledger alone -----------------------------------------------------------------------------------------------


def write_rows(url: str, first: int, count: int, ready: Barrier | None = None) -> None:
    """As one process does that has many: batch after batch, beginning when all are `ready`."""

    async def write() -> None:
        database = postgresql_at(url)
        ledger, now = StoredLedger(database), time.time()
        await ledger.keep([], oldest=now - 400 * 86_400)
        if ready:
            ready.wait()
        for start in range(first, first + count, BATCH_ROWS):
            numbers = range(start, min(start + BATCH_ROWS, first + count))
            rows = [msgspec.structs.replace(ROW, id=f"req_{n * 7919:024x}", at=now + n / 1000) for n in numbers]
            await ledger.keep(rows, oldest=now - 400 * 86_400)
        await database.aclose()

    asyncio.run(write())


def keep_responses(url: str, first: int, count: int, ready: Barrier) -> None:
    """As one process does that answers 16 clients: each response is kept before its answer ends."""

    async def keep() -> None:
        database = postgresql_at(url)
        store, numbers = StoredResponses(database, lambda: Seal(bytes(32))), iter(range(first, first + count))
        await store.one("response", "ann", "none", 0.0)
        ready.wait()

        async def client() -> None:
            for number in numbers:
                items = [Item(f"item_{number}", "input", TEXT.encode() * 20), Item(f"out_{number}", "output", b"{}")]
                await store.add(StoredObject(f"resp_{number}", "response", "ann", time.time(), b"{}"), items, 0.0)

        await asyncio.gather(*(client() for _ in range(16)))
        await database.aclose()

    asyncio.run(keep())


def rate(
    url: str, what: str, work: Callable[[str, int, int, Barrier], None], count: int, processes: int
) -> dict[str, float]:
    """`count` of each process: a second of all together, and the log bytes and processor time of one."""
    made = int(_number(url, "SELECT count(*) FROM ledger") + _number(url, "SELECT count(*) FROM stored_objects"))
    spawning = multiprocessing.get_context("spawn")
    ready = spawning.Barrier(processes + 1)
    running = [
        spawning.Process(target=work, args=(url, made + number * count, count, ready)) for number in range(processes)
    ]
    for one in running:
        one.start()
    with logged(url) as log_bytes:
        used = cpu_seconds(url)
        ready.wait()
        began = time.monotonic()
        for one in running:
            one.join()
        seconds, all_ = time.monotonic() - began, processes * count
        assert not any(one.exitcode for one in running)
        named = f"{what}, {processes} at once"
        return {
            f"{named}: a second": all_ / seconds,
            f"{named}: log bytes of one": log_bytes() / all_,
            f"{named}: server's CPU, microseconds of one": (cpu_seconds(url) - used) / all_ * 1e6,
        }


def sums_a_second(url: str) -> float:
    """Rows that the longest question of the usage page goes through."""

    async def ask() -> float:
        database = postgresql_at(url)
        ledger = StoredLedger(database)
        await ledger.sums(Choice(0), ["day", "model"])
        began = time.monotonic()
        sums = await ledger.sums(Choice(0), ["day", "model"])
        seconds = time.monotonic() - began
        await database.aclose()
        return sum(one.requests for one in sums) / seconds

    return asyncio.run(ask())


# ---- a whole proxy --------------------------------------------------------------------------------------------------


def proxy(url: str, home: str, claude: str) -> Wiring:
    environment = {"HOME": home, "ANTHROPIC_API_KEY": "sk-ant-made-up", "ANTHROPIC_BASE_URL": claude}
    environment |= {"DATABASE_URL": url, "STORAGE_KEY": "the-same-for-all-of-them", "LOG_LEVEL": "error"}
    return wire(load_settings(Flags(), environment, Path(home)))


async def request_costs(url: str) -> dict[str, float]:
    """Of a whole proxy in this process: bytes, log bytes and transactions a request, connections, idle and busy."""
    simulator, figures = Simulator(keep=1), dict[str, float]()
    with tempfile.TemporaryDirectory() as home:
        async with simulator.serve() as claude:
            wiring = proxy(url, home, claude)
            async with wiring.running():
                key = new_secret()
                await wiring.stores.client_keys.add(StoredKey("key_1", "ann", created=1.0), key)

                async def ask(path: str, body: dict[str, Any]) -> None:
                    headers = {"authorization": f"Bearer {key}"}
                    answer = await call(wiring.application, "POST", path, msgspec.json.encode(body), headers=headers)
                    assert answer.status == 200, answer.body

                async def chat() -> None:
                    await ask("/v1/chat/completions", {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]})

                async def response() -> None:
                    await ask("/v1/responses", {"model": MODEL, "input": TEXT * 200})

                simulator.play_when(lambda _: True, Script.text(TEXT * 100))
                for name, one in (("chat", chat), ("kept response", response)):
                    figures |= await _cost(url, wiring, name, one)
                figures["connections of a process"] = _connections(url)
                figures |= _memory(url)
                figures |= await _idle(url, wiring, chat)
    return figures


async def _cost(url: str, wiring: Wiring, name: str, ask: Callable[[], Awaitable[None]]) -> dict[str, float]:
    for _ in range(100):  # every connection is there then, and has met every statement
        await ask()
    await _settled(wiring)
    before, transactions = _size(url), _transactions(url)
    used = cpu_seconds(url)
    with logged(url) as log_bytes:
        for _ in range(REQUESTS):
            await ask()
        await _settled(wiring)
    return {
        f"bytes, {name}": (_size(url) - before) / REQUESTS,
        f"log bytes, {name}": log_bytes() / REQUESTS,
        f"server's CPU, microseconds, {name}": (cpu_seconds(url) - used) / REQUESTS * 1e6,
        f"transactions, {name}": (_transactions(url) - transactions) / REQUESTS,
    }


async def _idle(url: str, wiring: Wiring, ask: Callable[[], Awaitable[None]]) -> dict[str, float]:
    """Transactions a second while there is a request every second, and while there is none."""
    figures = {}
    for name, seconds, pause in (("a request a second", 10, 1.0), ("no request", 10, 0.0)):
        before, began = _transactions(url), time.monotonic()
        for _ in range(seconds if pause else 0):
            await ask()
            await asyncio.sleep(pause)
        if not pause:
            await asyncio.sleep(seconds)
        await _settled(wiring)
        figures[f"transactions a second, {name}"] = (_transactions(url) - before) / (time.monotonic() - began)
    return figures


async def _settled(wiring: Wiring) -> None:
    await wiring.ledger.flush()
    assert wiring.stores.database is not None
    await wiring.stores.database.settle()


# ---- what the server counts -----------------------------------------------------------------------------------------


@contextmanager
def logged(url: str) -> Iterator[Callable[[], float]]:
    """Bytes of the write-ahead log since then; whatever else the server does counts, too."""
    execute(url, "CHECKPOINT")
    start = _number(url, written := "SELECT pg_current_wal_insert_lsn() - '0/0'")
    yield lambda: _number(url, written) - start


def cpu_seconds(url: str) -> float:
    """That the server's processes have used, those that have ended, too."""
    backend = int(_number(url, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"))
    server = int(_stat(backend)[1])
    children = Path(f"/proc/{server}/task/{server}/children").read_text(encoding="ascii").split()
    ticks = sum(int(ticks) for ticks in _stat(server)[11:15])  # utime, stime, and of the children that have ended
    for child in children:
        with suppress(FileNotFoundError):
            ticks += sum(int(ticks) for ticks in _stat(int(child))[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(process: int) -> list[str]:
    """https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, from the third field on."""
    return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()


def _size(url: str, name: str = "") -> float:
    """Of all tables that begin so, with their indexes."""
    return _number(
        url,
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
        f"WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname LIKE '{name}%'",
    )


def _transactions(url: str) -> float:
    """That this database has seen, this question not among them."""
    time.sleep(1.2)  # the server tells them after a second
    return _number(url, "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()")


def _connections(url: str) -> float:
    return _number(
        url,
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE application_name = 'claude-openai-proxy' AND datname = current_database()",
    )


def _memory(url: str) -> dict[str, float]:
    """Of a connection's process at the server, shared pages in part; only root may look."""
    try:
        sizes = [
            re.search(r"^Pss: +(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii"), re.MULTILINE)
            for (pid,) in execute(
                url, "SELECT pid FROM pg_stat_activity WHERE application_name = 'claude-openai-proxy'"
            )
        ]
    except OSError:
        return {}
    return {"MB of a connection at the server": sum(int(size[1]) for size in sizes if size) / len(sizes) / 1024}


def _number(url: str, sql: str) -> float:
    return float(str(execute(url, sql)[0][0]))


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    figures = dict[str, float]()
    with private_server(fsync="on") as server:
        alone, whole = _database(server, "alone"), _database(server, "whole")
        write_rows(alone, 0, 1)
        for processes in (1, 4):
            figures |= rate(alone, "rows of the ledger", write_rows, rows, processes)
        figures["bytes of a row in the ledger"] = _size(alone, "ledger") / _number(alone, "SELECT count(*) FROM ledger")
        figures["rows summed a second"] = sums_a_second(alone)
        for processes in (1, 4):
            figures |= rate(alone, "writes of a response", keep_responses, rows // 20, processes)
        figures |= asyncio.run(request_costs(whole))
    for name, figure in figures.items():
        print(f"{name:70} {figure:>12,.1f}")


def _database(server: str, name: str) -> str:
    execute(server, f"CREATE DATABASE {name}")
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


if __name__ == "__main__":
    main()
