"""Client keys: the same tests judge memory and SQLite."""

import asyncio
import multiprocessing
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from claude_openai_proxy.records import KeyLimits
from claude_openai_proxy.storage.client_keys import (
    ClientKeyError,
    ClientKeyStore,
    MemoryClientKeys,
    StoredClientKeys,
    StoredKey,
    new_id,
    new_secret,
    prefix_of,
)
from storage.databases import places, sqlite_in
from storage.neighbours import add_and_be_killed, add_and_die

NOW = 1_800_000_000.0


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[ClientKeyStore]:
    if request.param == "memory":
        yield MemoryClientKeys()
        return
    database = places(request.param, request)()
    yield StoredClientKeys(database)
    await database.aclose()


def key(name: str, **given: object) -> StoredKey:
    return StoredKey(new_id(), name, created=NOW, **given)  # type: ignore[arg-type]  # a test's shorthand


async def test_before_the_first_key_none_is_required(store: ClientKeyStore) -> None:
    ring = await store.ring()
    assert (ring.required, ring.keys, ring.secrets) == (False, (), {})


async def test_a_key_opens_until_it_expires(store: ClientKeyStore) -> None:
    secret, made = new_secret(), key("phone", models=("custom-claude-4-opus", "haiku"), operator=True, expires=NOW + 60)
    await store.add(made, secret)
    ring = await store.ring()
    assert ring.required
    assert ring.find(secret, NOW + 59) == made
    assert ring.find(secret, NOW + 60) is None
    assert ring.find(secret + "x", NOW) is None
    assert ring.find(f"cop_{prefix_of(secret)}_other", NOW) is None
    assert ring.find("any", NOW) is None


async def test_limits_are_kept_changed_and_taken_back(store: ClientKeyStore) -> None:
    await store.add(key("free"), new_secret())
    await store.add(made := key("bound", limits=KeyLimits(10, None, 0.5)), new_secret())
    assert {one.name: one.limits for one in (await store.ring()).keys} == {"free": None, "bound": made.limits}
    changed = await store.limit("bound", KeyLimits(None, 5000, None), now=NOW)
    assert changed == replace(made, limits=KeyLimits(None, 5000, None))
    assert changed.principal.limits == KeyLimits(tokens_a_minute=5000)
    assert changed in (await store.ring()).keys
    await store.limit("bound", None, now=NOW)
    assert {one.limits for one in (await store.ring()).keys} == {None}
    with pytest.raises(ClientKeyError, match="nobody"):
        await store.limit("nobody", None, now=NOW)


async def test_a_name_is_taken_while_its_key_is_valid(store: ClientKeyStore) -> None:
    await store.add(first := key("phone"), new_secret())
    with pytest.raises(ClientKeyError, match="phone"):
        await store.add(key("phone"), new_secret())
    await store.revoke("phone", now=NOW)
    await store.add(second := key("phone"), new_secret())
    assert first.id != second.id
    assert [kept.id for kept in (await store.ring()).valid(NOW)] == [second.id]


async def test_rotating_lets_both_open_for_a_while(store: ClientKeyStore) -> None:
    old, new, third = new_secret(), new_secret(), new_secret()
    await store.add(made := key("phone"), old)
    assert (await store.rotate("phone", new, now=NOW, old_until=NOW + 10)).id == made.id
    ring = await store.ring()
    assert (ring.find(old, NOW + 9), ring.find(new, NOW + 9)) == (made, made)
    assert (ring.find(old, NOW + 10), ring.find(new, NOW + 10)) == (None, made)
    await store.rotate("phone", third, now=NOW, old_until=NOW + 100)
    assert (await store.ring()).find(old, NOW + 10) is None


async def test_a_revoked_key_opens_nothing_and_keys_stay_required(store: ClientKeyStore) -> None:
    secret = new_secret()
    await store.add(key("phone"), secret)
    assert (await store.revoke("phone", now=NOW)).revoked == NOW
    ring = await store.ring()
    assert ring.find(secret, NOW) is None
    assert ring.required
    assert ring.valid(NOW) == []
    await store.require(required=False)
    assert not (await store.ring()).required


@pytest.mark.parametrize("name", ["nobody", "old"])
async def test_a_name_that_no_valid_key_has(store: ClientKeyStore, name: str) -> None:
    await store.add(key("old", expires=NOW - 1), new_secret())
    with pytest.raises(ClientKeyError, match=name):
        await store.rotate(name, new_secret(), now=NOW, old_until=NOW)
    with pytest.raises(ClientKeyError, match=name):
        await store.revoke(name, now=NOW)


async def test_no_secret_rests_on_the_disk(tmp_path: Path) -> None:
    database, secret = sqlite_in(tmp_path), new_secret()
    await StoredClientKeys(database).add(key("phone"), secret)
    await database.aclose()
    random = secret.split("_", 2)[2]
    for path in (tmp_path / "state").iterdir():
        assert random.encode() not in path.read_bytes()
    connection = sqlite3.connect(tmp_path / "state" / "state.db")
    assert connection.execute("SELECT length(digest) FROM client_key_secrets").fetchall() == [(32,)]
    connection.close()


def test_a_secret_has_256_bits_and_a_mark() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    for secret in secrets:
        mark, prefix, random = secret.split("_", 2)
        assert (mark, len(prefix), len(random)) == ("cop", 8, 43)
        assert prefix_of(secret) == prefix


# ---- a process that is killed ---------------------------------------------------------------------------------------


async def killed(target: Callable[..., None], *arguments: object) -> None:
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments)
    process.start()
    await asyncio.to_thread(process.join)
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("at", range(5))
async def test_a_key_whose_command_is_killed_is_there_whole_or_not_at_all(tmp_path: Path, at: int) -> None:
    """Killed at each statement, or before the commit: nobody was told of the key, and nothing of it is there."""
    first, second = new_secret(), new_secret()
    database = sqlite_in(tmp_path)
    store = StoredClientKeys(database)
    await store.add(ann := key("ann"), first)
    await killed(add_and_die, tmp_path, key("bob"), second, at)
    ring = await store.ring()
    assert (ring.keys, list(ring.secrets)) == ((ann,), [prefix_of(first)])
    assert (ring.find(first, NOW), ring.find(second, NOW)) == (ann, None)
    await store.add(bob := key("bob"), second)
    assert (await store.ring()).find(second, NOW) == bob
    await database.aclose()


async def test_the_first_key_that_was_not_acknowledged_requires_none(tmp_path: Path) -> None:
    await killed(add_and_die, tmp_path, key("ann"), new_secret(), 4)
    database = sqlite_in(tmp_path)
    ring = await StoredClientKeys(database).ring()
    assert (ring.required, ring.keys, ring.secrets) == (False, (), {})
    await database.aclose()


async def test_a_key_that_was_acknowledged_survives_its_process(tmp_path: Path) -> None:
    secret, ann, said = new_secret(), key("ann"), tmp_path / "said"
    await killed(add_and_be_killed, tmp_path, ann, secret, said)
    assert said.exists()
    database = sqlite_in(tmp_path)
    ring = await StoredClientKeys(database).ring()
    assert (ring.required, ring.find(secret, NOW)) == (True, ann)
    await database.aclose()
