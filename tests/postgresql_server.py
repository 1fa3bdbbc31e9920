"""A PostgreSQL server for tests: TEST_DATABASE_URL, else the one of this machine, else a private one, else a skip.

A run has a database of its own on it, and a test a schema of its own in that; what is made is dropped again.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest

OF_THIS_MACHINE: Final = "postgresql://postgres@127.0.0.1:5432/postgres"
MISSING: Final = "no PostgreSQL server can be had"


@contextmanager
def own_database() -> Iterator[str]:
    """The URL of a new database, dropped at the end. Skips where there is no server."""
    with _server() as url:
        name = f"cop_test_{secrets.token_hex(6)}"
        execute(url, f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            execute(url, f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def own_schema(url: str) -> Iterator[str]:
    """The URL of a new schema in that database, dropped at the end."""
    name = f"t_{secrets.token_hex(6)}"
    execute(url, f'CREATE SCHEMA "{name}"')
    try:
        yield f"{url}?options={quote(f'-csearch_path={name} -csynchronous_commit=off')}"
    finally:
        execute(url, f'DROP SCHEMA "{name}" CASCADE')


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    """One statement outside of any transaction."""
    with psycopg.connect(url, autocommit=True, connect_timeout=30) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@contextmanager
def _server() -> Iterator[str]:
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
    elif _answers(OF_THIS_MACHINE):
        yield OF_THIS_MACHINE
    else:
        with private_server() as url:
            yield url


def _answers(url: str) -> bool:
    try:
        execute(url, "SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def private_server(*, fsync: str = "off") -> Iterator[str]:
    """A cluster in a temporary directory, of another user where this one is root, whom PostgreSQL refuses."""
    programs = _programs()
    user = _other_user() if os.geteuid() == 0 else None
    if programs is None or (os.geteuid() == 0 and user is None):
        pytest.skip(MISSING)
    directory = Path(tempfile.mkdtemp(prefix="cop-pg-"))
    if user:
        shutil.chown(directory, user)
    data, port = directory / "data", _free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={directory} -c fsync={fsync}"
    _run([programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"], user, directory)
    _run([programs / "pg_ctl", "-D", data, "-o", options, "-l", directory / "log", "-w", "start"], user, directory)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        with suppress(subprocess.CalledProcessError):
            _run([programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], user, directory)
        shutil.rmtree(directory, ignore_errors=True)


def _run(command: list[str | Path], user: str | None, directory: Path) -> None:
    subprocess.run(
        [str(word) for word in command],
        user=user,
        cwd=directory,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
    )


def _programs() -> Path | None:
    """Debian keeps them by version, outside of PATH."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), shutil.which("initdb")]
    return next((Path(program).parent for program in found if program), None)


def _other_user() -> str | None:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
