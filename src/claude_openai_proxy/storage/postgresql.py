"""A PostgreSQL database that several proxies share, through psycopg 3.

A process has one connection that writes, `READERS` that read, and one that hears of changed keys; each is made by the
thread that uses it, so nothing is left over for a pool to hand out. Transactions of several processes run side by side
here, unlike SQLite's: works that write what they first read ask for `Transaction.alone`, and what ends in a deadlock is
begun again by `queued`.

A server that says nothing is given up after `UNANSWERED_SECONDS`: a machine between here and there may swallow what is
sent, and neither end would be told. A transaction whose commit was not answered is asked for by its number afterwards.
"""

import asyncio
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache, partial
from time import monotonic
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.adapt import Loader
from psycopg.pq import Format, TransactionStatus
from psycopg.types.numeric import NumericBinaryLoader
from psycopg.waiting import Ready, Wait

from claude_openai_proxy.storage import months
from claude_openai_proxy.storage.engine import Errors, Patience
from claude_openai_proxy.storage.interface import Row, Transaction, Value
from claude_openai_proxy.storage.listening import KeyChanges
from claude_openai_proxy.storage.postgresql_schema import check_key, is_older, migrate
from claude_openai_proxy.storage.queued import QueuedDatabase

T = TypeVar("T")

CONNECT_SECONDS: Final = 3
UNANSWERED_SECONDS: Final = 5.0
READ_SECONDS: Final = 3.0
"""No request waits longer for what it reads."""
TOLD_SECONDS: Final = 1.0

_SESSION: Final = (
    "SET statement_timeout = '20s'; SET idle_in_transaction_session_timeout = '10s'; SET client_encoding = 'UTF8'"
)
"""A proxy that has gone without a word holds what it has locked for so long at most."""


class SilentError(psycopg.OperationalError):
    """The server has said nothing for too long."""


class PostgreSQLDatabase(QueuedDatabase):
    """Kept at `url`; `fingerprint` tells the key that seals from another; `told` as for `QueuedDatabase`."""

    def __init__(self, url: str, *, fingerprint: Callable[[], str], told: Callable[[str], None]) -> None:
        engine = PostgreSQLEngine(url, fingerprint)
        super().__init__(engine, told=told)
        self._key_changes = engine.key_changes

    async def aclose(self) -> None:
        """See `QueuedDatabase.aclose`."""
        await asyncio.to_thread(self._key_changes.close)
        await super().aclose()


class PostgreSQLEngine:
    """See `Engine`."""

    kind = "postgresql"
    errors = Errors(
        trouble=(
            *(psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError),
            *(psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable),
        ),
        # A text that is too long for an index is an OperationalError, too: it must not hold up everyone else's work.
        work=(psycopg.IntegrityError, psycopg.DataError, psycopg.errors.ProgramLimitExceeded),
        again=(psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure),
        silent=(SilentError,),
    )
    patience = Patience(read=READ_SECONDS, pause=TOLD_SECONDS)

    def __init__(self, url: str, fingerprint: Callable[[], str]) -> None:
        self._url = with_defaults(url)
        self._fingerprint = fingerprint
        self._checked = False
        self.where = shown(url)
        self.key_changes = KeyChanges(partial(_Connection.connect, self._url, autocommit=True), clock=monotonic)

    def connect(self, *, reading: bool = False) -> "PostgreSQLConnection":
        """See `Engine.connect`.

        The version is looked at once in a process: while others are updated, an older one goes on.
        """
        with ExitStack() as failing:
            connection = _Connection.connect(self._url, autocommit=True)
            failing.callback(connection.close)
            connection.execute(_SESSION)
            if not self._checked and is_older(connection, self.where):
                self._migrate()
            check_key(connection, self._fingerprint(), self.where)
            self._checked = True
            failing.pop_all()
        return PostgreSQLConnection(connection, reading=reading)

    def _migrate(self) -> None:
        """On a connection that waits for as long as a step takes, if the server's machine is there."""
        connection = psycopg.connect(
            self._url, autocommit=True, keepalives_idle=5, keepalives_interval=5, keepalives_count=3
        )
        try:
            migrate(connection, self.where)
        finally:
            connection.close()

    def sentence(self, error: Exception) -> str:
        """See `Engine.sentence`. The server's words in one line; they name no secret."""
        words = " ".join(str(error).split()) or type(error).__name__
        return f"{self.where}: {words.rstrip('.')}."

    def check(self, transaction: Transaction) -> tuple[list[str], Sequence[str]]:
        """See `Engine.check`. Reading each row is what shows a damaged page here."""
        tables = transaction.execute(
            "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
            "AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1"
        )
        broken = transaction.execute(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace"
        )
        return [f"the index {name} is not valid" for (name,) in broken], [name for (name,) in tables]

    def compact(self) -> tuple[int, int]:
        """See `Engine.compact`; for as long as the server takes."""
        connection = psycopg.connect(self._url, autocommit=True)
        try:
            before = _size(connection)
            connection.execute("VACUUM (FULL, ANALYZE)")
            return before, _size(connection)
        finally:
            connection.close()


class PostgreSQLConnection:
    """See `Connection`."""

    def __init__(self, connection: "psycopg.Connection[Any]", *, reading: bool) -> None:
        connection.adapters.register_loader("numeric", _Whole)
        self._connection = connection
        self._reading = reading

    @property
    def transaction(self) -> Transaction:
        """See `Connection.transaction`."""
        return _Cursor(self._connection)

    def begin(self) -> str:
        """See `Connection.begin`: one round trip, the transaction's number with it."""
        if self._reading:
            self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return ""
        cursor = self._connection.execute("BEGIN; SELECT pg_current_xact_id()::text")
        cursor.nextset()
        ((number,),) = cursor.fetchall()
        return str(number)

    def was_committed(self, transaction: str) -> bool:
        """See `Connection.was_committed`."""
        ((status,),) = self._connection.execute("SELECT pg_xact_status(%s::xid8)", (transaction,)).fetchall()
        if status == "in progress":
            raise psycopg.OperationalError("what was written before is not decided yet")
        return bool(status == "committed")

    def savepoint(self) -> None:
        """See `Connection.savepoint`."""
        self._connection.execute("SAVEPOINT work")

    def release(self) -> None:
        """See `Connection.release`."""
        self._connection.execute("RELEASE work")

    def roll_back_one(self) -> None:
        """See `Connection.roll_back_one`."""
        self._connection.execute("ROLLBACK TO work; RELEASE work")

    def commit(self) -> None:
        """See `Connection.commit`."""
        if self._is_open():
            self._connection.execute("COMMIT")

    def roll_back(self) -> None:
        """See `Connection.roll_back`. The server does it for a connection that is lost."""
        if self._is_open():
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """See `Connection.close`."""
        self._connection.close()

    def _is_open(self) -> bool:
        return self._connection.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}


class _Cursor:
    """A transaction on one connection."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._cursor = connection.cursor(binary=True)
        self._staged = set[str]()
        """Tables that have rows of this transaction."""

    def execute(self, sql: str, parameters: Sequence[Value] = (), /) -> list[Row]:
        """See `Transaction.execute`."""
        self._cursor.execute(placeholders(sql), _text(parameters))
        return self._cursor.fetchall() if self._cursor.description is not None else []

    def execute_many(self, sql: str, rows: Iterable[Sequence[Value]], /) -> None:
        """See `Transaction.execute_many`. One by one: psycopg's pipeline does not come back from a line that is cut."""
        for row in rows:
            self._cursor.execute(placeholders(sql), _text(row))

    def insert_new(self, table: str, columns: Mapping[str, Sequence[Value]], /) -> None:
        """See `Transaction.insert_new`: by COPY into a table of this connection, which the log knows nothing of."""
        rows, names = list(zip(*columns.values(), strict=True)), ", ".join(columns)
        if not rows:
            return
        if table in months.TIMES:
            months.cover(self, table, [float(time or 0) for time in columns[months.TIMES[table]]])
        staging = f"arriving_{table}"
        self._cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS {staging} (LIKE {table}) ON COMMIT DELETE ROWS")
        if staging in self._staged:
            self._cursor.execute(f"TRUNCATE {staging}")
        self._staged.add(staging)
        with self._cursor.copy(f"COPY {staging} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(_text(row))
        self._cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM {staging} ON CONFLICT DO NOTHING"  # noqa: S608
        )

    def drop_before(self, table: str, oldest: float, /) -> None:
        """See `Transaction.drop_before`: months of it."""
        months.drop_before(self, table, oldest)

    def alone(self, *names: str) -> None:
        """See `Transaction.alone`."""
        self._cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name ORDER BY name",
            (_text(sorted(set(names))),),
        )

    @property
    def changed(self) -> int:
        """See `Transaction.changed`."""
        return self._cursor.rowcount


class _Connection(psycopg.Connection[Row]):
    """One that does not wait for ever."""

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """As psycopg's, which asks again every tenth of a second."""
        return super().wait(_bounded(gen), *args, **options)


def _bounded(waiting: Generator[Wait, Ready | int, T]) -> Generator[Wait, Ready | int, T]:
    """`waiting`, until nothing has moved for `UNANSWERED_SECONDS`."""
    until = monotonic() + UNANSWERED_SECONDS
    try:
        wanted = next(waiting)
        while True:
            ready = yield wanted
            if ready != Ready.NONE:
                until = monotonic() + UNANSWERED_SECONDS
            elif monotonic() > until:
                waiting.close()
                raise SilentError(f"the server has said nothing for {UNANSWERED_SECONDS:g} s")
            wanted = waiting.send(ready)
    except StopIteration as ended:
        result: T = ended.value
        return result


class _Whole(Loader):
    """Sums of whole numbers are whole numbers here, not decimals."""

    format = Format.BINARY

    def load(self, data: Any) -> int | float:
        """Integers where they are whole."""
        number = NumericBinaryLoader(self.oid).load(data)
        return int(number) if number == int(number) else float(number)


@cache
def placeholders(sql: str) -> str:
    """`?` as psycopg wants it, outside of quoted texts."""
    parts = sql.replace("%", "%%").split("'")
    return "'".join(part if place % 2 else part.replace("?", "%s") for place, part in enumerate(parts))


def _text(values: Sequence[Value]) -> list[Value]:
    """PostgreSQL's texts hold no NUL: what has one is found under none and kept with a mark instead."""
    return [value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in values]


def with_defaults(url: str) -> str:
    """`url` with what it leaves open: how long to wait, and certificates that are checked beyond this machine."""
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    wanted = {"connect_timeout": str(CONNECT_SECONDS), "application_name": "claude-openai-proxy"}
    if "sslmode" not in given and not is_local(url):
        wanted |= {"sslmode": "verify-full", "sslrootcert": "system"}
    return urlunsplit(parts._replace(query=urlencode(wanted | given, quote_via=quote)))


def is_local(url: str) -> bool:
    """Whether nothing leaves this machine: a socket of the file system, or a loopback address."""
    parts = urlsplit(url)
    named = dict(parse_qsl(parts.query))
    hosts = (named.get("hostaddr") or named.get("host") or parts.netloc.rpartition("@")[2]).split(",")
    return all(_host(host) in {"", "localhost", "127.0.0.1", "::1"} or _host(host).startswith("/") for host in hosts)


def shown(url: str) -> str:
    """Where it is, without user and password."""
    parts = urlsplit(url)
    return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _host(place: str) -> str:
    return place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]


def _size(connection: "psycopg.Connection[Any]") -> int:
    ((size,),) = connection.execute("SELECT pg_database_size(current_database())").fetchall()
    return int(size)
