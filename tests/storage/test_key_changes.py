"""A change of stored keys is known at once to other processes on one PostgreSQL database, and never late."""

import asyncio
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import pytest

from claude_openai_proxy.service.client_keys import ClientKeys
from claude_openai_proxy.storage.client_keys import StoredClientKeys, StoredKey, new_secret
from claude_openai_proxy.storage.listening import IDLE_SECONDS, SURE_SECONDS, KeyChanges
from claude_openai_proxy.storage.postgresql import PostgreSQLDatabase
from postgresql_server import execute
from storage.databases import postgresql_at
from tcp_relay import Relay, Way, relay_to

ANN = StoredKey("key_1", "ann", created=1.0)
_KEY_DATA = re.compile(rb"K\x00\x00\x00\x0c....", re.DOTALL)
"""The server's message that tells the number of its process."""
LISTENING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT pg_backend_pid()'"


@dataclass
class Clock:
    """Stands still, so that nothing is ever read because time has passed."""

    now: float = 10.0

    def __call__(self) -> float:
        return self.now


async def until(so: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not so():  # noqa: ASYNC110 - another thread makes it so
            await asyncio.sleep(0.01)


@dataclass
class Process:
    """What one process knows of the stored keys."""

    database: PostgreSQLDatabase
    clock: Clock
    changes: KeyChanges
    keys: ClientKeys

    def stale(self) -> bool:
        """Whether a request would have the keys read."""
        return self.keys.stale

    async def listens(self) -> None:
        """Return once it needs no reading to be sure."""
        await until(self.changes.sure)
        await self.keys.refresh()
        assert not self.stale()


def process_at(url: str, monkeypatch: pytest.MonkeyPatch) -> Process:
    clock = Clock()
    database = postgresql_at(url)
    changes = database.engine.key_changes
    assert isinstance(changes, KeyChanges)
    for name in ("PING_SECONDS", "RETRY_SECONDS"):
        monkeypatch.setattr(f"claude_openai_proxy.storage.listening.{name}", 0.05)
    monkeypatch.setattr(changes, "_clock", clock)
    store = StoredClientKeys(database, changes)
    return Process(database, clock, changes, ClientKeys(store=store, clock=clock, wall_clock=clock))


@pytest.fixture
async def store(postgresql_url: str) -> AsyncIterator[StoredClientKeys]:
    """Of another process, as the command `keys` is one."""
    database = postgresql_at(postgresql_url)
    database.open()
    yield StoredClientKeys(database)
    await database.aclose()


@pytest.fixture
async def process(
    store: StoredClientKeys,  # noqa: ARG001 - has made the tables
    postgresql_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Process]:
    made = process_at(postgresql_url, monkeypatch)
    yield made
    await made.database.aclose()


@pytest.fixture
def relay(postgresql_url: str) -> Iterator[Relay]:
    place = urlsplit(postgresql_url)
    with relay_to(place.hostname or "127.0.0.1", place.port or 5432) as made:
        yield made


def through(port: int, url: str) -> str:
    place = urlsplit(url)
    user = f"{place.netloc.rpartition('@')[0]}@" if "@" in place.netloc else ""
    return urlunsplit(place._replace(netloc=f"{user}127.0.0.1:{port}"))


async def test_a_key_that_another_process_adds_changes_or_revokes_is_known_at_once(
    store: StoredClientKeys, process: Process
) -> None:
    first, second = new_secret(), new_secret()

    async def known() -> list[bool]:
        await until(process.stale)
        await process.keys.refresh()
        assert not process.stale()
        return [process.keys.owner([secret]) is not None for secret in (first, second)]

    await process.listens()
    assert not process.keys.required
    await store.add(ANN, first)
    assert (await known(), process.keys.required) == ([True, False], True)
    await store.rotate("ann", second, now=2.0, old_until=3.0)
    assert await known() == [False, True]
    await store.revoke("ann", now=5.0)
    assert (await known(), process.keys.required) == ([False, False], True)
    await store.require(required=False)
    assert (await known(), process.keys.required) == ([False, False], False)


async def test_what_others_write_besides_is_no_change(store: StoredClientKeys, process: Process) -> None:
    await process.listens()
    count = process.changes.count
    await store._database.write(lambda transaction: transaction.execute("INSERT INTO facts VALUES ('x', 'y')"))
    await store.add(ANN, new_secret())
    await until(lambda: process.changes.count > count)
    assert process.changes.count == count + 1, "one transaction, one notification"


async def test_a_listening_connection_that_is_ended_heals_and_what_it_missed_is_known(
    store: StoredClientKeys, process: Process, postgresql_url: str
) -> None:
    secret = new_secret()
    await store.add(ANN, secret)
    await process.listens()
    count = process.changes.count
    execute(postgresql_url, f"SELECT pg_terminate_backend(pid) FROM ({LISTENING}) AS listening")
    await store.revoke("ann", now=5.0)
    await until(lambda: process.changes.count > count and process.changes.sure())
    assert process.stale()
    await process.keys.refresh()
    assert process.keys.owner([secret]) is None
    await process.listens()


async def test_a_line_that_swallows_everything_is_not_trusted(
    store: StoredClientKeys, postgresql_url: str, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No notification comes, and no error: then the keys are read as time passes."""
    far = process_at(through(relay.port, postgresql_url), monkeypatch)
    await far.listens()
    relay.go("swallowing")
    await store.add(ANN, new_secret())
    assert not far.stale()
    far.clock.now += SURE_SECONDS
    assert far.stale()
    relay.go("open")
    await until(far.changes.sure)
    assert far.stale()
    await far.keys.refresh()
    assert far.keys.required
    await far.database.aclose()


async def test_where_nobody_asks_nothing_is_asked_of_the_database(process: Process, postgresql_url: str) -> None:
    await process.listens()
    assert len(execute(postgresql_url, LISTENING)) == 1
    process.clock.now += IDLE_SECONDS
    await until(lambda: not execute(postgresql_url, LISTENING))
    assert process.stale()
    await process.listens()


async def test_one_who_closes_waits_for_the_thread(process: Process) -> None:
    await process.listens()
    await process.database.aclose()
    assert not any(thread.name == "storage-listen" for thread in threading.enumerate())
    assert not process.changes.sure()
    assert not any(thread.name == "storage-listen" for thread in threading.enumerate())


class _Pooler(Relay):
    """Tells clients of processes that are not the server's, as PgBouncer does."""

    def _pump(self, source: socket.socket, sink: socket.socket, ways: set[Way]) -> None:  # noqa: ARG002 - always open
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(_KEY_DATA.sub(b"K\x00\x00\x00\x0c\x7f\x00\x00\x01", data))


async def test_a_pooler_is_not_listened_through(
    store: StoredClientKeys,  # noqa: ARG001 - has made the tables
    postgresql_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It may hand the connection that listens to another client, and what is notified then to nobody."""
    place = urlsplit(postgresql_url)
    pooler = _Pooler(place.hostname or "127.0.0.1", place.port or 5432)
    behind = process_at(through(pooler.port, postgresql_url), monkeypatch)
    caplog.set_level("INFO")
    await until(lambda: behind.changes.sure() or caplog.messages)
    assert caplog.messages == [
        "A pooler stands before the database: client keys are read once a second. See docs/scaling.md."
    ]
    await behind.keys.refresh()
    assert not behind.stale()
    behind.clock.now += 1.0
    assert behind.stale()
    await behind.database.aclose()
    pooler.close()
