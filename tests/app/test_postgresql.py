"""Two whole proxies on one PostgreSQL database, and what refuses the start of one."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from pathlib import Path

import msgspec
import pytest

from claude_openai_proxy.app.stores import stores
from claude_openai_proxy.app.wiring import wire
from claude_openai_proxy.doctor.storage import storage_row
from claude_openai_proxy.settings import Flags, Settings, SettingsError, load_settings
from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.storage.client_keys import StoredKey, new_secret
from claude_openai_proxy.storage.ledger import Choice
from claude_openai_proxy.storage.migration import newest
from cli.running import finished
from postgresql_server import execute
from web.direct import HELLO, STREAM, call

STORAGE_KEY = "the-same-for-all-of-them"
LOGIN = {"ANTHROPIC_API_KEY": "sk-ant-made-up", "UPSTREAM_RETRIES": "0"}
PASSING = b'{"model": "claude-opus-5-5", "input": "hello", "store": false}'
ASKED_BY_A_REQUEST = ContextVar("ASKED_BY_A_REQUEST", default=False)
"""True in a request's task and in those it has begun, unlike in what goes on in the background."""
FIRST = b'{"model": "claude-opus-5-5", "input": "hello"}'


def settings(home: Path, url: str, **environment: str) -> Settings:
    home.mkdir(exist_ok=True)
    shared = {"DATABASE_URL": url, "STORAGE_KEY": STORAGE_KEY, **environment}
    return load_settings(Flags(), {"HOME": str(home), **LOGIN, **shared}, home)


async def test_a_response_that_one_proxy_gave_is_continued_by_another(
    tmp_path: Path, simulator: Simulator, simulator_url: str, postgresql_url: str
) -> None:
    one = wire(settings(tmp_path / "one", postgresql_url, ANTHROPIC_BASE_URL=simulator_url))
    other = wire(settings(tmp_path / "other", postgresql_url, ANTHROPIC_BASE_URL=simulator_url))
    async with one.running(), other.running():
        first = msgspec.json.decode((await call(one.application, "POST", "/v1/responses", FIRST)).body)
        second = await call(
            other.application,
            "POST",
            "/v1/responses",
            msgspec.json.encode(
                {"model": "claude-opus-5-5", "input": "and then?", "previous_response_id": first["id"]}
            ),
        )
        read = await call(one.application, "GET", f"/v1/responses/{msgspec.json.decode(second.body)['id']}")
        health = msgspec.json.decode((await call(one.application, "GET", "/health")).body)["storage"]
        key = new_secret()
        await one.stores.client_keys.add(StoredKey("key_1", "ann", created=1.0), key)
        ring = await other.stores.client_keys.ring()

    assert (second.status, read.status) == (200, 200)
    sent = msgspec.json.decode(simulator.requests[-1].body)
    assert [turn["role"] for turn in sent["messages"]] == ["user", "assistant", "user"]
    assert ring.find(key, 2.0) == StoredKey("key_1", "ann", created=1.0)
    assert (health["kind"], health.get("trouble", "")) == ("postgresql", "")

    third = stores(settings(tmp_path / "third", postgresql_url))
    assert await third.open() == ""
    assert len(await third.ledger.latest(Choice(0), 100)) == 2
    assert not list((tmp_path / "one").rglob("state.db"))
    await third.aclose()


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/chat/completions", HELLO), ("/v1/chat/completions", STREAM), ("/v1/responses", PASSING)],
    ids=["whole", "streamed", "not to be kept"],
)
async def test_what_needs_nothing_stored_waits_for_no_round_trip(
    tmp_path: Path,
    simulator: Simulator,  # noqa: ARG001 - it answers
    simulator_url: str,
    postgresql_url: str,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    body: bytes,
) -> None:
    """Not even for the client keys, which are required here and could have been changed elsewhere."""
    wiring = wire(settings(tmp_path, postgresql_url, ANTHROPIC_BASE_URL=simulator_url, REASONING_STORE="off"))
    key, waited = new_secret(), list[str]()
    async with wiring.running():
        database = wiring.stores.database
        assert database is not None
        await wiring.stores.client_keys.add(StoredKey("key_1", "ann", created=1.0), key)

        async def asked() -> int:
            ASKED_BY_A_REQUEST.set(True)
            headers = {"authorization": f"Bearer {key}"}
            return (await call(wiring.application, "POST", path, body, headers=headers)).status

        changes = wiring.stores.client_keys.changes
        async with asyncio.timeout(60):
            while changes is None or not changes.sure():  # noqa: ASYNC110 - another thread makes it so
                await asyncio.sleep(0.01)
        assert await asyncio.create_task(asked()) == 200
        for name in ("read", "write"):
            monkeypatch.setattr(database, name, _noted(getattr(database, name), waited))
        assert [await asyncio.create_task(asked()) for _ in range(20)] == [200] * 20
        within = [name for name in waited if name != "StoredLedger.keep.<locals>.work"]

    assert within == [], "the ledger's rows are written behind the answers"


def _noted(done: Callable[..., Awaitable[object]], names: list[str]) -> Callable[..., Awaitable[object]]:
    def noting(work: Callable[..., object], **options: object) -> Awaitable[object]:
        if ASKED_BY_A_REQUEST.get():
            names.append(work.__qualname__)
        return done(work, **options)

    return noting


def test_another_key_refuses_the_start_in_a_line(tmp_path: Path, postgresql_url: str) -> None:
    extra = {**LOGIN, "ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "DATABASE_URL": postgresql_url}
    first = finished("keys", "add", "ann", home=tmp_path, extra={**extra, "STORAGE_KEY": STORAGE_KEY})
    assert first.returncode == 0, first.stderr
    run = finished("serve", "--port", "0", home=tmp_path, extra={**extra, "STORAGE_KEY": "another-key-than-theirs"})

    (line,) = run.stderr.splitlines()
    assert run.returncode == 2
    assert "is sealed with another STORAGE_KEY" in line
    assert "another-key-than-theirs" not in line


def test_a_newer_database_refuses_the_start_in_a_line(tmp_path: Path, postgresql_url: str) -> None:
    shared = {"DATABASE_URL": postgresql_url, "STORAGE_KEY": STORAGE_KEY}
    made = finished("storage", "migrate", home=tmp_path, extra=shared)
    assert made.returncode == 0, made.stderr
    execute(postgresql_url, f"INSERT INTO schema_steps (number) VALUES ({newest() + 1})")
    extra = {**LOGIN, "ANTHROPIC_BASE_URL": "http://127.0.0.1:9", **shared}
    run = finished("serve", "--port", "0", home=tmp_path, extra=extra)

    (line,) = run.stderr.splitlines()
    assert run.returncode == 2
    assert f"a newer version of this program (its version {newest() + 1}, known here {newest()})." in line
    assert line.endswith("Update this one, too.")


def test_a_key_is_required_and_memory_is_something_else(tmp_path: Path) -> None:
    url = "postgresql://someone:secret@db.example/proxy"
    with pytest.raises(SettingsError, match=r"DATABASE_URL \(from the environment\) needs STORAGE_KEY") as refused:
        load_settings(Flags(), {"HOME": str(tmp_path), "DATABASE_URL": url}, tmp_path)
    assert "secret" not in str(refused.value)
    with pytest.raises(SettingsError, match="keep one of them"):
        settings(tmp_path, url, STATE="memory")
    assert settings(tmp_path, "none").storage.kind == "sqlite"
    demo = load_settings(Flags(demo=True), {"HOME": str(tmp_path), "DATABASE_URL": url}, tmp_path)
    assert (demo.storage.kind, demo.storage.database) == ("memory", None)


@pytest.mark.parametrize("url", ["mysql://u@db.example/x", "db.example/x", "postgresql://u@db.example/x y"])
def test_what_is_no_address_of_postgresql_is_refused_without_being_shown(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL from the environment is a value that is not shown"):
        settings(tmp_path, url)


def test_in_a_working_directory_it_is_ours_beside_a_storage_key_only(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=mysql://another.example/x\n", encoding="utf-8")
    assert load_settings(Flags(), {"HOME": str(tmp_path)}, tmp_path).storage.kind == "sqlite"
    both = f"ANTHROPIC_API_KEY=k\nDATABASE_URL=postgresql://u@127.0.0.1/x\nSTORAGE_KEY={STORAGE_KEY}\n"
    (tmp_path / ".env").write_text(both, encoding="utf-8")
    assert load_settings(Flags(), {"HOME": str(tmp_path)}, tmp_path).storage.kind == "postgresql"


def test_its_file_holds_it(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:p@127.0.0.1/x\n", encoding="utf-8")
    given = {"HOME": str(tmp_path), "DATABASE_URL_FILE": "url", "STORAGE_KEY": STORAGE_KEY}
    database = load_settings(Flags(), given, tmp_path).storage.database
    assert database is not None
    assert database.reveal() == "postgresql://u:p@127.0.0.1/x"


async def test_the_doctor_says_where_it_is_and_what_is_wrong(tmp_path: Path, postgresql_url: str) -> None:
    row = await storage_row(settings(tmp_path, postgresql_url))
    assert row.status == "ok"
    assert row.found.startswith("postgresql://")
    away = await storage_row(settings(tmp_path, "postgresql://u:secret@127.0.0.1:9/x"))
    assert (away.status, "secret" in away.found) == ("warning", False)


def test_without_the_extra_a_line_says_what_to_install(tmp_path: Path) -> None:
    """In a process in which psycopg cannot be imported."""
    program = "import sys; sys.modules['psycopg'] = None; from claude_openai_proxy.cli import main; sys.exit(main())"
    run = subprocess.run(
        [sys.executable, "-c", program, "keys", "list"],
        env={"HOME": str(tmp_path), "DATABASE_URL": "postgresql://127.0.0.1:9/x", "STORAGE_KEY": STORAGE_KEY},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    (line,) = run.stderr.splitlines()
    assert run.returncode == 2
    assert "pip install 'claude-openai-proxy[postgres]'" in line
