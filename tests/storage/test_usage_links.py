"""Links that nobody has used: the same tests judge memory and databases."""

from collections.abc import AsyncIterator

import pytest

from claude_openai_proxy.storage.usage_links import MOST_LINKS, MemoryUsageLinks, StoredUsageLinks, UsageLinkStore
from storage.databases import places


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[UsageLinkStore]:
    if request.param == "memory":
        yield MemoryUsageLinks()
        return
    database = places(request.param, request)()
    yield StoredUsageLinks(database)
    await database.aclose()


async def test_a_link_is_taken_once(store: UsageLinkStore) -> None:
    await store.add("a", until=60.0, now=0.0)
    assert [await store.take("a", 59.0), await store.take("a", 59.0), await store.take("b", 0.0)] == [
        True,
        False,
        False,
    ]


async def test_a_link_that_is_over_is_none(store: UsageLinkStore) -> None:
    await store.add("a", until=60.0, now=0.0)
    await store.add("b", until=61.0, now=1.0)
    assert await store.take("a", 60.0) is False
    assert await store.take("b", 60.0) is True


async def test_links_that_nobody_used_are_bounded(store: UsageLinkStore) -> None:
    for number in range(MOST_LINKS + 1):
        await store.add(f"{number:02}", until=60.0 + number, now=0.0)
    taken = [await store.take(f"{number:02}", 0.0) for number in range(MOST_LINKS + 1)]
    assert taken == [False] + [True] * MOST_LINKS
