"""Limits of logins: the same tests judge memory and SQLite."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from claude_openai_proxy.storage.login_limits import (
    LIMITS_SECONDS,
    LoginLimits,
    LoginLimitStore,
    MemoryLoginLimits,
    StoredLoginLimits,
)
from claude_openai_proxy.translate.messages_api.rate_limits import Limits, LimitWindow
from storage.databases import places, sqlite_in

NOW = 1_800_000_000.0
LIMITS = Limits("allowed", "five_hour", NOW + 60, "allowed", True, (LimitWindow("five_hour", 0.5, NOW + 60, told=NOW),))


class Settled(StoredLoginLimits):
    """Reads once all is committed."""

    async def all(self) -> Sequence[LoginLimits]:
        await self._database.settle()
        return await super().all()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[LoginLimitStore]:
    if request.param == "memory":
        yield MemoryLoginLimits()
        return
    database = places(request.param, request)()
    yield Settled(database)
    await database.aclose()


async def test_the_last_of_each_login_is_kept(store: LoginLimitStore) -> None:
    assert not await store.all()
    store.keep(LoginLimits("claude-code", "one", NOW, LIMITS))
    store.keep(LoginLimits("claude-code", "one", NOW + 1, Limits("rejected")))
    store.keep(LoginLimits("claude-code", "two", NOW, LIMITS))

    kept = {one.account: one for one in await store.all()}

    assert kept == {
        "one": LoginLimits("claude-code", "one", NOW + 1, Limits("rejected")),
        "two": LoginLimits("claude-code", "two", NOW, LIMITS),
    }


async def test_those_of_logins_that_are_long_gone_are_dropped(store: LoginLimitStore) -> None:
    store.keep(LoginLimits("claude-code", "old", NOW - LIMITS_SECONDS - 1, LIMITS))
    store.keep(LoginLimits("claude-code", "new", NOW, LIMITS))

    assert [one.account for one in await store.all()] == ["new"]


async def test_they_are_there_after_a_restart(tmp_path: Path) -> None:
    database = sqlite_in(tmp_path)
    StoredLoginLimits(database).keep(kept := LoginLimits("claude-code", "one", NOW, LIMITS))
    await database.aclose()

    again = sqlite_in(tmp_path)
    assert await StoredLoginLimits(again).all() == [kept]
    await again.aclose()
