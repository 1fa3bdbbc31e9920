"""PostgreSQL: several processes at once, steps and keys, and a server that dies, hangs or does not answer."""

import asyncio
import multiprocessing
import re
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from claude_openai_proxy.storage import postgresql_schema
from claude_openai_proxy.storage.daily_spend import Spend, StoredDailySpend
from claude_openai_proxy.storage.interface import Row, StorageRefusedError, StorageUnavailableError, Transaction
from claude_openai_proxy.storage.migration import newest, steps
from claude_openai_proxy.storage.postgresql import (
    PostgreSQLDatabase,
    is_local,
    placeholders,
    shown,
    with_defaults,
)
from postgresql_server import execute, private_server
from storage.databases import postgresql_at
from storage.neighbours import put
from tcp_relay import Relay, relay_to


def names(transaction: Transaction) -> list[Row]:
    return transaction.execute("SELECT name FROM facts WHERE name NOT LIKE 'storage%' ORDER BY name")


async def well(database: PostgreSQLDatabase) -> None:
    """Return once it is out of trouble, with nobody asking anything of it."""
    await until(lambda: not database.state.trouble)


async def until(so: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not so():  # noqa: ASYNC110 - another thread makes it so
            await asyncio.sleep(0.01)


@pytest.fixture
def relay(postgresql_url: str) -> Iterator[Relay]:
    place = urlsplit(postgresql_url)
    with relay_to(place.hostname or "127.0.0.1", place.port or 5432) as made:
        yield made


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
async def far(
    postgresql_url: str, relay: Relay, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PostgreSQLDatabase]:
    """A database behind the relay, which is soon taken for silent and soon tried again."""
    monkeypatch.setattr("claude_openai_proxy.storage.postgresql.UNANSWERED_SECONDS", 0.3)
    monkeypatch.setattr("claude_openai_proxy.storage.queued.RETRY_SECONDS", 0.1)
    place = urlsplit(postgresql_url)
    user = f"{place.netloc.rpartition('@')[0]}@" if "@" in place.netloc else ""
    made = postgresql_at(urlunsplit(place._replace(netloc=f"{user}127.0.0.1:{relay.port}")), told)
    made.open()
    yield made
    relay.go("open")
    await made.aclose()


# ---- the same as a file ---------------------------------------------------------------------------------------------


async def test_a_work_that_fails_takes_no_other_with_it(database: PostgreSQLDatabase) -> None:
    await database.write(put("a"))
    results = await asyncio.gather(*(database.write(put(name), wait=60) for name in "bac"), return_exceptions=True)
    assert [type(result) for result in results] == [int, psycopg.errors.UniqueViolation, int]
    assert await database.read(names) == [("a",), ("b",), ("c",)]


async def test_a_bug_in_a_work_is_told_and_later_works_go_on(database: PostgreSQLDatabase) -> None:
    def broken(_: Transaction) -> int:
        raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        await database.write(broken)
    assert await database.write(put("a")) == 1


async def test_a_statement_that_nobody_understands_is_a_bug_and_no_trouble(database: PostgreSQLDatabase) -> None:
    with pytest.raises(psycopg.errors.SyntaxError):
        await database.write(lambda transaction: transaction.execute("SELEC 1"))
    assert database.state.trouble == ""
    assert await database.write(put("a")) == 1


async def test_a_text_may_hold_what_the_engine_does_not(database: PostgreSQLDatabase) -> None:
    await database.write(put("a\0b"))
    assert await database.read(names) == [("a\ufffdb",)]


async def test_a_text_that_is_too_long_for_an_index_fails_alone(database: PostgreSQLDatabase) -> None:
    random = "".join(chr(0x4E00 + (number * 7919) % 20_000) for number in range(9_000))
    results = await asyncio.gather(
        database.write(put("a"), wait=60), database.write(put(random), wait=60), return_exceptions=True
    )
    assert [type(result) for result in results] == [int, psycopg.errors.ProgramLimitExceeded]
    assert database.state.trouble == ""


async def test_sums_are_numbers_like_any_other(database: PostgreSQLDatabase) -> None:
    rows = await database.read(
        lambda transaction: transaction.execute(
            "SELECT sum(x), sum(y), count(*) FROM (VALUES (1::bigint, 0.5), (2, 0.25)) AS v (x, y)"
        )
    )
    assert (rows, [type(number) for number in rows[0]]) == ([(3, 0.75, 2)], [int, float, int])


async def test_what_is_read_is_of_one_moment(database: PostgreSQLDatabase) -> None:
    """A read that asks twice does not see what was committed between."""
    begun, go_on = threading.Event(), threading.Event()

    def twice(transaction: Transaction) -> tuple[list[Row], list[Row]]:
        first = names(transaction)
        begun.set()
        go_on.wait(10)
        return first, names(transaction)

    reading = asyncio.ensure_future(database.read(twice))
    await asyncio.to_thread(begun.wait, 10)
    await database.write(put("a"), wait=60)
    go_on.set()
    assert await reading == ([], [])


async def test_it_can_be_looked_through_and_made_smaller(database: PostgreSQLDatabase) -> None:
    await database.write(put("a"))
    wrong, rows = await database.check()
    before, after = await database.compact()
    assert (wrong, rows["facts"], rows["schema_steps"]) == ([], 2, newest())
    assert 0 < after <= before


# ---- several at once ------------------------------------------------------------------------------------------------


def _write_from_another_process(url: str, number: int) -> None:
    async def write() -> None:
        database = postgresql_at(url)
        database.open()
        for row in range(20):
            await database.write(put(f"{number}-{row:02}"), wait=60)
        await database.aclose()

    asyncio.run(write())


async def test_several_servers_share_a_database_from_its_first_moment(postgresql_url: str) -> None:
    spawning = multiprocessing.get_context("fork")
    processes = [spawning.Process(target=_write_from_another_process, args=(postgresql_url, n)) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        await asyncio.to_thread(process.join)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert execute(postgresql_url, "SELECT count(*) FROM facts WHERE value = '1'") == [(80,)]
    assert execute(postgresql_url, "SELECT count(*) FROM schema_steps") == [(newest(),)]


async def test_two_transactions_in_each_others_way_are_both_done(postgresql_url: str) -> None:
    """Each takes what the other has: the server ends one of them, which is begun again."""
    one, other = postgresql_at(postgresql_url), postgresql_at(postgresql_url)
    await one.write(put("a", "0"))
    await one.write(put("b", "0"))
    both = threading.Barrier(2)

    class Adds:
        def __init__(self, *names: str) -> None:
            self.names = names
            self.tries = 0

        def __call__(self, transaction: Transaction) -> None:
            self.tries += 1
            for name in self.names:
                transaction.execute("UPDATE facts SET value = value || ? WHERE name = ?", ("1", name))
                if name == self.names[0] and self.tries == 1:
                    both.wait(10)

    first, second = Adds("a", "b"), Adds("b", "a")
    await asyncio.gather(one.write(first, wait=60), other.write(second, wait=60))
    assert first.tries + second.tries > 2
    assert execute(postgresql_url, "SELECT value FROM facts WHERE name IN ('a', 'b')") == [("011",), ("011",)]
    await one.aclose()
    await other.aclose()


async def test_what_asks_to_be_alone_waits_for_who_is(postgresql_url: str) -> None:
    one, other = postgresql_at(postgresql_url), postgresql_at(postgresql_url)
    begun, go_on, order = threading.Event(), threading.Event(), list[str]()

    def first(transaction: Transaction) -> None:
        transaction.alone("x", "y")
        begun.set()
        go_on.wait(10)
        order.append("first")

    def second(transaction: Transaction) -> None:
        transaction.alone("y")
        order.append("second")

    writing = asyncio.ensure_future(one.write(first, wait=60))
    await asyncio.to_thread(begun.wait, 10)
    waiting = asyncio.ensure_future(other.write(second, wait=60))
    assert await other.read(lambda transaction: transaction.execute("SELECT 1")) == [(1,)]
    go_on.set()
    await asyncio.gather(writing, waiting)
    assert order == ["first", "second"]
    await one.aclose()
    await other.aclose()


# ---- versions and keys ----------------------------------------------------------------------------------------------


async def test_a_database_of_a_newer_program_is_refused(postgresql_url: str) -> None:
    first = postgresql_at(postgresql_url)
    first.open()
    execute(postgresql_url, f"INSERT INTO schema_steps (number) VALUES ({newest() + 1})")
    second = postgresql_at(postgresql_url)
    with pytest.raises(StorageRefusedError, match=f"newer version .*version {newest() + 1}, known here {newest()}"):
        second.open()
    assert await first.write(put("an older one goes on")) == 1
    await first.aclose()
    await second.aclose()


@pytest.fixture
def one_step_more(database: PostgreSQLDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that lacks the newest step, which takes a while and all of a table."""
    number = newest() + 1
    step = "SELECT pg_sleep(0.2); LOCK TABLE daily_spend"
    database.open()
    monkeypatch.setattr(postgresql_schema, "newest", lambda: number)
    monkeypatch.setattr(postgresql_schema, "steps", lambda kind: (*steps(kind), (number, step)))


@pytest.mark.usefixtures("one_step_more")
async def test_a_step_may_take_longer_than_a_server_may_be_silent(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_openai_proxy.storage.postgresql.UNANSWERED_SECONDS", 0.05)
    updated = postgresql_at(postgresql_url)
    updated.open()
    assert updated.state.trouble == ""
    assert execute(postgresql_url, "SELECT max(number) FROM schema_steps") == [(newest() + 1,)]
    await updated.aclose()


@pytest.mark.usefixtures("one_step_more")
async def test_a_step_waits_for_a_table_that_is_in_use_but_not_long_and_is_tried_again(
    database: PostgreSQLDatabase, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_schema, "TABLE_SECONDS", 0.1)
    monkeypatch.setattr("claude_openai_proxy.storage.queued.RETRY_SECONDS", 0.1)
    told: list[str] = []
    with psycopg.connect(postgresql_url) as neighbour:
        neighbour.execute("SELECT * FROM daily_spend")
        updated = postgresql_at(postgresql_url, told)
        await asyncio.to_thread(updated.open)
        assert told[0].endswith("canceling statement due to lock timeout.")
        assert await database.write(put("an older one goes on")) == 1
    await well(updated)
    assert execute(postgresql_url, "SELECT max(number) FROM schema_steps") == [(newest() + 1,)]
    await updated.aclose()


async def test_another_storage_key_is_refused(database: PostgreSQLDatabase, postgresql_url: str) -> None:
    other = postgresql_at(postgresql_url, fingerprint="another")
    with pytest.raises(StorageRefusedError, match="sealed with another STORAGE_KEY"):
        other.open()
    with pytest.raises(StorageUnavailableError, match="sealed with another STORAGE_KEY"):
        await other.write(put("a"))
    await other.aclose()
    assert await database.read(names) == []


# ---- a server that dies, hangs or does not answer -------------------------------------------------------------------


async def test_connections_that_died_unseen_cost_nobody_a_failure(
    database: PostgreSQLDatabase, postgresql_url: str
) -> None:
    await database.write(put("a"))
    await database.read(names)
    execute(
        postgresql_url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'claude-openai-proxy' AND datname = current_database()",
    )
    assert await database.read(names) == [("a",)]
    assert await database.write(put("b"), wait=60) == 1
    assert database.state.trouble == ""


async def test_while_it_is_away_all_are_told_at_once_and_then_it_heals_though_nobody_comes(
    far: PostgreSQLDatabase, relay: Relay, told: list[str]
) -> None:
    await far.write(put("before"), wait=60)
    relay.go("refusing")
    far.post(put("kept in line"))
    with pytest.raises(StorageUnavailableError):
        await far.write(put("lost"), wait=60)
    with pytest.raises(StorageUnavailableError):
        await far.read(names)
    assert far.state.trouble.startswith(f"postgresql://127.0.0.1:{relay.port}/")
    relay.go("open")
    await well(far)
    assert await far.read(names) == [("before",), ("kept in line",)]
    assert [bool(sentence) for sentence in told] == [True, False]


@pytest.mark.parametrize("begun", [False, True], ids=["at once", "after a first answer"])
async def test_a_server_that_swallows_what_is_sent_is_given_up(
    far: PostgreSQLDatabase, relay: Relay, told: list[str], *, begun: bool
) -> None:
    if begun:
        await far.write(put("before"), wait=60)
        await far.read(names)
    relay.go("swallowing")
    with pytest.raises(StorageUnavailableError, match=r"nothing for|timeout|within"):
        await far.write(put("lost"), wait=60)
    relay.go("open")
    await well(far)
    assert await far.read(names) == ([("before",)] if begun else [])
    assert [bool(sentence) for sentence in told] == [True, False]


async def test_what_is_never_begun_leaves_nothing_to_be_undone(far: PostgreSQLDatabase, relay: Relay) -> None:
    """Requests that come while it is away must not make work for when it is back."""
    await far.write(put("before"), wait=60)
    relay.go("refusing")
    for _ in range(20):
        with pytest.raises(StorageUnavailableError):
            await far.write(put("lost"), wait=60, undo=put("undone"))
    relay.go("open")
    await well(far)
    assert await far.read(names) == [("before",)]


async def test_what_may_have_been_committed_is_undone(far: PostgreSQLDatabase, relay: Relay) -> None:
    await far.write(put("before"), wait=60)

    def adds_and_cuts(transaction: Transaction) -> None:
        put("added")(transaction)
        relay.go("unanswered")

    with pytest.raises(StorageUnavailableError):
        await far.write(adds_and_cuts, wait=60, undo=put("undone"))
    relay.go("open")
    await well(far)
    await until(lambda: far.state.trouble == "")
    await far.settle()
    assert await far.read(names) == [("added",), ("before",), ("undone",)]


async def test_of_what_is_posted_under_one_name_the_last_is_done_once(far: PostgreSQLDatabase, relay: Relay) -> None:
    await far.write(put("before"), wait=60)
    relay.go("refusing")
    with pytest.raises(StorageUnavailableError):
        await far.write(put("lost"), wait=60)
    for number in range(20):
        far.post(put(f"named {number}"), name="a")
        far.post(put(f"other {number}"), name="b")
    relay.go("open")
    await well(far)
    await far.settle()
    assert await far.read(names) == [("before",), ("named 19",), ("other 19",)]


async def test_a_silence_that_only_readers_meet_is_told_though_they_have_left(
    far: PostgreSQLDatabase, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    await far.read(names)
    monkeypatch.setattr(far.engine, "patience", replace(far.engine.patience, read=0.01))
    relay.go("swallowing")
    with pytest.raises(StorageUnavailableError, match=r"not read within 0.01 s"):
        await far.read(names)
    await until(lambda: far.state.trouble)
    relay.go("open")
    await well(far)


async def test_nothing_is_begun_in_a_transaction_that_has_lasted_long(
    database: PostgreSQLDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow database: who is first does not wait for the last of its batch."""
    monkeypatch.setattr("claude_openai_proxy.storage.committing.BATCH_SECONDS", 0.0)
    begun, go_on = threading.Event(), threading.Event()

    def transaction_id(transaction: Transaction) -> str:
        begun.set()
        go_on.wait(60)
        return str(transaction.execute("SELECT pg_current_xact_id()::text")[0][0])

    writing = [asyncio.ensure_future(database.write(transaction_id, wait=60)) for _ in range(3)]
    await asyncio.to_thread(begun.wait, 60)
    await asyncio.sleep(0)
    go_on.set()
    assert len(set(await asyncio.gather(*writing))) == 3


async def test_what_keeps_others_waiting_has_a_transaction_of_its_own(database: PostgreSQLDatabase) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def transaction_id(transaction: Transaction) -> str:
        begun.set()
        go_on.wait(60)
        return str(transaction.execute("SELECT pg_current_xact_id()::text")[0][0])

    waits = [database.write(transaction_id, wait=60, apart=number == 2) for number in range(5)]
    writing = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.to_thread(begun.wait, 60)
    await asyncio.sleep(0)
    go_on.set()
    ids = await asyncio.gather(*writing)
    assert ids.count(ids[2]) == 1


async def test_what_was_committed_without_an_answer_is_not_done_twice(
    far: PostgreSQLDatabase, relay: Relay, told: list[str]
) -> None:
    """The work itself is the last that hears of the server: its commit arrives, the answer does not."""
    spend = StoredDailySpend(far)
    spend.add(Spend("2027-01-15", 1.0))
    await far.settle()
    tries = 0

    def adds_and_cuts(transaction: Transaction) -> None:
        nonlocal tries
        tries += 1
        transaction.execute("UPDATE daily_spend SET dollars = dollars + 1")
        relay.go("unanswered")

    far.post(adds_and_cuts)  # alone: another work in the same transaction would hear of the cut before its commit
    await until(lambda: told)
    assert told[0].endswith("the server has said nothing for 0.3 s.")
    relay.go("open")
    await well(far)
    assert (await spend.on("2027-01-15"), tries) == (2.0, 1)


async def test_a_line_that_is_cut_among_many_rows_is_come_back_from(far: PostgreSQLDatabase, relay: Relay) -> None:
    tries = 0

    def many(transaction: Transaction) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            relay.go("swallowing")
        transaction.execute_many("INSERT INTO facts (name, value) VALUES (?, ?)", [(f"{n}", "1") for n in range(9)])

    far.post(many)
    await until(lambda: far.state.trouble)
    relay.go("open")
    await well(far)
    assert (len(await far.read(names)), tries) == (9, 2)


async def test_what_was_not_committed_is_done_again(far: PostgreSQLDatabase, relay: Relay) -> None:
    spend = StoredDailySpend(far)
    spend.add(Spend("2027-01-15", 1.0))
    await far.settle()
    tries = 0

    def adds_and_cuts_once(transaction: Transaction) -> None:
        nonlocal tries
        tries += 1
        transaction.execute("UPDATE daily_spend SET dollars = dollars + 1")
        if tries == 1:
            relay.go("swallowing")

    far.post(adds_and_cuts_once)
    await until(lambda: far.state.trouble)
    relay.go("open")
    await well(far)
    assert (await spend.on("2027-01-15"), tries) == (2.0, 2)


# ---- the URL --------------------------------------------------------------------------------------------------------


def test_a_certificate_is_checked_beyond_this_machine_unless_something_else_is_said() -> None:
    asked = with_defaults("postgresql://u:p@db.example/x")
    assert "sslmode=verify-full" in asked
    assert "sslrootcert=system" in asked
    for url in (
        "postgresql://u:p@127.0.0.1:5432/x",
        "postgresql://u@[::1]:5432/x",
        "postgresql:///x",
        "postgresql:///x?host=/run/postgresql",
        "postgresql://u@localhost/x",
    ):
        assert is_local(url)
        assert "sslmode" not in with_defaults(url)
    assert not is_local("postgresql://127.0.0.1,db.example/x")
    assert not is_local("postgresql://localhost/x?hostaddr=192.0.2.1")
    said = with_defaults("postgresql://db.example/x?sslmode=require&connect_timeout=9")
    assert ("sslmode=require" in said, "verify-full" in said, "connect_timeout=9" in said) == (True, False, True)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.1 alone is there")
async def test_beyond_this_machine_nothing_is_told_to_a_server_without_a_certificate(postgresql_url: str) -> None:
    """Another address of the loopback is one that is not known to be this machine."""
    place = urlsplit(postgresql_url)

    async def pass_on(near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        far, to_far = await asyncio.open_connection(place.hostname, place.port or 5432)
        await asyncio.gather(_pump(near, to_far), _pump(far, to_near))

    async with await asyncio.start_server(pass_on, "127.0.0.2", 0) as elsewhere:
        user = f"{place.netloc.rpartition('@')[0]}@" if "@" in place.netloc else ""
        port = elsewhere.sockets[0].getsockname()[1]
        url = urlunsplit(place._replace(netloc=f"{user}127.0.0.2:{port}"))
        refused, allowed = postgresql_at(url), postgresql_at(f"{url}&sslmode=disable")
        await asyncio.to_thread(refused.open)
        await asyncio.to_thread(allowed.open)
        assert re.search(r"does not support SSL, but SSL was required|certificate verify failed", refused.state.trouble)
        assert allowed.state.trouble == ""
        await refused.aclose()
        await allowed.aclose()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        sink.write(data)
    sink.close()


def test_where_it_is_shows_no_secret() -> None:
    assert shown("postgresql://u:p%40ss@db.example:5432/x?password=other") == "postgresql://db.example:5432/x"


def test_marks_in_quoted_texts_stay() -> None:
    assert placeholders("SELECT '?', x % 2 FROM t WHERE a = ? AND b LIKE 'a%'") == (
        "SELECT '?', x %% 2 FROM t WHERE a = %s AND b LIKE 'a%%'"
    )


def test_a_server_can_be_had_where_none_runs() -> None:
    with private_server() as url:
        assert execute(url, "SELECT 1") == [(1,)]
